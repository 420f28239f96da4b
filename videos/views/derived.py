"""What was made of a video: peaks, thumbnails, a playable copy; their bytes and their state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from videos import derive, streaming
from videos.models import Derivation, Kind, Role, Video
from videos.views import Request, SeeOther
from videos.views.finding import find_video
from videos.views.media import ASK_AGAIN, DAY, guarded, tagged


def played_url(video: Video, copies: Mapping[str, Derivation]) -> str:
    """What a player plays of it: its copy among the ready ones, else the file itself."""
    copy = copies.get(video.pk)
    return _address("proxy", copy) if copy else reverse("media", args=[video.pk])


def _address(name: str, row: Derivation) -> str:
    """Of a finished file; another one after it was made anew."""
    return f"{reverse(name, args=[row.video_id])}?v={row.lease_no}"


@dataclass
class Extras:
    """What the viewer's templates ask for; the rows are fetched, or made, when one first asks."""

    video: Video

    @cached_property
    def rows(self) -> dict[str, Derivation]:
        return derive.look(self.video)

    @property
    def proxy(self) -> Derivation | None:
        return self.rows.get(Kind.PROXY)

    @property
    def src(self) -> str:
        ready = {self.video.pk: self.proxy} if self.proxy and self.proxy.is_ready else {}
        return played_url(self.video, ready)

    @property
    def peaks_url(self) -> str:
        return self._url("peaks", Kind.PEAKS)

    @property
    def sprite_url(self) -> str:
        return self._url("sprite_map", Kind.SPRITE)

    def _url(self, name: str, kind: Kind) -> str:
        row = self.rows.get(kind)
        return _address(name, row) if row and row.is_ready else ""

    @property
    def is_unfinished(self) -> bool:
        return any(row.is_waiting for row in self.rows.values())

    @property
    def failed(self) -> list[Derivation]:
        """Those of which the page says why they are not there; the copy is shown by itself."""
        return [row for row in self.rows.values() if row.is_failed and row.kind != Kind.PROXY]

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to say about them."""
        return self.proxy is None and not self.failed


def _ready(request: HttpRequest, video_id: str, kind: Kind) -> Derivation:
    rows = Derivation.objects.visible_to(request.user).select_related("video")
    return get_object_or_404(rows, video=video_id, kind=kind, state=Derivation.READY)


def _etag(row: Derivation) -> str:
    return f"{row.pk}-{row.lease_no}"


def _serve(request: HttpRequest, row: Derivation, content_type: str) -> HttpResponseBase:
    try:
        response = streaming.serve(request, row.path, content_type, _etag(row))
    except FileNotFoundError:  # it is made again as soon as the page is opened
        raise Http404 from None
    named = request.GET.get("v") == str(row.lease_no)
    return guarded(response, cache=DAY if named else ASK_AGAIN)


@require_safe
def peaks(request: HttpRequest, video_id: str) -> HttpResponseBase:
    """One byte for each of many equal stretches of the video: how loud it is there."""
    row = _ready(request, video_id, Kind.PEAKS)
    return _serve(request, row, "application/octet-stream")


@require_safe
def sprite(request: HttpRequest, video_id: str) -> HttpResponseBase:
    """The sheet of thumbnails."""
    return _serve(request, _ready(request, video_id, Kind.SPRITE), "image/jpeg")


@require_safe
def sprite_map(request: HttpRequest, video_id: str) -> HttpResponseBase:
    """How the sheet is to be read: thumbnail n shows the video at n * interval_ms."""
    row = _ready(request, video_id, Kind.SPRITE)
    url = f"{reverse('sprite', args=[video_id])}?v={row.lease_no}"
    names = ("count", "columns", "interval_ms", "width", "height")
    response = JsonResponse({"url": url} | {name: row.facts.get(name) for name in names})
    return guarded(tagged(request, response, _etag(row)), cache=ASK_AGAIN)


@require_safe
def proxy(request: HttpRequest, video_id: str) -> HttpResponseBase:
    """The playable copy, any stretch of it; ``?download`` saves it."""
    row = _ready(request, video_id, Kind.PROXY)
    has_picture = row.facts.get("height")
    response = _serve(request, row, "video/mp4" if has_picture else "audio/mp4")
    name = f"{row.video.filename.rpartition('.')[0] or row.video.filename} copy.mp4"
    attachment = "download" in request.GET
    response["Content-Disposition"] = streaming.disposition(name, attachment=attachment)
    return response


# --- their state ---


@require_safe
def state(request: Request, video_id: str) -> HttpResponse:
    """What the page polls until all of them ended."""
    return _show(request, find_video(request, video_id))


@require_POST
def proxy_make(request: Request, video_id: str) -> HttpResponse:
    """Make a copy that failed anew, or one of a file that this browser does not play."""
    video = find_video(request, video_id)
    derive.want(video, [Kind.PROXY])
    return _change(request, video, derive.again, only=lambda row: row.is_failed)


@require_POST
def proxy_cancel(request: Request, video_id: str) -> HttpResponse:
    return _change(request, find_video(request, video_id, Role.EDITOR), derive.cancel)


@require_POST
def retry(request: Request, video_id: str) -> HttpResponse:
    """Make the waveform and the thumbnails anew that could not be made."""
    video = find_video(request, video_id)
    for row in Derivation.objects.filter(video=video, state=Derivation.FAILED):
        if row.kind != Kind.PROXY:
            derive.again(row)
    return _show(request, video)


def _change(
    request: Request,
    video: Video,
    change: Callable[[Derivation], bool],
    only: Callable[[Derivation], bool] = lambda row: True,
) -> HttpResponse:
    """Do it to the copy. Coming too late is no fault: the page shows what is."""
    row = Derivation.objects.filter(video=video, kind=Kind.PROXY).first()
    if row and only(row):
        change(row)
    return _show(request, video)


def _show(request: Request, video: Video) -> HttpResponse:
    if not request.htmx:
        return SeeOther(reverse("viewer", args=[video.pk]))
    context = {"video": video, "extras": Extras(video)}
    return render(request, "videos/_derived.html", context)
