"""A real engine of our own protocol, without speech: it reports what the test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from videos.engines.base import Availability, Cue, EngineConfig, Report

Script = Iterable[Report | Exception | Callable[[], None]]


def cue(start_ms: int, end_ms: int, text: str = "words") -> Cue:
    return Cue(start_ms, end_ms, text)


def phrases(count: int, length_ms: int = 2000) -> list[Report]:
    """So many reports of one cue each, end to end."""
    return [
        Report(
            cues=(cue(n * length_ms, (n + 1) * length_ms - 200, f"phrase {n}"),),
            done_ms=(n + 1) * length_ms,
        )
        for n in range(count)
    ]


@dataclass
class FakeEngine:
    """Plays its script; an exception in it is raised, a callable is called.

    Like a real one it leaves out what ends at or before ``from_ms``. ``calls`` keeps the
    ``from_ms`` of each run, ``most_at_once`` how many ran at the same time.
    """

    script: Script = ()
    name: str = "fake"
    label: str = "Fake"
    languages: tuple[str, ...] = ()
    calls: list[int] = field(default_factory=list)
    closed: int = 0
    most_at_once: int = 0
    _running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def model(self, config: EngineConfig) -> str:
        return "script"

    def availability(self, config: EngineConfig) -> Availability:
        return Availability(ok=True)

    def transcribe(
        self, media: Path, config: EngineConfig, *, language: str = "", from_ms: int = 0
    ) -> Generator[Report, None, None]:
        with self._lock:
            self.calls.append(from_ms)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            yield from self._play(from_ms)
        finally:
            with self._lock:
                self._running -= 1
                self.closed += 1

    def _play(self, from_ms: int) -> Iterator[Report]:
        for item in self.script:
            if isinstance(item, Exception):
                raise item
            if not isinstance(item, Report):
                item()
                yield Report()
            elif item.done_ms is None or item.done_ms > from_ms:
                yield item
