"""Where videos' bytes lie: by content under the media root, so that twins are one file.

A file is adopted by a rename on its own file system, after it was written and synced, and
before the row that names it is committed. So a row never names a file that is not there; a
file that no row names is swept.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

# Between the rename and the commit of the row lie milliseconds; a day would do as well.
ADOPTION_SECONDS = 300
LOOK_EVERY = 16 * 2**20  # bytes between two looks at the disk's reserve, while a file comes in


def media_path(name: str) -> Path:
    return Path(settings.MEDIA_ROOT) / name


def new_part_path() -> Path:
    """A path for bytes that are still coming in, on the media's file system."""
    return part_path(uuid.uuid4().hex)


def part_path(name: str) -> Path:
    """The part file of that name, in a folder that is there."""
    root = Path(settings.INCOMING_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    return root / f"{name}.part"


@contextmanager
def second_name(part: Path) -> Iterator[Path]:
    """Another name of the part file while the block lasts. It may be adopted: the file keeps its
    own, so that nothing is lost if the rows are not committed.
    """
    os.utime(part)  # or the sweep might take the new name, which has the file's old time
    other = part.with_stem(f"{part.stem}-whole")
    other.unlink(missing_ok=True)  # of somebody who was killed
    try:
        os.link(part, other)
    except OSError:  # a file system without links: there the file itself is moved, as ever
        other = part
    try:
        yield other
    finally:
        if other != part:
            other.unlink(missing_ok=True)


def delete_parts(prefix: str) -> None:
    """Delete the part files whose names begin so: all that there is of the same work."""
    for path in Path(settings.INCOMING_ROOT).glob(f"{prefix}*.part"):
        path.unlink(missing_ok=True)


def free_bytes() -> int:
    """What may still be written: the disk's free space less the reserve."""
    root = Path(settings.INCOMING_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(root).free - int(settings.MIN_FREE_BYTES)


def adopt(part: Path, name: str) -> None:
    """Move a written and synced part file to its place; a twin that is there is renewed."""
    target = media_path(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.utime(part)
    with _lock():
        os.replace(part, target)
    for folder in (target.parent, target.parent.parent, Path(settings.MEDIA_ROOT)):
        sync_folder(folder)  # each may be new, and is itself an entry of the one above


def discard_unless(used: Callable[[], bool], name: str, *, grace: float = 0) -> bool:
    """Delete a file that nothing uses and that was not adopted in the last ``grace`` seconds."""
    target = media_path(name)
    with _lock():
        try:
            young = time.time() - target.stat().st_mtime < grace
        except FileNotFoundError:
            return False
        if young or used():
            return False
        target.unlink()
    return True


def stored_names() -> Iterator[str]:
    """The names of all files under the media root."""
    root = Path(settings.MEDIA_ROOT)
    for path in root.glob("??/??/*"):
        if path.is_dir():
            logger.warning("%s is a folder where only files should be: it is left alone", path)
            continue
        yield path.relative_to(root).as_posix()


def stored_before(older_than_seconds: float) -> Iterator[str]:
    """The names of stored files that were not adopted lately."""
    paths = (media_path(name) for name in stored_names())
    for path in _older(paths, older_than_seconds):
        yield path.relative_to(settings.MEDIA_ROOT).as_posix()


def derived_before(older_than_seconds: float) -> Iterator[str]:
    """The ids of videos, there or not, whose derived files are that old."""
    for folder in _older(Path(settings.DERIVED_ROOT).glob("*"), older_than_seconds):
        yield folder.name


def stale_parts(older_than_seconds: float) -> Iterator[Path]:
    """Part files that nobody has written to for so long."""
    return _older(Path(settings.INCOMING_ROOT).glob("*.part"), older_than_seconds)


def _older(paths: Iterable[Path], seconds: float) -> Iterator[Path]:
    """Those last changed longer ago; what is deleted meanwhile is left out."""
    limit = time.time() - seconds
    for path in paths:
        try:
            if path.stat().st_mtime < limit:
                yield path
        except FileNotFoundError:
            continue


def delete_derived(video_id: str) -> None:
    shutil.rmtree(Path(settings.DERIVED_ROOT) / video_id, ignore_errors=True)


@contextmanager
def _lock() -> Iterator[None]:
    """Keep adopting and deleting apart, between processes."""
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with open(root / ".lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def sync_folder(folder: Path) -> None:
    """A rename outlives a power cut only when its folder is synced as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
