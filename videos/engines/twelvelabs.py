"""Twelve Labs as an engine: their words stop here. API v1.3, and the dialects of v1.1 and v1.2.

Nothing is sent twice blindly: an index there is named after ours and a file after its task, so
what was made just before we died is found by that name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, TypeGuard, TypeVar

from requests_toolbelt import MultipartEncoder, MultipartEncoderMonitor

from videos.engines.base import (
    MOST_CHARACTERS,
    Availability,
    Call,
    Cue,
    EngineConfig,
    EngineError,
    NotNow,
    Parcel,
    Place,
    Progress,
)
from videos.engines.calls import Caller, Json, Refusal, Watch, watched

WHO = "Twelve Labs"
MODELS = {"v1.1": "marengo2.5", "v1.2": "marengo2.6", "v1.3": "marengo3.0"}
ANSWER_SECONDS = 600.0  # after the last byte of an upload: they look at the file before they answer
SIGNED_SECONDS = 300
MAX_CUES = 200_000
MAX_SECONDS = 1_000_000.0
PAGE = 50
NOWHERE = f"{WHO} is not there: check TWELVELABS_BASE_URL and TWELVELABS_VERSION."
NO_INDEX = f"{WHO} does not know the index of this video any more."

T = TypeVar("T")


class TwelveLabs:
    """``CloudEngine`` over their REST API."""

    name = "twelvelabs"
    label = "Twelve Labs (cloud)"
    service = WHO
    languages: tuple[str, ...] = ()

    def model(self, config: EngineConfig) -> str:
        """TWELVELABS_MODEL, or what is usual in the API's version."""
        return config.cloud.model or MODELS[config.cloud.version]

    def availability(self, config: EngineConfig) -> Availability:
        """Tell whether there is a key."""
        if not config.cloud.key:
            return Availability(False, "No key for Twelve Labs is set (TWELVELABS_API_KEY).")
        return Availability(True)

    def mirror(self, config: EngineConfig, index_tag: str, index_id: str) -> Call[str]:
        """Asked before each upload: a wrong key or a lost index costs no gigabytes."""
        return self._call(config, partial(_mirror, self.model(config), index_tag, index_id))

    def submit(self, config: EngineConfig, index_id: str, parcel: Parcel) -> Call[Place]:
        """Upload from disk in flat memory."""
        seconds = max(ANSWER_SECONDS, config.cloud.timeout_seconds)
        return self._call(config, partial(_submit, index_id, parcel), seconds)

    def poll(self, config: EngineConfig, place: Place) -> Call[Progress]:
        return self._call(config, partial(_poll, place))

    def fetch(self, config: EngineConfig, place: Place) -> Call[tuple[Cue, ...]]:
        return self._call(config, partial(_fetch, place))

    def forget(
        self, config: EngineConfig, place: Place, *, tag: str = "", index_tag: str = ""
    ) -> Call[None]:
        if index_tag:
            return self._call(config, partial(_forget_index, place.index_id, index_tag))
        return self._call(config, partial(_forget, place, tag))

    def _call(
        self, config: EngineConfig, work: Callable[[Caller], T], seconds: float = 0
    ) -> Call[T]:
        available = self.availability(config)
        if not available.ok:
            raise EngineError(available.reason, permanent=True)

        def aside(watch: Watch) -> T:
            return work(Caller(WHO, config.cloud, watch))

        return watched(aside, WHO, seconds or config.cloud.timeout_seconds)


@contextmanager
def _absent(sentence: str) -> Iterator[None]:
    """What a 404 means where it is not the video that is gone."""
    try:
        yield
    except NotNow as error:
        if not error.gone:
            raise
        raise NotNow(sentence, detail=error.detail, most=error.most) from error


# --- an index there ---


def _mirror(model: str, tag: str, index_id: str, call: Caller) -> str:
    if index_id and _is_index(call, index_id):
        return index_id
    return _index_named(call, tag) or _make_index(call, tag, model)


def _is_index(call: Caller, index_id: str) -> bool:
    """For one that is gone some versions say 404, and some 400."""
    try:
        call("GET", f"/indexes/{index_id}")
    except NotNow as error:
        if not error.gone:
            raise
        return False
    except Refusal as refusal:
        if refusal.status != HTTPStatus.BAD_REQUEST:
            raise
        return False
    return True


def _index_named(call: Caller, tag: str) -> str:
    with _absent(NOWHERE):
        found = call("GET", "/indexes", params={"index_name": tag, "page_limit": PAGE})
    return next((_id(call, row) for row in _rows(call, found) if row.get("index_name") == tag), "")


