"""Engines on this machine: the registry, and which one is taken when nobody chose."""

from __future__ import annotations

from videos.engines.base import EngineConfig, LocalEngine
from videos.engines.sphinx import Sphinx
from videos.engines.whisper import Whisper

# To add one: see the docstring of ``videos.engines.base``.
ENGINES: dict[str, LocalEngine] = {
    "whisper": Whisper(),
    "sphinx": Sphinx(),
}


def get(name: str) -> LocalEngine:
    """Give an engine by its name. Raises KeyError."""
    return ENGINES[name]


def default(config: EngineConfig) -> tuple[str, str]:
    """Choose the best engine that can be used now: (its name, why it is not a better one)."""
    whisper = ENGINES["whisper"].availability(config)
    if whisper.ok:
        return "whisper", ""
    advice = "Connect this machine to the model hub once, or set WHISPER_MODEL to a model's folder."
    return "sphinx", f"{whisper.reason} {advice}"
