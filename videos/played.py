"""Stretches of a video that somebody played: sorted (start_ms, end_ms) pairs, all apart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise

JOIN_MS = 1000  # a shorter hole was not skipped on purpose
MOST = 300  # pairs that are kept
MOST_SENT = 300  # pairs that are read at once
MOST_CHARACTERS = 20_000

Stretch = tuple[int, int]


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """All of them as one; holes up to JOIN_MS are closed, and larger ones if there are many."""
    joined = _joined(sorted(stretches), JOIN_MS)
    if len(joined) <= MOST:
        return joined
    holes = sorted(after[0] - before[1] for before, after in pairwise(joined))
    return _joined(joined, holes[len(joined) - MOST - 1])


def _joined(stretches: Iterable[Stretch], hole_ms: int) -> list[Stretch]:
    found: list[Stretch] = []
    for start, end in stretches:
        if found and start - found[-1][1] <= hole_ms:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def read(text: str, duration_ms: int) -> list[Stretch]:
    """``[[0, 5000], …]`` as a page sends it, cut to the video. Raises ValueError."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError("That is too much at once.")
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("These are no stretches of time.") from error
    if not isinstance(sent, list) or len(sent) > MOST_SENT or not all(map(_is_stretch, sent)):
        raise ValueError("These are no stretches of time.")
    cut = ((start, min(end, duration_ms)) for start, end in sent)
    return [(start, end) for start, end in cut if start < end]


def _is_stretch(sent: object) -> bool:
    if not isinstance(sent, list) or len(sent) != 2:
        return False
    return all(type(each) is int for each in sent) and 0 <= sent[0] < sent[1]
