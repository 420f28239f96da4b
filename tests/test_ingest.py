from __future__ import annotations

import hashlib
import os
import random
import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from tests import missing
from tests.factories import make_index, make_task, make_transcript, make_user, make_video, uploaded
from videos import engines, ingest, pipeline, storage, tasks, upkeep
from videos.admission import NoRoom, Refused
from videos.engines.base import Cue
from videos.ingest import Wishes
from videos.models import Index, Pulse, Segment, Status, Task, Video
from videos.uploads import PartFileHandler, refuse_size

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rung(monkeypatch) -> list[str]:
    ids: list[str] = []
    monkeypatch.setattr(tasks, "ring", ids.append)
    return ids


def parts() -> list[Path]:
    return list(storage.new_part_path().parent.iterdir())


def test_an_accepted_file_lies_under_its_content_with_its_rows(
    sample, rung, django_capture_on_commit_callbacks
):
    data = sample.read_bytes()
    with django_capture_on_commit_callbacks(execute=True):
        video = ingest.accept(make_index(), uploaded(data, "Interview 1.mp4"), Wishes())
    digest = hashlib.sha256(data).hexdigest()
    path = storage.media_path(video.media_name)
    assert path.read_bytes() == data
    assert path.name == digest
    assert (video.filename, video.size_bytes) == ("Interview 1.mp4", len(data))
    assert (video.container, video.content_type) == ("mp4", "video/mp4")
    assert video.duration_ms > 5000
    task = video.tasks.get()
    assert (task.status, rung) == (Status.VALIDATING, [task.pk])
    assert parts() == []


def test_the_default_falls_to_sphinx_when_the_task_is_made_and_says_why(sample):
    with override_settings(HUB_URL="http://127.0.0.1:9", WHISPER_MODEL="base"):
        video = ingest.accept(make_index(), uploaded(sample.read_bytes()), Wishes())
    task = video.tasks.get()
    assert task.engine == "sphinx"
    assert "cannot be reached" in task.notice


def test_an_index_names_its_engine(sample):
    index = make_index(engine="whisper")
    task = ingest.accept(index, uploaded(sample.read_bytes()), Wishes()).tasks.get()
    assert (task.engine, task.notice) == ("whisper", "")
    assert set(engines.ENGINES) == {"whisper", "sphinx"}


def test_a_language_that_the_engine_does_not_know_is_refused_at_the_door(sample):
    file = uploaded(sample.read_bytes())
    with pytest.raises(Refused, match="does not understand this language"):
        ingest.accept(make_index(engine="sphinx"), file, Wishes(language="de"))
    ingest.accept(make_index(engine="whisper"), file, Wishes(language="de"))


def test_captions_that_come_along_are_the_transcript(sample):
    wishes = Wishes(
        captions=[Cue(0, 900, "Hello"), Cue(1000, 2000, "there")], captions_name="a\0.srt"
    )
    video = ingest.accept(make_index(), uploaded(sample.read_bytes()), wishes)
    task = video.tasks.get()
    assert (task.engine, task.model) == (pipeline.CAPTIONS, "a.srt")
    claimed = Task.objects.claim(task.pk, pipeline.lease())
    pipeline.step(claimed)
    video.refresh_from_db()
    assert video.transcript_id == task.pk
    assert [s.text for s in Segment.objects.all()] == ["Hello", "there"]
    assert video.has_poster


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty."),
        (b"x", None),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", None),
        (b"<html><script>alert(1)</script></html>" * 100, None),
        (b"PK\x03\x04" + bytes(1000), None),
        (random.Random(1).randbytes(5000), None),
    ],
)
def test_what_is_no_video_is_refused_with_a_sentence_and_leaves_nothing(data, sentence):
    file = uploaded(data, "looks fine.mp4")
    with pytest.raises(Refused, match=r"^[A-Z].*[.?]$") as refused:
        ingest.accept(make_index(), file, Wishes())
    file.close()
    assert sentence is None or str(refused.value) == sentence
    assert not Video.objects.exists()
    assert parts() == []
    assert list(storage.stored_names()) == []


def test_a_video_that_is_too_long_is_refused(sample):
    with override_settings(MAX_VIDEO_MS=3000), pytest.raises(Refused, match="too long"):
        ingest.accept(make_index(), uploaded(sample.read_bytes()), Wishes())


def test_the_same_form_sent_twice_makes_one_video(sample, rung):
    index, data = make_index(), sample.read_bytes()
    first = ingest.accept(index, uploaded(data), Wishes(upload_key="abc"))
    second = ingest.accept(index, uploaded(data), Wishes(upload_key="abc"))
    assert first.pk == second.pk
    assert Task.objects.count() == 1


