"""/indexes/{id}/videos/{id}/segments: read and correct lines. This site's own, not Twelve Labs'.

The rules are the page's: a deed names the version of the line that was seen, and one that was
changed meanwhile is 409.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse

from videos import corrections
from videos.api import ApiRequest, dialects, errors, params, videos
from videos.api.endpoint import answer, tag, tagged, unchanged
from videos.corrections import Changed, Edited, Refused
from videos.engines.base import MOST_CHARACTERS
from videos.forms import DEEDS, LineForm
from videos.models import Role, Segment, Task, Video
from videos.timecode import ms_to_seconds

KEY = re.compile(r"\d{1,18}", re.ASCII)
WORDS = {"text": "value", "row": "version", "row_start": "version"}  # the form's names, and ours
CONFLICT = "correction_conflict"
AGAIN = "Read it again, and send its new version."


def shown(request: ApiRequest, index_id: str, video_id: str, role: Role = Role.READER) -> Task:
    """The transcript that is shown of a video."""
    video = videos.find(request, index_id, video_id, role)
    task = videos.transcript(video)
    task.video = video
    return task


def find(task: Task, segment_id: str) -> Segment:
    found = task.segments.filter(pk=segment_id).first() if KEY.fullmatch(segment_id) else None
    if found is None:
        raise errors.no_such(segment_id, "segments of the transcript that is shown")
    return found


def list_all(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """Those any part of which lies in [start, end), in their order."""
    start_ms, end_ms = videos.span(request)
    task = shown(request, index_id, video_id)
    etag = tag((task.pk, task.edition))
    if same := unchanged(request, etag):
        return same
    rows = task.segments.overlapping(start_ms, end_ms).order_by("number").defer("words")
    data = [dialects.segment(row) for row in rows.iterator(2000)]
    return tagged(answer({"transcript_id": task.pk, "data": data}), etag)


def show(request: ApiRequest, index_id: str, video_id: str, segment_id: str) -> HttpResponse:
    return answer(dialects.segment(find(shown(request, index_id, video_id), segment_id)))


def update(request: ApiRequest, index_id: str, video_id: str, segment_id: str) -> HttpResponse:
    """Another text, other times or both; what is not sent stays."""
    known = ("version", "value", "start", "end")
    row, edited = _do("save", known, request, index_id, video_id, segment_id)
    return answer(dialects.segment(edited.rows[0] if edited else row))


def split(request: ApiRequest, index_id: str, video_id: str, segment_id: str) -> HttpResponse:
    """Two lines of one, before character ``at`` of its text or of the ``value`` that is sent."""
    known = ("version", "value", "at")
    return _answered(*_do("split", known, request, index_id, video_id, segment_id))


def merge(request: ApiRequest, index_id: str, video_id: str, segment_id: str) -> HttpResponse:
    """One line of this one and the next."""
    known = ("version", "value")
    return _answered(*_do("merge", known, request, index_id, video_id, segment_id))


def revert(request: ApiRequest, index_id: str, video_id: str, segment_id: str) -> HttpResponse:
    """The engine's words again."""
    return _answered(*_do("revert", ("version",), request, index_id, video_id, segment_id))


def confirm(request: ApiRequest, index_id: str, video_id: str, segment_id: str) -> HttpResponse:
    """The engine's words are right, whatever makes them doubtful."""
    return _answered(*_do("confirm", ("version",), request, index_id, video_id, segment_id))


def undo(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """Take back the caller's last correction of the transcript, made here or on a page."""
    return _step(corrections.undo, request, index_id, video_id)


def redo(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """Do once more what the caller took back last."""
    return _step(corrections.redo, request, index_id, video_id)


def _step(
    step: Callable[[User, Task], Edited], request: ApiRequest, index_id: str, video_id: str
) -> HttpResponse:
    try:
        edited = step(request.user, shown(request, index_id, video_id, Role.EDITOR))
    except Refused as refusal:
        raise errors.ApiError(409, CONFLICT, str(refusal)) from refusal
    return answer({"data": [dialects.segment(row) for row in edited.rows]})


def _do(
    deed: str,
    known: tuple[str, ...],
    request: ApiRequest,
    index_id: str,
    video_id: str,
    segment_id: str,
) -> tuple[Segment, Edited | None]:
    """The line as it was, and what the deed made of it; None: nothing."""
    task = shown(request, index_id, video_id, Role.EDITOR)
    row = find(task, segment_id)
    form = _form(task.video, row, params.body(request, known))
    if deed == "split" and form.cleaned_data["at"] is None:
        raise errors.required("at")
    try:
        return row, DEEDS[deed](request.user, task, form)
    except Changed as changed:
        raise errors.ApiError(409, CONFLICT, f"{changed} {AGAIN}") from changed
    except Refused as refusal:
        raise errors.ApiError(400, "parameter_invalid", str(refusal)) from refusal


def _form(video: Video, row: Segment, body: dict[str, Any]) -> LineForm:
    """The page's own checks. What is not sent is as the line has it."""
    if "version" not in body:
        raise errors.required("version")
    text = params.text("value", body.get("value", row.text), MOST_CHARACTERS)
    sent = {name: params.typed(value) for name, value in body.items() if name != "value"}
    now = {"start": ms_to_seconds(row.start_ms), "end": ms_to_seconds(row.end_ms)}
    sent |= {"row": str(row.pk), "row_start": str(row.start_ms), "text": text}
    form = LineForm(now | sent, base=video.timebase, length_ms=video.duration_ms)
    params.require_valid(form, WORDS)
    return form


def _answered(row: Segment, edited: Edited | None) -> HttpResponse:
    rows = edited.rows if edited else [row]
    return answer({"data": [dialects.segment(each) for each in rows]})
