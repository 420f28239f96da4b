"""Correct the lines of a transcript: one by one in place or on a page, or many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Max
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from videos import corrections, rows
from videos.corrections import Changed, Edited, Refused
from videos.doubt import LOOK_BACK, worth_a_look
from videos.forms import DEEDS, LineForm, ReplaceForm, line_values, lines_seen, whole_number
from videos.models import NotAllowed, Role, Segment, Task, Video
from videos.models.segment import SegmentQuerySet
from videos.replacing import Found, Pattern
from videos.views import Request, SeeOther
from videos.views.finding import find_video
from videos.views.viewer import Page

PAGE_LINES = 100
OTHER_SHOWN = "Another transcript took the place of this one. Your words are still in this form."
MOVED = "The lines have changed since this page was loaded. Reload it to see them."


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a deed was not done, and what the line says now if somebody else changed it."""

    sentence: str
    now: Segment | None = None


# --- one line ---


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, video_id: str, number: int) -> HttpResponse:
    """The form of a line, as a page or (for htmx) alone, and what it sends."""
    video = find_video(request, video_id, Role.EDITOR)
    if video.transcript is None:
        raise NotAllowed("Lines can be corrected when the transcript is ready.")
    if request.method == "POST":
        return _change(request, video, number)
    row = _shown(video).segments.filter(number=number).first()
    start = request.GET.get("row_start")  # that of the line which the page has by this number
    if row is None and start is None:
        raise Http404
    if row is None or start not in (None, str(row.start_ms)):
        return HttpResponse(MOVED, status=409, content_type="text/plain; charset=utf-8")
    return _form(
        request,
        video,
        row.number,
        LineForm(initial=line_values(row), base=video.timebase, length_ms=video.duration_ms),
        row,
    )


def _shown(video: Video) -> Task:
    if video.transcript is None:
        raise Http404
    video.transcript.video = video
    return video.transcript


def _change(request: Request, video: Video, number: int) -> HttpResponse:
    form, task = (
        LineForm(request.POST, base=video.timebase, length_ms=video.duration_ms),
        _shown(video),
    )
    if not form.is_valid():
        return _again(request, video, number, form, Trouble(form.sentence), status=400)
    if request.POST.get("task") != task.pk:
        return _again(request, video, number, form, Trouble(OTHER_SHOWN), status=409)
    deed = DEEDS.get(request.POST.get("deed", ""), DEEDS["save"])
    try:
        edited = deed(request.user, task, form)
    except Changed as changed:
        return _again(request, video, number, form, Trouble(str(changed), changed.now), status=409)
    except Refused as refusal:
        return _again(request, video, number, form, Trouble(str(refusal)), status=400)
    return _done(request, video, edited or _unchanged(task, form), number)


def _unchanged(task: Task, form: LineForm) -> Edited:
    """The line by the number that it has by now, which may not be the page's."""
    row = task.segments.filter(pk=form.seen.pk).first()
    return Edited(row.number, 1, 1, [row], [row.start_ms]) if row else Edited(None)


def _again(
    request: Request, video: Video, number: int, form: LineForm, trouble: Trouble, *, status: int
) -> HttpResponse:
    """The form as it was sent, with what was typed. Sent once more it knows of the change."""
    segments, key = _shown(video).segments, form.cleaned_data.get("row", 0)
    row = trouble.now or segments.filter(pk=key).first() or segments.filter(number=number).first()
    if trouble.now is not None:
        known = request.POST.copy()
        known["row_start"] = str(trouble.now.start_ms)
        known["version"] = str(trouble.now.version)
        form = LineForm(known, base=video.timebase, length_ms=video.duration_ms)
    return _form(request, video, row.number if row else number, form, row, trouble, status)


def _form(
    request: Request,
    video: Video,
    number: int,
    form: LineForm,
    row: Segment | None,
    trouble: Trouble | None = None,
    status: int = 200,
) -> HttpResponse:
    template = "videos/_edit.html" if request.htmx else "videos/edit.html"
    context = {"video": video, "number": number, "form": form, "row": row, "trouble": trouble}
    context["is_last"] = not _shown(video).segments.filter(number__gt=number).exists()
    return render(request, template, context, status=status)


def _done(request: Request, video: Video, edited: Edited, number: int) -> HttpResponse:
    if request.htmx:
        return _saved(request, video, edited)
    first = number if edited.first is None else edited.first
    start = first - first % PAGE_LINES
    return SeeOther(f"{reverse('lines', args=[video.pk])}?from={start}#row-{first}")


def _saved(request: Request, video: Video, edited: Edited) -> HttpResponse:
    """The lines that changed and their neighbours, whose ends, gaps and marks may be others now.

    With the starts of what was there: a page that has others at these numbers is behind.
    """
    page, first = Page(video, request.GET, request.user), edited.first
    html = "" if first is None else _near(page, first, first + edited.now - 1 + LOOK_BACK)
    context = {"page": page, "video": video, "edited": edited, "html": html}
    context["total"] = _shown(video).segments.count()
    context["count"] = _count(page)
    return render(request, "videos/_saved.html", context)


