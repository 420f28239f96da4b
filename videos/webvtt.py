"""Captions for a player. Pure: times and texts in, a WebVTT document out."""

from __future__ import annotations

from collections.abc import Iterable


def document(cues: Iterable[tuple[int, int, str]]) -> str:
    """(start_ms, end_ms, text) in their order as WebVTT; a cue without text is left out."""
    written = [_cue(start, end, shown) for start, end, text in cues if (shown := escaped(text))]
    return "\n".join(["WEBVTT\n", *written])


def _cue(start_ms: int, end_ms: int, text: str) -> str:
    return f"{clock(start_ms)} --> {clock(end_ms)}\n{text}\n"


def clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{ms:03}"


def escaped(text: str) -> str:
    """No tag, no arrow, no empty line: nothing that would end the cue or start another."""
    lines = (line.strip() for line in text.splitlines())
    shown = "\n".join(line for line in lines if line)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
