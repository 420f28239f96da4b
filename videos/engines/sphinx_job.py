"""Recognise with several pocketsphinx processes at once. Child side of ``sphinx``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from videos.engines import jobs, phrases
from videos.engines.base import Cue, Word
from videos.media import audio, speech
from videos.media.audio import Samples
from videos.media.speech import Region

Waiting = deque[tuple[Region, "Future[list[Cue]] | None"]]


def recognise(path: str, cores: int, from_ms: int) -> Iterator[dict[str, Any]]:
    """Yield cues in order with ``done_ms``, at which the recognising can be taken up again."""
    cores = max(1, cores)
    # Before the detector starts its threads, and from this thread, whose end ends them too.
    idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
    for _ in range(cores):
        idle.put(_start_decoder())
    with ThreadPoolExecutor(cores) as pool:
        waiting: Waiting = deque()
        for region in speech.regions(audio.blocks(path), from_ms=from_ms):
            spoken = len(region.samples) > 0
            waiting.append((region, pool.submit(_cues, idle, region) if spoken else None))
            yield from _ready(waiting, most=2 * cores)
        yield from _ready(waiting, most=0)


def _ready(waiting: Waiting, most: int) -> Iterator[dict[str, Any]]:
    """Yield what is done at the head of the line; wait while more than ``most`` are working.

    The bound keeps memory flat: sound is decoded far faster than it is recognised.
    """
    while waiting:
        region, future = waiting[0]
        working = sum(1 for _, other in waiting if other is not None)
        if future is not None and not future.done() and working <= most:
            return
        waiting.popleft()
        cues = jobs.packed(future.result()) if future is not None else []
        yield {"cues": cues, "done_ms": region.end_ms}


def _cues(idle: SimpleQueue[subprocess.Popen[bytes]], region: Region) -> list[Cue]:
    decoder = idle.get()
    try:
        answer = _ask(decoder, region.samples)
    finally:
        idle.put(decoder)  # a dead one too: whoever takes it fails at once instead of waiting
    words = [
        Word(region.start_ms + start, min(region.start_ms + end, region.end_ms), text, probability)
        for start, end, text, probability in answer
    ]
    return phrases.cues(words)


def _start_decoder() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "videos.engines.sphinx_decoder", str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _ask(decoder: subprocess.Popen[bytes], samples: Samples) -> list[list[Any]]:
    assert decoder.stdin is not None and decoder.stdout is not None
    sound = samples.tobytes()
    with suppress(BrokenPipeError):  # its end, below, says why
        decoder.stdin.write(len(sound).to_bytes(4, "big") + sound)
        decoder.stdin.flush()
    line = decoder.stdout.readline()
    if not line:
        raise RuntimeError(f"a decoder process ended with code {decoder.wait()}")
    answer: list[list[Any]] = json.loads(line)
    return answer
