"""How many frames a second a QuickTime timecode track counts, which PyAV does not tell. Child side.

A camera may count 25 beside a picture of 50: its names are read as those of the picture only when
that is known.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

# Where a track says what its samples are (QuickTime File Format, "Timecode sample description").
PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
LIST_HEAD = 8  # version, flags and number of entries
RATE_AT = 16  # in an entry, behind its name: units a second, and units of a frame
MOST_BOXES = 20_000  # looked at in one place; a film in pieces has one for each


def frames_counted(path: str) -> int:
    """Of the first timecode track, by the rate at which libav names its start; 0 for none."""
    with open(path, "rb") as file:
        try:
            return next(_counts(file), 0)
        except struct.error:  # it is cut short
            return 0


def _counts(file: BinaryIO) -> Iterator[int]:
    for begin, end in _lists(file, 0, os.fstat(file.fileno()).st_size, PATH):
        for kind, entry, stop in _boxes(file, begin + LIST_HEAD, end):
            if kind == b"tmcd" and entry + RATE_AT + 8 <= stop:
                file.seek(entry + RATE_AT)
                second, frame = struct.unpack(">II", file.read(8))
                yield round(second / frame) if frame else 0


def _lists(
    file: BinaryIO, begin: int, end: int, path: tuple[bytes, ...]
) -> Iterator[tuple[int, int]]:
    if not path:
        yield begin, end
        return
    for kind, inner, stop in _boxes(file, begin, end):
        if kind == path[0]:
            yield from _lists(file, inner, stop, path[1:])


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The name of each, and [from, to) of what is in it."""
    return islice(_all_boxes(file, begin, end), MOST_BOXES)


def _all_boxes(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            (size,), head = struct.unpack(">Q", file.read(8)), 16
        elif size == 0:
            size = end - at
        if size < head or at + size > end:
            return
        yield kind, at + head, at + size
        at += size
