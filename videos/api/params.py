"""What a client sends, read strictly: a number is a finite number, an id is an id."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.dateparse import parse_date, parse_datetime

from videos.api import errors
from videos.forms import first_fault
from videos.timecode import MAX_MS, seconds_to_ms

ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{0,15})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
WHOLE = re.compile(r"\d{1,15}", re.ASCII)
MAX_TEXT = 1000
# Set by Twelve Labs itself on every video.
RESERVED = frozenset(
    ("duration", "filename", "fps", "height", "model_names", "size", "video_title", "width")
)
MAX_METADATA = 16_000  # characters of JSON

Row = TypeVar("Row", bound=Model)


def find(rows: QuerySet[Row], pk: object, collection: str) -> Row:
    """The row with this id among those given, or 404: absent, another's and malformed alike."""
    found = rows.filter(pk=pk).first() if isinstance(pk, str) and ID.fullmatch(pk) else None
    if found is None:
        raise errors.no_such(pk, collection)
    return found


# --- text from queries and forms ---


def text(name: str, value: object, most: int = MAX_TEXT) -> str:
    """Postgres takes no NUL, UTF-8 no half of a pair: neither is text."""
    if not isinstance(value, str) or len(value) > most or not _storable(value):
        raise errors.invalid(name)
    return value


def number(name: str, value: str) -> float:
    found = float(value) if NUMBER.fullmatch(value) else math.inf
    if not math.isfinite(found):
        raise errors.invalid(name, "It must be a number.")
    return found


def whole(name: str, value: str, least: int = 0, most: int = 10**15) -> int:
    if not WHOLE.fullmatch(value) or not least <= int(value) <= most:
        raise errors.invalid(name, f"It must be a whole number from {least} to {most}.")
    return int(value)


def typed(value: object) -> str:
    """A value of JSON as one would type it into a page's field: a number of seconds may come out
    of a division, and no time has an exponent.
    """
    return f"{value:.9f}" if isinstance(value, float) else str(value)


def flag(name: str, value: str) -> bool:
    """As HTTP libraries write them: ``true``, ``True``, ``1``."""
    match value.strip().lower():
        case "true" | "1":
            return True
        case "false" | "0" | "":
            return False
    raise errors.invalid(name, "It must be true or false.")


def milliseconds(name: str, value: str) -> int:
    """Seconds, 0 or more; what lies beyond any video is as good as its end."""
    seconds = number(name, value)
    if seconds < 0:
        raise errors.invalid(name, "It must not be negative.")
    return seconds_to_ms(min(seconds, MAX_MS / 1000))


def moment(name: str, value: str) -> date | datetime:
    """An RFC 3339 time, in UTC unless it says otherwise, or a date for the whole day."""
    try:
        # Browsers and some clients leave the plus of an offset as it is: it arrives as a space.
        found = parse_datetime(value.replace(" ", "+")) if "T" in value else parse_date(value)
        if isinstance(found, datetime):
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None or not 1970 <= found.year < 9000:
        raise errors.invalid(name, "It must be a date or an RFC 3339 time.")
    return found


# --- JSON ---


def body(request: HttpRequest, known: Iterable[str]) -> dict[str, Any]:
    """The request's JSON object with ``known`` keys only; those set to null are left out."""
    found = _loads("body", request.body)
    if not isinstance(found, dict):
        raise errors.ApiError(400, "parameter_invalid", "The body must be a JSON object.")
    if strangers := found.keys() - set(known):
        raise errors.unknown(strangers)
    return {name: value for name, value in found.items() if value is not None}


def json_object(name: str, value: object) -> dict[str, Any]:
    """An object, or the text of one: forms carry it so."""
    if isinstance(value, str):
        value = _loads(name, value.encode(errors="replace"))
    if not isinstance(value, dict) or len(json.dumps(value)) > MAX_METADATA:
        raise errors.invalid(name, "It must be a JSON object, not too long.")
    return value


def metadata(name: str, given: object) -> dict[str, Any]:
    """What a user wants kept with a video; None as a value stays, it means "delete this key"."""
    value = json_object(name, given)
    if taken := RESERVED & value.keys():
        raise errors.invalid(name, f"These keys are reserved: {', '.join(sorted(taken))}.")
    if not all(_is_plain(item) for item in value.values()):
        raise errors.invalid(name, "Values may be text, numbers, true, false or lists of text.")
    return value


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """``new`` over ``old``; a key set to null is gone. Call by call it must not grow for ever."""
    found = {key: value for key, value in {**old, **new}.items() if value is not None}
    if len(json.dumps(found)) > MAX_METADATA:
        raise errors.invalid("user_metadata", "All of it is too much to keep.")
    return found


def _loads(name: str, data: bytes) -> Any:
    """Read JSON as the RFC has it: no NaN, no Infinity, no number too large for either side."""
    try:
        found = json.loads(data, parse_constant=_refuse, parse_float=_finite, parse_int=_int64)
        stored = _all_storable(found)
    except (ValueError, RecursionError):
        stored = False
    if not stored:
        raise errors.invalid(name, "It must be valid JSON.")
    return found


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    found = float(digits)
    return found if math.isfinite(found) else _refuse(digits)


def _int64(digits: str) -> int:
    if len(digits) > 19 or not -(2**63) <= int(digits) < 2**63:
        raise ValueError(digits)
    return int(digits)


def _all_storable(value: Any) -> bool:
    match value:
        case str():
            return _storable(value)
        case list():
            return all(map(_all_storable, value))
        case dict():
            return all(map(_storable, value)) and all(map(_all_storable, value.values()))
    return True


def _storable(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return value is None or isinstance(value, str | int | float | bool)


def require_valid(form: BaseForm, words: Mapping[str, str] | None = None) -> None:
    """Raise what is wrong with the first field, by the name that the API has for it."""
    if not form.is_valid():
        name, fault = first_fault(form)
        raise errors.invalid((words or {}).get(name, name), fault)
