"""Lines where nothing is to be heard are marked when both lines and peaks are there."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tests.factories import make_index, make_segments, make_task, make_user, make_video
from tests.makers import media, silence, tone
from videos import corrections, derive, doubt, drawn, hush, ingest, pipeline
from videos.corrections import Seen
from videos.engines.base import Cue
from videos.models import Derivation, Kind, Status, Step, Task

# Ten seconds of sound, ten of silence with a little noise in it, ten of sound.
PEAKS = bytes([90] * 100 + [2, 0] * 50 + [90] * 100)
LINES = [
    (0, 4000, "Said aloud."),
    (9500, 12_000, "Said at the edge."),
    (11_000, 14_000, "Thank you for watching."),
    (14_000, 20_000, "Thanks for watching!"),
    (25_000, 31_000, "Beyond the end."),
]


def over_silence(*rows: tuple[int, int], peaks: bytes = PEAKS, duration_ms: int = 30_000):
    return list(doubt.over_silence(rows, peaks, duration_ms))


def test_only_a_row_with_nothing_to_hear_all_along_is_over_silence():
    rows = [(start_ms, end_ms) for start_ms, end_ms, _ in LINES]
    assert over_silence(*rows) == [False, False, True, True, False]


def test_a_row_shorter_than_a_bin_is_judged_by_the_bin_it_lies_in():
    assert over_silence((10_010, 10_020), (9_910, 9_920)) == [True, False]


def test_a_row_beyond_the_end_or_without_peaks_is_not_judged():
    assert over_silence((30_000, 31_000), (99_000, 99_100)) == [False, False]
    assert over_silence((0, 1000), peaks=b"") == [False]
    assert over_silence((0, 1000), duration_ms=0) == [False]


# --- in the database ---


@pytest.fixture
def task(db, settings, tmp_path):
    settings.DERIVED_ROOT = tmp_path
    video = make_video(make_index(make_user()), duration_ms=30_000)
    task = make_task(video, status=Status.READY)
    make_segments(LINES, task)
    return task


def give_peaks(task: Task) -> None:
    made = Derivation(video=task.video, kind=Kind.PEAKS, state=Derivation.READY, name="peaks-1")
    made.folder.mkdir(parents=True)
    made.path.write_bytes(PEAKS)
    made.save()


def marks(task: Task) -> list[str]:
    return list(task.segments.order_by("number").values_list("marks", flat=True))


def test_rows_over_silence_are_marked_once(task):
    hush.look(task.video_id)
    assert "".join(marks(task)) == ""  # no peaks yet

    give_peaks(task)
    hush.look(task.video_id)
    assert marks(task) == ["", "", "s", "s", ""]
    task.refresh_from_db()
    assert task.edition == 1

    hush.look(task.video_id)
    task.refresh_from_db()
    assert task.edition == 1


def test_other_marks_of_a_row_stay(task):
    task.segments.filter(number=2).update(marks="r")
    task.segments.filter(number=3).update(marks="pt")
    give_peaks(task)
    hush.look(task.video_id)
    assert marks(task) == ["", "", "rs", "pst", ""]


def test_what_was_drawn_before_is_drawn_again(task):
    before = drawn.whole(task)
    give_peaks(task)
    hush.look(task.video_id)
    task.refresh_from_db()
    after = drawn.whole(task)
    assert before is not None and after is not None
    assert (before.doubtful, after.doubtful) == (0, 2)
    assert after.html.count(b"data-m=s") == 2


def test_what_an_editor_wrote_is_believed(task):
    row = task.segments.get(number=2)
    seen = Seen(row.pk, row.start_ms, row.version)
    corrections.save(task.video.index.owner, task, seen, "(he nods)", (row.start_ms, row.end_ms))
    give_peaks(task)
    hush.look(task.video_id)
    assert marks(task) == ["", "", "", "s", ""]


def test_what_an_editor_writes_while_it_is_judged_is_believed(task, monkeypatch):
    judge = hush.doubt.over_silence

    def slow(*args):
        row = task.segments.get(number=2)
        seen, times = Seen(row.pk, row.start_ms, row.version), (row.start_ms, row.end_ms)
        corrections.save(task.video.index.owner, task, seen, "(he nods)", times)
        return judge(*args)

    monkeypatch.setattr(hush.doubt, "over_silence", slow)
    hush.mark(task, PEAKS)
    assert marks(task) == ["", "", "", "s", ""]


def test_a_task_that_is_not_ready_is_left_alone(task):
    Task.objects.filter(pk=task.pk).update(status=Status.INDEXING)
    give_peaks(task)
    hush.look(task.video_id)
    assert "".join(marks(task)) == ""


def test_peaks_whose_file_was_taken_away_mark_nothing(task):
    give_peaks(task)
    Derivation.objects.get().path.unlink()
    hush.look(task.video_id)
    assert "".join(marks(task)) == ""


def test_a_waveform_that_is_made_marks_the_rows_that_were_there_before(db, tmp_path):
    path = media(tmp_path / "a.mkv", np.concatenate([tone(2), silence(4), tone(2)]))
    video = make_video(content=path.read_bytes(), container="mkv", duration_ms=8000)
    task = make_task(video, status=Status.READY)
    make_segments([(0, 2000, "Heard."), (3000, 5000, "Made up."), (5500, 7000, "Heard.")], task)
    row = Derivation.objects.create(video=video, kind=Kind.PEAKS)
    claimed = Derivation.objects.claim(row.pk, timedelta(seconds=60))
    assert claimed is not None

    derive.run(claimed)

    assert marks(task) == ["", "s", ""]


def test_rows_that_come_after_the_waveform_are_marked_when_they_are_whole(task):
    give_peaks(task)
    later = make_task(task.video, status=Status.PENDING, step=Step.PREPARE, engine="captions")
    make_segments(LINES, later)
    claimed = Task.objects.claim(later.pk, timedelta(seconds=60))
    assert claimed is not None

    pipeline.step(claimed)

    later.refresh_from_db()
    assert later.status == Status.READY
    assert marks(later) == ["", "", "s", "s", ""]


@pytest.mark.django_db
def test_lines_of_captions_that_are_given_later_are_judged_at_once():
    task = make_task(make_video(duration_ms=30_000), status=Status.READY)
    give_peaks(task)

    given = ingest.caption(task.video, [Cue(1000, 2000, "Said."), Cue(13_000, 16_000, "Not.")], "")

    assert marks(given) == ["", "s"]
