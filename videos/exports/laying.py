"""Clips laid one behind the other: where each begins and ends, in frames of its own and of the cut.

The sequence counts as the first clip with a picture does (rate and drop-frame) and begins at
01:00:00:00. A clip of another rate keeps its own frames as its source; its length on the sequence
is the nearest whole number of the sequence's frames for which its file has enough, and the file
says so in a comment. Sound alone has no frames of its own: it counts as the sequence does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from videos.exports.clips import Clip, Cut, Line, Media, one_line
from videos.timecode import (
    Timebase,
    can_drop,
    frame_at,
    frame_from,
    frame_ms,
    parse_timecode,
    renamed,
)

FCM = {False: "FCM: NON-DROP FRAME", True: "FCM: DROP FRAME"}


class Colour(NamedTuple):
    """What each program calls it."""

    resolve: str
    avid: str
    premiere: str
    otio: str


COLOURS = {
    "": Colour("Blue", "Cyan", "Iris", "CYAN"),
    "red": Colour("Red", "Red", "Rose", "RED"),
    "orange": Colour("Sand", "Yellow", "Mango", "ORANGE"),
    "yellow": Colour("Yellow", "Yellow", "Mango", "YELLOW"),
    "green": Colour("Green", "Green", "Forest", "GREEN"),
    "blue": Colour("Blue", "Blue", "Cerulean", "BLUE"),
    "purple": Colour("Purple", "Magenta", "Violet", "PURPLE"),
}


class Edit(NamedTuple):
    """A clip in frames: [first, last) of its video, from 0; [at, until) of the sequence, from 0."""

    clip: Clip
    first: int
    last: int
    at: int
    until: int

    @property
    def media(self) -> Media:
        return self.clip.media

    @property
    def colour(self) -> Colour:
        return COLOURS.get(self.clip.colour, COLOURS[""])

    @property
    def name(self) -> str:
        """What is shown on the timeline: the note, or what is said, or the file."""
        return one_line(self.clip.note or self.clip.text)[:80] or self.media.stem

    @property
    def marks(self) -> Iterator[tuple[int, Line]]:
        """Lines that say something, or else the note, each at a frame that is in the clip."""
        said = [line for line in self.clip.said if line.text.strip()]
        if not said and self.clip.note:
            said = [Line(self.clip.start_ms, self.clip.end_ms, self.clip.note)]
        for line in said:
            yield self.inside(line.start_ms), line

    def inside(self, ms: int) -> int:
        """The frame of the video that is shown then, or the nearest one of the clip."""
        return min(max(frame_at(ms, self.media.base.rate), self.first), self.last - 1)

    def reach(self, line: Line) -> tuple[int, int]:
        """[first, last) of a line, in frames of the video: what reaches beyond the clip is cut."""
        first, end = self.inside(line.start_ms), frame_from(line.end_ms, self.media.base.rate)
        return first, min(max(end, first + 1), self.last)

    def place(self, frame: int, base: Timebase) -> int:
        """Where a frame of the clip, or its ``last``, comes on the sequence, from 0."""
        if frame >= self.last:
            return self.until
        at = self.at + _length(frame - self.first, self.media.base.rate, base.rate)
        return min(at, self.until - 1)


@dataclass(frozen=True)
class Sequence:
    title: str
    base: Timebase
    edits: list[Edit]

    @property
    def frames(self) -> int:
        return self.edits[-1].until

    @cached_property
    def media(self) -> dict[Media, int]:
        """Every video of it once, with its number."""
        return {m: n for n, m in enumerate(dict.fromkeys(e.media for e in self.edits), 1)}

    @property
    def size(self) -> tuple[int, int]:
        """The first picture's; a sequence must have one even for sound alone."""
        sizes = ((media.width, media.height) for media in self.media if media.has_picture)
        return next((size for size in sizes if all(size)), (1920, 1080))

    @property
    def warning(self) -> str:
        """What an editor must know of clips that count differently; empty when all count alike."""
        return " ".join(filter(None, (self._rates(), self._drops(), self._varying())))

    def _rates(self) -> str:
        rates = sorted({media.base.rate for media in self.media})
        if len(rates) == 1:
            return ""
        listed = ", ".join(f"{float(rate):.3f}".rstrip("0").rstrip(".") for rate in rates)
        return f"Clips at several frame rates ({listed}): lengths are rounded to this sequence's."

    def _drops(self) -> str:
        if len({media.base.drop for media in self.media if can_drop(media.base.rate)}) < 2:
            return ""
        kind = "drop-frame" if self.base.drop else "non-drop-frame"
        return f"Clips with drop-frame and with non-drop-frame timecode: this sequence is {kind}."

    def _varying(self) -> str:
        if not any(media.varies for media in self.media):
            return ""
        return "Clips whose frame rate varies or is an odd one: their timecodes are approximate."


def lay(cut: Cut) -> Sequence:
    """Put the clips behind each other, with their handles as far as their videos reach."""
    first = next((clip.media for clip in cut.clips if clip.media.has_picture), cut.media).base
    start = parse_timecode("01:00:00:00", first)
    base, at, edits = Timebase(first.rate, first.drop, start), 0, []
    for clip in (_counted(clip, base) for clip in cut.clips):
        begin, end = _stretch(clip, cut.handles)
        until = at + _lasting(clip.media, begin, end, base.rate)
        edits.append(Edit(clip, begin, end, at, until))
        at = until
    return Sequence(one_line(cut.title) or "Transcript", base, edits)


def _counted(clip: Clip, base: Timebase) -> Clip:
    """Sound alone has no frames: it is counted as the sequence is, from its own start. A recorder's
    is so long after midnight, a timecode's is its name, at whatever rate that is counted.
    """
    media, own = clip.media, clip.media.base
    if media.has_picture or (own.rate, own.drop) == (base.rate, base.drop):
        return clip
    exact_ms = media.sound_start_ms
    start = frame_at(exact_ms, base.rate) if exact_ms else renamed(own.start, own, base)
    return replace(clip, media=replace(media, base=replace(base, start=start)))


def _stretch(clip: Clip, handles: int) -> tuple[int, int]:
    """At least one frame, and none that the video does not have."""
    rate, frames = clip.media.base.rate, clip.media.frames
    begin = min(max(frame_at(clip.start_ms, rate) - handles, 0), frames - 1)
    end = min(frame_from(clip.end_ms, rate) + handles, frames)
    return begin, max(end, begin + 1)


def on_record(sequence: Sequence) -> Iterator[Line]:
    """What is said, with the times at which it comes in the cut: its first frame is at 0."""
    rate = sequence.base.rate
    for edit in sequence.edits:
        at, until = frame_ms(edit.at, rate), frame_ms(edit.until, rate)
        later = at - frame_ms(edit.first, edit.media.base.rate)
        for line in edit.clip.said:
            start = min(max(line.start_ms + later, at), until - 1)
            yield Line(start, min(max(line.end_ms + later, start + 1), until), line.text)


def _lasting(media: Media, begin: int, end: int, of: Fraction) -> int:
    """Frames of the sequence, one at least. Some programs ask the file for all of their time."""
    rate = media.base.rate
    most = int((media.frames - begin) * of / rate)
    return max(1, min(_length(end - begin, rate, of), most))


def _length(frames: int, rate: Fraction, of: Fraction) -> int:
    """So many frames at ``rate``, counted in frames at the rate ``of``: the nearest number."""
    return frames if rate == of else int(frames * of / rate + Fraction(1, 2))
