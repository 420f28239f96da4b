"""/indexes/{id}/selects: the bin of an index. This site's own; Twelve Labs has no such thing."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from videos.api import ApiRequest, dialects, errors, indexes, params
from videos.api.endpoint import answer, done
from videos.forms import SelectForm
from videos.models import Role, Select, Video
from videos.models.select import MOST_IN_A_BIN, keep
from videos.timecode import ms_to_seconds

KEYS = ("video_id", "start", "end", "note", "colour")


def find(request: ApiRequest, index_id: str, select_id: str, role: Role = Role.READER) -> Select:
    index = indexes.find(request, index_id, role)
    selects = Select.objects.in_bin(index).select_related("video__transcript", "kept_by")
    return params.find(selects, select_id, "selects")


def list_all(request: ApiRequest, index_id: str) -> HttpResponse:
    """All of the bin, in the order of the cut."""
    selects = Select.objects.in_bin(indexes.find(request, index_id))
    data = [dialects.select(each, index_id) for each in selects.select_related("kept_by")]
    return answer({"data": data, "total_duration": selects.total_ms() / 1000})


def create(request: ApiRequest, index_id: str) -> HttpResponse:
    index = indexes.find(request, index_id, Role.EDITOR)
    body = params.body(request, KEYS)
    if "video_id" not in body:
        raise errors.required("video_id")
    videos = Video.objects.filter(index=index).select_related("transcript")
    video = params.find(videos, body["video_id"], "videos")
    if not Select.objects.has_room(index):
        raise errors.ApiError(400, "usage_limit_exceeded", "This bin is full.")
    data = _checked(video, body)
    select = keep(
        video, data["start"], data["end"], request.user, note=data["note"], colour=data["colour"]
    )
    return answer(dialects.select(select, index_id), status=201)


def show(request: ApiRequest, index_id: str, select_id: str) -> HttpResponse:
    return answer(dialects.select(find(request, index_id, select_id), index_id))


def update(request: ApiRequest, index_id: str, select_id: str) -> HttpResponse:
    """What is not sent stays."""
    select = find(request, index_id, select_id, Role.EDITOR)
    body = params.body(request, KEYS[1:])
    now = {
        "start": ms_to_seconds(select.start_ms),
        "end": ms_to_seconds(select.end_ms),
        "note": select.note,
        "colour": select.colour,
    }
    data = _checked(select.video, now | body)
    select.change(
        start_ms=data["start"], end_ms=data["end"], note=data["note"], colour=data["colour"]
    )
    return answer(dialects.select(select, index_id))


def delete(request: ApiRequest, index_id: str, select_id: str) -> HttpResponse:
    find(request, index_id, select_id, Role.EDITOR).delete()
    return done()


def arrange(request: ApiRequest, index_id: str) -> HttpResponse:
    """Put the bin in the order of ``{"order": [ids]}``."""
    index = indexes.find(request, index_id, Role.EDITOR)
    order = params.body(request, ("order",)).get("order")
    if not isinstance(order, list) or not all(isinstance(pk, str) for pk in order):
        raise errors.invalid("order", "It must be a list of ids.")
    Select.objects.arrange(index, order[:MOST_IN_A_BIN])
    return done()


def _checked(video: Video, body: dict[str, Any]) -> dict[str, Any]:
    """The page's own checks, on numbers or times as text."""
    form = SelectForm(video, {name: params.typed(value) for name, value in body.items()})
    params.require_valid(form)
    return form.cleaned_data
