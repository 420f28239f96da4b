"""How loud a file is over its length, as a few thousand bytes. Child side of ``derived``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from videos.media.audio import PER_MS, Samples, blocks
from videos.media.nice import be_nice

FEWEST, MOST = 2000, 8000
BIN_MS = 100  # of a file for which neither bound counts
LOUDEST_GAIN = 32  # silence stays flat: its noise is not drawn as if it were speech
NEWS_SECONDS = 0.5


def bins(duration_ms: int) -> int:
    """How many values a file gets: one for 100 ms, from 2,000 to 8,000, never below a sample."""
    return max(1, min(MOST, max(FEWEST, duration_ms // BIN_MS), duration_ms * PER_MS))


def make(path: str, target: str, duration_ms: int) -> Iterator[dict[str, Any]]:
    """Write one byte a bin to ``target``: the loudest sample in it, 255 the file's loudest."""
    be_nice()
    count, total = bins(duration_ms), max(1, duration_ms * PER_MS)
    loudness, told = np.zeros(count), time.monotonic()
    for done in fill(loudness, total, blocks(path)):
        if time.monotonic() - told >= NEWS_SECONDS:
            told = time.monotonic()
            yield {"fraction": min(1.0, done / total)}
    Path(target).write_bytes(scaled(loudness))
    yield {"facts": {"bins": count}}


def fill(loudness: np.ndarray[Any, Any], total: int, blocks: Iterable[Samples]) -> Iterator[int]:
    """Raise each bin to the loudest of its samples; yield how many samples went in so far."""
    done = 0
    for block in blocks:
        numbers = (np.arange(done, done + len(block)) * len(loudness)) // total
        inside = block[numbers < len(loudness)]
        if len(inside):
            numbers = numbers[: len(inside)]
            starts = np.flatnonzero(np.diff(numbers, prepend=-1))
            peaks = np.maximum.reduceat(np.abs(inside.astype(np.int32)), starts)
            at = numbers[starts]
            loudness[at] = np.maximum(loudness[at], peaks)
        done += len(block)
        yield done


def scaled(loudness: np.ndarray[Any, Any]) -> bytes:
    loudest = max(float(loudness.max()), 32768 / LOUDEST_GAIN)
    return np.round(loudness * (255 / loudest)).astype(np.uint8).tobytes()
