"""What is made of a video and can be made again: waveform peaks, thumbnails, a playable copy.

Each function yields messages while its child works: ``{"fraction": 0..1}``, at the end
``{"facts": {...}}``, and None for nothing new. Closing it ends the work at once. The caller
names a part file, and renames it when all is well.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from videos.media import sandbox
from videos.media.sandbox import Limits

Making = Generator[dict[str, Any] | None, None, None]

GIGABYTE = 1024**3
# A copy's bit rate is bounded; on top of it sound, the index and a large frame or two.
COPY_BYTES_PER_SECOND = 1_500_000


def peaks(path: Path, target: Path, *, duration_ms: int) -> Making:
    """How loud it is over its length, one byte a bin; facts: ``bins``."""
    limits = Limits(
        seconds=600 + duration_ms / 1000,  # slower than real time is not to be expected
        stall_seconds=120,
        memory_bytes=2 * GIGABYTE,
        file_bytes=1024**2,
    )
    arguments = {"path": str(path), "target": str(target), "duration_ms": duration_ms}
    return sandbox.stream("videos.media.peaks_job:make", arguments, limits)


def sprite(path: Path, target: Path, *, duration_ms: int) -> Making:
    """A sheet of thumbnails; facts: ``count columns interval_ms width height pixels``."""
    limits = Limits(
        seconds=900, stall_seconds=120, memory_bytes=2 * GIGABYTE, file_bytes=32 * 1024**2
    )
    arguments = {"path": str(path), "target": str(target), "duration_ms": duration_ms}
    return sandbox.stream("videos.media.sprite_job:make", arguments, limits)


def proxy(path: Path, target: Path, *, duration_ms: int, cores: int) -> Making:
    """A copy in MP4 with H.264 and AAC whose times are the original's; facts: ``height``."""
    seconds = duration_ms / 1000
    limits = Limits(
        seconds=1800 + 40 * seconds,  # as a background job it may have little of a core
        stall_seconds=600,  # at the end the index is moved to the front, without a word
        memory_bytes=4 * GIGABYTE,
        file_bytes=int(64 * 1024**2 + seconds * COPY_BYTES_PER_SECOND),
    )
    arguments = {
        "path": str(path),
        "target": str(target),
        "duration_ms": duration_ms,
        "cores": cores,
    }
    return sandbox.stream("videos.media.proxy_job:make", arguments, limits)
