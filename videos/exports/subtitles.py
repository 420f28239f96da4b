"""SubRip and WebVTT. The times are the video's, also when only a range is written; those of a
cut (``Cut.by_record``) are the cut's, whose first frame is at 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from videos.exports.clips import Cut, Line, printable
from videos.exports.laying import lay, on_record

_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def srt(cut: Cut) -> str:
    cues = (
        f"{number}\n{_clock(line.start_ms, ',')} --> {_clock(line.end_ms, ',')}\n{text}\n"
        for number, (line, text) in enumerate(_cues(_said(cut)), 1)
    )
    return "\n".join(_srt_safe(cue) for cue in cues)


def webvtt(cut: Cut) -> str:
    return captions(_said(cut))


def _said(cut: Cut) -> Iterator[Line]:
    if cut.on_record:
        return on_record(lay(cut))
    return (line for clip in cut.clips for line in clip.said)


def captions(lines: Iterable[Line]) -> str:
    """Lines as WebVTT; a document without cues when nothing is said."""
    cues = (
        f"\n{_clock(line.start_ms)} --> {_clock(line.end_ms)}\n{_vtt_safe(text)}\n"
        for line, text in _cues(lines)
    )
    return "WEBVTT\n" + "".join(cues)


def _cues(lines: Iterable[Line]) -> Iterator[tuple[Line, str]]:
    """Lines that say something. A blank line would end the cue, so there is none in its text."""
    for line in lines:
        parts = (" ".join(part.split()) for part in printable(line.text).split("\n"))
        if text := "\n".join(filter(None, parts)):
            yield line, text


def _clock(ms: int, mark: str = ".") -> str:
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{mark}{rest:03d}"


def _vtt_safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _srt_safe(cue: str) -> str:
    """SubRip cannot escape: a space keeps players from reading a mark, a tag or an override."""
    head, times, text = cue.split("\n", 2)
    text = _TAG.sub("< ", text.replace("-->", "-- >").replace("{\\", "{ \\"))
    return f"{head}\n{times}\n{text}"
