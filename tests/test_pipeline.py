from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from tests.factories import make_index, make_task, make_transcript, make_video
from tests.fakes import FakeEngine, cue, phrases
from videos import corrections, engines, failpoints, ingest, pipeline, tasks
from videos.admission import Refused
from videos.engines.base import EngineCrashed, EngineError, Report
from videos.media import pictures
from videos.models import LostLease, Pulse, Segment, Status, Step, Task, Video

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=60)


@pytest.fixture
def engine(monkeypatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setitem(engines.ENGINES, "fake", fake)
    monkeypatch.setattr(pipeline, "LOOK_SECONDS", 0.0)
    return fake


@pytest.fixture
def rung(monkeypatch) -> list[str]:
    """The ids that were rung, instead of a broker."""
    ids: list[str] = []
    monkeypatch.setattr(tasks, "ring", ids.append)
    return ids


def waiting(**fields) -> Task:
    video = fields.pop("video", None) or make_video(content=b"moving pictures")
    return make_task(
        video, **({"engine": "fake", "step": Step.TRANSCRIBE, "status": Status.PENDING} | fields)
    )


def take(task: Task, **options) -> Task:
    """Claim the task and do one step, as a worker does."""
    claimed = Task.objects.claim(task.pk, LEASE)
    assert claimed is not None
    pipeline.step(claimed, **options)
    return Task.objects.select_related("video").get(pk=task.pk)


def numbers_and_texts(task: Task) -> list[tuple[int, str]]:
    return list(task.segments.values_list("number", "text"))


def test_what_the_engine_reports_becomes_the_video_s_transcript(engine):
    engine.script = phrases(3)
    task = take(waiting())
    assert (task.status, task.percent) == (Status.READY, 100)
    assert task.video.transcript_id == task.pk
    assert numbers_and_texts(task) == [(0, "phrase 0"), (1, "phrase 1"), (2, "phrase 2")]


def test_a_transcript_that_an_editor_corrected_stays_and_the_new_one_lies_beside_it(engine):
    engine.script = phrases(2)
    video = make_transcript([(0, 2000, "to the rivver")], content=b"moving pictures")
    old, owner = video.transcript, video.index.owner
    row = old.segments.get()
    seen = corrections.Seen(row.pk, row.start_ms, row.version)
    corrections.save(owner, old, seen, "to the river", (0, 2000))

    beside = take(waiting(video=video))
    assert beside.status == Status.READY and len(numbers_and_texts(beside)) == 2
    assert beside.video.transcript_id == old.pk
    assert numbers_and_texts(old) == [(0, "to the river")]

    corrections.undo(owner, old)
    shown = take(waiting(video=video))
    assert shown.video.transcript_id == shown.pk  # nothing of an editor's is in the old one


def test_the_transcript_can_be_read_while_it_grows(engine):
    seen: list[int] = []
    first, second = phrases(2)
    engine.script = [first, lambda: seen.append(Segment.objects.count()), second]
    take(waiting())
    assert seen == [1]


def test_a_file_without_sound_is_ready_with_nothing_said(engine):
    video = make_video(content=b"silent", audio_codec="", video_codec="")
    task = take(waiting(video=video, step=Step.PREPARE))
    assert (task.status, engine.calls) == (Status.READY, [])


def test_captions_that_came_along_need_no_engine(engine):
    video = make_video(content=b"spoken", video_codec="")
    task = take(waiting(video=video, step=Step.PREPARE, engine=pipeline.CAPTIONS))
    assert (task.status, task.video.transcript_id) == (Status.READY, task.pk)


def test_a_picture_that_cannot_be_drawn_fails_no_task(engine):
    task = take(waiting(step=Step.PREPARE))
    assert (task.status, task.step) == (Status.PENDING, Step.TRANSCRIBE)
    assert not task.video.has_poster


def test_an_error_for_good_ends_the_task_with_its_sentence(engine):
    engine.script = [EngineError("The sound is broken.", permanent=True, detail="codec x")]
    task = take(waiting())
    assert (task.status, task.error, task.error_detail) == (
        Status.FAILED,
        "The sound is broken.",
        "codec x",
    )


def test_a_passing_error_waits_and_goes_on_behind_what_is_written(engine):
    first, second = phrases(2)
    engine.script = [first, EngineCrashed("It stopped.")]
    task = take(waiting())
    assert (task.status, task.error, task.interruptions) == (Status.PENDING, "", 1)
    assert not Task.objects.due().exists()

    Task.objects.update(not_before=None)
    engine.script = [first, second]
    task = take(task)
    assert (task.status, engine.calls) == (Status.READY, [0, 2000])
    assert numbers_and_texts(task) == [(0, "phrase 0"), (1, "phrase 1")]


def test_three_deaths_at_one_place_end_the_task_with_a_sentence(engine):
    engine.script = [EngineCrashed("The program that was reading this file stopped.")]
    task = waiting()
    for _ in range(3):
        Task.objects.update(not_before=None)
        task = take(task)
    assert (task.status, len(engine.calls)) == (Status.FAILED, 3)
    assert task.error == "The program that was reading this file stopped."


def test_a_worker_killed_three_times_at_one_place_is_not_tried_again(engine):
    task = waiting()
    for _ in range(4):
        claimed = Task.objects.claim(task.pk, LEASE)
        Task.objects.update(lease_until=Now() - timedelta(seconds=1))
    pipeline.step(claimed)
    task.refresh_from_db()
    assert task.status == Status.FAILED
    assert "Stopped three times while reading this file at 0:00" in task.error
    assert engine.calls == []


def test_a_task_that_gets_on_is_never_given_up_for_old_interruptions(engine):
    engine.script = [*phrases(1), EngineCrashed("It stopped.")]
    task = take(waiting(interruptions=2))
    assert (task.status, task.interruptions) == (Status.PENDING, 1)


def test_a_fault_of_ours_is_a_sentence_too(engine):
    engine.script = [ZeroDivisionError("secret detail")]
    task = waiting(interruptions=2)
    task = take(task)
    assert (task.status, task.error) == (Status.FAILED, "Something went wrong on this server.")
    assert "secret detail" in task.error_detail


def test_a_missing_file_is_a_sentence(engine):
    task = take(waiting(video=make_video()))
    assert task.error == "The video's file is missing on this server."


def test_a_task_past_its_deadline_ends(engine, rung):
    task = waiting()
    Task.objects.claim(task.pk, LEASE).release()
    Task.objects.update(begun_at=Now() - timedelta(hours=73))
    tasks.sweep()
    task.refresh_from_db()
    said = "Not finished within 72 h 0 min of its start."
    assert (task.status, task.error) == (Status.FAILED, said)

    assert task.try_again()
    assert Task.objects.get().begun_at is None


def test_a_task_past_its_deadline_ends_though_somebody_holds_it(engine, rung):
    task = waiting()
    claimed = Task.objects.claim(task.pk, LEASE)
    Task.objects.update(begun_at=Now() - timedelta(hours=73))
    tasks.sweep()
    assert Task.objects.get().status == Status.FAILED
    with pytest.raises(LostLease):
        claimed.write(done_ms=1)


def test_a_task_that_only_waited_for_its_turn_is_not_late(engine, rung):
    engine.script = phrases(1)
    task = waiting()
    Task.objects.update(asked_at=Now() - timedelta(hours=100))
    tasks.sweep()
    assert rung == [task.pk]
    assert take(task).status == Status.READY


def test_neither_a_small_step_nor_a_turn_makes_the_wait_for_the_next_one_count(engine, monkeypatch):
    monkeypatch.setattr(pipeline, "TURN_SECONDS", 0.0)
    engine.script = phrases(3)
    task = take(waiting(step=Step.PREPARE))
    assert (task.step, task.begun_at) == (Step.TRANSCRIBE, None)

    waiting()  # another owner's
    task = take(task)
    assert (task.status, task.done_ms > 0, task.begun_at) == (Status.PENDING, True, None)


def test_a_task_that_got_nowhere_is_not_given_more_time_by_a_stop(engine):
    engine.script = [Report(doing="Fetching a model")]
    task = take(waiting(), stopping=lambda: True)
    begun_at = task.begun_at
    assert begun_at is not None
    assert take(task, stopping=lambda: True).begun_at == begun_at


def test_a_worker_that_stops_hands_its_task_back_at_once(engine):
    engine.script = phrases(3)
    task = take(waiting(), stopping=lambda: True)
    assert (task.status, task.lease_until, task.interruptions) == (Status.PENDING, None, 0)
    assert numbers_and_texts(task) == [(0, "phrase 0")]
    assert engine.closed == 1


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_running_task_that_is_cancelled_or_deleted_stops_and_writes_nothing_more(engine, how):
    task = waiting()
    act = task.video.delete if how == "delete" else Task.objects.filter(pk=task.pk).cancel
    first, second = phrases(2)
    engine.script = [first, lambda: act() and None, Report(), second]
    claimed = Task.objects.claim(task.pk, LEASE)
    pipeline.step(claimed)
    assert engine.closed == 1
    assert Segment.objects.count() == (0 if how == "delete" else 1)
    assert how == "delete" or Task.objects.get().error == "Cancelled."


def test_a_sleeper_that_wakes_after_its_lease_writes_nothing(engine):
    task = waiting()
    first, second = phrases(2)

    def another_takes_over() -> None:
        Task.objects.update(lease_until=Now() - timedelta(seconds=1))
        assert Task.objects.claim(task.pk, LEASE) is not None

    engine.script = [first, another_takes_over, second]
    task = take(task)
    assert numbers_and_texts(task) == [(0, "phrase 0")]
    assert task.status == Status.INDEXING


def test_a_long_task_lets_others_have_their_turn(engine, monkeypatch):
    monkeypatch.setattr(pipeline, "TURN_SECONDS", 0.0)
    engine.script = phrases(5)
    long = waiting()
    assert take(long).status == Status.READY  # nobody waits: it may go on

    index = make_index()
    long = waiting(video=make_video(index, content=b"long"))
    waiting(video=make_video(index, content=b"next of the same owner"))
    assert take(long).status == Status.READY  # first come, first served

    long, short = waiting(video=make_video(index, content=b"long")), waiting()
    assert take(long).status == Status.PENDING
    assert Task.objects.get(pk=long.pk).done_ms == 2000
    assert tasks._whose_turn(Step.TRANSCRIBE) == short.pk


def test_progress_says_what_comes_before_listening(engine):
    seen: list[tuple[str, float | None]] = []

    def look() -> None:
        seen.append(Task.objects.values_list("doing", "fraction").get())

    engine.script = [
        Report(doing="Fetching the model", fraction=0.5), look,
        Report(done_ms=1000), look,
    ]  # fmt: skip
    take(waiting())
    assert seen == [("Fetching the model", 0.5), ("", None)]


def test_text_that_a_database_cannot_hold_is_made_fit(engine):
    engine.script = [Report(cues=(cue(0, 900, "nul \0 and \ud800 half"),), done_ms=900)]
    assert numbers_and_texts(take(waiting())) == [(0, "nul  and ? half")]


def test_a_task_past_its_deadline_ends_while_it_runs(engine):
    engine.script = [Report(doing="Fetching a model")]
    claimed = Task.objects.claim(waiting().pk, LEASE)
    claimed.begun_at = timezone.now() - timedelta(hours=73)
    with pytest.raises(EngineError, match="Not finished within"):
        pipeline._Listening(claimed, lambda: False).run()


@pytest.mark.django_db(transaction=True)
def test_a_video_can_be_deleted_while_its_segments_are_written(engine, rung, monkeypatch):
    task = waiting()
    threads = []

    def delete() -> None:
        ingest.delete_video(Video.objects.get(pk=task.video_id))
        connection.close()

    def meanwhile(place: str) -> None:
        if place == "segments.half" and not threads:
            threads.append(threading.Thread(target=delete))
            threads[0].start()
            time.sleep(0.3)

    monkeypatch.setattr(failpoints, "reach", meanwhile)
    engine.script = phrases(3)
    pipeline.step(Task.objects.claim(task.pk, LEASE))
    threads[0].join(30)
    assert not Video.objects.exists()
    assert not Segment.objects.exists()


# --- prepare ---


@pytest.fixture
def slow_poster(monkeypatch) -> list[str]:
    """A poster that is drawn in 50 ticks; what happens at the third one is up to the test."""
    at_third: list = []

    def drawing(*args, **options):
        for number in range(50):
            if number == 3:
                for act in at_third:
                    act()
            yield False

    monkeypatch.setattr(pictures, "drawing", drawing)
    return at_third


def test_a_long_prepare_keeps_its_lease(engine, slow_poster, settings):
    settings.HEARTBEAT_SECONDS = 0.0
    seen = []

    def look() -> None:
        seen.append(Task.objects.get().lease_until)

    task = waiting(step=Step.PREPARE)
    claimed = Task.objects.claim(task.pk, timedelta(seconds=1))
    slow_poster.append(look)
    first = Task.objects.get().lease_until
    pipeline.step(claimed)
    assert seen[0] > first


def test_a_prepare_that_is_cancelled_stops(engine, slow_poster):
    task = waiting(step=Step.PREPARE)
    slow_poster.append(lambda: Task.objects.filter(pk=task.pk).cancel())
    task = take(task)
    assert (task.status, task.cancelled) == (Status.FAILED, True)


def test_a_worker_that_stops_hands_a_prepare_back_at_once(engine, slow_poster):
    task = take(waiting(step=Step.PREPARE), stopping=lambda: True)
    assert (task.step, task.lease_until, task.interruptions) == (Step.PREPARE, None, 0)


# --- again ---


def test_a_video_is_transcribed_again_and_keeps_what_it_has_until_then(engine, rung):
    engine.script = phrases(1)
    first = take(waiting())
    again = ingest.transcribe_again(first.video, "fake", "")
    first.video.refresh_from_db()
    assert first.video.transcript_id == first.pk
    with pytest.raises(Refused, match="already"):
        ingest.transcribe_again(first.video, "fake", "")
    Task.objects.filter(pk=again.pk).update(step=Step.TRANSCRIBE)
    again = take(again)
    assert again.video.transcript_id == again.pk
    assert Segment.objects.count() == 2


@pytest.mark.parametrize(("engine_name", "language"), [("nonsense", ""), ("sphinx", "de")])
def test_what_no_engine_can_do_again_is_refused(engine, engine_name, language):
    with pytest.raises(Refused):
        ingest.transcribe_again(make_video(), engine_name, language)


# --- Celery's door ---


@pytest.mark.django_db(transaction=True)
def test_a_message_delivered_to_many_at_once_does_its_work_once(engine, rung):
    engine.script = phrases(20)
    task = waiting()

    def deliver() -> None:
        tasks.advance(task.pk)
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(engine.calls), engine.most_at_once) == (1, 1)
    assert Segment.objects.count() == 20


