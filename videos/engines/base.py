"""What an engine is: a media path and a language in, cues out. Knows no Django.

A new local engine is one module beside this one with a class that follows
``LocalEngine``, one line in ``videos.engines.ENGINES`` and one test that puts a
spoken clip through it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class EngineError(Exception):
    """An engine could not do its work. The message is a sentence for the page.

    ``permanent``: trying the same again cannot help. ``detail``: what a developer
    wants to see (standard error, an HTTP body); never shown to a visitor.
    """

    def __init__(self, message: str, *, permanent: bool = False, detail: str = "") -> None:
        super().__init__(message)
        self.permanent = permanent
        self.detail = detail


class EngineCrashed(EngineError):
    """The engine's process died or was killed at a limit. Counts as an interruption."""


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word; ``probability`` 0..1 where the engine tells it."""

    start_ms: int
    end_ms: int
    text: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase with its times in the video (WebVTT's word); ``end_ms`` > ``start_ms``."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What an engine tells while it works. All fields are optional; an empty one is a tick.

    ``done_ms``: everything before this moment of the video is final, its cues were
    reported; work that is interrupted may go on from here. ``doing`` and ``fraction``
    (0..1) describe work that comes before listening, such as fetching a model.
    """

    cues: tuple[Cue, ...] = ()
    done_ms: int | None = None
    language: str = ""
    doing: str = ""
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What engines need to know of the installation; made from the settings by the pipeline."""

    data_dir: Path
    cores: int = 1
    whisper_model: str = "base"
    hub_url: str = ""
    fetch_models: bool = True
    model_stall_seconds: float = 60.0
    memory_bytes: int = 4 * 1024**3
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an engine can be used now, and a sentence that says why not."""

    ok: bool
    reason: str = ""


class LocalEngine(Protocol):
    """Speech recognition on this machine."""

    name: str
    label: str
    languages: tuple[str, ...]  # ISO 639-1; empty: many, or not known before it listens

    def model(self, config: EngineConfig) -> str:
        """Name the model that would be used, as the page shows it."""

    def availability(self, config: EngineConfig) -> Availability:
        """Tell within 5 s whether a task could be given to this engine now."""

    def transcribe(
        self, media: Path, config: EngineConfig, *, language: str = "", from_ms: int = 0
    ) -> Generator[Report, None, None]:
        """Yield reports, at least one a second (a tick when nothing is new).

        Times are in the video's time. Closing the iterator ends all work at once.
        Raises EngineError.
        """
