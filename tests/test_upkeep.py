from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests.factories import make_segments, make_task, make_transcript, make_video
from videos import ingest, storage, upkeep
from videos.models import Segment, Task, Video

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.INCOMING_ROOT = tmp_path / "incoming"


@pytest.fixture
def video():
    return make_transcript(3, content=b"the bytes of a film")


def told(**options) -> str:
    return " ".join(upkeep.faults(**options))


def age(path) -> None:
    old = time.time() - 3 * 24 * 3600
    os.utime(path, (old, old))


def test_nothing_is_said_when_all_is_well(video):
    out = StringIO()
    call_command("fsck", "--read", stdout=out)

    assert out.getvalue() == "All is well.\n"


def test_a_lost_file_is_told(video):
    storage.media_path(video.media_name).unlink()

    with pytest.raises(CommandError, match="1 fault"):
        call_command("fsck", stdout=StringIO())
    assert f"video {video.pk}: its file is missing" in told()


def test_a_file_of_another_length_is_told(video):
    storage.media_path(video.media_name).write_bytes(b"short")

    assert "its file has 5 bytes instead of 19" in told()


def test_a_changed_file_is_told_when_it_is_read(video):
    storage.media_path(video.media_name).write_bytes(b"The bytes of a film")

    assert told() == ""
    assert "is not what was uploaded" in told(read_files=True)


def test_rows_with_a_gap_are_told(video):
    Segment.objects.filter(task=video.transcript, number=1).delete()

    assert f"task {video.transcript_id}: its rows have gaps" in told()


def test_rows_out_of_the_order_of_time_are_told(video):
    assert told() == ""
    Segment.objects.filter(task=video.transcript, number=0).update(start_ms=50_000, end_ms=60_000)

    said = f"task {video.transcript_id}: its rows are not in the order of time."
    assert told().splitlines() == [said]


def test_a_transcript_that_is_not_finished_or_another_s_is_told(video):
    Task.objects.filter(pk=video.transcript_id).update(status="indexing")
    other = make_transcript(3, content=b"2")
    Video.objects.filter(pk=other.pk).update(transcript=make_task(make_video(content=b"3")))

    assert f"video {video.pk}: its transcript is not a finished one" in told()
    assert f"video {other.pk}: its transcript is another video's" in told()


def test_a_video_without_a_task_is_told():
    video = make_video(content=b"1")

    assert f"video {video.pk}: it has no task" in told()


def test_a_task_that_never_ended_is_told(settings):
    task = make_task(make_video(content=b"1"))
    Task.objects.filter(pk=task.pk).update(begun_at=timezone.now() - timedelta(days=30))

    assert f"task {task.pk}: it did not end by its deadline" in told()


def test_what_is_under_way_is_no_fault():
    make_segments(2, make_task(make_video(content=b"1")))

    assert told() == ""


def test_what_was_not_swept_is_told(video, settings):
    stray = storage.media_path("ab/cd/" + "ab" * 32)
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"x")
    part = storage.new_part_path()
    part.write_bytes(b"x")
    assert told() == ""

    age(stray), age(part)
    assert "a file that no video uses" in told() and "a broken upload" in told()


@pytest.fixture
def _own_database(settings):
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"]


backs_up = pytest.mark.usefixtures("_own_database")
committed = pytest.mark.django_db(transaction=True)
on_sqlite = pytest.mark.skipif(os.environ["TEST_DATABASE"] != "sqlite", reason="by pg_dump there")


def back_up(target: Path) -> list[str]:
    out = StringIO()
    call_command("backup", str(target), stdout=out)
    return out.getvalue().splitlines()


@committed
@backs_up
def test_a_backup_holds_rows_and_files_and_the_second_copies_only_the_new(tmp_path, video):
    target = tmp_path / "copy"
    first = back_up(target)
    make_video(content=b"another")
    second = back_up(target)

    assert first[0] == second[0] == "Copied 1 new files."
    assert (target / "media" / video.media_name).read_bytes() == b"the bytes of a film"
    if connection.vendor != "sqlite":
        assert "use pg_dump" in first[1]
        return
    assert first[1] == "Copied the database."
    rows = sqlite3.connect(target / "db.sqlite3").execute("SELECT COUNT(*) FROM videos_segment")
    assert rows.fetchone() == (3,)


@committed
@backs_up
@on_sqlite
def test_a_video_that_is_deleted_during_a_backup_is_not_in_it(tmp_path, video, monkeypatch):
    other = make_transcript(3, video.index, content=b"deleted soon")
    names = storage.stored_names

    def deleting() -> Iterator[str]:
        if Video.objects.filter(pk=other.pk).exists():
            ingest.delete_video(other)
            storage.media_path(other.media_name).unlink()
        return names()

    monkeypatch.setattr(storage, "stored_names", deleting)
    back_up(tmp_path / "copy")

    assert list(upkeep.named_in(tmp_path / "copy" / "db.sqlite3")) == [video.media_name]


