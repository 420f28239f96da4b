"""Every shape on the wire: rows in, dictionaries out, and back for what an index is asked to be.

All versions get the union of their dialects' keys, since every official SDK passes over keys
that it does not know: ``metadata`` beside ``system_metadata``, ``engines`` beside ``models``.
What the dialects call by two names is kept by one: ``audio`` is v1.1's and v1.2's
``conversation``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from videos.api import errors, params, speech
from videos.models import Asset, Chunk, Index, Member, Segment, Select, Status, Task, Upload, Video
from videos.models.segment import SegmentQuerySet, Spoken

Json = dict[str, Any]

# What clients may ask of an index, as we keep it.
OPTIONS = {
    "visual": "visual",
    "audio": "audio",
    "conversation": "audio",
    "transcription": "audio",
    "text_in_video": "text_in_video",
    "logo": "logo",
}
OLDER = {"audio": "conversation"}
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}", re.ASCII)
MAX_MODELS = 10
# An index that was made on a page asked for nothing: this site listens.
UNASKED = ({"name": "local", "options": ["audio"]},)


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds and Z."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- indexes ---

INDEX_KEYS = ("index_name", "models", "engines", "engine_id", "index_options", "addons")


def asked_models(body: Json) -> list[Json]:
    """The models of a new index, in any dialect, as they are kept: name and options of each."""
    if "models" in body:
        return _models("models", body["models"], "model_name", "model_options")
    if "engines" in body:
        return _models("engines", body["engines"], "engine_name", "engine_options")
    if "engine_id" in body:
        options = body.get("index_options")
        return [_model("engine_id", body["engine_id"], "index_options", options)]
    raise errors.required("models")


def _models(name: str, value: object, its_name: str, its_options: str) -> list[Json]:
    if not isinstance(value, list) or len(value) > MAX_MODELS:
        raise errors.invalid(name, "It must be a list of models.")
    if not value:
        raise errors.required(name)
    if not all(isinstance(item, dict) for item in value):
        raise errors.invalid(name, "It must be a list of objects.")
    return [
        _model(its_name, item.get(its_name), its_options, item.get(its_options)) for item in value
    ]


def _model(name: str, value: object, options_name: str, options: object) -> Json:
    if not value or not options:
        raise errors.required(options_name if value else name)
    if not isinstance(value, str) or not MODEL_NAME.fullmatch(value):
        raise errors.invalid(name)
    if not isinstance(options, list) or not all(
        isinstance(option, str) and option in OPTIONS for option in options
    ):
        raise errors.invalid(options_name, f"It may hold {', '.join(OPTIONS)}.")
    return {"name": value, "options": list(dict.fromkeys(OPTIONS[option] for option in options))}


def kept_models(index: Index) -> list[Json]:
    return list(index.options or UNASKED)


def index(row: Index) -> Json:
    """An index; the row has the totals of ``with_totals``."""
    models = kept_models(row)
    older = [[OLDER.get(option, option) for option in model["options"]] for model in models]
    return {
        "_id": row.pk,
        "index_name": row.name,
        "models": [
            {"model_name": model["name"], "model_options": model["options"], "addons": []}
            for model in models
        ],
        "engines": [
            {"engine_name": model["name"], "engine_options": options, "addons": []}
            for model, options in zip(models, older, strict=True)
        ],
        "engine_id": models[0]["name"],
        "index_options": older[0],
        "addons": [],
        "video_count": getattr(row, "video_count", 0),
        "total_duration": (getattr(row, "total_ms", None) or 0) / 1000,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "expires_at": None,
        "role": row.role,
    }


# --- tasks ---


def task(row: Task) -> Json:
    """A task; the row comes with its video."""
    known = {
        "_id": row.pk,
        "index_id": row.video.index_id,
        "video_id": row.video_id,
        "status": row.status,
        "process": _process(row),
        "metadata": _metadata(row.video),
        "system_metadata": _system_metadata(row.video),
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
    if estimate := _estimate(row):
        known["estimated_time"] = moment(estimate)
    if row.status == Status.FAILED:
        code = "task_cancelled" if row.cancelled else "task_failed"
        known["error"] = {"code": code, "message": row.error}
    return known


def _process(row: Task) -> Json:
    """An official SDK refuses a fraction of a second here."""
    return {"percentage": float(row.percent), "remain_seconds": int(row.seconds_left or 0)}


def _estimate(row: Task) -> datetime | None:
    left = row.seconds_left
    return row.finished_at if left is None else timezone.now() + timedelta(seconds=left)


def task_counts(index_id: str, counts: dict[str, int]) -> Json:
    """How many tasks have each status; the sum's name is singular on the wire."""
    words = {status: counts.get(status, 0) for status in Status.values}
    return {"index_id": index_id, **words, "total_result": sum(words.values())}


