"""Official SDKs, each in an environment of its own, against the real site.

A line is a folder or a lock file here: ``py-1.3.txt`` (made by ``uv pip compile --universal
--generate-hashes``), ``js-1.3/package-lock.json`` (made by ``npm install --package-lock-only
--omit-lockfile-registry-resolved=true``, its ``funding`` entries taken out). Neither names a
host. They are installed once, into .venv-sdk.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import missing
from tests.faults.stack import ROOT, Stack, running, wait_for
from tests.makers import spoken_video

HERE = Path(__file__).resolve().parent
SHELF = ROOT / ".venv-sdk"
INSTALL_SECONDS = 300


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Stack]:
    """The site as a user starts it. A poll here is half a second, not five."""
    with running(
        tmp_path_factory.mktemp("sdk"), LEASE_SECONDS="20", FETCH_ALLOW="127.0.0.1"
    ) as stack:
        wait_for(stack.ready, 30, "a worker")
        yield stack


@pytest.fixture(scope="session")
def key(site) -> str:
    return site.manage("createapikey", "sdk").strip()


@pytest.fixture(scope="session")
def phrase(tmp_path_factory) -> Path:
    """What is heard soon, where nobody asks what it says."""
    return spoken_video(tmp_path_factory.mktemp("media") / "phrase.mp4", seconds=3.3)


@dataclass
class Line:
    """One SDK version, ready to run a script from this folder."""

    name: str
    command: list[str]
    folder: Path

    def run(self, script: str, seconds: float = 180, **env: str) -> dict[str, Any]:
        """What the script found out: the JSON on its last line."""
        path = shutil.copy(HERE / script, self.folder)  # Node looks for packages beside it
        done = subprocess.run(
            [*self.command, path],
            env=os.environ | {"LINE": self.name, "PYTHONWARNINGS": "ignore"} | env,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{self.name}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
        report = json.loads(done.stdout.splitlines()[-1])
        assert isinstance(report, dict)
        return report


def python_line(name: str) -> Line:
    lock = HERE / f"{name}.txt"
    folder = SHELF / name
    python = folder / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    install = [uv, "pip", "install", "--quiet", "--python", python]
    with _alone(name):
        if _outdated(folder, lock):
            _install([uv, "venv", "--quiet", "--python", sys.executable, folder], name)
            _install([*install, "--require-hashes", "-r", lock], name)
            _installed(folder, lock)
    return Line(name, [str(python)], folder)


def node_line(name: str) -> Line:
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        missing("Node with npm")
    folder, lock = SHELF / name, HERE / name / "package-lock.json"
    with _alone(name):
        if _outdated(folder, lock):
            folder.mkdir(parents=True)
            for part in (HERE / name).glob("package*.json"):
                shutil.copy(part, folder)
            _install([npm, "ci", "--silent", "--ignore-scripts", "--prefix", folder], name)
            _installed(folder, lock)
    return Line(name, [node], folder)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Tests may run in several processes: one installs, the others wait for it."""
    SHELF.mkdir(exist_ok=True)
    with open(SHELF / f"{name}.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _outdated(folder: Path, lock: Path) -> bool:
    """Clear away what was made from another lock file, or not to its end."""
    stamp = folder / "lock.sha256"
    if stamp.exists() and stamp.read_text() == _hash(lock):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _installed(folder: Path, lock: Path) -> None:
    (folder / "lock.sha256").write_text(_hash(lock))


def _hash(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _install(command: list[Any], name: str) -> None:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=INSTALL_SECONDS
    )
    if done.returncode:
        missing(f"{name} ({(done.stderr or done.stdout)[-300:]})")
