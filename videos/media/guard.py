"""What a child process does to itself before it opens anything: limits, and no orphans."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
OPEN_FILES = 256


def limit_resources(limits: Mapping[str, Any]) -> None:
    """Apply ``Limits`` (as a mapping) to this process and those that it starts."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    _limit(resource.RLIMIT_AS, limits.get("memory_bytes"))
    _limit(resource.RLIMIT_FSIZE, limits.get("file_bytes"))
    cpu = limits.get("cpu_seconds")
    # SIGXCPU at the soft limit tells our parent the cause; SIGKILL follows if it is ignored.
    _limit(resource.RLIMIT_CPU, cpu, None if cpu is None else cpu + 2)


def _limit(kind: int, soft: int | None, hard: int | None = None) -> None:
    if soft is None:
        return
    ceiling = resource.getrlimit(kind)[1]
    wanted = [soft, soft if hard is None else hard]
    if ceiling != resource.RLIM_INFINITY:
        wanted = [min(value, ceiling) for value in wanted]
    with suppress(ValueError, OSError):  # macOS refuses some kinds
        resource.setrlimit(kind, (wanted[0], wanted[1]))


def leave_network() -> bool:
    """Move to an empty network namespace where the kernel lets us; call before any thread."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    # Root may do without a user namespace, and then keeps its rights over files.
    return any(libc.unshare(flags) == 0 for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET))


def die_with(parent: int) -> None:
    """Be killed by the kernel when ``parent`` dies (Linux), also if it died just now.

    After ``leave_network``: a change of credentials clears this.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def die_at_end_of(descriptor: int) -> None:
    """Have our whole process group killed when the pipe that the parent holds open ends.

    A process of its own watches: it needs nothing of a child that is stuck in C or dead
    already, and takes along what that child started. Call before any thread is started.
    """
    if os.fork():
        return
    for output in (1, 2):
        os.close(output)  # or the parent would wait for us to close them
    with suppress(OSError):
        while os.read(descriptor, 4096):
            pass
    os.killpg(0, signal.SIGKILL)
