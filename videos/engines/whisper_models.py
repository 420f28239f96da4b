"""Where whisper models are, whether one can be had, and fetching it. The parent's side."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from videos.engines.base import Availability, EngineConfig, EngineError, Report
from videos.engines.jobs import engine_errors
from videos.media import sandbox
from videos.media.sandbox import Limits

DEFAULT_HUB = "https://huggingface.co"
HUB_SECONDS = 4.0  # for all of it, a name server that never answers included
HUB_MEMORY_SECONDS = 60.0
FETCH_LIMITS = Limits(seconds=None, memory_bytes=4 * 1024**3, file_bytes=None)
MEGABYTE = 1_000_000

# name -> (repository, megabytes), as faster-whisper knows them; a test compares the two.
MODELS = {
    "tiny": ("Systran/faster-whisper-tiny", 78),
    "tiny.en": ("Systran/faster-whisper-tiny.en", 78),
    "base": ("Systran/faster-whisper-base", 148),
    "base.en": ("Systran/faster-whisper-base.en", 148),
    "small": ("Systran/faster-whisper-small", 486),
    "small.en": ("Systran/faster-whisper-small.en", 486),
    "medium": ("Systran/faster-whisper-medium", 1530),
    "medium.en": ("Systran/faster-whisper-medium.en", 1530),
    "large-v1": ("Systran/faster-whisper-large-v1", 3090),
    "large-v2": ("Systran/faster-whisper-large-v2", 3090),
    "large-v3": ("Systran/faster-whisper-large-v3", 3090),
    "large": ("Systran/faster-whisper-large-v3", 3090),
    "large-v3-turbo": ("mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1620),
    "turbo": ("mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1620),
    "distil-small.en": ("Systran/faster-distil-whisper-small.en", 336),
    "distil-medium.en": ("Systran/faster-distil-whisper-medium.en", 790),
    "distil-large-v2": ("Systran/faster-distil-whisper-large-v2", 1515),
    "distil-large-v3": ("Systran/faster-distil-whisper-large-v3", 1515),
    "distil-large-v3.5": ("distil-whisper/distil-large-v3.5-ct2", 1515),
}

_hub_answers: dict[str, tuple[float, bool]] = {}


def located(config: EngineConfig) -> Path | None:
    """Give the folder of the model if it is on this machine."""
    name = config.whisper_model
    own = config.base_dir / Path(name).expanduser()
    folder = own if _is_folder(name) else _fetched_folder(config)
    return folder if folder is not None and (folder / "model.bin").is_file() else None


def availability(config: EngineConfig) -> Availability:
    """Tell within 5 s whether the model is here or could be fetched now."""
    name = config.whisper_model
    if located(config) is not None:
        return Availability(True)
    if _is_folder(name):
        return Availability(False, f"There is no whisper model in the folder {name}.")
    if name not in MODELS and not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        return Availability(False, f"No whisper model is called '{name}'.")
    missing = f"The whisper model '{name}' is not on this machine and"
    if not config.fetch_models:
        return Availability(False, f"{missing} fetching models is switched off.")
    if not _has_room(config):
        return Availability(False, f"{missing} this server's disk has no room for it.")
    if not _hub_is_there(_hub(config)):
        return Availability(False, f"{missing} the model hub cannot be reached.")
    return Availability(True)


def forget_no(config: EngineConfig) -> None:
    """Have a hub asked again that was not there: all tries of a task fall within its memory.

    Pages go by what is remembered; with a dead network each question takes seconds.
    """
    if not _hub_answers.get(_hub(config), (0.0, False))[1]:
        _hub_answers.pop(_hub(config), None)


def fetch(config: EngineConfig) -> Iterator[Report]:
    """Fetch the model in a child, telling how far it is; then ``located`` finds it.

    A hub that stops sending is given up after ``model_stall_seconds`` without growth of the
    folder: the library itself would wait for ever. What has arrived is kept for the next try.
    Raises EngineError.
    """
    name, folder = config.whisper_model, _models_folder(config) / "hub"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = {"name": name, "folder": str(folder)}
    stream = sandbox.stream(
        "videos.engines.whisper_job:fetch",
        arguments,
        FETCH_LIMITS,
        env=_hub_environment(config),
        network=True,
    )
    answer: dict[str, Any] = {}
    with engine_errors(), closing(stream) as messages:
        growth = _Growth(_hub_folder(config), config.model_stall_seconds)
        for message in messages:
            answer = message or answer
            yield Report(doing=_doing(name), fraction=_fraction(name, growth.check()))
    _remember(config, Path(answer["path"]))


def _is_folder(name: str) -> bool:
    return os.path.isabs(name) or name.startswith((".", "~")) or name.count("/") > 1


def _models_folder(config: EngineConfig) -> Path:
    return (config.data_dir / "models").absolute()


def _marker(config: EngineConfig) -> Path:
    safe = re.sub(r"[^\w.-]", "_", config.whisper_model)
    return _models_folder(config) / f"{safe}.json"


def _fetched_folder(config: EngineConfig) -> Path | None:
    """Read where an earlier fetch put the model; relative, so that the data may be moved."""
    try:
        path = json.loads(_marker(config).read_text())["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _models_folder(config) / str(path)


def _remember(config: EngineConfig, folder: Path) -> None:
    marker = _marker(config)
    part = marker.with_suffix(".part")
    path = os.path.relpath(folder, _models_folder(config))
    part.write_text(json.dumps({"model": config.whisper_model, "path": path}))
    os.replace(part, marker)


def _has_room(config: EngineConfig) -> bool:
    """Whether what is still to come leaves the reserve alone; of a model whose size is not known
    here that is believed.
    """
    if config.whisper_model not in MODELS:
        return True
    folder = _models_folder(config)
    folder.mkdir(parents=True, exist_ok=True)
    size = MODELS[config.whisper_model][1] * MEGABYTE
    free = shutil.disk_usage(folder).free - config.reserve_bytes
    return free > size - folder_bytes(_hub_folder(config))


def _hub_folder(config: EngineConfig) -> Path:
    """Where the hub's library puts the model, and what came of it so far."""
    repository = MODELS.get(config.whisper_model, (config.whisper_model, 0))[0]
    return _models_folder(config) / "hub" / f"models--{repository.replace('/', '--')}"


