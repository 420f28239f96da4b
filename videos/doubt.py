"""What deserves a second look: doubtful rows of a transcript, and gaps between them.

A reason to doubt a row comes from the row and the few before it alone.

Speech recognisers fail in ways that can be seen: they repeat a line, put words over silence,
squeeze a sentence into a second. A reason never looks at later rows, so that a growing
transcript is marked as it is written. What the sound itself says comes later, with its peaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, pairwise
from statistics import median
from typing import Protocol

from videos.folding import fold, holds

LATE = "e"
REASONS = {
    LATE: "begins after the end of the video",
    "f": "faster than anybody speaks",
    "o": "begins before the line before it ends",
    "p": "the engine was not sure of its words",
    "r": "the same line as shortly before",
    "s": "over silence",
}
LOOK_BACK = 3  # rows
LOOKING_BACK = "or"  # the reasons that do; the others are of a row alone
CONFIRMED = "y"  # in place of all reasons: an editor says that the row is right

FASTEST = 25  # characters a second, as subtitlers count them
FEW_CHARACTERS = 12  # "Right." is short enough to be said in no time
SAME_BY_CHANCE = 15  # characters: "yes" and "all right" are said again
OVERLAP_MS = 100
SLOW_MS, SLOWEST = 5000, 2  # longer than this at fewer characters a second: mostly silence
HUSH_MS = 3000  # between two words of one row
UNSURE = 0.4  # median of the words' probabilities; right words have about 0.85, wrong ones 0.3
UNSURE_WORD = 0.3  # below it a single word is pointed out
GAP_MS = 2000  # a silence between two rows that is shown


def is_doubtful(marks: str) -> bool:
    return marks not in ("", CONFIRMED)


class Timed(Protocol):
    @property
    def start_ms(self) -> int: ...
    @property
    def end_ms(self) -> int: ...


class Line(Timed, Protocol):
    @property
    def text(self) -> str: ...
    @property
    def words(self) -> Sequence[Sequence[int | str | float | None]] | None:
        """``[start_ms, end_ms, text, probability or None]`` each, where they are known."""


def marks(rows: Sequence[Line], before: Sequence[Line] = (), length_ms: int = 0) -> list[str]:
    """One string for each row: the letters of REASONS that hold, sorted; usually none.

    ``before``: the rows that come before them, of which the last LOOK_BACK are looked at.
    ``length_ms``: the video's, where it is known.
    """
    late = length_ms or float("inf")
    known = [*before[-LOOK_BACK:], *rows]
    first = len(known) - len(rows)
    texts = [" ".join(fold(row.text).split()) for row in known]
    ends = [row.end_ms for row in known]
    return [
        _marks(known[at], texts[since : at + 1], ends[since:at], late)
        for at in range(first, len(known))
        for since in [max(0, at - LOOK_BACK)]
    ]


def _marks(row: Line, texts: Sequence[str], ends: Sequence[int], late: float) -> str:
    """``texts`` of the rows before it and its own; ``ends`` of the rows before it. ``late``: where
    the video has ended.
    """
    *earlier, text = texts
    length = row.end_ms - row.start_ms
    found = {
        LATE: row.start_ms >= late,
        "f": len(text) > FEW_CHARACTERS and len(text) * 1000 > FASTEST * length,
        "o": bool(ends) and row.start_ms + OVERLAP_MS < max(ends),
        "p": _is_unsure(row),
        "r": _is_repeated(text, earlier),
        "s": (length > SLOW_MS and len(text) * 1000 < SLOWEST * length) or _has_hush(row),
    }
    return "".join(letter for letter, holds in found.items() if holds)


def _is_repeated(text: str, earlier: Sequence[str]) -> bool:
    """Short answers are repeated by people; twice in a row is an engine's loop all the same."""
    if not text:
        return False
    looped = len(earlier) > 1 and earlier[-1] == earlier[-2] == text
    return looped or (len(text) >= SAME_BY_CHANCE and text in earlier)


def _is_unsure(row: Line) -> bool:
    sure = [word[3] for word in row.words or () if isinstance(word[3], int | float)]
    return bool(sure) and median(sure) < UNSURE


