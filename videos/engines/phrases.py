"""From words to cues: a segment is a phrase that can be read at a glance. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from videos.engines.base import Cue, Word

PAUSE_MS = 500  # a pause this long always ends a phrase
LONGEST_MS = 12_000
WIDEST = 84  # letters: two lines of subtitles
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
CLAUSE_ENDS = (",", ";", ":", "–", "—", "、", "，")
CLOSERS = "\"'”’»)]」"

# Prices of a break and of the phrase that it makes; the cheapest way through the words wins.
BREAK = 1.0
SENTENCE_GAIN = 1.6
CLAUSE_GAIN = 0.7
GAP_GAIN = 0.9  # for a gap of PAUSE_MS, less for less
FULLNESS = 0.8
ORPHAN = 1.5


def cues(words: Sequence[Word], *, joiner: str = " ") -> list[Cue]:
    """Group words to phrases of at most about 12 s and 84 letters, in order, not overlapping.

    ``joiner`` stands between the words' texts; give "" when each text brings its own space, as
    Whisper's do (and not in languages that write without). Words without text are dropped, and
    times that are reversed or overlap are put right.
    """
    clean = _ordered(words)
    return [_cue(phrase, joiner) for run in _runs(clean) for phrase in _phrases(run, len(joiner))]


def _ordered(words: Sequence[Word]) -> list[Word]:
    """Make times ascend: a word ends when the next begins, and lasts 1 ms at least."""
    kept: list[Word] = []
    for word in sorted((w for w in words if w.text.strip()), key=lambda w: w.start_ms):
        start = max(0, word.start_ms)
        if kept and kept[-1].end_ms > start:
            kept[-1] = replace(kept[-1], end_ms=max(kept[-1].start_ms + 1, start))
            start = max(start, kept[-1].end_ms)
        kept.append(replace(word, start_ms=start, end_ms=max(start + 1, word.end_ms)))
    return kept


def _runs(words: list[Word]) -> Iterator[list[Word]]:
    """Split at pauses."""
    run: list[Word] = []
    for word in words:
        if run and word.start_ms - run[-1].end_ms >= PAUSE_MS:
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _phrases(run: list[Word], joiner: int) -> Iterator[list[Word]]:
    """Split a run where that costs least, looking at all its breaks together."""
    widths = [_width(word.text) + joiner for word in run]
    costs, starts = [0.0], [0]
    for end in range(1, len(run) + 1):
        cost, start = min(
            (costs[start] + _phrase_cost(run, widths, start, end), start)
            for start in _starts(run, widths, end)
        )
        costs.append(cost)
        starts.append(start)
    yield from _walk(run, starts)


def _starts(run: list[Word], widths: list[int], end: int) -> Iterator[int]:
    """Give where a phrase that ends before word ``end`` may start; one word always may."""
    width = 0
    for start in range(end - 1, -1, -1):
        width += widths[start]
        too_long = run[end - 1].end_ms - run[start].start_ms > LONGEST_MS
        if start < end - 1 and (too_long or width > WIDEST + 1):
            return
        yield start


def _phrase_cost(run: list[Word], widths: list[int], start: int, end: int) -> float:
    """Price a phrase and the break before it."""
    cost = FULLNESS * (sum(widths[start:end]) / WIDEST) ** 2
    if end - start == 1 and len(run) > 1:
        cost += ORPHAN
    return cost + (_break_cost(run[start - 1], run[start]) if start else 0.0)


def _break_cost(before: Word, after: Word) -> float:
    text = before.text.strip().rstrip(CLOSERS)
    gain = GAP_GAIN * max(0, after.start_ms - before.end_ms) / PAUSE_MS
    if text.endswith(SENTENCE_ENDS):
        gain += SENTENCE_GAIN
    elif text.endswith(CLAUSE_ENDS):
        gain += CLAUSE_GAIN
    return BREAK - gain


def _walk(run: list[Word], starts: list[int]) -> list[list[Word]]:
    bounds = [len(run)]
    while bounds[-1]:
        bounds.append(starts[bounds[-1]])
    return [run[start:end] for start, end in pairwise(reversed(bounds))]


def _width(text: str) -> int:
    """Count letters as a reader sees them: an ideograph takes the room of two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text.strip())


def _cue(words: list[Word], joiner: str) -> Cue:
    text = " ".join(joiner.join(word.text for word in words).split())
    stripped = tuple(replace(word, text=word.text.strip()) for word in words)
    return Cue(words[0].start_ms, words[-1].end_ms, text, stripped)
