"""What was backed up comes back whole, or the site stays as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from tests.factories import make_index, make_task, make_transcript, make_user, make_video
from videos import process, restoring, storage, upkeep
from videos.models import Asset, Correction, Index, Segment, Task, Video

pytestmark = pytest.mark.django_db(transaction=True)
on_sqlite = pytest.mark.skipif(os.environ["TEST_DATABASE"] != "sqlite", reason="by pg_dump there")
ROOT = Path(__file__).resolve().parents[1]
FILM = b"the bytes of a film"


@pytest.fixture(autouse=True)
def _own_database(settings):
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"]


@pytest.fixture
def backup(tmp_path):
    """Of a site with one film, with its poster."""
    video = make_transcript(3, content=FILM, has_poster=True)
    video.poster_path.parent.mkdir()
    video.poster_path.write_bytes(b"a picture")
    Asset.objects.create(owner=video.index.owner, filename="half.mov")  # without bytes
    for _ in upkeep.back_up(tmp_path / "copy"):
        pass
    return tmp_path / "copy"


def wipe(settings) -> None:
    for model in (Segment, Video, Asset, Index, User):
        model.objects.all().delete()
    for folder in (settings.MEDIA_ROOT, settings.DERIVED_ROOT):
        shutil.rmtree(folder)


def restore(folder, *options) -> str:
    out = StringIO()
    call_command("restore", str(folder), *options, stdout=out)
    return out.getvalue()


@on_sqlite
def test_what_was_backed_up_comes_back_after_all_is_gone(backup, settings):
    wipe(settings)

    told = restore(backup)

    video = Video.objects.get()
    assert told == "Restored 1 files.\nRestored the database.\nAll is well.\n"
    assert storage.media_path(video.media_name).read_bytes() == FILM
    assert video.poster_path.read_bytes() == b"a picture"
    assert video.transcript.segments.count() == 3
    assert list(upkeep.faults(read_files=True)) == []
    assert not list(settings.INCOMING_ROOT.iterdir())


@on_sqlite
def test_a_site_that_holds_something_is_not_overwritten_unaware(backup, settings):
    wipe(settings)
    make_index(make_user(), name="New work")

    with pytest.raises(CommandError, match="not empty: 0 videos, 1 indexes, 0 assets. Give --rep"):
        restore(backup)
    assert Index.objects.get().name == "New work" and not Video.objects.exists()

    restore(backup, "--replace")
    assert Video.objects.get().index == Index.objects.get()


@on_sqlite
def test_a_file_that_is_no_video_yet_is_not_overwritten_unaware(backup, settings):
    wipe(settings)
    owner = User.objects.create(username="local")
    Asset.objects.create(owner=owner, filename="a.mov", sha256="ab" * 32, size_bytes=5)

    with pytest.raises(CommandError, match="not empty: 0 videos, 0 indexes, 1 assets"):
        restore(backup)


@on_sqlite
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(FILM.upper())])
def test_a_damaged_file_stops_it_unless_the_rest_is_wanted(backup, settings, damage):
    name = Video.objects.get().media_name
    wipe(settings)
    damage(backup / "media" / name)

    with pytest.raises(CommandError, match="Nothing was restored: 1 files. Give --partial"):
        restore(backup)
    assert not Video.objects.exists()

    with pytest.raises(CommandError, match="Restored, but fsck finds 1 fault"):
        restore(backup, "--partial")
    assert Video.objects.get().transcript.segments.count() == 3


@on_sqlite
def test_what_the_site_will_sweep_by_itself_is_no_fault_of_a_restore(tmp_path, settings):
    task = make_task(make_video(content=FILM))
    Task.objects.update(begun_at=timezone.now() - timedelta(days=30))
    assert list(upkeep.back_up(tmp_path / "copy"))
    wipe(settings)
    part = storage.new_part_path()
    part.touch()
    os.utime(part, (0, 0))

    assert restore(tmp_path / "copy").endswith("Restored the database.\nAll is well.\n")
    assert f"task {task.pk}: it did not end by its deadline." in list(upkeep.faults())
    assert f"{part.name}: a broken upload that was not swept." in list(upkeep.faults())


@on_sqlite
def test_a_poster_that_was_not_copied_is_not_promised(backup, settings):
    wipe(settings)
    shutil.rmtree(backup / "derived")

    restore(backup)

    assert not Video.objects.get().has_poster


@on_sqlite
def test_a_damaged_file_that_is_here_is_replaced(backup):
    path = storage.media_path(Video.objects.get().media_name)
    path.write_bytes(FILM.upper())

    restore(backup, "--replace")

    assert path.read_bytes() == FILM


def break_database(folder: Path) -> None:
    (folder / "db.sqlite3").write_bytes(b"SQLite format 3\0" + b"nonsense" * 500)


def date_from_tomorrow(folder: Path) -> None:
    rows = sqlite3.connect(folder / "db.sqlite3")
    rows.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('videos', '9999_later', '2100')"
    )
    rows.commit()
    rows.close()


@on_sqlite
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / "db.sqlite3").unlink(), "holds no backup"),
        (break_database, "The database of this backup is damaged"),
        (date_from_tomorrow, "made by a newer version: 9999_later"),
    ],
)
def test_what_is_no_backup_for_this_site_is_refused(backup, settings, spoil, sentence):
    spoil(backup)

    with pytest.raises(CommandError, match=sentence):
        restore(backup, "--replace")
    assert Video.objects.exists()


@on_sqlite
def test_what_the_disk_cannot_hold_is_refused(backup, settings, monkeypatch):
    wipe(settings)
    monkeypatch.setattr(storage, "free_bytes", lambda: 5)

    with pytest.raises(CommandError, match="not enough room"):
        restore(backup)


@on_sqlite
def test_a_database_that_cannot_be_copied_is_said_in_a_sentence(backup, monkeypatch):
    (backup / "db.sqlite3").unlink()
    (backup / "db.sqlite3").mkdir()
    with pytest.raises(CommandError, match="The backup is not complete: .+"):
        call_command("backup", str(backup))

    def locked(*args, **options):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(restoring, "restore", locked)
    with pytest.raises(CommandError, match=r"not complete: database is locked\. Run it again"):
        restore(backup)


def test_it_waits_for_no_site_that_runs(backup):
    with (
        process.lock("serve", wait=True),
        pytest.raises(CommandError, match="`serve` is running on this data folder"),
    ):
        restore(backup, "--replace")


@pytest.mark.skipif(os.environ["TEST_DATABASE"] != "postgres", reason="rows come by another way")
def test_on_postgres_the_files_of_the_restored_rows_come_back(backup, settings):
    shutil.rmtree(settings.MEDIA_ROOT)

    assert restore(backup) == "Restored 1 files.\nAll is well.\n"
    (backup / "db.sqlite3").touch()
    with pytest.raises(CommandError, match="backup of a site on SQLite"):
        restore(backup)


@pytest.mark.skipif(os.environ["TEST_DATABASE"] != "postgres", reason="rows come by another way")
def test_on_postgres_rows_of_an_older_version_are_brought_up_to_date(tmp_path):
    call_command("migrate", "videos", "0025", verbosity=0)
    try:
        told = restore(tmp_path)
        assert "stale" in column_names(Correction._meta.db_table)
    finally:
        call_command("migrate", verbosity=0)
    assert told == "Restored 0 files.\nAll is well.\n"


def column_names(table: str) -> set[str]:
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
    return {column.name for column in described}


def test_a_fault_of_the_database_at_the_end_is_said_in_a_sentence(tmp_path, monkeypatch):
    def fail() -> None:
        raise DatabaseError("no such column")

    monkeypatch.setattr(restoring, "restore", lambda *args, **options: [])
    monkeypatch.setattr(upkeep, "lasting_faults", fail)
    with pytest.raises(CommandError, match="The restore is not complete: no such column"):
        restore(tmp_path)


def manage(data_dir: Path, *command: str, code: int = 0) -> str:
    env = os.environ | {"DATA_DIR": str(data_dir)}
    run = [sys.executable, "manage.py", *command]
    done = subprocess.run(run, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout or done.stderr


@on_sqlite
def test_a_folder_that_was_never_a_site_becomes_one(backup, tmp_path):
    (backup / "secret_key").write_text("of the old site, long enough to be a secret of its own")

    told = manage(tmp_path / "new", "restore", str(backup))

    assert told.endswith("Restored the database.\nAll is well.\n")
    assert manage(tmp_path / "new", "fsck", "--read") == "All is well.\n"
    assert (tmp_path / "new" / "secret_key").read_bytes() == (backup / "secret_key").read_bytes()


@on_sqlite
@pytest.mark.parametrize(
    "damage", [lambda old: b"no database", lambda old: bytes(len(old)), lambda old: old[:20_000]]
)
def test_a_damaged_database_is_replaced(backup, tmp_path, damage):
    data = tmp_path / "damaged"
    data.mkdir()
    (data / "db.sqlite3").write_bytes(damage((backup / "db.sqlite3").read_bytes()))
    (data / "db.sqlite3-journal").write_bytes(b"of the damaged one")

    told = manage(data, "restore", str(backup), code=1)
    assert "The database here cannot be read: " in told and "Give --replace" in told
    assert manage(data, "restore", str(backup), "--replace").endswith("All is well.\n")
    assert not (data / "db.sqlite3-journal").exists()