def _make_index(call: Caller, tag: str, model: str) -> str:
    body = {"index_name": tag, **_models(call.config.version, model)}
    try:
        return _id(call, call("POST", "/indexes", json=body))
    except EngineError as error:
        # Another worker of ours may have made it this moment.
        if error.permanent and (found := _index_named(call, tag)):
            return found
        raise


def _models(version: str, model: str) -> Json:
    """Who listens, as each version says it. Speech alone: nothing else is asked of them."""
    if version == "v1.1":
        return {"engine_id": model, "index_options": ["conversation"]}
    if version == "v1.2":
        return {"engines": [{"engine_name": model, "engine_options": ["conversation"]}]}
    return {"models": [{"model_name": model, "model_options": ["audio"]}]}


# --- a video there ---


def _submit(index_id: str, parcel: Parcel, call: Caller) -> Place:
    with _absent(NO_INDEX):
        if parcel.sent_before and (place := _sent(call, index_id, parcel.tag)):
            return place
        return _upload(index_id, parcel, call)


def _sent(call: Caller, index_id: str, tag: str) -> Place | None:
    """The task there that has our tag, failed ones aside; None if nothing of it arrived.

    A task has no name while they look at its file: then it must be asked about again.
    """
    living = (row for row in _tagged(call, index_id, tag) if _status(row) != "failed")
    if found := next(living, None):
        return Place(index_id, _id(call, found), _text(found, "video_id"))
    if any(_is_nameless(row) for row in _tasks(call, index_id)):
        raise NotNow(f"{WHO} still looks at an earlier upload.", wait_seconds=5, most=60)
    return None


def _tagged(call: Caller, index_id: str, tag: str) -> list[Json]:
    return [row for row in _tasks(call, index_id, tag) if _filename(row) == tag]


def _is_nameless(row: Json) -> bool:
    return not _filename(row) and _status(row) not in ("ready", "failed")


def _tasks(call: Caller, index_id: str, tag: str = "") -> list[Json]:
    """The newest tasks of the index, or those of a tag."""
    query = {"index_id": index_id, "page_limit": PAGE} | ({"filename": tag} if tag else {})
    return _rows(call, call("GET", "/tasks", params=query))


def _upload(index_id: str, parcel: Parcel, call: Caller) -> Place:
    with open(parcel.media, "rb") as media:
        fields: dict[str, Any] = {
            "index_id": index_id,
            **_about(call.config.version, parcel),
            "video_file": (parcel.tag, media, parcel.content_type),
        }
        encoder = MultipartEncoder(fields)
        body = MultipartEncoderMonitor(
            encoder, lambda monitor: call.watch.progress(monitor.bytes_read, encoder.len)
        )
        headers = {"Content-Type": body.content_type}
        made = call("POST", "/tasks", data=body, headers=headers, read_seconds=ANSWER_SECONDS)
    return Place(index_id, _id(call, made), _text(made, "video_id"))


def _about(version: str, parcel: Parcel) -> dict[str, str]:
    """v1.3 hears the language by itself and refuses to be told, and keeps words of ours."""
    if version == "v1.3":
        return {"user_metadata": json.dumps({"title": parcel.title})}
    return {"language": parcel.language} if parcel.language else {}


def _poll(place: Place, call: Caller) -> Progress:
    """An unknown status is not done yet."""
    task = call("GET", f"/tasks/{place.task_id}")
    status = _status(task)
    if not status:
        raise call.garbled("A task without a status.")
    video_id = _text(task, "video_id") or place.video_id
    if status == "failed":
        return Progress(error=_why(call, task), video_id=video_id)
    if status == "ready" and not video_id:
        raise call.garbled("A ready task without its video.")
    process = task.get("process")
    percent = process.get("percentage") if isinstance(process, dict) else None
    fraction = min(100, max(0, percent)) / 100 if _is_number(percent) else None
    return Progress(is_ready=status == "ready", video_id=video_id, fraction=fraction)


def _why(call: Caller, task: Json) -> str:
    """No field for it is documented; some answers have one."""
    error = task.get("error")
    words = error.get("message") if isinstance(error, dict) else error
    said = f": {call.clean(words)[:300]}" if isinstance(words, str) and words.strip() else ""
    return f"{WHO} could not transcribe this video{said or '.'}"