def test_another_file_under_an_old_key_is_another_video(sample):
    index, data = make_index(), sample.read_bytes()
    first = ingest.accept(index, uploaded(data), Wishes(upload_key="abc"))
    longer = data + bytes(8)
    second = ingest.accept(index, uploaded(longer), Wishes(upload_key="abc"))
    assert first.pk != second.pk
    assert storage.media_path(second.media_name).read_bytes() == longer


def test_twins_share_one_file_and_the_last_one_takes_it_along(
    sample, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(storage, "ADOPTION_SECONDS", 0)
    data = sample.read_bytes()
    one = ingest.accept(make_index(), uploaded(data), Wishes())
    two = ingest.accept(make_index(), uploaded(data), Wishes())
    path = storage.media_path(one.media_name)
    with django_capture_on_commit_callbacks(execute=True):
        ingest.delete_video(one)
    assert path.exists()
    with django_capture_on_commit_callbacks(execute=True):
        ingest.delete_index(two.index)
    assert not path.exists()
    assert not Video.objects.exists()


def test_bytes_that_were_adopted_just_now_are_not_deleted_under_their_row(
    sample, django_capture_on_commit_callbacks
):
    video = ingest.accept(make_index(), uploaded(sample.read_bytes()), Wishes())
    with django_capture_on_commit_callbacks(execute=True):
        ingest.delete_video(video)
    assert storage.media_path(video.media_name).exists()


def test_the_cleaner_takes_old_orphans_and_broken_uploads_alone(settings):
    used = make_video(content=b"used")
    orphan = make_video(content=b"orphan")
    young = make_video(content=b"young")
    Video.objects.exclude(pk=used.pk).delete()
    stale, fresh = storage.new_part_path(), storage.new_part_path()
    for path in (stale, fresh):
        path.write_bytes(b"half")
    long_ago = time.time() - 100 * 3600
    for path in (stale, storage.media_path(orphan.media_name), storage.media_path(used.media_name)):
        os.utime(path, (long_ago, long_ago))
    tasks.clean_up()
    assert set(storage.stored_names()) == {used.media_name, young.media_name}
    assert parts() == [fresh]


def test_a_stray_folder_among_the_files_does_not_stop_the_cleaner():
    orphan = make_video(content=b"orphan")
    path = storage.media_path(orphan.media_name)
    orphan.delete()
    stray = path.with_name("stray")
    stray.mkdir()
    parts_folder = storage.part_path("folder")
    parts_folder.mkdir()
    for old in (path, stray, parts_folder):
        os.utime(old, (0, 0))

    tasks.clean_up()

    assert stray.is_dir()
    assert not path.exists()


def test_the_cleaner_takes_the_posters_of_videos_that_are_gone():
    video = make_video()
    for name in (video.pk, "0" * 24):
        folder = video.poster_path.parent.with_name(name)
        folder.mkdir()
        (folder / "poster.jpg").write_bytes(b"jpeg")
        os.utime(folder, (0, 0))
    tasks.clean_up()
    assert [path.name for path in video.poster_path.parent.parent.iterdir()] == [video.pk]


def test_the_sample_is_one_call_away():
    user = make_user()
    video = ingest.accept_sample(user)
    assert video.index == Index.objects.visible_to(user).get()
    assert video.filename.startswith("Sample")
    assert parts() == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("a\x00b\nc.mp4", "abc.mp4"),
        ("👩\u200d💻.mp4", "👩\u200d💻.mp4"),
        ("x" * 300 + ".mp4", "x" * 251 + ".mp4"),
        ("\u202egpj.mp4", "gpj.mp4"),
        ("Ünïcödé 日本.mp4", "Ünïcödé 日本.mp4"),
    ],
)
def test_a_file_name_is_shown_and_never_opened(sample, given, shown):
    video = ingest.accept(make_index(), uploaded(sample.read_bytes(), given), Wishes())
    assert video.filename == shown
    assert video.media_name.count("/") == 2


# --- deleting an index, video by video ---


def write_elsewhere() -> bool:
    """Whether somebody with another connection can write now."""
    done = []

    def write() -> None:
        Pulse.objects.beat("somebody")
        done.append(True)
        connection.close()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    thread.join(5)
    return bool(done)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whole", ["index", "user", "index by staff"])