def _has_hush(row: Line) -> bool:
    """Where the engine knows words, a long silence inside of a row shows between two of them."""
    return any(
        int(after[0] or 0) - int(word[1] or 0) > HUSH_MS
        for word, after in pairwise(row.words or ())
    )


# --- single words ---


def unsure_places(text: str, words: Sequence[Sequence[int | str | float | None]] | None) -> str:
    """Where in the text the engine was not sure, as ``12+6,40+5``: begin and length each.

    Counted in UTF-16 units, as browsers count. ``words`` as Line has them.
    """
    found: list[list[int]] = []
    for begin, end in _unsure(text, words or ()):
        if found and not text[found[-1][1] : begin].strip():
            found[-1][1] = end
        else:
            found.append([begin, end])
    return ",".join(f"{_units(text[:a])}+{_units(text[a:b])}" for a, b in found)


def _unsure(
    text: str, words: Sequence[Sequence[int | str | float | None]]
) -> Iterator[tuple[int, int]]:
    at = 0
    for word in words:
        said, sure = str(word[2]).strip(), word[3]
        begin = text.find(said, at)
        if not said or begin < 0:
            continue
        at = begin + len(said)
        if isinstance(sure, int | float) and sure < UNSURE_WORD:
            yield begin, at


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def at_places(text: str, places: str) -> list[str]:
    """The words that stand at such places."""
    units = text.encode("utf-16-le")
    spans = (map(int, place.split("+")) for place in places.split(",") if place)
    return [units[2 * at : 2 * (at + length)].decode("utf-16-le") for at, length in spans]


# --- gaps, and what is shown alone ---


class Marked(Timed, Protocol):
    @property
    def text(self) -> str: ...
    @property
    def marks(self) -> str: ...


def said_until(rows: Sequence[Timed], before_ms: int = 0) -> Iterator[int]:
    """How far what was said up to each row reaches: a longer row before it may end later."""
    ends = accumulate((row.end_ms for row in rows), max, initial=before_ms)
    return islice(ends, 1, None)


def before_gaps(rows: Sequence[Timed]) -> list[bool]:
    """Which rows are followed by a silence that is shown."""
    starts = (row.start_ms for row in rows[1:])
    found = [start - said > GAP_MS for start, said in zip(starts, said_until(rows), strict=False)]
    return [*found, False] if rows else []


def worth_a_look(rows: Sequence[Marked]) -> tuple[int, int]:
    """How many rows are doubtful, and how many gaps lie between them."""
    return sum(is_doubtful(row.marks) for row in rows), sum(before_gaps(rows))


def wanted(
    rows: Sequence[Marked],
    words: list[str],
    *,
    match_case: bool = False,
    doubt: bool = False,
    gaps: bool = False,
) -> list[bool]:
    """Which rows hold all ``words`` (terms of ``folding``; empty: all do) and, where doubtful ones
    or ones before a gap are asked for, are one or the other.
    """
    before_gap = before_gaps(rows) if gaps else [False] * len(rows)
    plain = not (doubt or gaps)
    return [
        (plain or gap or (doubt and is_doubtful(row.marks)))
        and (not words or holds(row.text, words, match_case=match_case))
        for row, gap in zip(rows, before_gap, strict=True)
    ]


# --- what only the sound tells ---

QUIET = 2  # of 255, the file's loudest: 40 dB below it, where nobody is understood


def over_silence(rows: Sequence[tuple[int, int]], peaks: bytes, duration_ms: int) -> Iterator[bool]:
    """For each row's start and end in ms: whether there is nothing to be heard all along.

    ``peaks``: how loud the file is over its length, as ``media/peaks_job.py`` writes it. A row
    that lies beyond its end is not judged.
    """
    loud = list(accumulate((peak > QUIET for peak in peaks), initial=0))
    for start_ms, end_ms in rows:
        first = start_ms * len(peaks) // max(1, duration_ms)
        last = min(-(-end_ms * len(peaks) // max(1, duration_ms)), len(peaks))
        yield first < last and loud[last] == loud[first]