def _count(page: Page) -> int:
    """How many lines the page shows; it fetches them all only where it must look into each."""
    if not page.filter.is_open:
        return page.count
    page.worth_a_look = _worth_a_look(page)
    return _in_range(page).count()


def _in_range(page: Page) -> SegmentQuerySet:
    return _shown(page.video).segments.overlapping(page.form.start_ms, page.form.end_ms)


def _worth_a_look(page: Page) -> tuple[int, int]:
    lines = _in_range(page).order_by("number").values_list("start_ms", "end_ms", "marks")
    found = [rows.Row(start_ms, end_ms, "", marks=marks) for start_ms, end_ms, marks in lines]
    return worth_a_look(found)


def _near(page: Page, first: int, last: int) -> str:
    lines = _in_range(page)
    span = lines.filter(number__gte=max(0, first - 1), number__lte=last + 1)
    said = lines.filter(number__lt=first - 1).aggregate(ms=Max("end_ms"))["ms"] or 0
    form = page.form
    keep = "" if page.filter.is_open else page.filter.query()
    return rows.render_near(rows.fetch(span), last, form.start_ms, form.end_ms, said, keep)


@require_safe
@gzip_page
def lines(request: Request, video_id: str) -> HttpResponse:
    """All lines with a link to the form of each, a hundred on a page: works without JavaScript."""
    video = find_video(request, video_id)
    segments, first = _shown(video).segments, whole_number(request.GET.get("from", "")) or 0
    total = segments.count()
    found = segments.filter(number__gte=first).order_by("number")[:PAGE_LINES]
    context = {
        "page": Page(video, request.GET, request.user),
        "video": video,
        "lines": found.defer("words"),
        "total": total,
        "first": first,
        "last": min(first + PAGE_LINES, total),
        "earlier": max(0, first - PAGE_LINES) if first else None,
        "later": first + PAGE_LINES if first + PAGE_LINES < total else None,
    }
    return render(request, "videos/lines.html", context)


# --- undo and redo ---


@require_POST
def undo(request: Request, video_id: str) -> HttpResponse:
    """Take back what this user did last to the transcript that is shown."""
    return _step(request, find_video(request, video_id, Role.EDITOR), corrections.undo, "Undone.")


@require_POST
def redo(request: Request, video_id: str) -> HttpResponse:
    """Do once more what this user took back last."""
    return _step(
        request, find_video(request, video_id, Role.EDITOR), corrections.redo, "Done again."
    )


def _step(
    request: Request, video: Video, step: Callable[[User, Task], Edited], done: str
) -> HttpResponse:
    try:
        edited = step(request.user, _shown(video))
    except Refused as refusal:
        return _not_done(request, video, str(refusal))
    if request.htmx:
        return _saved(request, video, edited)
    messages.success(request, done)
    return SeeOther(reverse("viewer", args=[video.pk]))


def _not_done(request: Request, video: Video, sentence: str) -> HttpResponse:
    if request.htmx:
        context = {"page": Page(video, request.GET, request.user), "video": video}
        return render(request, "videos/_editing.html", context | {"refusal": sentence}, status=409)
    messages.error(request, sentence)
    return SeeOther(reverse("viewer", args=[video.pk]))


# --- find and replace ---


@never_cache
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def replace(request: Request, video_id: str) -> HttpResponse:
    """What a replacement would change, line by line; then the chosen lines in one go."""
    video = find_video(request, video_id, Role.EDITOR)
    task = _shown(video)
    form = ReplaceForm(request.POST if request.method == "POST" else request.GET or None)
    if request.method != "POST" or not form.is_valid():
        return _preview(request, video, form)
    try:
        edited = corrections.change_many(
            request.user,
            task,
            corrections.Kind.REPLACE,
            lines_seen(request.POST.getlist("row")),
            partial(_replaced, Pattern(**form.pattern)),
        )
    except Refused as refusal:
        return _preview(request, video, form, str(refusal), status=409)
    if edited is None:
        return _preview(request, video, form, "Choose at least one line.", status=400)
    messages.success(request, _said(edited.now))
    return SeeOther(reverse("viewer", args=[video.pk]))


def _replaced(pattern: Pattern, row: Segment) -> str:
    return pattern.change(row.text)


def _said(count: int) -> str:
    return f"Replaced in {count:,} line{'' if count == 1 else 's'}. Undo takes all of it back."


def _chosen(request: Request, found: Found) -> set[str]:
    """The keys of the lines to tick: at first all, then those that were sent.

    A line that somebody changed since has another key: it is not replaced unseen.
    """
    if request.method == "POST":
        return set(request.POST.getlist("row"))
    return {change.key for change in found.changes}


def _preview(
    request: Request, video: Video, form: ReplaceForm, trouble: str = "", status: int = 200
) -> HttpResponse:
    found = Found()
    if form.is_bound and form.is_valid():
        segments = _shown(video).segments.order_by("number")
        found = Pattern(**form.pattern).look(segments, corrections.MAX_AT_ONCE)
    context = {"video": video, "form": form, "found": found, "trouble": trouble}
    context["chosen"] = _chosen(request, found)
    return render(request, "videos/replace.html", context, status=status)
