"""Still pictures of a video, drawn in the sandbox."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from videos.media import sandbox
from videos.media.sandbox import Limits

LIMITS = Limits(seconds=60, memory_bytes=2 * 1024**3, cpu_seconds=40, file_bytes=16 * 1024**2)
LATEST_POSTER_MS = 20_000


def poster_moment(duration_ms: int) -> int:
    """Choose where to look for a poster: past titles that fade in, near enough to be quick."""
    return min(duration_ms // 10, LATEST_POSTER_MS)


def poster(
    path: Path, target: Path, *, at_ms: int, width: int = 640, limits: Limits = LIMITS
) -> bool:
    """Write an upright JPEG of a telling key frame near ``at_ms`` to ``target``.

    At most ``width`` pixels wide. False when there is no picture; nothing is written then.
    Raises MediaError for frames over 64 megapixels and what cannot be decoded.
    """
    return any(drawing(path, target, at_ms=at_ms, width=width, limits=limits))


def drawing(
    path: Path, target: Path, *, at_ms: int, width: int = 640, limits: Limits = LIMITS
) -> Generator[bool, None, None]:
    """Do what ``poster`` does, bit by bit: yield False while it draws, True when it is made.

    Closing it ends the work at once.
    """
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    arguments = {"path": str(path), "target": str(part), "at_ms": at_ms, "width": width}
    job = "videos.media.pictures_job:poster"
    try:
        with closing(sandbox.stream(job, arguments, limits)) as messages:
            for message in messages:
                made = message is not None and bool(message["made"])
                if made:
                    os.replace(part, target)
                yield made
    finally:
        part.unlink(missing_ok=True)