@committed
@backs_up
@on_sqlite
def test_rows_of_a_backup_have_their_files_also_when_the_next_one_breaks_off(
    tmp_path, video, monkeypatch
):
    back_up(tmp_path / "copy")
    make_transcript(3, video.index, content=b"another")

    def fail(*args: object) -> bool:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "_copy", fail)
        with pytest.raises(CommandError, match="The backup is not complete: No space left"):
            back_up(tmp_path / "copy")
    assert list(upkeep.named_in(tmp_path / "copy" / "db.sqlite3")) == [video.media_name]

    (tmp_path / "copy" / "db.part").write_bytes(b"half of one")
    back_up(tmp_path / "copy")
    assert len(upkeep.named_in(tmp_path / "copy" / "db.sqlite3")) == 2


@committed
@backs_up
def test_a_backup_says_what_is_missing_and_holds_the_rest(tmp_path, video):
    other = make_transcript(3, video.index, content=b"lost")
    storage.media_path(other.media_name).unlink()

    with pytest.raises(CommandError, match="not complete: 1 files that the database names"):
        back_up(tmp_path / "copy")
    assert (tmp_path / "copy" / "media" / video.media_name).exists()
    assert (tmp_path / "copy" / "db.sqlite3").exists() == (connection.vendor == "sqlite")


# --- what must not take the place of a good backup ---


@pytest.fixture
def backup(tmp_path, settings, video, _own_database) -> Path:
    """Of a site with a key of its own."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    (settings.DATA_DIR / "secret_key").write_text("of this site")
    back_up(tmp_path / "copy")
    return tmp_path / "copy"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@committed
@on_sqlite
def test_a_folder_without_a_site_takes_no_backups_place(tmp_path, backup):
    before = contents(backup)
    done = subprocess.run(
        [sys.executable, "manage.py", "backup", str(backup)],
        cwd=Path(__file__).resolve().parents[1],
        env=os.environ | {"DATA_DIR": str(tmp_path / "not mounted")},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1 and "has no tables yet" in done.stderr
    assert contents(backup) == before


@committed
def test_another_site_takes_no_backups_place(backup, settings):
    (settings.DATA_DIR / "secret_key").write_text("of another one")
    before = contents(backup)

    with pytest.raises(CommandError, match="the backup of another site: its secret_key"):
        back_up(backup)
    assert contents(backup) == before

    (backup / "secret_key").write_bytes(b"")  # as a power cut leaves it
    back_up(backup)
    assert (backup / "secret_key").read_text() == "of another one"


@committed
@on_sqlite
def test_an_empty_site_takes_no_backups_place(backup, video):
    before = contents(backup)
    ingest.delete_video(video)

    with pytest.raises(CommandError, match="This site has no files, and the backup in"):
        back_up(backup)
    assert contents(backup) == before

    (backup / "db.sqlite3").write_bytes(b"damaged")
    assert "Copied the database." in back_up(backup)


def test_a_file_that_a_power_cut_left_empty_in_a_backup_is_copied_again(tmp_path, video):
    source = storage.media_path(video.media_name)
    copy = tmp_path / "copy" / "media" / video.media_name
    copy.parent.mkdir(parents=True)
    copy.touch()
    name = f"media/{video.media_name}"

    assert upkeep._copy(source, tmp_path / "copy", name)
    assert copy.read_bytes() == b"the bytes of a film"
    assert not upkeep._copy(source, tmp_path / "copy", name)


def test_a_file_that_was_cut_short_here_does_not_replace_the_backup_s(tmp_path, video):
    source, name = storage.media_path(video.media_name), f"media/{video.media_name}"
    upkeep._copy(source, tmp_path / "copy", name)
    source.write_bytes(b"the bytes")

    assert not upkeep._copy(source, tmp_path / "copy", name)
    assert (tmp_path / "copy" / name).read_bytes() == b"the bytes of a film"


def test_a_backup_s_file_is_written_before_it_has_its_name(tmp_path, video, monkeypatch):
    deeds: list[str] = []
    for name in ("fsync", "replace"):
        does = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, n=name, f=does: (deeds.append(n), f(*a)))
    (tmp_path / "copy").mkdir()

    upkeep._copy(storage.media_path(video.media_name), tmp_path / "copy", "media/a/b")
    assert deeds == ["fsync", "replace", "fsync", "fsync", "fsync"]
