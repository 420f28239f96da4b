"""One video beside its transcript, from the first second of its task to the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from videos import rows
from videos.forms import AgainForm, RangeForm
from videos.models import Index, Task, Video
from videos.timecode import ms_to_seconds, parse_clock
from videos.views import Request, SeeOther
from videos.views.state import State, count_ahead, describe, latest_task, origin


@dataclass
class Page:
    """What the viewer's templates ask for; each part is fetched when one first asks."""

    video: Video
    query: QueryDict

    @cached_property
    def indexes(self) -> list[Index]:
        """Where the video may be moved to."""
        return list(Index.objects.filter(owner=self.video.index.owner_id))

    @cached_property
    def form(self) -> RangeForm:
        return RangeForm(self.query)

    @cached_property
    def task(self) -> Task | None:
        """The newest task: the one that may be running."""
        return latest_task(self.video)

    @cached_property
    def shown(self) -> Task | None:
        """The task whose rows are read: the finished one, else the newest with what it has."""
        return self.video.transcript or self.task

    @cached_property
    def state(self) -> State:
        waits = self.task is not None and not self.task.is_final and not self.task.is_running
        return describe(self.task, ahead=count_ahead(self.task) if waits and self.task else 0)

    @cached_property
    def origin(self) -> str:
        return origin(self.shown) if self.shown else ""

    @cached_property
    def again_form(self) -> AgainForm:
        """Asks for the language that was asked for last, until something else is chosen."""
        language = self.task.language if self.task else ""
        data = self.query if "engine" in self.query else None
        return AgainForm(self.video.index, data, initial={"language": language})

    @property
    def task_origin(self) -> str:
        return origin(self.task) if self.task else ""

    @cached_property
    def rows(self) -> list[rows.Row]:
        """Those in the range; all of them when the range cannot be understood."""
        if self.shown is None:
            return []
        span = self.shown.segments.overlapping(self.form.start_ms, self.form.end_ms)
        return rows.fetch(span)

    @cached_property
    def html(self) -> SafeString:
        return rows.render(self.rows, self.form.start_ms, self.form.end_ms, self.at_ms)

    @cached_property
    def total(self) -> int:
        if self.form.is_open:
            return len(self.rows)
        return self.shown.segments.count() if self.shown else 0

    @property
    def count(self) -> int:
        return len(self.rows)

    @cached_property
    def at_ms(self) -> int | None:
        """The moment ``?t=`` to open at; what cannot be read is no moment."""
        try:
            return parse_clock(self.query.get("t", ""))
        except ValueError:
            return None

    @property
    def fragment(self) -> str:
        """Opens the player at that moment, with or without JavaScript."""
        return "" if self.at_ms is None else f"#t={ms_to_seconds(self.at_ms)}"

    @property
    def range_query(self) -> str:
        return rows.range_query(self.form.start_ms, self.form.end_ms)


def find(request: Request, video_id: str) -> Video:
    videos = Video.objects.visible_to(request.user).select_related("index", "transcript")
    return get_object_or_404(videos, pk=video_id)


@require_safe
@gzip_page
@vary_on_headers("HX-Request")
def viewer(request: Request, video_id: str) -> HttpResponse:
    """The page; htmx asks this same URL for the transcript alone, in a range."""
    page = Page(find(request, video_id), request.GET)
    context = {"page": page, "video": page.video}
    if not request.htmx:
        return render(request, "videos/viewer.html", context)
    if page.form.is_valid():
        return render(request, "videos/_transcript.html", context)
    # Say what is wrong beside the fields; leave the rows, whichever they are, and their count.
    part = render(request, "videos/_range.html", context | {"kept": True})
    return HttpResponse(
        part.content, headers={"HX-Retarget": "#range", "HX-Reswap": "outerHTML"}, status=200
    )


@require_safe
@gzip_page
def progress(request: Request, video_id: str) -> HttpResponse:
    """What happened since the page last asked: the state, and rows after ``?after=``."""
    video = find(request, video_id)
    if not request.htmx:
        return SeeOther(reverse("viewer", args=[video.pk]))
    return progress_partial(request, video, request.GET)


def progress_partial(
    request: Request, video: Video, query: QueryDict, refusal: str = ""
) -> HttpResponse:
    """``refusal`` says why what was asked for was not done."""
    page = Page(video, query)
    context = {"page": page, "video": video, "polled": True, "refusal": refusal}
    if page.shown is None or query.get("task") != page.shown.pk:
        return render(request, "videos/_progress_and_transcript.html", context)
    return render(request, "videos/_progress_and_rows.html", context | _news(page, page.shown))


def _news(page: Page, task: Task) -> dict[str, object]:
    """The rows that the page does not have yet, and its counts with them."""
    after = _whole(page.query.get("after", ""))
    fresh = task.segments.filter(number__gt=after)
    wanted = rows.fetch(fresh.overlapping(page.form.start_ms, page.form.end_ms))
    count = task.segments.overlapping(page.form.start_ms, page.form.end_ms).count()
    tail, blocks = rows.render_more(
        wanted, count - len(wanted), page.form.start_ms, page.form.end_ms
    )
    return {"tail": tail, "blocks": blocks, "total": task.segments.count(), "count": count}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
