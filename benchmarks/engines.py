"""How fast the local engines are: python -m benchmarks.engines [--seconds 120] [--model NAME ...]

Prints seconds of sound recognised in a second, and the most memory that all processes of a
job held together, on 1 and 2 cores. Without --model, whisper runs on the tests' tiny model,
which says nothing about a real one but shows what all but the model costs.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import makers, tiny_whisper
from videos import engines
from videos.engines.base import EngineConfig, LocalEngine

PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure every engine that is available and print a table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        sound = makers.spoken_video(Path(folder) / "spoken.m4a", options.seconds, picture=False)
        print(f"{options.seconds} s of speech; load {os.getloadavg()[0]:.1f}")
        print(f"{'engine':32} {'cores':>5} {'x real time':>11} {'peak MB':>8}")
        for label, name, model in _choices(options.model, Path(folder)):
            for cores in (1, 2):
                config = EngineConfig(Path(options.data), cores=cores, whisper_model=model)
                _row(label, engines.get(name), sound, config, options.seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--model", action="append", default=[], help="a real whisper model")
    parser.add_argument("--data", default="var", help="the data folder with fetched models")
    return parser.parse_args()


def _choices(models: list[str], folder: Path) -> Iterator[tuple[str, str, str]]:
    yield "sphinx", "sphinx", ""
    if models:
        yield from ((f"whisper {model}", "whisper", model) for model in models)
    else:
        yield "whisper (toy model of the tests)", "whisper", str(tiny_whisper.build(folder / "toy"))


def _row(label: str, engine: LocalEngine, sound: Path, config: EngineConfig, seconds: int) -> None:
    available = engine.availability(config)
    if not available.ok:
        print(f"{label:32} {config.cores:5} {available.reason}")
        return
    with peak_memory() as peak:
        started = time.monotonic()
        for _ in engine.transcribe(sound, config):
            pass
        speed = seconds / (time.monotonic() - started)
    print(f"{label:32} {config.cores:5} {speed:11.1f} {peak[0] / 1e6:8.0f}", flush=True)


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Look at all our descendants five times a second; shared pages count for each."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            peak[0] = max(peak[0], sum(map(_resident, _descendants(os.getpid()))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _descendants(pid: int) -> list[int]:
    try:
        names = Path(f"/proc/{pid}/task").iterdir()
        children = [int(c) for n in names for c in (n / "children").read_text().split()]
    except OSError:
        return []
    return [*children, *(below for child in children for below in _descendants(child))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


if __name__ == "__main__":
    main()
