"""A finished transcript's rows, drawn and compressed once and kept, to be put into pages.

Of ten thousand rows that is nearly all of a page's cost. A deflate stream may be cut at a full
flush (RFC 1951; zlib's manual, ``Z_FULL_FLUSH``): so what stands before and behind the rows is
compressed for each page, and the rows between are the bytes that were kept.
"""

from __future__ import annotations

import secrets
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

from videos import rows
from videos.doubt import worth_a_look
from videos.models import Segment, Status, Task

KEPT = 8  # transcripts; one of ten thousand rows is 1.3 MB
LEVEL = 6
_GZIP = b"\x1f\x8b\x08\x08" + bytes(6)  # RFC 1952: deflate, with a file's name


@dataclass(frozen=True, slots=True)
class Drawn:
    """The rows' HTML, plain and deflated up to a full flush, and what a page counts of them."""

    html: bytes
    deflated: bytes
    count: int
    doubtful: int
    gaps: int


def whole(task: Task) -> Drawn | None:
    """All rows of a finished transcript; None while they may still grow."""
    return _whole(task.pk, task.edition) if task.status == Status.READY else None


@lru_cache(maxsize=KEPT)
def _whole(task_id: str, edition: int) -> Drawn:
    """``edition`` goes up with each correction, so that what was kept before is not found."""
    found = rows.fetch(Segment.objects.filter(task=task_id))
    html = rows.render(found).encode()
    deflated = _deflated(html, zlib.Z_FULL_FLUSH)
    return Drawn(html, deflated, len(found), *worth_a_look(found))


def gzipped(head: bytes, drawn: Drawn, tail: bytes) -> bytes:
    """``head + drawn.html + tail`` as one gzip member (RFC 1952).

    The name in its header is of a random length: who sees only sizes shall not learn from them
    what a page holds beside words of their own (BREACH).
    """
    name = secrets.token_hex(secrets.randbelow(50)).encode() + b"\0"
    crc = zlib.crc32(tail, zlib.crc32(drawn.html, zlib.crc32(head)))
    size = len(head) + len(drawn.html) + len(tail)
    parts = (
        _GZIP,
        name,
        _deflated(head, zlib.Z_FULL_FLUSH),
        drawn.deflated,
        _deflated(tail, zlib.Z_FINISH),
        struct.pack("<LL", crc, size & 0xFFFFFFFF),
    )
    return b"".join(parts)


def _deflated(data: bytes, end: int) -> bytes:
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush(end)
