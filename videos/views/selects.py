"""The selects bin: ranges that an editor keeps, per index and across its videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from videos import derive, timecode
from videos.forms import SelectForm, whole_number
from videos.models import Index, Role, Select, Video
from videos.models.select import (
    MOST_IN_A_BIN,
    NotInBin,
    NotPutBack,
    keep,
    ordering,
    put_back,
    remember,
)
from videos.rows import range_query
from videos.views import Request, SeeOther, back
from videos.views.derived import played_url
from videos.views.finding import find_index, find_select, find_video

ORDERED_MEANWHILE = "This bin has changed since the page showed it: here it is as it is now."
CHANGED = "Somebody else changed this select meanwhile: save once more to have it as it is here."
ENDS = {"start_ms", "end_ms"}
MOVED_AWAY = "The video of this select was moved to another index, and its selects with it."
FULL = f"This bin is full: it holds {MOST_IN_A_BIN:,} selects."


@dataclass(frozen=True, slots=True)
class Clip:
    """A select as the bin shows it; ``begins_ms`` is its place in the cut.

    ``src`` is what a player plays of it.
    """

    select: Select
    begins_ms: int
    src: str = ""

    @property
    def query(self) -> str:
        return range_query(self.select.start_ms, self.select.end_ms)

    @property
    def remembered(self) -> str:
        return remember(self.select)

    @property
    def timecodes(self) -> tuple[str, str]:
        """In and out, as the file itself counts."""
        select, base = self.select, self.select.video.timebase
        return (
            timecode.source(select.start_ms, base),
            timecode.source_out(select.start_ms, select.end_ms, base),
        )


@require_safe
@vary_on_headers("HX-Request")
def bin_page(request: Request, index_id: str) -> HttpResponse:
    index = find_index(request, index_id)
    template = "videos/_bin.html" if request.htmx else "videos/bin.html"
    return render(request, template, bin_context(index))


def bin_context(index: Index) -> dict[str, Any]:
    """All of a bin, in as many queries whatever is in it."""
    clips, begins_ms = [], 0
    selects = list(Select.objects.in_bin(index).select_related("video", "kept_by"))
    copies = derive.copies({select.video_id for select in selects})
    for select in selects:
        clips.append(Clip(select, begins_ms, played_url(select.video, copies)))
        begins_ms += select.length_ms
    return {
        "index": index,
        "clips": clips,
        "total_ms": begins_ms,
        "varies": any(clip.select.video.rate_varies for clip in clips),
        "colours": Select.Colour.choices,
    }


def panel_context(video: Video) -> dict[str, Any]:
    """The selects of one video, as its page lists them."""
    selects = list(
        Select.objects.filter(video=video).select_related("kept_by").order_by("start_ms", "id")
    )
    return {
        "video": video,
        "selects": [Clip(select, 0) for select in selects],
        "selects_ms": sum(select.length_ms for select in selects),
        "colours": Select.Colour.choices,
    }


@require_POST
def keep_range(request: Request, video_id: str) -> HttpResponse:
    """Keep a range of this video, or put back what was taken out (``removed``).

    What cannot be kept is said beside the fields. A page that asks again, because no answer came,
    says ``id`` each time.
    """
    video = find_video(request, video_id, Role.EDITOR)
    if moved := _elsewhere(request, video):
        return moved
    if "removed" in request.POST:  # it was there: a bin that is full by now takes it all the same
        return _put_back(request, video)
    is_full = not Select.objects.has_room(video.index)
    form = SelectForm(video, request.POST)
    if not form.is_valid():
        return _panel(request, video, form.sentence)
    data = form.cleaned_data
    if kept := Select.objects.filter(pk=data["id"], video=video).first():
        return _panel(request, video, kept=kept)
    if is_full:
        return _panel(request, video, FULL)
    kept = keep(
        video,
        data["start"],
        data["end"],
        request.user,
        pk=data["id"],
        note=data["note"],
        colour=data["colour"],
    )
    return _panel(request, video, kept=kept)


def _put_back(request: Request, video: Video) -> HttpResponse:
    try:
        return _panel(request, video, kept=put_back(video, request.POST["removed"]))
    except NotPutBack:
        return _panel(request, video, "This can no longer be put back.")


def _panel(
    request: Request, video: Video, refusal: str = "", kept: Select | None = None
) -> HttpResponse:
    if request.htmx and request.htmx.target == "bin":
        return render(request, "videos/_bin.html", bin_context(video.index) | {"refusal": refusal})
    context = panel_context(video) | {"refusal": refusal, "kept": kept}
    if refusal:
        context["typed"] = request.POST
    if request.htmx:
        return render(request, "videos/_selects.html", context)
    if refusal:
        return render(request, "videos/keep.html", context, status=400)
    return back(request, reverse("viewer", args=[video.pk]))


def _elsewhere(request: Request, video: Video) -> HttpResponse | None:
    """The bin of which the page says that the video is, when that is another one by now."""
    pk = request.POST.get("bin", video.index_id)
    if pk == video.index_id or not pk.isalnum():
        return None
    return render(
        request,
        "videos/_bin.html",
        bin_context(find_index(request, pk)) | {"refusal": MOVED_AWAY},
    )


@require_POST
def change(request: Request, select_id: str) -> HttpResponse:
    """Trim it, or change its note or colour."""
    select = find_select(request, select_id, Role.EDITOR)
    if moved := _elsewhere(request, select.video):
        return moved
    form = SelectForm(select.video, request.POST)
    if not form.is_valid():
        return _answer(request, select, refusal=form.sentence, trimmed=request.POST)
    stood = _stood(request.POST.get("was", ""))
    asked = _touched(form.cleaned_data, stood)
    if stood and _is_contested(select, asked, stood):
        return _answer(request, select, refusal=CHANGED, trimmed=_beside(select, asked))
    select.change(**asked)
    return _answer(request, select)


def _stood(was: str) -> dict[str, Any]:
    """What ``Select.stands`` said when the form was made; empty where it does not say."""
    start, end, colour, note = (was.split(" ", 3) + [""] * 4)[:4]
    start_ms, end_ms = whole_number(start), whole_number(end)
    if start_ms is None or end_ms is None:
        return {}
    return {"start_ms": start_ms, "end_ms": end_ms, "note": note, "colour": colour}


def _touched(given: dict[str, Any], stood: dict[str, Any]) -> dict[str, Any]:
    """What the editor changed: not what merely came along in the other fields."""
    sent = {"start_ms": given["start"], "end_ms": given["end"]}
    sent |= {name: given[name] for name in ("note", "colour")}
    # A field has no ends of lines, which a note by the API may have.
    same = {name for name in stood if str(stood[name]).split() == str(sent[name]).split()}
    return {name: value for name, value in sent.items() if name not in same}


def _is_contested(select: Select, asked: dict[str, Any], stood: dict[str, Any]) -> bool:
    """Whether somebody else changed what the editor did, to something else. A range is one."""
    now = {name: getattr(select, name) for name in stood}
    changed = {name for name in stood if now[name] != stood[name]}
    if changed & ENDS and asked.keys() & ENDS:
        return any(now[name] != asked.get(name, stood[name]) for name in ENDS)
    return any(now[name] != asked[name] for name in asked.keys() & changed)


def _beside(select: Select, asked: dict[str, Any]) -> dict[str, Any]:
    """The form anew: what the editor changed, and beside it what is as it is now."""
    shown = {name: getattr(select, name) for name in (*ENDS, "note", "colour")} | asked
    start, end = (timecode.exact_clock(shown[name]) for name in ("start_ms", "end_ms"))
    return shown | {"start": start, "end": end, "was": select.stands}


@require_POST
def remove(request: Request, select_id: str) -> HttpResponse:
    """Take it out of the bin; the answer offers to put it back."""
    select = find_select(request, select_id, Role.EDITOR)
    if moved := _elsewhere(request, select.video):
        return moved
    Select.objects.filter(pk=select.pk).delete()
    return _answer(request, select, removed=Clip(select, 0))


@require_POST
def move(request: Request, select_id: str) -> HttpResponse:
    """One place up (``by=-1``) or down (``by=1``) in the bin."""
    select = find_select(request, select_id, Role.EDITOR)
    if moved := _elsewhere(request, select.video):
        return moved
    with ordering(select.video.index) as selects:
        if select not in selects:
            raise Http404  # somebody took it out just now
        at = selects.index(select)
        to = at + (1 if request.POST.get("by") == "1" else -1)
        if 0 <= to < len(selects):
            selects.insert(to, selects.pop(at))
    return _answer(request, select)


@require_POST
def arrange(request: Request, index_id: str) -> HttpResponse:
    """Put the select ``id`` before that of ``before``, or last without one.

    Only these two are named, since others may have ordered the bin since the page was made.
    """
    index, refusal = find_index(request, index_id, Role.EDITOR), ""
    try:
        Select.objects.put_before(index, request.POST.get("id", ""), request.POST.get("before", ""))
    except NotInBin:
        refusal = ORDERED_MEANWHILE
    if request.htmx:
        return render(request, "videos/_bin.html", bin_context(index) | {"refusal": refusal})
    if refusal:
        messages.error(request, refusal)
    return SeeOther(reverse("bin", args=[index.pk]))


def _answer(request: Request, select: Select, **more: Any) -> HttpResponse:
    """The bin or the video's panel, wherever the form stood."""
    if request.htmx and request.htmx.target == "selects":
        context = panel_context(select.video) | more | {"changed": select}
        return render(request, "videos/_selects.html", context)
    context = bin_context(select.video.index) | more | {"changed": select}
    if request.htmx:
        return render(request, "videos/_bin.html", context)
    if more:  # a refusal, or what was removed: the page says it once
        status = 400 if "refusal" in more else 200
        return render(request, "videos/bin.html", context, status=status)
    return back(request, reverse("bin", args=[select.video.index_id]))
