"""The moment at which a page opens its player: ``?t=``."""

from __future__ import annotations

from django.http import QueryDict

from videos import timecode
from videos.models import Video


def read(query: QueryDict, video: Video) -> tuple[int | None, str]:
    """The moment in ms, and why what somebody typed into "go to" is none."""
    text = query.get("t", "").strip()
    if text[:1] in ("+", "-"):
        return None, "Only the page itself, with its scripts, knows what + and - start from."
    try:
        length_ms = video.duration_ms
        at_ms = timecode.parse_moment(text, video.timebase, length_ms=length_ms) if text else None
        return at_ms, ""
    except ValueError as error:
        return None, str(error)


def fragment(at_ms: int | None, video: Video) -> str:
    """Opens the player there, with or without JavaScript; empty for no moment."""
    return "" if at_ms is None else timecode.fragment(at_ms, video.timebase.rate)
