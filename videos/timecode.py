"""Time: integer milliseconds inside, seconds at the API's edge, clock text on the screen."""

from __future__ import annotations

import math
import re

MAX_MS = 1000 * 3600 * 1000  # a thousand hours: beyond any video, far below any overflow

_SECONDS = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?", re.ASCII)
_CLOCK = re.compile(r"(?:(?P<h>\d{1,4}):)?(?P<m>\d{1,2}):(?P<s>\d{1,2}(?:[.,]\d{1,9})?)", re.ASCII)


def parse_clock(text: str) -> int:
    """Read ``90``, ``90.5``, ``1:30``, ``1:30.5`` or ``00:01:30`` as milliseconds.

    Minutes and seconds behind a colon go to 59. Raises ValueError with a sentence.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return _within(seconds_to_ms(float(text.replace(",", "."))))
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError("Write a time as 90, 1:30, 00:01:30 or 1:30.5.")
    minutes, seconds = int(match["m"]), float(match["s"].replace(",", "."))
    if seconds >= 60 or (match["h"] and minutes >= 60):
        raise ValueError("Minutes and seconds go up to 59.")
    return _within(seconds_to_ms(int(match["h"] or 0) * 3600 + minutes * 60 + seconds))


def _within(ms: int) -> int:
    if ms > MAX_MS:
        raise ValueError("That is beyond the end of any video.")
    return ms


def seconds_to_ms(seconds: float) -> int:
    """Round to the nearest millisecond, halves up (Python's ``round`` goes to even)."""
    return math.floor(seconds * 1000 + 0.5)


def ms_to_seconds(ms: int) -> str:
    """The shortest decimal seconds for a URL or a data attribute: 280940 -> ``280.94``."""
    whole, rest = divmod(ms, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


def clock(ms: int, *, tenths: bool = False) -> str:
    """``4:40`` below an hour, ``1:04:40`` from there on; cut, never rounded to a later second."""
    seconds, rest = divmod(max(ms, 0), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    return f"{text}.{rest // 100}" if tenths else text


def spoken(seconds: float) -> str:
    """A rough length in words for a person who waits: ``40 s``, ``6 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
