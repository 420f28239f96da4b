"""Lists of markers: one for each line, named by the source timecode of its first frame.

They belong on a timeline that begins with the video's own first frame and timecode.
"""

from __future__ import annotations

from collections.abc import Iterator

from videos.exports.clips import Cut, Line, one_line
from videos.exports.documents import table
from videos.exports.timelines import COLOURS, FCM
from videos.timecode import Timebase, frame_at, timecode


def resolve(cut: Cut) -> str:
    """For DaVinci Resolve: Import > Timeline Markers from EDL."""
    base = cut.media.base
    lines = [f"TITLE: {one_line(cut.title)}", FCM[base.drop], ""]
    for number, (line, colour) in enumerate(_marks(cut), 1):
        first, length = _place(line, base)
        begins, ends = timecode(first, base), timecode(first + 1, base)
        name = one_line(line.text).replace("|", "/")
        lines += [
            f"{number:03d}  001      V     C        {begins} {ends} {begins} {ends}",
            f" |C:ResolveColor{COLOURS.get(colour, COLOURS['']).resolve} |M:{name} |D:{length}",
            "",
        ]
    return "\r\n".join(lines)


def avid(cut: Cut) -> str:
    """For Media Composer's Markers window: name, timecode, track, colour, comment, length."""
    base, track = cut.media.base, "V1" if cut.media.has_picture else "A1"
    return "".join(
        f"Transcript\t{timecode(_place(line, base)[0], base)}\t{track}\t"
        f"{COLOURS.get(colour, COLOURS['']).avid.lower()}\t{one_line(line.text)}\t1\r\n"
        for line, colour in _marks(cut)
    )


def as_csv(cut: Cut) -> bytes:
    """With the columns that Premiere writes when it exports markers."""
    base = cut.media.base
    head = ("Marker Name", "Description", "In", "Out", "Duration", "Marker Type")
    plain = Timebase(base.rate, base.drop)
    rows = (
        (
            "",
            one_line(line.text),
            timecode(first, base),
            timecode(first + length, base),
            timecode(length, plain),
            "Comment",
        )
        for line, _ in _marks(cut)
        for first, length in [_place(line, base)]
    )
    return table(head, rows)


def _marks(cut: Cut) -> Iterator[tuple[Line, str]]:
    return ((line, clip.colour) for clip in cut.clips for line in clip.said)


def _place(line: Line, base: Timebase) -> tuple[int, int]:
    """The marker's first frame, as the source counts, and its length in frames."""
    first, last = (frame_at(ms, base.rate) for ms in (line.start_ms, line.end_ms))
    return base.start + first, max(1, last - first)
