"""What an engine is: a media path and a language in, cues out. Knows no Django.

A new local engine is one module beside this one with a class that follows
``LocalEngine``, one line in ``videos.engines.ENGINES`` and one test that puts a
spoken clip through it. A service elsewhere follows ``CloudEngine`` and stands in ``CLOUD``.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

MOST_CHARACTERS = 20_000  # of one cue's text, whoever made it: so many can be corrected, too


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


class NotNow(EngineError):
    """A service could not answer; asking later may help.

    ``wait_seconds``: how long it asked us to wait. ``most``: how often in a row that is worth
    trying; 0: until the task's deadline. ``gone``: it does not know what we asked about.
    """

    def __init__(
        self,
        message: str,
        *,
        detail: str = "",
        wait_seconds: float | None = None,
        most: int = 0,
        gone: bool = False,
    ) -> None:
        super().__init__(message, detail=detail)
        self.wait_seconds = wait_seconds
        self.most = most
        self.gone = gone


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
class CloudConfig:
    """Where a service is and who we are there. ``base_url`` has no version and no slash."""

    key: str = field(default="", repr=False)  # a repr ends in logs
    base_url: str = ""
    version: str = ""
    model: str = ""
    timeout_seconds: float = 60.0  # for a whole answer, however slowly it drips


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What engines need to know of the installation; made from the settings by the pipeline."""

    data_dir: Path
    base_dir: Path = Path()  # where a relative path of a setting begins
    cores: int = 1
    whisper_model: str = "base"
    hub_url: str = ""
    fetch_models: bool = True
    model_stall_seconds: float = 60.0
    memory_bytes: int = 4 * 1024**3
    reserve_bytes: int = 0  # of the disk, that nothing fetched may use
    cloud: CloudConfig = field(default_factory=CloudConfig)
    block_seconds: float = 300  # what Whisper is given at once; tests cut finer


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


# --- services elsewhere ---


@dataclass(frozen=True, slots=True)
class Place:
    """What a service calls our things. Empty: not known yet, or not there."""

    index_id: str = ""
    task_id: str = ""
    video_id: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A video to send. ``tag`` is its name there, ours alone: by it a lost answer is found again.

    ``index_tag`` is the name of the index there. ``sent_before``: an earlier attempt may have
    arrived. ``title`` is for people who look at it there.
    """

    media: Path
    tag: str
    index_tag: str
    content_type: str
    title: str
    language: str = ""
    sent_before: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A tick of a call that is under way: so many bytes of so many were sent."""

    bytes: int = 0
    total: int = 0

    @property
    def fraction(self) -> float | None:
        return self.bytes / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a service is. ``error`` is a sentence once it has given up."""

    is_ready: bool = False
    error: str = ""
    video_id: str = ""
    fraction: float | None = None


Answer = TypeVar("Answer", covariant=True)
# Ticks at least every second; closing it gives the call up; returns the answer. Raises
# EngineError, or NotNow when asking again may help.
Call = Generator[Sent, None, Answer]


class CloudEngine(Protocol):
    """Speech recognition by a service elsewhere. Each call is short but for ``submit``."""

    name: str
    label: str  # in lists
    service: str  # in sentences
    languages: tuple[str, ...]

    def model(self, config: EngineConfig) -> str:
        """Name the model that would be used, as the page shows it."""

    def availability(self, config: EngineConfig) -> Availability:
        """Tell without asking the service whether a task could be given to it."""

    def mirror(self, config: EngineConfig, index_tag: str, index_id: str) -> Call[str]:
        """The id of the index there: ``index_id`` if it still is, else found by name or made."""

    def submit(self, config: EngineConfig, index_id: str, parcel: Parcel) -> Call[Place]:
        """Send the video, unless an earlier attempt arrived."""

    def poll(self, config: EngineConfig, place: Place) -> Call[Progress]:
        """Ask how far it is."""

    def fetch(self, config: EngineConfig, place: Place) -> Call[tuple[Cue, ...]]:
        """Get the transcript of a video that is ready; empty when nobody speaks."""

    def forget(
        self, config: EngineConfig, place: Place, *, tag: str = "", index_tag: str = ""
    ) -> Call[None]:
        """Delete the video there, or with ``index_tag`` the index. What is gone already is well.

        What has no id here is looked for by its tag.
        """
