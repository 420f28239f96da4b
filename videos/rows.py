"""The transcript's rows as HTML, by joining strings: a template loop takes ten times as long.

A row is ``<li data-e=284.2><a href="?t=280.94#now">4:40</a><span>text</span>``. Its start is
read from its link; its end is written only where it is not the next row's start. The row
that is spoken at ``?t=`` is the anchor ``now``, so that the link works without JavaScript; ids
on all rows would cost bytes, and htmx looks for the twin of each id when it swaps.
Rows come in blocks of BLOCK, since a browser skips the layout of whole blocks that are out of
sight (``content-visibility``), which it does badly row by row. Closing tags that HTML does
not need are left out: 10,000 rows are a quarter of a megabyte as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from html import escape
from itertools import chain
from operator import itemgetter
from urllib.parse import urlencode

from django.utils.safestring import SafeString, mark_safe

from videos.models.segment import SegmentQuerySet
from videos.timecode import clock, ms_to_seconds

BLOCK = 50

Row = tuple[int, int, str]  # start_ms, end_ms, text


def fetch(segments: SegmentQuerySet) -> list[Row]:
    """The segments in their order, without making an object of each."""
    return list(segments.order_by("number").values_list("start_ms", "end_ms", "text"))


def render(
    rows: Sequence[Row],
    start_ms: int | None = None,
    end_ms: int | None = None,
    at_ms: int | None = None,
) -> SafeString:
    """Blocks of rows. A timecode's link keeps the range; the row at ``at_ms`` is marked."""
    lines = _lines(rows, _link(start_ms, end_ms))
    if at_ms is not None and (spoken := bisect_right(rows, at_ms, key=itemgetter(0))):
        lines[spoken - 1] = lines[spoken - 1].replace("<li", "<li id=now aria-current=true", 1)
    return _blocks(lines)


def render_more(
    rows: Sequence[Row], held: int, start_ms: int | None = None, end_ms: int | None = None
) -> tuple[SafeString, SafeString]:
    """Rows for a page that holds so many: those that fill its last block, and blocks after it.

    A block of its own for each few rows would make the page guess a height for each.
    """
    lines = _lines(rows, _link(start_ms, end_ms))
    room = -held % BLOCK
    return mark_safe("".join(lines[:room])), _blocks(lines[room:])  # noqa: S308 - as below


def _link(start_ms: int | None, end_ms: int | None) -> str:
    return escape(f"?{range_query(start_ms, end_ms, more='t=')}")


def _blocks(lines: Sequence[str]) -> SafeString:
    blocks = [
        f'<ol class="block">{"".join(lines[at : at + BLOCK])}</ol>'
        for at in range(0, len(lines), BLOCK)
    ]
    return mark_safe("\n".join(blocks))  # noqa: S308 - every text in it went through escape()


def _lines(rows: Sequence[Row], link: str) -> list[str]:
    next_starts = chain((row[0] for row in rows[1:]), (-1,))
    return [
        f"<li{'' if end == next_start else f' data-e={ms_to_seconds(end)}'}>"
        f'<a href="{link}{ms_to_seconds(start)}#now">{clock(start)}</a>'
        f"<span>{escape(text, quote=False)}</span>\n"
        for (start, end, text), next_start in zip(rows, next_starts, strict=False)
    ]


def range_query(start_ms: int | None, end_ms: int | None, *, more: str = "") -> str:
    """``start=60&end=90`` for the sides that are closed, in seconds, and ``more`` behind it."""
    sides = {"start": start_ms, "end": end_ms}
    query = urlencode({name: ms_to_seconds(ms) for name, ms in sides.items() if ms is not None})
    return f"{query}&{more}" if query and more else query or more
