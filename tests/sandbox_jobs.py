"""What ``test_media_sandbox`` has the sandbox's child do.

A module of its own without pytest, which takes a child longer to import than its job does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from videos.media import guard
from videos.media.sandbox import MediaError


def count(to: int) -> Iterator[dict[str, Any]]:
    for number in range(to):
        yield {"number": number}


def answer(**arguments: Any) -> dict[str, Any]:
    return {"given": arguments}


def refuse() -> dict[str, Any]:
    raise MediaError("No such luck.", permanent=True, detail="why")


def crash() -> dict[str, Any]:
    ctypes.string_at(0)
    return {}


def raise_unknown() -> dict[str, Any]:
    raise LookupError("nobody thought of this")


def fill_memory() -> dict[str, Any]:
    hoard = []
    while True:
        hoard.append(bytearray(16 * 1024**2))


def spin_deaf() -> dict[str, Any]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


def sleep_long() -> Iterator[dict[str, Any]]:
    grandchild = subprocess.Popen(["sleep", "600"])
    yield {"pids": [os.getpid(), grandchild.pid]}
    time.sleep(600)


def say_raw(text: str, times: int = 1) -> dict[str, Any]:
    """Write past the protocol, to whatever descriptor is the channel."""
    pipes = [fd for fd in range(3, 20) if _is_pipe(fd)]
    for _ in range(times):
        os.write(pipes[0], text.encode())
    time.sleep(600)
    return {}


def _is_pipe(descriptor: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")
    except OSError:
        return False


def print_noise() -> dict[str, Any]:
    os.write(1, b"a C library says hello\n" * 10_000)
    return {"fine": True}


def environment() -> dict[str, Any]:
    return dict(os.environ)


def write_much(path: str) -> dict[str, Any]:
    Path(path).write_bytes(bytes(1_000_000))
    return {}


def call(port: int) -> dict[str, Any]:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return {"reached": False}
    return {"reached": True}


def leaves() -> dict[str, Any]:
    return {"left": guard.leave_network()}
