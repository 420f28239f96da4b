"""Whoever changes what hangs on a video locks the video first: nobody waits crosswise.

Postgres ends one of two who do ("deadlock detected"). On SQLite there is one writer at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.factories import make_index, make_task, make_transcript, make_user, make_video, uploaded
from videos import admission, corrections, fetching, hush, ingest, pipeline, search
from videos.corrections import Refused, Seen
from videos.models import Fetch, Select, Status, Step, Task, Video, select
from videos.models.select import SelectQuerySet, keep, put_back, remember
from videos.models.task import TaskQuerySet

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 0.5  # seconds that one waits in the middle for the other, who may wait for it


def at_once(*deeds: Callable[[], object]) -> None:
    """Do them in threads with connections of their own. Raises what one of them raised."""
    faults: list[Exception] = []

    def do(deed: Callable[[], object]) -> None:
        try:
            deed()
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if faults:
        raise faults[0]


@pytest.fixture
def meet(monkeypatch) -> Callable[..., None]:
    """``meet(where, name, after=…)``: whoever calls that waits there a moment for the other."""
    barrier = threading.Barrier(2)

    def wait() -> None:
        with suppress(threading.BrokenBarrierError):
            barrier.wait(PATIENCE)

    def patch(where: Any, name: str, *, after: bool) -> None:
        was = getattr(where, name)

        def call(*args: Any, **options: Any) -> Any:
            if not after:
                wait()
            answer = was(*args, **options)
            if after:
                wait()
            return answer

        monkeypatch.setattr(where, name, call)

    return patch


def correct(task: Task, number: int = 0) -> Callable[[], object]:
    row = task.segments.get(number=number)
    seen, times = Seen(row.pk, row.start_ms, row.version), (row.start_ms, row.end_ms)

    def deed() -> None:
        with suppress(Refused):
            corrections.save(make_user(), task, seen, "Something else.", times)

    return deed


@pytest.mark.parametrize("what", ["video", "index", "task"])
def test_a_correction_and_who_deletes_its_lines_wait_for_each_other(meet, what):
    video = make_transcript(3)
    task = make_task(video, status=Status.READY) if what == "task" else video.transcript
    pipeline.write(task, [pipeline.Cue(0, 900, "Hello")], task.segments.count())
    deeds: dict[str, Callable[[], None]] = {
        "video": lambda: ingest.delete_video(video),
        "index": lambda: ingest.delete_index(video.index),
        "task": lambda: ingest.delete_task(task),
    }
    meet(search, "forget", after=True)
    meet(corrections, "_put_in", after=False)
    at_once(correct(task), deeds[what])
    assert not Task.objects.filter(pk=task.pk).exists()


@pytest.mark.parametrize("what", ["keep", "trim", "put back"])
def test_what_is_kept_while_its_line_is_corrected_has_the_line_as_it_is_then(meet, what):
    video = make_transcript([(0, 2000, "One"), (2000, 4000, "Two")])
    kept = keep(video, 0, 2000, video.index.owner)
    taken = remember(kept)
    kept = Select.objects.get(pk=kept.pk)
    deeds: dict[str, Callable[[], object]] = {
        "keep": lambda: keep(video, 0, 4000, video.index.owner, pk="a" * 24),
        "trim": lambda: kept.change(end_ms=4000),
        "put back": lambda: put_back(video, taken),
    }
    if what == "put back":
        Select.objects.all().delete()
    meet(select, "words", after=True)
    meet(corrections, "_put_in", after=False)
    at_once(correct(video.transcript), deeds[what])
    words = set(Select.objects.exclude(pk=kept.pk if what == "keep" else "").values_list("words"))
    assert words == {("Something else." if what == "put back" else "Something else. Two",)}


def test_a_correction_and_who_marks_lines_over_silence_wait_for_each_other(meet):
    task = make_transcript([(0, 2000, "One"), (2000, 4000, "Two")]).transcript
    meet(hush, "_add", after=True)
    meet(corrections, "_put_in", after=False)
    at_once(correct(task, 1), lambda: hush.mark(task, bytes(600)))
    task.refresh_from_db()
    assert task.edition == 2


def test_who_deletes_a_video_and_who_finishes_its_task_wait_for_each_other(meet):
    video = make_video()
    claimed = Task.objects.claim(make_task(video, step=Step.TRANSCRIBE).pk, pipeline.lease())

    def finish() -> None:
        with suppress(pipeline.LostLease):
            pipeline._finish(claimed)

    meet(Task, "end", after=True)
    meet(TaskQuerySet, "cancel", after=False)
    at_once(finish, lambda: ingest.delete_video(video))
    assert not Video.objects.exists()


def test_who_deletes_a_video_and_who_brings_its_file_wait_for_each_other(meet, sample):
    video = make_video(sha256="")
    task = make_task(video, step=Step.FETCH)
    fetch = Fetch.objects.create(owner=video.index.owner, task=task, media_url="https://x/a.mp4")
    claimed = Fetch.objects.claim(fetch.pk, timedelta(seconds=60))
    part = uploaded(sample.read_bytes())
    found = admission.look_at(part.path)

    def bring() -> None:
        with suppress(fetching.LostLease):
            fetching._keep(claimed, part, found, [])

    meet(admission, "facts", after=False)
    meet(TaskQuerySet, "cancel", after=False)
    at_once(bring, lambda: ingest.delete_video(video))
    assert not Video.objects.exists()


def test_a_correction_and_who_moves_the_video_wait_for_each_other(meet, client):
    owner = make_user()
    task = make_transcript(3, make_index(owner)).transcript
    other = make_index(owner)
    keep(task.video, 0, 3000, owner)
    client.force_login(owner)
    form = {"do": "move", "index": other.pk, "video": task.video_id}

    meet(SelectQuerySet, "bring_to", after=True)
    meet(corrections, "_put_in", after=True)
    at_once(correct(task), lambda: client.post("/videos/many", form))

    assert Video.objects.get().index == other
    assert Select.objects.get().words.startswith("Something else.")
