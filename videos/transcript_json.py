"""Read a transcript that another program wrote as JSON.

Known are this desk's own export, Whisper's output (``segments`` with ``start``, ``end``, ``text``
and perhaps ``words``: ``--output_format json``, ``verbose_json`` of its API, faster-whisper's
segments as a list) and what Twelve Labs' API answers (``data`` with ``start``, ``end``,
``value``). Times are seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from videos.engines.base import MOST_CHARACTERS, Cue, Word

BEGINS = re.compile(r"\s*(?:\{|\[\s*[{\]])")
LISTS = ("segments", "data", "transcription", "utterances", "sentences")
TEXTS = ("text", "value", "word")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff]")
MOST_SECONDS = 100 * 3600


class NotUsable(ValueError):
    """It holds no transcript; the message is a sentence that names the line or the segment."""


def is_json(text: str) -> bool:
    """Whether it begins as an object or a list of objects does, which no caption file does."""
    return BEGINS.match(text) is not None


def read(text: str, most: int) -> list[Cue]:
    """The cues, at most so many, in the order of the file. Raises NotUsable.

    Segments without text are left out. Words are kept where all of a segment's are whole.
    """
    found = _segments(_loads(text))
    if len(found) > most:
        raise NotUsable(f"There are more than {most} segments.")
    if (
        len({str(item["video"]) for item in found if isinstance(item, dict) and "video" in item})
        > 1
    ):
        raise NotUsable("These are segments of several videos.")
    return [cue for number, item in enumerate(found, 1) for cue in _cue(item, number)]


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotUsable(f"Line {error.lineno}: this is not JSON.") from None
    except (ValueError, RecursionError):
        raise NotUsable("This is not JSON that can be read.") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _segments(found: Any) -> Sequence[Any]:
    if isinstance(found, list):
        return found
    known = [found[name] for name in LISTS if name in found]
    if not known:
        raise NotUsable("There is no list of segments in this JSON.")
    return next((each for each in known if isinstance(each, list)), ())


def _cue(item: Any, number: int) -> Iterator[Cue]:
    said = _text(item)
    if said is None:
        raise NotUsable(f"Segment {number}: it has no text.")
    if len(said) > MOST_CHARACTERS:
        raise NotUsable(f"Segment {number}: it has more than {MOST_CHARACTERS:,} characters.")
    start_ms, end_ms = _ms(item.get("start")), _ms(item.get("end"))
    if start_ms is None or end_ms is None:
        raise NotUsable(f"Segment {number}: its start and end are not times in seconds.")
    if end_ms < start_ms:
        raise NotUsable(f"Segment {number}: it ends before it starts.")
    if said:
        # Whisper gives some of its segments no length.
        yield Cue(start_ms, max(end_ms, start_ms + 1), said, _words(item.get("words"), len(said)))


def _text(item: Any) -> str | None:
    """On one line, as a database can store it; None where there is none."""
    found = [item[name] for name in TEXTS if name in item] if isinstance(item, dict) else []
    if not found or not isinstance(found[0], str):
        return None
    storable = found[0].encode("utf-8", "replace").decode()
    return " ".join(CONTROL.sub(" ", storable).split())


def _ms(seconds: object) -> int | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return round(seconds * 1000) if 0 <= seconds < MOST_SECONDS else None


def _words(found: object, most: int) -> tuple[Word, ...]:
    """None where they cannot be those of the text: it has more letters than words."""
    fits = isinstance(found, list) and len(found) <= most
    words = [_word(item) for item in found] if isinstance(found, list) and fits else []
    whole = [word for word in words if word is not None]
    return tuple(whole) if len(whole) == len(words) else ()


def _word(item: Any) -> Word | None:
    said = _text(item)
    if not said:
        return None
    start_ms, end_ms = _ms(item.get("start")), _ms(item.get("end"))
    if start_ms is None or end_ms is None or end_ms < start_ms:
        return None
    sure = item.get("probability", item.get("score"))
    is_known = isinstance(sure, int | float) and not isinstance(sure, bool) and 0 <= sure <= 1
    return Word(start_ms, end_ms, said, float(sure) if is_known else None)