def _hub(config: EngineConfig) -> str:
    return (config.hub_url or DEFAULT_HUB).rstrip("/")


def _hub_environment(config: EngineConfig) -> dict[str, str]:
    return {
        "HF_ENDPOINT": _hub(config),
        "HF_HOME": str(_models_folder(config) / "hub-home"),
        "HF_HUB_DISABLE_XET": "1",  # its own protocol knows no proxies and no stand-in hubs
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    }


def _hub_is_there(url: str) -> bool:
    """Ask the hub, or remember what it said within the last minute."""
    asked, answer = _hub_answers.get(url, (-HUB_MEMORY_SECONDS, False))
    if time.monotonic() - asked > HUB_MEMORY_SECONDS:
        answer = _ask_hub(url)
        _hub_answers[url] = (time.monotonic(), answer)
    return answer


def _ask_hub(url: str) -> bool:
    """Ask in a thread that may be left behind: no timeout reaches into name resolution."""
    answers: list[bool] = []

    def ask() -> None:
        try:
            with requests.get(
                url, timeout=HUB_SECONDS - 1, stream=True, allow_redirects=False
            ) as response:
                answers.append(response.status_code < 500)
        except (requests.RequestException, ValueError):
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True, name="hub-check")
    thread.start()
    thread.join(HUB_SECONDS)
    return answers == [True]


class _Growth:
    """Watches a folder's size; raises when it has not grown for too long."""

    def __init__(self, folder: Path, stall_seconds: float) -> None:
        self.folder, self.stall_seconds = folder, stall_seconds
        self.size, self.grown = -1, time.monotonic()

    def check(self) -> int:
        """Give the bytes in the folder."""
        size = folder_bytes(self.folder)
        if size != self.size:
            self.size, self.grown = size, time.monotonic()
        elif time.monotonic() - self.grown > self.stall_seconds:
            raise EngineError(
                "The model hub has stopped sending; fetching the whisper model was given up.",
                detail=f"no growth of {self.folder} for {self.stall_seconds} s",
            )
        return size


def folder_bytes(folder: Path) -> int:
    """Add up the files in a folder; links, and what vanishes meanwhile, count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(os.path.join(parent, name))
            except OSError:
                continue
            total += status.st_size
    return total


def _doing(name: str) -> str:
    size = f" ({MODELS[name][1]} MB)" if name in MODELS else ""
    return f"Fetching the whisper model {name}{size}"


def _fraction(name: str, size: int) -> float | None:
    if name not in MODELS:
        return None
    return min(0.99, size / (MODELS[name][1] * MEGABYTE))
