"""Engines here and elsewhere: the registry, and which one is taken when nobody chose."""

from __future__ import annotations

from videos.engines.base import CloudEngine, EngineConfig, LocalEngine
from videos.engines.sphinx import Sphinx
from videos.engines.twelvelabs import TwelveLabs
from videos.engines.whisper import Whisper

# To add one: see the docstring of ``videos.engines.base``.
ENGINES: dict[str, LocalEngine] = {
    "whisper": Whisper(),
    "sphinx": Sphinx(),
}
CLOUD: dict[str, CloudEngine] = {"twelvelabs": TwelveLabs()}


def get(name: str) -> LocalEngine | CloudEngine:
    """Give an engine by its name. Raises KeyError."""
    return CLOUD[name] if name in CLOUD else ENGINES[name]


def is_known(name: str) -> bool:
    return name in CLOUD or name in ENGINES


def offered(config: EngineConfig) -> dict[str, LocalEngine | CloudEngine]:
    """Those that may be chosen: a service only when it is set up, all that run here."""
    ready = {name: each for name, each in CLOUD.items() if each.availability(config).ok}
    return {**ready, **ENGINES}


def default(config: EngineConfig) -> tuple[str, str]:
    """Choose the best engine that can be used now: (its name, why it is not a better one)."""
    if CLOUD["twelvelabs"].availability(config).ok:
        return "twelvelabs", ""  # who sets a key wants it used
    whisper = ENGINES["whisper"].availability(config)
    if whisper.ok:
        return "whisper", ""
    advice = "Connect this machine to the model hub once, or set WHISPER_MODEL to a model's folder."
    return "sphinx", f"{whisper.reason} {advice}"
