"""Does what was promised hold now, on these data? And a copy of them, while the site runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, F, Max, Min, OuterRef
from django.db.models.functions import Now

from videos import storage, tasks
from videos.models import Asset, Member, Segment, Status, Task, Upload, Video
from videos.models.video import media_name

HOUR = timedelta(hours=1)
COPIED = ("secret_key",)  # beside the database and the media
DATABASE, DRAFT = "db.sqlite3", "db.part"
MOST_ROUNDS = 5  # of a backup, while videos are deleted
POSTERS = "*/poster.jpg"  # small, and the only derived file that is not made when it is missed


class Refused(Exception):
    """It cannot be backed up; nothing of the backup was changed. The message says why."""


class Incomplete(Exception):
    """All is copied but for what is missing here."""


def faults(*, read_files: bool = False) -> Iterator[str]:
    """Sentences about what should not be; none when all holds.

    ``read_files`` reads every stored byte and compares its hash: slow, and the whole truth.
    """
    yield from lasting_faults(read_files=read_files)
    yield from _late_tasks()
    yield from _left_behind()


def lasting_faults(*, read_files: bool = False) -> Iterator[str]:
    """Of these, what no sweep mends, however long the site runs."""
    yield from _lost_files(read_files)
    yield from _videos_without_task()
    yield from _broken_transcripts()
    yield from _own_members()


def _lost_files(read_files: bool) -> Iterator[str]:
    """An upload that was acknowledged has its file, of its size, with its bytes."""
    seen: set[str] = set()
    for model in (Video, Asset):
        rows = model.objects.exclude(sha256="").values_list("pk", "sha256", "size_bytes")
        for pk, sha256, size in rows.iterator():
            path = storage.media_path(f"{sha256[:2]}/{sha256[2:4]}/{sha256}")
            what = f"{model.__name__.lower()} {pk}"
            if not path.exists():
                yield f"{what}: its file is missing."
            elif path.stat().st_size != size:
                yield f"{what}: its file has {path.stat().st_size} bytes instead of {size}."
            elif read_files and sha256 not in seen and _digest(path) != sha256:
                yield f"{what}: its file is not what was uploaded."
            seen.add(sha256)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _late_tasks() -> Iterator[str]:
    """Every task that is worked on ends by its deadline; the sweep sees to that."""
    late = Now() - timedelta(hours=settings.TASK_DEADLINE_HOURS + 1)
    for pk in Task.objects.unfinished().filter(begun_at__lt=late).values_list("pk", flat=True):
        yield f"task {pk}: it did not end by its deadline."


def _videos_without_task() -> Iterator[str]:
    for pk in Video.objects.filter(tasks=None).values_list("pk", flat=True):
        yield f"video {pk}: it has no task."


def _broken_transcripts() -> Iterator[str]:
    """A transcript is that of a finished task, its rows numbered 0, 1, 2 … in the order of time."""
    wrong = Video.objects.exclude(transcript=None).exclude(transcript__status=Status.READY)
    for pk in wrong.values_list("pk", flat=True):
        yield f"video {pk}: its transcript is not a finished one."
    other = Video.objects.exclude(transcript=None).exclude(transcript__video=F("pk"))
    for pk in other.values_list("pk", flat=True):
        yield f"video {pk}: its transcript is another video's."
    rows = Segment.objects.order_by().values("task")
    counted = rows.annotate(rows=Count("pk"), first=Min("number"), last=Max("number"))
    for task in counted.exclude(first=0, last=F("rows") - 1).values_list("task", flat=True):
        yield f"task {task}: its rows have gaps."
    before = Segment.objects.filter(task=OuterRef("task"), number=OuterRef("number") - 1)
    late = Segment.objects.filter(Exists(before.filter(start_ms__gt=OuterRef("start_ms"))))
    for task in late.order_by().values_list("task", flat=True).distinct():
        yield f"task {task}: its rows are not in the order of time."


def _own_members() -> Iterator[str]:
    """An owner may do all: a lesser role beside that means nothing, and would outlive it."""
    for member in Member.objects.filter(user=F("index__owner")).select_related("user"):
        name = member.user.get_username()
        yield f"index {member.index_id}: its owner {name} is a member of it as well."


def _left_behind() -> Iterator[str]:
    """What no row names is swept within the hour."""
    for part in tasks.broken_uploads(settings.PART_FILE_HOURS * 3600 + 3600):
        yield f"{part.name}: a broken upload that was not swept."
    unswept = Upload.objects.filter(asset__method=Asset.PAGE, expires_at__lt=Now() - HOUR)
    for pk in unswept.values_list("pk", flat=True):
        yield f"upload {pk}: a broken upload that was not swept."
    old = 2 * tasks.ORPHAN_SECONDS
    for name in storage.stored_before(old):
        if not tasks.is_used(name):
            yield f"{name}: a file that no video uses was not swept."


def back_up(target: Path) -> Iterator[str]:
    """Copy the database and the media to ``target``; say what was done. Raises Refused, Incomplete.

    The site may run. The database is copied first: every file that its rows name was there
    before they were, and files never change, so a second backup copies new ones only. The copy
    takes the place of an earlier one after them: whenever this ends, rows there have their files.
    """
    _check_site(target)
    target.mkdir(parents=True, exist_ok=True)
    _copy_keys(target)
    copied, lost = _copy_rows_and_files(target)
    yield f"Copied {copied:,} new files."
    if connection.vendor == "sqlite":
        put(target / DRAFT, target, DATABASE)
        yield "Copied the database."
    else:
        yield "The database is not copied: use pg_dump, before this."
    for poster in Path(settings.DERIVED_ROOT).glob(POSTERS):
        _copy(poster, target, f"derived/{poster.relative_to(settings.DERIVED_ROOT)}")
    if lost:
        raise Incomplete(f"{lost:,} files that the database names are not here; fsck names them")


def _check_site(target: Path) -> None:
    """What a disk that is not mounted or a wrong DATA_DIR shows must not replace a good backup."""
    if "videos_video" not in connection.introspection.table_names():
        raise Refused(
            f"The site of {settings.DATA_DIR} has no tables yet: there is nothing to back up. Is "
            "that the right folder, and is its disk there?"
        )
    for name in COPIED:
        ours, theirs = _bytes(Path(settings.DATA_DIR) / name), _bytes(target / name)
        if ours and theirs and ours != theirs:
            raise Refused(
                f"{target} holds the backup of another site: its {name} is not that of "
                f"{settings.DATA_DIR}. Give another folder, or delete that file if you changed it."
            )
    if connection.vendor == "sqlite" and _is_emptied(target):
        raise Refused(
            f"This site has no files, and the backup in {target} has. Give another folder."
        )


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _is_emptied(target: Path) -> bool:
    """Whether the database here names no file and that of a sound backup does."""
    try:
        return not named_here() and bool(named_in(target / DATABASE))
    except sqlite3.Error:  # there is none, or it is damaged
        return False


def named_here() -> dict[str, int]:
    """The files that the rows name, with their sizes."""
    fields = ("sha256", "size_bytes")
    videos = Video.objects.exclude(sha256="").values_list(*fields)
    assets = Asset.objects.exclude(sha256="").values_list(*fields)
    return {media_name(sha256): size for sha256, size in [*videos, *assets]}


def named_in(database: Path) -> dict[str, int]:
    """The same of a copy."""
    query = "SELECT sha256, size_bytes FROM {} WHERE sha256 <> ''"
    with opened(database) as rows:
        found = [
            row
            for table in ("videos_video", "videos_asset")
            for row in rows.execute(query.format(table))
        ]
    return {media_name(sha256): size for sha256, size in found}


def opened(database: Path) -> closing[sqlite3.Connection]:
    """A copy, to be read only: it may lie where nothing can be written."""
    return closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True))


def _copy_keys(target: Path) -> None:
    for name in COPIED:
        if (source := Path(settings.DATA_DIR) / name).exists():
            draft = target / f"{name}.part"
            shutil.copy2(source, draft)
            put(draft, target, name)


def _copy_rows_and_files(target: Path) -> tuple[int, int]:
    """How many files are new, and how many are named by rows and are not there.

    Files that are deleted while others are copied, which may take hours, are named by a copy of
    the rows from before: then it is made again, and the files that came since are soon copied.
    """
    copied, lost = 0, set[str]()
    for _ in range(MOST_ROUNDS):
        before = lost
        named = _copy_rows(target)
        names = storage.stored_names()
        copied += sum(_copy(storage.media_path(name), target, f"media/{name}") for name in names)
        lost = {name for name, size in named.items() if _size(target / "media" / name) != size}
        if not lost or lost == before:  # what is missing twice was missing here
            break
    return copied, len(lost)


def _size(path: Path) -> int:
    """In bytes; -1 where there is none."""
    return path.stat().st_size if path.exists() else -1


def _copy_rows(target: Path) -> dict[str, int]:
    """SQLite's own online backup: a moment's state, whatever is written meanwhile.

    Gives the files that the rows name, with their sizes.
    """
    if connection.vendor != "sqlite":
        return named_here()
    draft, source = target / DRAFT, settings.DATABASES["default"]["NAME"]
    draft.unlink(missing_ok=True)  # a power cut may have left one that is no database
    with closing(sqlite3.connect(source)) as ours, closing(sqlite3.connect(draft)) as copy:
        ours.backup(copy)
    return named_in(draft)


def _copy(source: Path, root: Path, name: str) -> bool:
    """False where it is there already. Files never change, but half of one may have been left, or
    the site's own may have been cut short since: then the copy is the good one.
    """
    target = root / name
    draft = target.with_suffix(".part")
    try:
        if target.exists() and target.stat().st_size >= source.stat().st_size:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, draft)
    except FileNotFoundError:  # deleted meanwhile
        return False
    put(draft, root, name)
    return True


def put(draft: Path, root: Path, name: str) -> None:
    """Give it its name for good: a name that a power cut leaves on half a file is never mended."""
    with open(draft, "rb") as file:
        os.fsync(file.fileno())
    os.replace(draft, root / name)
    for folder in (root / name).parents:
        with suppress(OSError):  # a disk of backups may know no such thing
            storage.sync_folder(folder)
        if folder == root:
            break