# --- videos ---


def video(row: Video) -> Json:
    """A video; the row comes with its transcript's task, if it has one.

    Without ``index_id``: py 0.x passes a video's keys on beside one of that name, and breaks.
    """
    known = {
        "_id": row.pk,
        "metadata": _metadata(row),
        "system_metadata": _system_metadata(row),
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
    if row.transcript is not None:
        known["indexed_at"] = moment(row.transcript.finished_at)
    if row.user_metadata:
        known["user_metadata"] = row.user_metadata
    if row.asset_id:
        known["asset_id"] = row.asset_id
    return known


def indexed_asset(row: Video) -> Json:
    """A video as v1.3 calls it now; the row comes with its tasks, newest first."""
    return {**video(row), "status": indexed_status(row)}


def indexed_status(row: Video) -> str:
    if row.transcript_id:
        return Status.READY
    tasks = row.tasks.all()
    return str(tasks[0].status) if tasks else Status.FAILED


def _system_metadata(row: Video) -> Json:
    """All six, with whole numbers where SDKs want them; sound alone has zeros."""
    return {
        "filename": row.filename,
        "duration": row.duration_ms / 1000,
        "fps": round(float(row.fps), 3),
        "width": row.width,
        "height": row.height,
        "size": row.size_bytes,
    }


def _metadata(row: Video) -> Json:
    title = {"video_title": row.title} if row.title else {}
    return {**row.user_metadata, **_system_metadata(row), **title}


# --- assets ---


def asset(row: Asset) -> Json:
    status = "failed" if row.error else "ready" if row.sha256 else "processing"
    known: Json = {
        "_id": row.pk,
        "method": row.method,
        "status": status,
        "filename": row.filename,
        "file_type": row.content_type or "application/octet-stream",
        "created_at": moment(row.created_at),
    }
    if row.sha256:
        known |= {"size": row.size_bytes, "duration": row.duration_ms / 1000}
    if row.user_metadata:
        known["user_metadata"] = row.user_metadata
    if row.error:
        known["error"] = {"message": row.error}
    return known


def asset_use(row: Video) -> Json:
    """Where an asset is used; the row comes with its index."""
    return {"_id": row.pk, "index": {"_id": row.index_id, "name": row.index.name}}


# --- uploads in chunks ---


def upload_status(row: Upload) -> str:
    late = row.status == Upload.ACTIVE and row.expires_at <= timezone.now()
    return "expired" if late else row.status


def upload_begun(row: Upload, urls: list[Json]) -> Json:
    return {
        "upload_id": row.pk,
        "asset_id": row.asset_id,
        "chunk_size": row.chunk_bytes,
        "total_chunks": row.total_chunks,
        "upload_urls": urls,
        "upload_headers": {},
        "expires_at": moment(row.expires_at),
    }


def upload(row: Upload, reported: int) -> Json:
    """An upload of which so many chunks are reported."""
    return {
        "upload_id": row.pk,
        "status": upload_status(row),
        "asset_id": row.asset_id,
        "filename": row.asset.filename,
        "total_size": row.total_bytes,
        "chunk_size": row.chunk_bytes,
        "total_chunks": row.total_chunks,
        "completed_chunks": reported,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "expires_at": moment(row.expires_at),
    }


def chunk(number: int, size: int, row: Chunk | None) -> Json:
    """A chunk, with its row once its bytes are here; until it is reported it is pending."""
    reported = row is not None and row.reported
    at = moment(row.updated_at) if row else None
    return {
        "index": number,
        "status": "completed" if reported else "pending",
        "size": size,
        "uploaded_at": at if reported else None,
        "updated_at": at,
    }


# --- transcripts ---


def segments(rows: SegmentQuerySet) -> list[Json]:
    """Segments in the order of time, in seconds; no object is made of a row, for speed."""
    return _spoken(_in_order(rows))


def _in_order(rows: SegmentQuerySet) -> Iterable[speech.Spoken]:
    return rows.order_by("start_ms", "number").values_list("start_ms", "end_ms", "text")


_text = json.JSONEncoder(ensure_ascii=False).encode


def transcription(index_id: str, video_id: str, rows: Iterable[Spoken], *, null: bool) -> str:
    """The segments as JSON text, joined by hand: of ten thousand that takes half the time.

    ``null``: what no segments are; else they are an empty list.
    """
    data = ",".join(
        [
            f'{{"start":{start_ms / 1000},"end":{end_ms / 1000},"value":{_text(text)}}}'
            for start_ms, end_ms, text, _, _ in rows
        ]
    )
    shown = "null" if null and not data else f"[{data}]"
    return f'{{"_id":"{video_id}","index_id":"{index_id}","data":{shown}}}'


def _spoken(found: Iterable[speech.Spoken] | None) -> list[Json]:
    return [
        {"start": start_ms / 1000, "end": end_ms / 1000, "value": text}
        for start_ms, end_ms, text in found or ()
    ]


def segment(row: Segment) -> Json:
    """A line as an editor sees it. ``heard``: what the engine heard, where that was corrected."""
    return {
        "_id": str(row.pk),
        "number": row.number,
        "version": row.version,
        "start": row.start_ms / 1000,
        "end": row.end_ms / 1000,
        "value": row.text,
        "heard": row.heard,
        "doubts": row.doubts,
        "unsure": row.unsure_words,
        "confirmed": row.is_confirmed,
    }


TASK_AS_TRANSCRIPTION = {
    Status.READY: "ready",
    Status.FAILED: "failed",
    Status.INDEXING: "processing",
}


def asset_transcription(row: Task, wanted: Iterable[str]) -> Json:
    """The newest form: what was asked for of words, sentences and utterances, once it is ready."""
    known: Json = {"status": TASK_AS_TRANSCRIPTION.get(Status(row.status), "pending")}
    if row.status == Status.FAILED:
        known["error"] = {"message": row.error}
    if row.status != Status.READY:
        return known
    fields = ("start_ms", "end_ms", "text", "words")
    found = list(row.segments.order_by("start_ms", "number").values_list(*fields))
    made = speech.layers(found)
    return known | {name: _spoken(made[name]) for name in wanted if made[name] is not None}


def transcript(row: Task, *, shown: bool) -> Json:
    """A finished task as one of a video's transcripts; the row has both counts."""
    return {
        "_id": row.pk,
        "engine": row.engine,
        "model": row.model,
        "language": row.heard_language or row.language,
        "shown": shown,
        "segments": getattr(row, "lines", 0),
        "corrected": getattr(row, "corrected", 0),
        "created_at": moment(row.created_at),
        "finished_at": moment(row.finished_at),
    }


def hit(row: Segment, rank: int) -> Json:
    """A segment that a search found; the row comes with its task.

    Older clients need a score and a confidence. All that is found holds all the words, so all
    have the same.
    """
    return {
        "video_id": row.task.video_id,
        "start": row.start_ms / 1000,
        "end": row.end_ms / 1000,
        "rank": rank,
        "score": 100.0,
        "confidence": "high",
        "transcription": row.text,
        "metadata": [{"type": "conversation", "text": row.text}],
        "modules": [{"type": "conversation", "confidence": "high"}],
    }


def engine(name: str, label: str, *, ready: bool) -> Json:
    return {
        "_id": name,
        "engine_name": name,
        "author": label,
        "allowed_engine_options": ["conversation"],
        "ready": ready,
        "finetune": False,
    }


def member(row: Member) -> Json:
    """With whom an index is shared; the row comes with its user."""
    name = row.user.get_username()
    return {"user_name": name, "role": row.role, "created_at": moment(row.created_at)}


def select(row: Select, index_id: str) -> Json:
    """The row comes with who kept it."""
    return {
        "_id": row.pk,
        "index_id": index_id,
        "video_id": row.video_id,
        "start": row.start_ms / 1000,
        "end": row.end_ms / 1000,
        "value": row.words,
        "note": row.note,
        "colour": row.colour,
        "kept_by": row.kept_by.get_username() if row.kept_by else None,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }


def user_metadata(body: Json) -> Json:
    """What a request wants kept with a video: v1.3's and v1.2's word for it together."""
    return {
        key: value
        for name in ("metadata", "user_metadata")
        for key, value in params.metadata(name, body.get(name, {})).items()
    }
