"""Files made in the background: claimed, fenced, tried again, and no burden on a transcript."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from django.utils import timezone

from tests.factories import make_index, make_task, make_video
from tests.makers import Picture, media, tone
from videos import derive, ingest, tasks
from videos.media.sandbox import MediaError
from videos.models import Derivation, Kind, Step, Video

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=60)


@pytest.fixture
def rings(monkeypatch):
    ids = []
    monkeypatch.setattr(derive, "_ring", ids.append)
    return ids


def matroska(tmp_path, **fields):
    path = media(tmp_path / "a.mkv", tone(1), picture=Picture(seconds=1))
    return make_video(
        content=path.read_bytes(), container="mkv", duration_ms=1000, filename="a.mkv", **fields
    )


def row_of(video, kind=Kind.PEAKS, **fields) -> Derivation:
    return Derivation.objects.create(video=video, kind=kind, **fields)


def claim(row) -> Derivation:
    claimed = Derivation.objects.claim(row.pk, LEASE)
    assert claimed is not None
    return claimed


def done(row) -> Derivation:
    derive.run(claim(row))
    row.refresh_from_db()
    return row


def files_of(row) -> list[str]:
    return sorted(path.name for path in row.folder.iterdir()) if row.folder.exists() else []


def faked(monkeypatch, *messages, content=b"made"):
    """What the child says; an exception is raised, a callable is called."""

    def making(row, part: Path):
        for message in messages:
            if isinstance(message, Exception):
                raise message
            if callable(message):
                message()
            else:
                yield message
        part.write_bytes(content)
        yield {"facts": {"bins": 4}}

    monkeypatch.setattr(derive, "_making", making)
    monkeypatch.setattr(derive, "LOOK_SECONDS", 0.0)


# --- what is wanted ---


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({}, {"peaks", "sprite"}),
        ({"audio_codec": ""}, {"sprite"}),
        ({"video_codec": ""}, {"peaks"}),
        ({"container": "mkv"}, {"peaks", "sprite", "proxy"}),
        ({"container": "mov", "video_codec": "prores"}, {"peaks", "sprite", "proxy"}),
        ({"container": "aiff", "video_codec": "", "audio_codec": "pcm_s16be"}, {"peaks", "proxy"}),
    ],
)
def test_a_video_gets_what_it_can_have_and_a_copy_only_if_needed(fields, kinds):
    assert set(derive.needed(make_video(**fields))) == kinds


def test_what_is_wanted_twice_is_one_row(rings, django_capture_on_commit_callbacks):
    video = make_video()

    with django_capture_on_commit_callbacks(execute=True):
        derive.want(video)
        derive.want(video)

    assert Derivation.objects.filter(video=video).count() == 2
    assert rings


@pytest.mark.django_db(transaction=True)
def test_of_a_video_that_was_deleted_just_now_nothing_is_made(rings):
    seen = make_video()
    Video.objects.filter(pk=seen.pk).delete()

    derive.want(seen)

    assert not Derivation.objects.exists() and rings == []


def test_a_prepared_task_has_its_videos_files_made(rings, monkeypatch, sample):
    video = make_video(content=sample.read_bytes())
    task = make_task(video, step=Step.PREPARE)
    monkeypatch.setattr(tasks, "ring", lambda task_id: None)

    tasks.advance(task.pk)

    task.refresh_from_db()
    assert task.step == Step.TRANSCRIBE  # it waits for none of them
    assert {row.kind for row in video.derivations.all()} == {"peaks", "sprite"}


def test_an_earlier_video_gets_its_files_when_it_is_seen(rings):
    video = make_video(container="mkv")

    rows = derive.look(video)

    assert set(rows) == {"peaks", "sprite", "proxy"}
    assert set(derive.look(video)) == set(rows)


def test_a_file_that_is_gone_is_made_again_when_it_is_missed(rings, tmp_path):
    video = matroska(tmp_path)
    row = done(row_of(video))
    row.path.unlink()

    assert derive.look(video)["peaks"].is_waiting
    assert done(row).path.exists()


def test_what_somebody_looks_at_comes_first(rings):
    first, second = (row_of(make_video(container="mkv"), Kind.PROXY) for _ in range(2))
    assert Derivation.objects.next_id((Kind.PROXY,)) == first.pk

    derive.look(second.video)

    assert Derivation.objects.next_id((Kind.PROXY,)) == second.pk


# --- made ---


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_is_made_of_a_real_file(tmp_path, rings, kind):
    row = done(row_of(matroska(tmp_path, has_poster=True), kind))

    assert row.state == "ready", row.error_detail
    assert files_of(row) == [row.name]
    assert row.path.stat().st_size
    assert row.facts


def test_pixels_that_no_browser_plays_ask_for_a_copy_in_the_end(tmp_path, rings):
    path = tmp_path / "p.mp4"
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv422p10le"
        target.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        target.mux(stream.encode(None))
    video = make_video(content=path.read_bytes(), audio_codec="", duration_ms=40)

    done(row_of(video, Kind.SPRITE))

    assert video.derivations.filter(kind=Kind.PROXY, state="waiting").exists()


def test_progress_is_written_and_the_lease_renewed(monkeypatch, settings):
    settings.HEARTBEAT_SECONDS = 0.0
    row, seen = row_of(make_video()), []
    faked(monkeypatch, {"fraction": 0.25}, lambda: seen.append(Derivation.objects.get()), None)

    done(row)

    assert seen[0].percent == 25
    assert seen[0].lease_until > timezone.now() + timedelta(seconds=50)


def test_a_failure_that_stays_is_told_with_its_sentence_and_can_be_tried_again(tmp_path, rings):
    video = make_video(content=b"\x1aE\xdf\xa3 nothing", container="mkv")
    row = done(row_of(video, Kind.PROXY))

    assert (row.state, row.error) == (
        "failed",
        "The file ends too early: was the upload interrupted?",
    )
    assert files_of(row) == []

    assert derive.again(row)
    row.refresh_from_db()
    assert (row.state, row.error, row.interruptions) == ("waiting", "", 0)


def test_a_failure_that_may_pass_is_tried_three_times(monkeypatch):
    row = row_of(make_video())
    faked(monkeypatch, MediaError("The program stopped.", permanent=False))

    for _ in range(2):
        assert done(row).state == "waiting"
        assert row.not_before is not None
        Derivation.objects.update(not_before=None)
    assert (done(row).state, row.error) == ("failed", "The program stopped.")


def test_a_full_disk_ends_the_run_in_time(monkeypatch, settings):
    row = row_of(make_video())
    faked(monkeypatch, {"fraction": 0.1}, {"fraction": 0.2})
    settings.MIN_FREE_BYTES = 10**18

    assert done(row).error_detail == ""
    assert (row.state, row.interruptions) == ("waiting", 0)
    assert files_of(row) == []


def test_a_full_disk_is_waited_for_however_long(monkeypatch, settings, rings):
    row = row_of(make_video(), interruptions=2)
    faked(monkeypatch, OSError(28, "No space left on device"))
    settings.MIN_FREE_BYTES = 10**18

    assert done(row).state == "waiting"
    Derivation.objects.update(not_before=None)
    derive.make(row.pk)
    row.refresh_from_db()
    assert (row.state, row.lease_no) == ("waiting", 1)  # nobody took it

    settings.MIN_FREE_BYTES = 0
    faked(monkeypatch)
    derive.make(row.pk)
    row.refresh_from_db()
    assert row.state == "ready"


def test_a_poster_that_was_missed_is_drawn_when_the_thumbnails_are(tmp_path):
    video = matroska(tmp_path)
    video.poster_path.parent.mkdir(parents=True)
    left = video.poster_path.with_name(".poster.jpg.0123.part")  # by a worker that was killed
    left.write_bytes(b"half")

    assert done(row_of(video, Kind.SPRITE)).state == "ready"

    video.refresh_from_db()
    assert video.has_poster and video.poster_path.exists()
    assert not left.exists()


def test_three_interruptions_end_it_with_a_sentence():
    row = row_of(make_video(), interruptions=3)

    assert done(row).state == "failed"
    assert "three times" in row.error


def test_a_worker_that_stops_hands_it_back_uninterrupted(monkeypatch):
    row = row_of(make_video())
    faked(monkeypatch, {"fraction": 0.5})

    derive.run(claim(row), lambda: True)

    row.refresh_from_db()
    assert (row.state, row.lease_until, row.interruptions) == ("waiting", None, 0)
    assert files_of(row) == []


# --- fenced ---


def test_only_one_of_two_claims_gets_it():
    row = row_of(make_video())

    assert Derivation.objects.claim(row.pk, LEASE)
    assert Derivation.objects.claim(row.pk, LEASE) is None


def test_a_lease_that_ran_out_is_an_interruption_and_the_old_holder_writes_nothing(monkeypatch):
    row = row_of(make_video())
    believed_dead = claim(row)
    Derivation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    faked(monkeypatch, content=b"new")
    assert done(row).interruptions == 0  # it was 1 while it ran
    faked(monkeypatch, content=b"old")
    monkeypatch.setattr(derive, "_clear", lambda row: None)  # it had done that before it slept

    derive.run(believed_dead)

    row.refresh_from_db()
    assert (row.state, row.name, row.path.read_bytes()) == ("ready", "peaks-2.bin", b"new")
    assert files_of(row) == ["peaks-2.bin"]


def test_a_cancelled_one_stops_and_leaves_nothing(monkeypatch):
    row = row_of(make_video(), Kind.PROXY)
    faked(monkeypatch, {"fraction": 0.1}, lambda: derive.cancel(row), {"fraction": 0.2})

    assert (done(row).state, row.error) == ("failed", "Cancelled.")
    assert files_of(row) == []


def test_a_video_deleted_meanwhile_leaves_no_file(monkeypatch, django_capture_on_commit_callbacks):
    video = make_video(make_index(), content=b"x")
    row = row_of(video)

    def delete():
        with django_capture_on_commit_callbacks(execute=True):
            ingest.delete_video(video)

    faked(monkeypatch, delete)
    derive.run(claim(row))

    assert not row.folder.exists()


# --- slots ---


def test_a_copy_under_way_holds_back_no_waveform_and_no_second_one_starts(monkeypatch, rings):
    ran, slot = [], dict(derive._SLOTS)[(Kind.PROXY,)]
    monkeypatch.setattr(derive, "run", lambda row, stopping: ran.append(row.kind))
    video = make_video(container="mkv")
    copy, peaks = row_of(video, Kind.PROXY), row_of(video, Kind.PEAKS)

    with slot:
        derive.make(copy.pk)
        derive.make(peaks.pk)

    assert ran == ["peaks"]


def test_the_sweep_rings_for_what_is_due_of_each_slot(rings):
    video = make_video(container="mkv")
    rows = [row_of(video, kind) for kind in Kind]
    Derivation.objects.filter(kind=Kind.PEAKS).update(
        lease_until=timezone.now() + timedelta(seconds=60)
    )

    derive.sweep()

    assert set(rings) == {rows[1].pk, rows[2].pk}


def test_a_broker_that_is_away_costs_nobody_anything(monkeypatch):
    def away(*args, **kwargs):
        raise OSError("no broker")

    monkeypatch.setattr(derive.make, "apply_async", away)
    derive._ring(1)
