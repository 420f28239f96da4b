"""What every long-running process of ours does at its start."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.management import call_command

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PARENT_VARIABLE = "DESK_PARENT"


def die_with_parent() -> None:
    """End with the process that ``PARENT_VARIABLE`` names, also when that is killed with -9.

    The parent says who it is: it may be gone before this process could ask. Only Linux has
    the signal; elsewhere ``serve`` still stops its children when it stops itself.
    """
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit("The process that started this one is gone.")


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind, so that we can reap it (Linux).

    Else it falls to process 1, which in a container may be one of ours and reaps nothing.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def know_no_pages() -> None:
    """Celery checks the whole site with its pages before it works: a quarter of the time and
    a sixth of the memory that a worker starts with. `serve` has checked it.
    """
    os.environ["CELERY_SKIP_CHECKS"] = "1"


def use_own_temp_folder() -> None:
    """Keep large temporary files on the data disk: /tmp may be small, or memory."""
    folder = Path(settings.TEMP_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(folder)
    os.environ["TMPDIR"] = str(folder)


def lock(name: str, *, wait: bool) -> IO[str]:
    """Take a lock in the data folder; it goes when the file is closed or the process ends.

    Raises BlockingIOError when another process has it and ``wait`` is False.
    """
    handle = open(Path(settings.DATA_DIR) / f"{name}.lock", "w")  # noqa: SIM115
    fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    return handle


def migrate() -> None:
    """Bring the database's tables up to date; of several that start at once the others wait."""
    with lock("migrate", wait=True):
        call_command("migrate", verbosity=0, interactive=False)


def make_folders() -> None:
    """Create what the processes expect to find below the data folder."""
    for name in ("MEDIA_ROOT", "DERIVED_ROOT", "INCOMING_ROOT", "STATIC_ROOT"):
        Path(getattr(settings, name)).mkdir(parents=True, exist_ok=True)
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    for name in ("data_folder_in", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)
