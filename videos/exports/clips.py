"""What is handed over: stretches of videos and what is said in them. No rows, no Django."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath

from videos.timecode import Timebase, frame_at, source, source_out

TAIL_MS = 1000  # of sound behind the picture, at most, that is no part of the film
# XML 1.0 has no way to write these; no other format has a use for them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Media:
    """A file as an editing program must know it. ``id`` tells two of one name apart.

    ``picture_ms`` is where its picture ends, if known. ``reel`` is the tape or card that the file
    names, if any. ``varies``: its frames do not keep to the rate of ``base``. ``sound_start_ms`` is
    the exact start of sound alone, after midnight.
    """

    name: str
    base: Timebase
    duration_ms: int
    picture_ms: int = 0
    width: int = 0
    height: int = 0
    has_picture: bool = True
    has_sound: bool = True
    id: str = ""
    reel: str = ""
    channels: int = 1
    varies: bool = False
    sound_start_ms: int = 0

    @property
    def stem(self) -> str:
        return one_line(PurePath(self.name).stem) or "video"

    @property
    def frames(self) -> int:
        """Those of the picture, behind which sound often goes on for less than a frame or two.

        Where it goes on for long, lines are said there, and frames are counted to its end.
        """
        tail_ms = self.duration_ms - self.picture_ms
        end_ms = self.picture_ms if self.picture_ms and tail_ms < TAIL_MS else self.duration_ms
        return max(1, frame_at(end_ms, self.base.rate))


@dataclass(frozen=True, slots=True)
class Line:
    """What is said from one moment to another, in milliseconds of the video."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a video. ``lines`` are said in it; without them it is one line, its text.

    ``colour`` is one of COLOURS in ``laying.py``, or empty.
    """

    media: Media
    start_ms: int
    end_ms: int
    text: str = ""
    note: str = ""
    colour: str = ""
    lines: tuple[Line, ...] = ()

    @property
    def said(self) -> tuple[Line, ...]:
        return self.lines or (Line(self.start_ms, self.end_ms, self.text),)

    @property
    def source_in(self) -> str:
        return source(self.start_ms, self.media.base)

    @property
    def source_out(self) -> str:
        return source_out(self.start_ms, self.end_ms, self.media.base)


@dataclass(frozen=True, slots=True)
class Cut:
    """What a writer is given: clips in their order, and frames to add before and after each.

    ``by_record``: subtitles and markers have the times of the cut, not those of the video.
    """

    title: str
    clips: Sequence[Clip]
    handles: int = 0
    by_record: bool = False

    @property
    def one_media(self) -> Media | None:
        """The video that all clips are of; None when there are several."""
        return None if any(a.media != b.media for a, b in pairwise(self.clips)) else self.media

    @property
    def media(self) -> Media:
        return self.clips[0].media

    @property
    def on_record(self) -> bool:
        """Also where there are several videos, whose own times would go up and down."""
        return self.by_record or self.one_media is None


def printable(text: str) -> str:
    """Without what is no text: control characters but tab and line feed, halves of pairs."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    return " ".join(printable(text).split())
