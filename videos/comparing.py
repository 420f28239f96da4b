"""Two transcripts of a video side by side: aligned by time, then word by word. Pure.

Two engines cut speech into lines differently, so lines are not compared by number. A stretch
ends where a line begins and no line of either transcript reaches far across that moment; when
there is no such moment for long, at the one that is crossed least.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from videos.wording import is_dense, joined, opcodes

CROSSING_MS = 400  # engines do not agree on a pause by more than that
LONG_MS = 20_000  # of a stretch without such a moment

# What an engine may write or leave out without hearing anything else.
_MARKS = str.maketrans("", "", ".,;:!?…\"'’‘“”«»()[]-–—。，！？、")


class Line(NamedTuple):
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """The lines [a0, a1) of the one transcript were said while [b0, b1) of the other were."""

    a0: int
    a1: int
    b0: int
    b1: int


def align(a: Sequence[Line], b: Sequence[Line]) -> list[Stretch]:
    """Stretches that hold each line of both once, in order. Lines come in the order of time."""
    cuts = [(0, 0), *_cuts(a, b), (len(a), len(b))]
    pairs = zip(cuts, cuts[1:], strict=False)
    return [Stretch(a0, a1, b0, b1) for (a0, b0), (a1, b1) in pairs if (a0, b0) != (a1, b1)]


def _cuts(a: Sequence[Line], b: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """How many lines of each lie before each cut."""
    began, best = None, (0, (0, 0))  # where this stretch begins; the best cut in it so far
    for moment, place, depth in _moments(a, b):
        if began is None:
            began = moment
        elif depth <= CROSSING_MS:
            yield place
            began, best = moment, (0, (0, 0))
        else:
            best = min(best, (depth, place)) if best[0] else (depth, place)
            if moment - began > LONG_MS:
                yield best[1]
                began, best = moment, (0, (0, 0))


def _moments(a: Sequence[Line], b: Sequence[Line]) -> Iterator[tuple[int, tuple[int, int], int]]:
    """Each moment at which a line begins: how many lines of each lie before it, and for how
    long the line that reaches across it does so. A line lies where its middle is.
    """
    middles = [
        list(accumulate((line.start_ms + line.end_ms for line in side), max)) for side in (a, b)
    ]
    i = j = 0
    for moment in sorted({line.start_ms for side in (a, b) for line in side}):
        while i < len(a) and middles[0][i] < 2 * moment:
            i += 1
        while j < len(b) and middles[1][j] < 2 * moment:
            j += 1
        yield moment, (i, j), max(_depth(a, i, moment), _depth(b, j, moment))


def _depth(side: Sequence[Line], at: int, moment: int) -> int:
    before = side[at - 1].end_ms - moment if at else 0
    after = moment - side[at].start_ms if at < len(side) else 0
    return max(before, after)


def words(lines: Sequence[Line]) -> list[str]:
    """Words; in a script without spaces, characters."""
    tokens = " ".join(line.text for line in lines).split()
    return [word for token in tokens for word in (token if is_dense(token[0]) else [token])]


def heard(word: str, *, strict: bool = False) -> str:
    """What is compared of a word; empty for a dash that stands alone."""
    return word if strict else word.casefold().translate(_MARKS)


def same(a: Sequence[Line], b: Sequence[Line], *, strict: bool = False) -> bool:
    """Whether two stretches say the same, however they are cut into lines."""
    one, two = ([heard(word, strict=strict) for word in words(side)] for side in (a, b))
    return one == two or list(filter(None, one)) == list(filter(None, two))


class Piece(NamedTuple):
    """Words that follow one another, and whether the other transcript has them too."""

    text: str
    differs: bool


def differences(
    a: Sequence[Line], b: Sequence[Line], *, strict: bool = False
) -> tuple[list[Piece], list[Piece]]:
    """The words of both sides in pieces that are alike or differ."""
    one, two = words(a), words(b)
    left_keys, right_keys = ([heard(word, strict=strict) for word in side] for side in (one, two))
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, i1, i2, j1, j2 in opcodes(left_keys, right_keys):
        differs = tag != "equal"
        if i1 < i2:
            left.append(Piece(joined(one[i1:i2]), differs and any(left_keys[i1:i2])))
        if j1 < j2:
            right.append(Piece(joined(two[j1:j2]), differs and any(right_keys[j1:j2])))
    return left, right