def test_a_lost_message_is_rung_again_by_the_sweep(engine, rung):
    light, heavy = waiting(step=Step.PREPARE), waiting()
    tasks.sweep()
    assert rung == [light.pk, heavy.pk]


def test_a_worker_that_takes_steps_is_heard_though_its_sweeps_are_late(engine, settings):
    Pulse.objects.beat("worker")
    Pulse.objects.update(at=timezone.now() - timedelta(minutes=10))

    tasks.advance("0" * 24)

    assert Pulse.objects.heard("worker", settings.SWEEP_SECONDS)


def test_the_sweep_leaves_alone_what_runs_or_waits_or_ended(engine, rung):
    Task.objects.claim(waiting().pk, LEASE)
    Task.objects.claim(waiting().pk, LEASE).release(after_seconds=60)
    waiting(status=Status.READY, step=Step.DONE)
    tasks.sweep()
    assert rung == []


def test_who_finds_no_slot_is_taken_by_who_has_it(rung, monkeypatch):
    first, second = waiting(step=Step.PREPARE), waiting(step=Step.PREPARE)
    monkeypatch.setitem(tasks._slots, Step.PREPARE, threading.BoundedSemaphore(1))
    taken: list[str] = []

    def take(task_id: str) -> None:
        Task.objects.claim(task_id, LEASE)
        if task_id == first.pk:
            tasks.advance(second.pk)  # beside it: it finds no slot
        taken.append(task_id)

    monkeypatch.setattr(tasks, "_take", take)
    tasks.advance(first.pk)
    assert taken == [first.pk, second.pk]


