"""Hand a transcript over: as a file, or as words for the clipboard."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from videos import exports, handover, rows, streaming
from videos.exports.snippets import COPIES
from videos.forms import BinExportForm, ExportForm, first_fault
from videos.models import Select, Task, Video
from videos.views import Request, errors
from videos.views.finding import find_index, find_video
from videos.views.state import latest_task


@require_safe
@gzip_page
def export(request: Request, video_id: str, name: str) -> HttpResponse:
    """The whole transcript, a range of it (``?start=&end=``) or the lines that hold ``?q=``.

    Of the transcript that is shown, or of another one of the video (``?transcript=``).
    """
    video = find_video(request, video_id)
    if name not in exports.FORMATS:
        raise Http404
    form = ExportForm(request.GET, base=video.timebase, length_ms=video.duration_ms)
    if not form.is_valid():
        return errors.page(request, 400, _fault(form))
    task = _task(video, form)
    try:
        body = handover.write(name, video, task, form.part)
    except ValueError as error:
        return errors.page(request, 404, str(error))
    return streaming.attachment(body, name, handover.title(video, form.part))


def _task(video: Video, form: ExportForm) -> Task | None:
    """The one that is asked for; by itself the shown one, or the one that is growing."""
    if not (wanted := form.cleaned_data["transcript"]):
        return video.transcript or latest_task(video)
    if (task := handover.transcript(video, wanted)) is None:
        raise Http404
    return task


@require_safe
def export_bin(request: Request, index_id: str, name: str) -> HttpResponse:
    """The selects of an index as one cut, in the order of its bin."""
    index = find_index(request, index_id)
    if name not in exports.FORMATS:
        raise Http404
    form = BinExportForm(request.GET)
    if not form.is_valid():
        return errors.page(request, 400, _fault(form))
    selects = Select.objects.in_bin(index).select_related("video")
    title = f"{index.name} selects"
    try:
        body = handover.write_bin(name, selects, title, **form.handles_and_kind)
    except handover.TooMuch as error:
        return errors.page(request, 400, str(error))
    except ValueError as error:
        return errors.page(request, 404, str(error))
    return streaming.attachment(body, name, title)


def _fault(form: ExportForm | BinExportForm) -> str:
    """The field is named as in the address: that is all that there is to look at."""
    return ": ".join(first_fault(form))


@require_safe
def copy(request: Request, video_id: str, kind: str) -> HttpResponse:
    """What the page puts on the clipboard; without JavaScript it is shown, to be copied by hand."""
    video = find_video(request, video_id)
    if kind not in COPIES:
        raise Http404
    form = ExportForm(request.GET, base=video.timebase, length_ms=video.duration_ms)
    if not form.is_valid():
        return _plain(_fault(form), 400)
    try:
        clip = handover.one_clip(video, _task(video, form), form.part)
    except ValueError as error:
        return _plain(str(error), 404)
    words = COPIES[kind][1](clip, _link(request, video, form.part))
    return _plain(words) if words else _plain("Nothing is said here.", 404)


def _link(request: HttpRequest, video: Video, part: handover.Part) -> str:
    query = rows.range_query(part.start_ms, part.end_ms)
    path = reverse("viewer", args=[video.pk])
    return request.build_absolute_uri(f"{path}?{query}" if query else path)


def _plain(words: str, status: int = 200) -> HttpResponse:
    response = HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    return response
