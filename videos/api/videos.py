"""/indexes/{id}/videos: list, show, update, delete, and the transcription."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import BigIntegerField, FloatField
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast
from django.http import HttpResponse

from videos import ingest
from videos.api import ApiRequest, dialects, errors, indexes, paging, params
from videos.api.endpoint import answer, done, tag, tagged, unchanged
from videos.api.paging import Filter
from videos.models import Role, Task, Video
from videos.models.segment import Edition, shown_edition, spoken
from videos.models.video import VideoQuerySet

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

Compiled = tuple[str, tuple[Any, ...]]  # SQL and its parameters

FILTERS = {
    "_id": Filter("pk", paging.equal),
    "filename": Filter("filename", paging.equal),
    "duration": Filter("duration_ms", paging.seconds),
    "fps": Filter("frames_a_second", paging.decimal),
    "width": Filter("width", paging.whole),
    "height": Filter("height", paging.whole),
    "size": Filter("size_bytes", paging.whole),
    "created_at": Filter("created_at", paging.when),
    "updated_at": Filter("updated_at", paging.when),
    "indexed_at": Filter("transcript__finished_at", paging.when),
}
ALL_OWN = ("metadata", "user_metadata")
OWN_NAME = re.compile(r"(?:user_)?metadata(?:\.(.+)|\[(.+)\])")
UPDATABLE = ("video_title", "metadata", "user_metadata")


def all_in(request: ApiRequest, index_id: str, role: Role = Role.READER) -> VideoQuerySet:
    """The videos of an index in which the caller has that role."""
    index = indexes.find(request, index_id, role)
    return Video.objects.filter(index=index).select_related("transcript")


def find(request: ApiRequest, index_id: str, video_id: str, role: Role = Role.READER) -> Video:
    return params.find(all_in(request, index_id, role), video_id, "videos")


def list_all(request: ApiRequest, index_id: str) -> HttpResponse:
    """The videos whose transcript is there."""
    ready = all_in(request, index_id).filter(transcript__isnull=False)
    found = paging.narrow(with_fps(ready), request.GET, FILTERS, by_user_metadata)
    return answer(paging.page(request.GET, found, dialects.video))


def show(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    return answer(shown(request, find(request, index_id, video_id)))


def shown(request: ApiRequest, video: Video) -> dialects.Json:
    """The video, with its transcription if ``?transcription=true``: null when nobody speaks."""
    known = dialects.video(video)
    asked = params.flag("transcription", request.GET.get("transcription", ""))
    if asked and video.transcript is not None:
        known["transcription"] = dialects.segments(video.transcript.segments.all()) or None
    return known


def update(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """PUT and PATCH alike: merge, so that no client loses what another one wrote."""
    found = find(request, index_id, video_id, Role.EDITOR)
    body = params.body(request, UPDATABLE)
    with transaction.atomic():
        video = Video.objects.select_for_update().get(pk=found.pk)
        fields = ["user_metadata", "updated_at"]
        if "video_title" in body:
            video.title = params.text("video_title", body["video_title"], 255).strip()
            fields.append("title")
        video.user_metadata = params.merged(video.user_metadata, dialects.user_metadata(body))
        video.save(update_fields=fields)
    return done()


def delete(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    ingest.delete_video(find(request, index_id, video_id, Role.OWNER))
    return done()


def transcription(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """The segments any part of which lies in [start, end), whole; other parameters are ignored.

    ``data`` is null when nobody speaks in the video, and an empty list when nobody does in
    the range.
    """
    start_ms, end_ms = span(request)
    named = params.ID.fullmatch(index_id) and params.ID.fullmatch(video_id)
    names = (request.key.user_id, index_id, video_id)
    # Asked apart only for who has something: of a narrow range a question is half of the cost.
    known = shown_edition(*names) if named and "If-None-Match" in request.headers else None
    if known and (same := unchanged(request, tag(known))):
        return same
    found = spoken(*names, start_ms, end_ms) if named else []
    edition = found[0][3:] if found else _edition(find(request, index_id, video_id))
    whole = start_ms is None and end_ms is None
    text = dialects.transcription(index_id, video_id, found, null=whole)
    return tagged(HttpResponse(text, content_type="application/json"), tag(edition))


def _edition(video: Video) -> Edition:
    task = transcript(video)
    return task.pk, task.edition


def span(request: ApiRequest) -> tuple[int | None, int | None]:
    start_ms, end_ms = _side(request, "start"), _side(request, "end")
    if start_ms is not None and end_ms is not None and start_ms > end_ms:
        raise errors.invalid("start", "It must not be greater than `end`.")
    return start_ms, end_ms


def transcript(video: Video) -> Task:
    if video.transcript is None:
        raise _not_ready(video.pk)
    return video.transcript


def _not_ready(video_id: str) -> errors.ApiError:
    message = f"The video {video_id} has no transcription yet: see the status of its task."
    return errors.ApiError(404, "resource_not_exists", message)


def _side(request: ApiRequest, name: str) -> int | None:
    return params.milliseconds(name, request.GET[name]) if name in request.GET else None


def with_fps(videos: VideoQuerySet) -> VideoQuerySet:
    """Rounded as ``dialects.video`` shows them: 29.97 is looked for, not 30000/1001."""
    # Whole numbers, since Postgres rounds no float, and large ones, beyond its 2,147,483,647.
    top, bottom = (Cast(f"fps_{name}", BigIntegerField()) for name in ("numerator", "denominator"))
    thousandths = (top * 2000 + bottom) / (bottom * 2)
    return videos.annotate(frames_a_second=Cast(thousandths, FloatField()) / 1000.0)


def by_user_metadata(rows: Any, key: str, values: list[str]) -> Any:
    """Any other query key is one of the user's own: ``?category=new&rating=9.3``."""
    own = _together(key, values) if key in ALL_OWN else {_own_name(key): values}
    for name, texts in own.items():
        rows = _with_own(rows, params.text("key", name, 200), texts)
    return rows