def test_who_comes_while_a_slot_is_let_go_is_rung(rung, monkeypatch):
    first, second = waiting(step=Step.PREPARE), waiting(step=Step.PREPARE)
    turns = iter([first.pk, None, second.pk])
    monkeypatch.setattr(tasks, "_whose_turn", lambda step: next(turns))
    monkeypatch.setattr(tasks, "_take", lambda task_id: None)
    tasks.advance(first.pk)
    assert rung == [first.pk, second.pk]


def test_a_message_for_a_deleted_task_is_nothing(rung):
    tasks.advance("0" * 24)
    assert rung == []


def test_a_broker_that_is_down_costs_the_caller_nothing(monkeypatch):
    def down(*args, **options):
        raise OSError("no broker")

    monkeypatch.setattr(tasks.advance, "apply_async", down)
    tasks.ring("0" * 24)


def test_one_user_s_thousand_tasks_do_not_keep_another_waiting(engine, rung):
    ann, bob = make_index(), make_index()
    engine.script = phrases(1)
    for _ in range(4):
        waiting(video=make_video(ann, content=b"a"))
    late = waiting(video=make_video(bob, content=b"b"))
    for _ in range(2):
        tasks.advance(Task.objects.due().order_by("created_at").first().pk)
    late.refresh_from_db()
    assert late.status == Status.READY


def test_a_poster_that_the_disk_does_not_take_fails_no_task(settings, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    settings.DERIVED_ROOT = str(tmp_path / "file")
    video = make_video(video_codec="h264")

    assert pipeline._draw_poster(make_task(video, step=Step.PREPARE), lambda: False)