def _fetch(place: Place, call: Caller) -> tuple[Cue, ...]:
    path = f"/indexes/{place.index_id}/videos/{place.video_id}"
    if call.config.version == "v1.3":
        found, key = call("GET", path, params={"transcription": "true"}), "transcription"
    else:
        found, key = call("GET", f"{path}/transcription"), "data"
    if key not in found:
        raise call.garbled("A video without its transcription.")
    return cues(call, found[key])


def cues(call: Caller, rows: Any) -> tuple[Cue, ...]:
    """Their segments, checked one by one and in the order of time; null means that nobody speaks.

    Raises NotNow for a list in which anything is not what it should be: half a transcript
    would look like a whole one.
    """
    if rows is None:
        return ()
    if not isinstance(rows, list) or len(rows) > MAX_CUES:
        raise call.garbled("The transcription is no list.")
    found = [_cue(call, row) for row in rows]
    return tuple(sorted((cue for cue in found if cue.text), key=lambda c: (c.start_ms, c.end_ms)))


def _cue(call: Caller, row: Any) -> Cue:
    match row:
        case {"start": start, "end": end, "value": str(text)} if (
            _is_number(start)
            and _is_number(end)
            and 0 <= start <= end <= MAX_SECONDS
            and len(text) <= MOST_CHARACTERS
        ):
            start_ms = round(start * 1000)
            return Cue(start_ms, max(round(end * 1000), start_ms + 1), text.strip())
    raise call.garbled(f"A segment that is none: {str(row)[:300]}")


# --- gone from there ---


def _forget(place: Place, tag: str, call: Caller) -> None:
    """What we know of, and whatever else arrived under the tag."""
    for each in {place, *_places(call, place.index_id, tag)}:
        # The video before its task: they refuse the other way round.
        if each.video_id:
            _delete(call, f"/indexes/{each.index_id}/videos/{each.video_id}")
        if each.task_id:
            _delete(call, f"/tasks/{each.task_id}")


def _places(call: Caller, index_id: str, tag: str) -> list[Place]:
    if not (index_id and tag):
        return []
    try:
        rows = _tagged(call, index_id, tag)
    except EngineError as error:
        if getattr(error, "gone", False):
            return []
        raise
    return [Place(index_id, _id(call, row), _text(row, "video_id")) for row in rows]


def _forget_index(index_id: str, tag: str, call: Caller) -> None:
    if found := index_id or _index_named(call, tag):
        _delete(call, f"/indexes/{found}")


def _delete(call: Caller, path: str) -> None:
    """What is worked on cannot be deleted yet: a refusal is one for now."""
    try:
        call("DELETE", path)
    except NotNow as error:
        if not error.gone:
            raise
    except EngineError as error:
        raise NotNow(str(error), detail=error.detail) from error


# --- their shapes ---


def _rows(call: Caller, found: Json) -> list[Json]:
    rows = found.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise call.garbled("A list without data.")
    return rows


def _id(call: Caller, row: Json) -> str:
    """Goes into addresses later, so it must look like an id."""
    found = row.get("_id") or row.get("id")
    if not isinstance(found, str) or not _is_id(found):
        raise call.garbled(f"An id that is none: {str(found)[:100]}")
    return found


def _text(row: Json, name: str) -> str:
    found = row.get(name)
    return found if isinstance(found, str) and _is_id(found) else ""


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 64 and text.isascii() and text.replace("-", "").isalnum()


def _status(row: Json) -> str:
    status = row.get("status")
    return status.strip().lower() if isinstance(status, str) else ""


def _filename(row: Json) -> str:
    for name in ("system_metadata", "metadata"):
        known = row.get(name)
        if isinstance(known, dict) and isinstance(known.get("filename"), str):
            return str(known["filename"])
    return ""


def _is_number(value: Any) -> TypeGuard[int | float]:
    """JSON's floats may be infinite (1e309); its whole numbers may be too large for a float."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


# --- what they send us ---


def is_signed(secret: str, header: str, body: bytes, now: float | None = None) -> bool:
    """Whether ``TL-Signature: t=<epoch>,v1=<hex>`` fits the raw body and is five minutes fresh."""
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    moment, given = parts.get("t", ""), parts.get("v1", "")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        return False
    if abs((time.time() if now is None else now) - int(moment)) > SIGNED_SECONDS:
        return False
    expected = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode())


def notified_task(body: bytes) -> str:
    """The id of the task that a notification names, or an empty string."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    data = found.get("data") if isinstance(found, dict) else None
    return _text(data, "id") if isinstance(data, dict) else ""
