"""The transcript's rows as HTML, by joining strings: a template loop takes ten times as long.

A row is ``<li data-d=3.26><a href="?t=280.94#now">4:40</a><span>text</span>``. Its start is
read from its link; ``data-d``, how long it lasts in seconds, is written only where it does not
last until the next row's start: lengths are alike, and compress better than ends. ``data-g`` is
the length of a gap after it, in seconds, and ``data-b`` of one before it where the line before
was in the page already; ``data-m`` the reasons to doubt it, or ``y`` when an
editor confirmed it; ``data-w`` where its unsure words are; ``data-v`` its version, when its
words are not the engine's any more. A row's number is its block's ``data-n`` and its place in
the block. The row that is spoken at ``?t=`` is the anchor ``now``, so that the
link works without JavaScript; ids on all rows would cost bytes, and htmx looks for the twin of
each id when it swaps.
Rows come in blocks of BLOCK, since a browser skips the layout of whole blocks that are out of
sight (``content-visibility``), which it does badly row by row. Closing tags that HTML does
not need are left out: 10,000 rows are a quarter of a megabyte as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from html import escape
from itertools import chain, compress
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Case, When
from django.utils.safestring import SafeString, mark_safe

from videos.doubt import GAP_MS, said_until
from videos.models.segment import SegmentQuerySet
from videos.timecode import clock, ms_to_seconds

BLOCK = 50

FIELDS = ("start_ms", "end_ms", "text", "number", "marks")
# A line is shown as corrected when its words are not the engine's any more.
_CORRECTED = Case(When(heard__isnull=False, then="version"), default=0)


class Row(NamedTuple):
    """What a row shows of its segment, in the order of ``fetch``.

    ``version`` is 0 for a row whose text is the engine's own.
    """

    start_ms: int
    end_ms: int
    text: str
    number: int = 0
    marks: str = ""
    version: int = 0
    unsure: str = ""


def fetch(segments: SegmentQuerySet) -> list[Row]:
    """The segments in their order, without making an object of each."""
    found = segments.order_by("number").values_list(*FIELDS, _CORRECTED, "unsure")
    return list(map(Row._make, found))


def render(
    rows: Sequence[Row],
    start_ms: int | None = None,
    end_ms: int | None = None,
    at_ms: int | None = None,
    keep: str = "",
) -> SafeString:
    """Blocks of rows. A timecode's link keeps the range; the row at ``at_ms`` is marked.

    ``keep`` is more of a query that the links keep.
    """
    lines = _lines(rows, _link(start_ms, end_ms, keep))
    if at_ms is not None and (spoken := bisect_right(rows, at_ms, key=itemgetter(0))):
        lines[spoken - 1] = lines[spoken - 1].replace("<li", "<li id=now aria-current=true", 1)
    return _blocks(rows, lines)


def render_some(
    rows: Sequence[Row],
    wanted: Sequence[bool],
    start_ms: int | None = None,
    end_ms: int | None = None,
    keep: str = "",
) -> SafeString:
    """Those rows that are wanted, each with its own end and gap, whatever is left out behind it."""
    lines = _lines(rows, _link(start_ms, end_ms, keep), every_end=True)
    return _blocks(list(compress(rows, wanted)), list(compress(lines, wanted)))


def render_more(
    rows: Sequence[Row],
    held: int,
    start_ms: int | None = None,
    end_ms: int | None = None,
    said_ms: int | None = None,
) -> tuple[SafeString, SafeString]:
    """Rows for a page that holds so many: those that fill its last block, and blocks after it.

    A block of its own for each few rows would make the page guess a height for each.
    ``said_ms``: how far those reach that it holds; None where it holds none.
    """
    lines = _lines(rows, _link(start_ms, end_ms))
    if rows and said_ms is not None and (gap_ms := rows[0].start_ms - said_ms) > GAP_MS:
        lines[0] = lines[0].replace("<li", f"<li data-b={round(gap_ms / 1000)}", 1)
    room = -held % BLOCK
    return mark_safe("".join(lines[:room])), _blocks(rows[room:], lines[room:])  # noqa: S308 - as below


def render_near(
    rows: Sequence[Row],
    last: int,
    start_ms: int | None = None,
    end_ms: int | None = None,
    said_ms: int = 0,
    keep: str = "",
) -> SafeString:
    """Blocks of the rows numbered up to ``last``; those behind tell how the last one ends.

    ``said_ms``: how far the rows before them reach. ``keep``: as in ``render``; where it leaves
    rows out, each has its own end as in ``render_some``.
    """
    lines = _lines(rows, _link(start_ms, end_ms, keep), every_end=bool(keep), said_ms=said_ms)
    kept = sum(row.number <= last for row in rows)
    return _blocks(rows[:kept], lines[:kept])


def _link(start_ms: int | None, end_ms: int | None, keep: str = "") -> str:
    more = f"{keep}&t=" if keep else "t="
    return escape(f"?{range_query(start_ms, end_ms, more=more)}")


def _blocks(rows: Sequence[Row], lines: Sequence[str]) -> SafeString:
    """At most BLOCK rows each; a block ends where the numbers jump, as they may in a range."""
    blocks, begin = [], 0
    for at in range(1, len(rows) + 1):
        ends = at == len(rows) or at - begin == BLOCK
        if ends or rows[at].number != rows[at - 1].number + 1:
            inside = "".join(lines[begin:at])
            blocks.append(f'<ol class="block" data-n={rows[begin].number}>{inside}</ol>')
            begin = at
    return mark_safe("\n".join(blocks))  # noqa: S308 - every text in it went through escape()


def _lines(
    rows: Sequence[Row], link: str, *, every_end: bool = False, said_ms: int = 0
) -> list[str]:
    next_starts = chain((row.start_ms for row in rows[1:]), (-1,))
    return [
        f"<li{_attributes(row, next_start, next_start - said, every_end)}>"
        f'<a href="{link}{ms_to_seconds(row.start_ms)}#now">{clock(row.start_ms)}</a>'
        f"<span>{escape(row.text, quote=False)}</span>\n"
        for row, next_start, said in zip(rows, next_starts, said_until(rows, said_ms), strict=False)
    ]


def _attributes(row: Row, next_start: int, gap_ms: int, every_end: bool) -> str:
    start_ms, end_ms, _, _, marks, version, unsure = row
    written = every_end or end_ms != next_start
    found = f" data-d={ms_to_seconds(end_ms - start_ms)}" if written else ""
    if gap_ms > GAP_MS:
        found += f" data-g={round(gap_ms / 1000)}"
    if marks:
        found += f" data-m={marks}"
    if unsure:
        found += f" data-w={unsure}"
    return f"{found} data-v={version}" if version else found


def range_query(start_ms: int | None, end_ms: int | None, *, more: str = "") -> str:
    """``start=60&end=90`` for the sides that are closed, in seconds, and ``more`` behind it."""
    sides = {"start": start_ms, "end": end_ms}
    query = urlencode({name: ms_to_seconds(ms) for name, ms in sides.items() if ms is not None})
    return f"{query}&{more}" if query and more else query or more
