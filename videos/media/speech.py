"""Where somebody speaks: Silero's detector run over a stream of sound. Child side only.

The detector is the ONNX file inside the faster-whisper package, used without importing that
package. Its memory (h, c and the last samples) is carried from block to block, so that the
regions of an hour cost no more room than those of a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from videos.media.audio import BLOCK, RATE, Samples, reblocked
from videos.media.sandbox import MediaError

WINDOW = 512  # samples the model looks at once, 32 ms: all times below are whole milliseconds
CONTEXT = 64  # samples of the window before that it wants to see again
WINDOW_MS = WINDOW * 1000 // RATE
SPEECH, SILENCE = 0.5, 0.35
CLOSE = 600 // WINDOW_MS + 1  # windows of silence that end a region
SHORTEST = 3
LONGEST = 15_000 // WINDOW_MS
SPLIT_FROM = LONGEST * 2 // 5
PAD = 200 * RATE // 1000

Probabilities = np.ndarray[tuple[int], np.dtype[np.float32]]
Detector = Callable[[Samples], Probabilities]


@dataclass(frozen=True, slots=True)
class Region:
    """Sound from ``start_ms`` to ``end_ms`` in which somebody speaks.

    Without samples it only says that nothing speaks before ``end_ms``. ``paused`` is False
    when a long region was split at ``end_ms`` where the speech may go on.
    """

    start_ms: int
    end_ms: int
    samples: Samples
    paused: bool = True


def detector() -> Detector:
    """Load the model; give a function that tells the speech probability of each window.

    Call it with blocks of whole windows in their order.
    """
    session = _session()
    memory = np.zeros((2, 1, 1, 128), np.float32)
    context: np.ndarray[Any, np.dtype[np.float32]] = np.zeros(CONTEXT, np.float32)

    def probabilities(block: Samples) -> Probabilities:
        nonlocal context
        windows = (block.astype(np.float32) / np.float32(32768)).reshape(-1, WINDOW)
        before = np.vstack([context, windows[:-1, -CONTEXT:]])
        feed = {"input": np.hstack([before, windows]), "h": memory[0], "c": memory[1]}
        output, memory[0], memory[1] = session.run(None, feed)
        context = windows[-1, -CONTEXT:]
        result: Probabilities = output.reshape(-1)
        return result

    return probabilities


def _session() -> Any:
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep the largest block's memory for good
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        str(_model_file()), sess_options=options, providers=["CPUExecutionProvider"]
    )


def _model_file() -> Path:
    package = find_spec("faster_whisper")
    if package is None or not package.submodule_search_locations:
        raise MediaError("The speech detector is not installed.", permanent=False)
    return Path(package.submodule_search_locations[0]) / "assets" / "silero_vad_v6.onnx"


def regions(
    blocks: Iterable[Samples], detect: Detector | None = None, from_ms: int = 0
) -> Iterator[Region]:
    """Yield the regions of speech as the sound comes in, and empty ones for silence.

    In order and without overlap; the last one ends where the sound ends. ``blocks`` start at
    the video's zero also when only what lies after ``from_ms`` is wanted: the regions are then
    the very same as those of a run from the start, which is what makes resuming exact.
    """
    finder = _Finder(detect or detector())
    for block in reblocked(blocks, BLOCK):
        for region in finder.hear(block):
            yield _after(region, from_ms)
    for region in finder.finish():
        yield _after(region, from_ms)


def _after(region: Region, from_ms: int) -> Region:
    """Cut what lies before ``from_ms`` off."""
    if region.start_ms >= from_ms:
        return region
    end_ms = max(region.end_ms, from_ms)
    samples = region.samples[(from_ms - region.start_ms) * RATE // 1000 :]
    return Region(from_ms, end_ms, samples, region.paused)


class _Finder:
    """Turns windows' probabilities into regions, holding only the samples that it may need."""

    def __init__(self, detect: Detector) -> None:
        self.detect = detect
        self.heard = 0  # samples
        self.held: Samples = np.zeros(0, np.int16)
        self.held_from = 0  # sample number of held[0]
        self.windows = 0
        self.opened: int | None = None  # window in which the region began
        self.split = False  # the region goes on from one that was split
        self.quiet: int | None = None  # window in which the pause began
        self.scores: list[float] = []  # of the windows since ``opened``

    def hear(self, block: Samples) -> Iterator[Region]:
        """Take the next block; yield what became certain."""
        self.held = np.concatenate([self.held, block])
        self.heard += len(block)
        padded = np.pad(block, (0, -len(block) % WINDOW))
        for score in self.detect(padded).tolist():
            yield from self._step(score)
            self.windows += 1
        yield self._let_go()

    def finish(self) -> Iterator[Region]:
        """Close what is open at the end of the sound."""
        if self.opened is not None:
            yield from self._close(self.windows if self.quiet is None else self.quiet)
        end_ms = self.heard * 1000 // RATE
        yield Region(end_ms, end_ms, self.held[:0])

    def _step(self, score: float) -> Iterator[Region]:
        if self.opened is None:
            if score >= SPEECH:
                self._open(self.windows, [score], split=False)
            return
        self.scores.append(score)
        if score >= SPEECH:
            self.quiet = None
        elif score < SILENCE and self.quiet is None:
            self.quiet = self.windows
        if self.quiet is not None and self.windows - self.quiet >= CLOSE:
            yield from self._close(self.quiet)
        elif len(self.scores) >= LONGEST:
            yield from self._split()

    def _open(self, window: int, scores: list[float], *, split: bool) -> None:
        self.opened, self.scores, self.split, self.quiet = window, scores, split, None

    def _close(self, window: int) -> Iterator[Region]:
        """End the region before ``window``; what is too short to be a word is dropped."""
        assert self.opened is not None
        if window - self.opened >= SHORTEST or self.split:
            yield self._region(self.opened * WINDOW, window * WINDOW + PAD, paused=True)
        self.opened, self.scores, self.quiet = None, [], None

    def _split(self) -> Iterator[Region]:
        """End a long region where speech is least likely; go on from there."""
        assert self.opened is not None
        smooth = np.convolve(np.pad(self.scores, 2, mode="edge"), np.ones(5) / 5, mode="valid")
        cut = SPLIT_FROM + int(np.argmin(smooth[SPLIT_FROM:]))
        quiet = self.quiet
        yield self._region(self.opened * WINDOW, (self.opened + cut) * WINDOW, paused=False)
        self._open(self.opened + cut, self.scores[cut:], split=True)
        if quiet is not None:
            self.quiet = max(quiet, self.opened)

    def _region(self, start: int, end: int, *, paused: bool) -> Region:
        start = max(self.held_from, start if self.split else start - PAD)
        end = min(end, self.heard)
        samples = self.held[start - self.held_from : end - self.held_from].copy()
        self._drop_before(end)
        return Region(start * 1000 // RATE, end * 1000 // RATE, samples, paused)

    def _let_go(self) -> Region:
        """Forget what can no longer belong to a region; tell how far silence is certain."""
        first = self.windows if self.opened is None else self.opened
        self._drop_before(first * WINDOW - PAD)
        until_ms = self.held_from * 1000 // RATE
        return Region(until_ms, until_ms, self.held[:0])

    def _drop_before(self, sample: int) -> None:
        sample = min(sample, self.heard)
        if sample > self.held_from:
            self.held = self.held[sample - self.held_from :].copy()
            self.held_from = sample
