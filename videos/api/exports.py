"""A transcript, or the bin of an index, as a file. This site's own, not Twelve Labs'."""

from __future__ import annotations

from django.http import HttpResponse

from videos import exports, handover, streaming
from videos.api import ApiRequest, errors, indexes, params, videos
from videos.forms import MAX_HANDLES
from videos.models import Select, Task, Video


def export(request: ApiRequest, index_id: str, video_id: str, format: str) -> HttpResponse:
    video = videos.find(request, index_id, video_id)
    if format not in exports.FORMATS:
        raise errors.no_such(format, "formats")
    part, task = _part(request), _task(request, video)
    try:
        body = handover.write(format, video, task, part)
    except ValueError as error:
        raise errors.ApiError(404, "resource_not_exists", str(error)) from error
    return streaming.attachment(body, format, handover.title(video, part))


def _task(request: ApiRequest, video: Video) -> Task:
    """The transcript that is asked for, or the shown one."""
    if "transcript" not in request.GET:
        return videos.transcript(video)
    task_id = request.GET["transcript"]
    if (task := handover.transcript(video, task_id)) is None:
        raise errors.no_such(task_id, "transcripts")
    return task


def export_bin(request: ApiRequest, index_id: str, format: str) -> HttpResponse:
    """The selects of an index as one cut."""
    index = indexes.find(request, index_id)
    if format not in exports.FORMATS:
        raise errors.no_such(format, "formats")
    handles = params.whole("handles", request.GET.get("handles", "0"), 0, MAX_HANDLES)
    selects = Select.objects.in_bin(index).select_related("video")
    title = f"{index.name} selects"
    try:
        body = handover.write_bin(
            format, selects, title, handles=handles, as_range=_is_range(request, "range")
        )
    except handover.TooMuch as error:
        raise errors.invalid("format", str(error)) from error
    except ValueError as error:
        raise errors.ApiError(404, "resource_not_exists", str(error)) from error
    return streaming.attachment(body, format, title)


def _part(request: ApiRequest) -> handover.Part:
    start_ms, end_ms = videos.span(request)
    return handover.Part(
        start_ms,
        end_ms,
        params.text("q", request.GET.get("q", ""), 200),
        params.whole("handles", request.GET.get("handles", "0"), 0, MAX_HANDLES),
        _is_range(request, "rows"),
        match_case=_flag(request, "case"),
        doubt=_flag(request, "doubt"),
        gaps=_flag(request, "gaps"),
    )


def _flag(request: ApiRequest, name: str) -> bool:
    return params.flag(name, request.GET.get(name, "false"))


def _is_range(request: ApiRequest, usual: str) -> bool:
    kind = request.GET.get("as", usual)
    if kind not in ("rows", "range"):
        raise errors.invalid("as", "It must be rows or range.")
    return kind == "range"
