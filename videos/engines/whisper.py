"""OpenAI's Whisper by faster-whisper: any language, punctuation, on the processor."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

from videos.engines import jobs, whisper_models
from videos.engines.base import Availability, EngineConfig, EngineError, Report


class Whisper:
    """faster-whisper in a child process; a model that is not here is fetched first."""

    name = "whisper"
    label = "Whisper (on this machine)"
    languages: tuple[str, ...] = ()

    def model(self, config: EngineConfig) -> str:
        """Name the model: its size, its repository or the last part of its folder."""
        name = config.whisper_model
        return f"whisper {Path(name).name}" if Path(name).is_absolute() else f"whisper {name}"

    def availability(self, config: EngineConfig) -> Availability:
        """Tell whether the model is here or could be fetched now."""
        if find_spec("faster_whisper") is None:
            return Availability(False, "The package faster-whisper is not installed.")
        return whisper_models.availability(config)

    def transcribe(
        self, media: Path, config: EngineConfig, *, language: str = "", from_ms: int = 0
    ) -> Generator[Report, None, None]:
        """Yield reports; cues come with a ``done_ms`` that lies in a pause after them.

        ``language``: a code such as "de"; detected where somebody first speaks when empty.
        """
        if whisper_models.located(config) is None:
            yield from self._fetched(config)
        yield Report(doing=f"Loading the {self.model(config)} model")
        arguments = {
            "path": str(media),
            "model": str(_folder(config)),
            "cores": config.cores,
            "language": language,
            "from_ms": from_ms,
            "block_ms": int(config.block_seconds * 1000),
        }
        yield from jobs.reports(
            "videos.engines.whisper_job:recognise",
            arguments,
            jobs.limits(config),
            env={"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(config.cores)},
        )

    def _fetched(self, config: EngineConfig) -> Iterator[Report]:
        whisper_models.forget_no(config)
        available = self.availability(config)
        if not available.ok:
            raise EngineError(available.reason)
        yield from whisper_models.fetch(config)


def _folder(config: EngineConfig) -> Path:
    folder = whisper_models.located(config)
    if folder is None:
        raise EngineError("The whisper model that was fetched is not complete.")
    return folder.absolute()
