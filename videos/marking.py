"""Looks again at the marks of lines when an editor changed some: of these and of those behind.

What an editor wrote or confirmed is believed: neither the line nor a word of it is doubted. Of
lines that were not touched only those reasons can change that look at lines before them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from videos import doubt, hush
from videos.models import Segment, Task


class Near(NamedTuple):
    """What is read of a line that was not touched. Its words are many, and not needed."""

    pk: int
    number: int
    start_ms: int
    end_ms: int
    text: str
    heard: str | None
    marks: str
    words: None = None


def look_again(task: Task, changed: Sequence[Segment]) -> None:
    """Give the changed rows, not yet written, their marks; write those of the rows behind them.

    ``changed`` are in their order, and the numbers of all rows are those that they will have.
    """
    found = _near(task, changed)
    rows: list[Segment | Near] = sorted([*found, *changed], key=attrgetter("number"))
    found_marks = doubt.marks(rows, length_ms=task.video.duration_ms)
    marks = dict(zip((row.number for row in rows), found_marks, strict=True))
    _judge(task, [row for row in changed if not _is_believed(row)], marks)
    for row in changed:
        row.unsure = "" if _is_believed(row) else doubt.unsure_places(row.text, row.words)
    _write(task, found, [row.number for row in changed], marks)


def _near(task: Task, changed: Sequence[Segment]) -> list[Near]:
    """The rows that the changed ones look back at, and those that look back at them."""
    first, last = changed[0].number - doubt.LOOK_BACK, changed[-1].number + doubt.LOOK_BACK
    rows = task.segments.filter(number__range=(max(0, first), last)).order_by("number")
    keys = {row.pk for row in changed}
    return [Near(*row) for row in rows.values_list(*Near._fields[:-1]) if row[0] not in keys]


def _is_believed(row: Segment | Near) -> bool:
    return row.heard is not None or row.marks == doubt.CONFIRMED


def _judge(task: Task, rows: Sequence[Segment], marks: dict[int, str]) -> None:
    times = [(row.start_ms, row.end_ms) for row in rows]
    silent = hush.over_silence(task.video, times) if rows else []
    for row, is_silent in zip(rows, silent, strict=True):
        row.marks = _together(marks[row.number], hush.SILENT if is_silent else "")


def _write(
    task: Task, found: Sequence[Near], numbers: Sequence[int], marks: dict[int, str]
) -> None:
    by_marks = defaultdict(list)
    for row in found:
        now = _with_new_reasons(row, marks[row.number])
        if now != row.marks and _looks_back_at_one(row.number, numbers) and not _is_believed(row):
            by_marks[now].append(row.pk)
    for now, keys in by_marks.items():
        for at in range(0, len(keys), hush.AT_ONCE):
            task.segments.filter(pk__in=keys[at : at + hush.AT_ONCE]).update(marks=now)


def _with_new_reasons(row: Near, marks: str) -> str:
    """Its own reasons stay: its words were not read, and its sound is the same."""
    own = [mark for mark in row.marks if mark not in doubt.LOOKING_BACK]
    return _together(*own, *(mark for mark in marks if mark in doubt.LOOKING_BACK))


def _looks_back_at_one(number: int, numbers: Sequence[int]) -> bool:
    at = bisect_right(numbers, number)
    return at > 0 and number - numbers[at - 1] <= doubt.LOOK_BACK


def _together(*marks: str) -> str:
    return "".join(sorted(set("".join(marks))))
