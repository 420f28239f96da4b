"""CMU Sphinx with the US English model of its package: the offline floor, a rough draft."""

from __future__ import annotations

from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

from videos.engines import jobs
from videos.engines.base import Availability, EngineConfig, EngineError, Report


class Sphinx:
    """pocketsphinx in child processes, one for each core."""

    name = "sphinx"
    label = "CMU Sphinx (offline, US English, rough draft)"
    languages: tuple[str, ...] = ("en",)

    def model(self, config: EngineConfig) -> str:
        """Name the model, which comes with the package."""
        return "pocketsphinx en-us"

    def availability(self, config: EngineConfig) -> Availability:
        """Tell whether the packages are installed; there is nothing to fetch."""
        missing = [name for name in ("pocketsphinx", "faster_whisper") if find_spec(name) is None]
        if missing:
            return Availability(False, f"The package {missing[0]} is not installed.")
        return Availability(True)

    def transcribe(
        self, media: Path, config: EngineConfig, *, language: str = "", from_ms: int = 0
    ) -> Generator[Report, None, None]:
        """Yield reports; every utterance that is recognised moves ``done_ms`` on."""
        if language and not language.lower().startswith("en"):
            raise EngineError("CMU Sphinx understands English only.", permanent=True)
        arguments = {"path": str(media), "cores": config.cores, "from_ms": from_ms}
        yield Report(language="en")
        yield from jobs.reports(
            "videos.engines.sphinx_job:recognise", arguments, jobs.limits(config)
        )
