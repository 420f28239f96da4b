"""Lists of markers: one for each line, named by the timecode of its first frame.

Those of one video belong on a timeline that begins with the video's own first frame and timecode.
Those of a cut (``Cut.by_record``) belong on the timeline that its EDL makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from videos.exports.clips import Clip, Cut, Line, one_line
from videos.exports.documents import table
from videos.exports.laying import COLOURS, FCM, Colour, lay
from videos.timecode import Timebase, frame_at, frame_from, timecode


class Mark(NamedTuple):
    """[first, last) in frames, as ``base`` numbers them. The note is at a clip's first line."""

    base: Timebase
    first: int
    last: int
    text: str
    note: str
    clip: Clip

    @property
    def colour(self) -> Colour:
        return COLOURS.get(self.clip.colour, COLOURS[""])

    @property
    def length(self) -> int:
        return self.last - self.first

    @property
    def both(self) -> str:
        """The note and the words, where a list has one place for both."""
        return ": ".join(filter(None, (self.note, self.text)))


def resolve(cut: Cut) -> str:
    """For DaVinci Resolve: Import > Timeline Markers from EDL."""
    lines = [f"TITLE: {one_line(cut.title)}"]
    for number, mark in enumerate(_marks(cut), 1):
        if number == 1:
            lines += [FCM[mark.base.drop], ""]
        begins, ends = (timecode(mark.first + n, mark.base) for n in (0, 1))
        name = mark.both.replace("|", "/")
        lines += [
            f"{number:03d}  001      V     C        {begins} {ends} {begins} {ends}",
            f" |C:ResolveColor{mark.colour.resolve} |M:{name} |D:{mark.length}",
            "",
        ]
    return "\r\n".join(lines)


def avid(cut: Cut) -> str:
    """For Media Composer's Markers window: name, timecode, track, colour, comment, length."""
    return "".join(
        f"Transcript\t{timecode(mark.first, mark.base)}\t"
        f"{'V1' if mark.clip.media.has_picture else 'A1'}\t"
        f"{mark.colour.avid.lower()}\t{mark.both}\t{mark.length}\r\n"
        for mark in _marks(cut)
    )


def as_csv(cut: Cut) -> bytes:
    """With the columns that Premiere writes when it exports markers, and the colour behind them."""
    head = ("Marker Name", "Description", "In", "Out", "Duration", "Marker Type", "Color")
    rows = (
        (
            mark.note,
            mark.text,
            timecode(mark.first, mark.base),
            timecode(mark.last, mark.base),
            timecode(mark.length, Timebase(mark.base.rate, mark.base.drop)),
            "Comment",
            mark.clip.colour.capitalize(),
        )
        for mark in _marks(cut)
    )
    return table(head, rows)


def _marks(cut: Cut) -> Iterator[Mark]:
    places = _on_record(cut) if cut.on_record else _in_source(cut)
    before: Clip | None = None
    for base, first, last, line, clip in places:
        note = "" if clip is before else one_line(clip.note)
        before = clip
        yield Mark(base, first, max(first + 1, last), one_line(line.text), note, clip)


def _in_source(cut: Cut) -> Iterator[tuple[Timebase, int, int, Line, Clip]]:
    for clip in cut.clips:
        base, frames = clip.media.base, clip.media.frames
        for line in clip.said:
            first, last = frame_at(line.start_ms, base.rate), frame_from(line.end_ms, base.rate)
            if first >= frames:  # no program has a place for it
                continue
            last = min(last, frames)
            yield base, base.start + first, base.start + last, line, clip


def _on_record(cut: Cut) -> Iterator[tuple[Timebase, int, int, Line, Clip]]:
    sequence = lay(cut)
    base = sequence.base
    for edit in sequence.edits:
        for line in edit.clip.said:
            first, last = (base.start + edit.place(frame, base) for frame in edit.reach(line))
            yield base, first, last, line, edit.clip