def test_others_write_while_a_large_index_is_deleted(monkeypatch, admin_client, whole):
    index, left = make_index(), []
    for _ in range(3):
        make_transcript(2, index)

    def look(*_: str) -> None:
        assert write_elsewhere()
        left.append(Video.objects.count())

    monkeypatch.setattr(tasks, "clean_up_after", look)
    if whole == "index":
        ingest.delete_index(index)
    elif whole == "user":
        ingest.delete_user(index.owner)
    else:
        admin_client.post(f"/admin/videos/index/{index.pk}/delete/", {"post": "yes"})
    assert left == [2, 1, 0]
    assert not Index.objects.exists()
    assert not Segment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_index_whose_deletion_broke_off_is_smaller_and_can_be_deleted_again(monkeypatch):
    index, videos = make_index(), []
    for _ in range(3):
        videos.append(make_transcript(2, index))
    delete = ingest._delete_held

    def power_cut(video: Video) -> None:
        if Video.objects.count() == 2:
            raise SystemExit
        delete(video)

    monkeypatch.setattr(ingest, "_delete_held", power_cut)
    with pytest.raises(SystemExit):
        ingest.delete_index(index)
    assert (index.videos.count(), Segment.objects.count()) == (2, 4)
    assert sorted(upkeep.lasting_faults()) == sorted(
        f"video {video.pk}: its file is missing." for video in Video.objects.all()
    )

    monkeypatch.undo()
    ingest.delete_index(index)
    assert not Index.objects.exists()
    assert not Segment.objects.exists()


def test_what_is_moved_away_while_its_index_is_deleted_stays_and_what_comes_goes(monkeypatch):
    index, other = make_index(), make_index()
    kept, _ = make_video(index), make_video(index)
    Video.objects.filter(pk=kept.pk).update(created_at=timezone.now() - timedelta(days=1))
    delete, came = ingest._delete_held, []

    def meanwhile(video: Video) -> None:
        if not came:
            Video.objects.filter(pk=kept.pk).update(index=other)
            came.append(make_video(index))
        delete(video)

    monkeypatch.setattr(ingest, "_delete_held", meanwhile)
    ingest.delete_index(index)
    assert Video.objects.get() == kept
    assert Index.objects.get() == other


# --- the handler ---


def test_a_file_over_the_limit_is_read_to_its_end_and_thrown_away(settings):
    settings.MAX_UPLOAD_BYTES = 1000
    file = uploaded(bytes(5000), chunk=300)
    assert "too large" in file.refusal
    assert parts() == []
    with pytest.raises(Refused, match="too large"):
        ingest.accept(make_index(), file, Wishes())


def test_a_file_that_is_not_adopted_goes_with_the_request():
    file = uploaded(b"something")
    assert parts() == [file.path]
    file.close()
    assert parts() == []


def test_an_upload_that_breaks_off_leaves_nothing():
    handler = PartFileHandler()
    handler.new_file("files", "a.mp4", "video/mp4", None)
    handler.receive_data_chunk(b"half", 0)
    handler.upload_interrupted()
    assert parts() == []


def test_too_little_room_is_said_before_the_first_byte(settings):
    settings.MIN_FREE_BYTES = 2**60
    assert "not enough room" in refuse_size(10)
    assert "not enough room" in uploaded(b"ten bytes!").refusal


def test_a_file_that_reaches_the_disk_s_reserve_is_not_kept(settings, monkeypatch):
    monkeypatch.setattr(storage, "LOOK_EVERY", 1000)
    free = iter([100, 0, -1])  # when it begins, and at each look
    monkeypatch.setattr(storage, "free_bytes", lambda: next(free, -1))

    file = uploaded(bytes(5000), chunk=300)

    assert "room" in file.refusal
    assert parts() == []
    with pytest.raises(NoRoom):
        ingest.accept(make_index(), file, Wishes())


def test_a_disk_that_fills_up_is_a_sentence_and_leaves_nothing(settings, tmp_path):
    small = tmp_path / "small disk"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        missing("the right to mount a small disk")
    try:
        settings.INCOMING_ROOT = small
        settings.MIN_FREE_BYTES = 0
        file = uploaded(bytes(5_000_000), chunk=100_000)
        assert "full" in file.refusal or "not enough room" in file.refusal
        assert list(small.iterdir()) == []
        file.close()
        assert uploaded(bytes(1_000_000)).refusal == ""
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_ready_video_is_a_world_of_its_own():
    video = make_transcript(3)
    video.delete()
    assert not Segment.objects.exists()


def test_a_failed_task_is_not_taken_up_over_captions_that_came_meanwhile():
    video = make_video()
    failed = make_task(video, status=Status.FAILED, error="No.")
    ingest.caption(video, [Cue(0, 1000, "Mine.")], "a.srt")

    assert not ingest.try_again(failed)
    failed.refresh_from_db()
    assert failed.status == Status.FAILED


def test_an_engine_that_is_not_known_is_refused_with_its_name():
    with pytest.raises(Refused, match="engine of this index, parakeet, is not known"):
        ingest.first_task(make_index(engine="parakeet"), Wishes())


def test_a_name_with_a_double_quote_is_as_it_was_before_a_form_sent_it():
    with uploaded(b"", "Tom %22Jerry%22 100%.mp4") as part:
        assert part.name == 'Tom "Jerry" 100%.mp4'
