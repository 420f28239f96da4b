"""A backup becomes the site again: its files first, each checked, then the database at once."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from videos import local_user, process, storage, upkeep
from videos.models import Asset, Index, Video

PIECE_BYTES = 1024 * 1024


class Refused(Exception):
    """It cannot be restored; nothing of the site was changed. The message says why."""


def restore(source: Path, *, replace: bool = False, partial: bool = False) -> Iterator[str]:
    """Bring back what ``upkeep.back_up`` copied to ``source``; say what was done. Raises Refused.

    ``replace``: over a site that holds something. ``partial``: although files of the backup are
    missing or damaged. Postgres' rows are restored before this, by its own tools.
    """
    process.make_folders()
    database = source / upkeep.DATABASE
    if connection.vendor == "sqlite":
        _check_database(database)
        _check_place(replace)
        wanted = upkeep.named_in(database)
    else:
        wanted = _named_here(database)
    yield from _bring_files(source / "media", wanted, partial)
    for name in upkeep.COPIED:
        if (source / name).exists():
            shutil.copy2(source / name, Path(settings.DATA_DIR) / name)
    if connection.vendor == "sqlite":
        _bring_database(database)
        yield "Restored the database."
    process.migrate()  # the backup may be an older version's
    _bring_posters(source / "derived")


# --- before anything is changed ---


def _check_database(database: Path) -> None:
    """It is whole, and of no newer version than this code."""
    if not database.exists():
        raise Refused(f"{database.parent} holds no backup: there is no {database.name} in it.")
    try:
        with upkeep.opened(database) as rows:
            fault = rows.execute("PRAGMA quick_check(1)").fetchone()[0]
            query = "SELECT name FROM django_migrations WHERE app = 'videos'"
            made_by = {name for (name,) in rows.execute(query)}
    except sqlite3.DatabaseError as error:
        fault = str(error)
    if fault != "ok":
        raise Refused(f"The database of this backup is damaged: {fault}.")
    known = MigrationLoader(None).disk_migrations
    if newer := sorted(name for name in made_by if ("videos", name) not in known):
        raise Refused(f"This backup was made by a newer version: {newer[-1]} is not known here.")


def _check_place(replace: bool) -> None:
    if replace:
        return
    try:
        _check_emptiness()
    except DatabaseError as error:
        raise Refused(
            f"The database here cannot be read: {error}. Give --replace to put the backup's in "
            "its place."
        ) from error


def _check_emptiness() -> None:
    if "videos_video" not in connection.introspection.table_names():
        return
    videos, indexes = Video.objects.count(), Index.objects.count()
    assets = Asset.objects.exclude(sha256="").count()
    if videos or indexes or assets or local_user.somebody_has_a_password():
        raise Refused(
            f"This site is not empty: {videos:,} videos, {indexes:,} indexes, {assets:,} assets. "
            f"Give --replace to put the backup in the place of {settings.DATA_DIR}."
        )


def _named_here(database: Path) -> dict[str, int]:
    """The files of rows that are in place already, as on Postgres, with their sizes."""
    if database.exists():
        raise Refused("This is the backup of a site on SQLite, and DATABASE_URL names another one.")
    if "videos_video" not in connection.introspection.table_names():
        raise Refused("The database is empty: restore it with pg_restore or psql first.")
    return upkeep.named_here()


# --- the files ---


def _bring_files(media: Path, wanted: dict[str, int], partial: bool) -> Iterator[str]:
    """Copy what is not here; files that no row names yet do no harm if it ends here."""
    if sum(wanted.values()) > storage.free_bytes() + _size_of(wanted):
        raise Refused("There is not enough room on this disk for the files of this backup.")
    lost = [name for name in wanted if not _is_here(name) and not _bring(media / name, name)]
    for name in lost:
        yield f"{name}: missing or damaged in the backup."
    if lost and not partial:
        raise Refused(f"Nothing was restored: {len(lost):,} files. Give --partial to go without.")
    yield f"Restored {len(wanted) - len(lost):,} files."


def _size_of(wanted: dict[str, int]) -> int:
    """Of those that are here already."""
    return sum(size for name, size in wanted.items() if storage.media_path(name).exists())


def _is_here(name: str) -> bool:
    path = storage.media_path(name)
    return path.exists() and _copy(path, None) == path.name


def _bring(source: Path, name: str) -> bool:
    """Copy a file to its place if its bytes are those that its name promises."""
    part = storage.new_part_path()
    try:
        if not source.exists() or _copy(source, part) != source.name:
            return False
        storage.adopt(part, name)
        return True
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, target: Path | None) -> str:
    """The hash of a file, which is copied and synced on the way if there is a target."""
    digest = hashlib.sha256()
    with open(source, "rb") as ours, open(target or os.devnull, "wb") as copy:
        while piece := ours.read(PIECE_BYTES):
            digest.update(piece)
            copy.write(piece)
        if target:
            copy.flush()
            os.fsync(copy.fileno())
    return digest.hexdigest()


# --- the rows ---


def _bring_database(database: Path) -> None:
    """In the place of the one that is here, which may be damaged: nothing of it is opened."""
    connection.close()
    target = Path(settings.DATABASES["default"]["NAME"])
    draft = target.with_name(f"{target.name}.part")
    draft.unlink(missing_ok=True)
    with upkeep.opened(database) as rows, closing(sqlite3.connect(draft)) as ours:
        rows.backup(ours)
    for ending in ("-wal", "-shm", "-journal"):  # they would be read as the new one's
        target.with_name(target.name + ending).unlink(missing_ok=True)
    upkeep.put(draft, target.parent, target.name)


def _bring_posters(derived: Path) -> None:
    """Those that were copied; a video without one does not promise one."""
    for poster in derived.glob(upkeep.POSTERS):
        target = Path(settings.DERIVED_ROOT) / poster.relative_to(derived)
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(poster, target)
    videos = Video.objects.filter(has_poster=True).only("id")
    without = [video.pk for video in videos.iterator() if not video.poster_path.exists()]
    Video.objects.filter(pk__in=without).update(has_poster=False)