def _with_own(rows: Any, name: str, texts: list[str]) -> Any:
    wanted = [form for text in texts for form in _as_kept(params.text(name, text))]
    own = f"own_{len(rows.query.annotations)}"
    return rows.annotate(**{own: _OwnKey(name, "user_metadata")}).filter(**{f"{own}__in": wanted})


def _together(key: str, values: list[str]) -> dict[str, list[str]]:
    """As js 1.x sends them, all in one: ``?user_metadata={"category":"new","rating":9.3}``."""
    found: dict[str, list[str]] = {}
    for text in values:
        for name, value in params.json_object(key, text).items():
            if not isinstance(value, str | int | float):
                raise errors.invalid(key, "Values may be text, numbers, true or false.")
            found.setdefault(name, []).append(
                value if isinstance(value, str) else json.dumps(value)
            )
    if sum(map(len, found.values())) > paging.MOST_FILTERS:
        raise errors.invalid(key, f"It may have {paging.MOST_FILTERS} values.")
    return found


class _OwnKey(KeyTransform):
    """A key as it is, whatever it holds: Django takes ``2024`` for a place in a list, and SQLite
    ``a"b`` for the path of ``a``.
    """

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
        kept, given, (name,) = self.preprocess_lhs(compiler, connection)
        return f"({kept} -> %s::text)", (*given, name)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> Compiled:
        kept, given, (name,) = self.preprocess_lhs(compiler, connection)
        # true and false as Django compares them, by their names.
        value = "CASE WHEN type IN ('true', 'false', 'null') THEN type ELSE value END"
        sql = f"(SELECT {value} FROM json_each({kept}) WHERE key = %s)"  # noqa: S608 - no key in it
        return sql, (*given, name)


def _own_name(key: str) -> str:
    """``category``, ``metadata.category``, ``user_metadata[category]``: all are ``category``."""
    match = OWN_NAME.fullmatch(key)
    return match[1] or match[2] if match else key


def _as_kept(text: str) -> list[object]:
    """``9.3`` may have been kept as text or as a number."""
    if text in ("true", "false"):
        return [text, text == "true"]
    if params.NUMBER.fullmatch(text):
        return [text, params.number("value", text)]
    return [text]
