"""Takes a claimed Task one step on. The only room that changes a Task's status.

    prepare -> transcribe -> done

Each step may be cut off at any moment and taken again: what it writes, it writes together
with the task's new state in one transaction that only the holder of the lease can make.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from videos import doubt, engines, failpoints, search, storage, timecode
from videos.engines.base import Cue, EngineConfig, EngineError, Report
from videos.media import pictures
from videos.media.sandbox import MediaError
from videos.models import LostLease, Segment, Status, Step, Task, Video
from videos.models.task import MAX_INTERRUPTIONS

logger = logging.getLogger(__name__)

# A task that has listened for so long lets another one have its turn, if one waits.
TURN_SECONDS = 180.0
# How often a running step looks whether it was cancelled, and how often the page sees it move.
LOOK_SECONDS = 1.0
SETBACK_SECONDS = (2.0, 10.0, 30.0)

# The "engine" of a transcript that came with the video.
CAPTIONS = "captions"

Stopping = Callable[[], bool]


def lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def engine_config() -> EngineConfig:
    """What the settings say to the engines, which know no Django."""
    return EngineConfig(
        data_dir=Path(settings.DATA_DIR),
        cores=settings.CORES,
        whisper_model=settings.WHISPER_MODEL,
        hub_url=settings.HUB_URL,
        fetch_models=settings.FETCH_MODELS,
        model_stall_seconds=settings.MODEL_STALL_SECONDS,
        memory_bytes=settings.ENGINE_MEMORY_BYTES,
    )


def step(task: Task, stopping: Stopping = lambda: False) -> None:
    """Do the claimed task's next step. ``stopping`` tells that the worker shuts down.

    Never raises: the task goes on, waits for another try, or ends with a sentence.
    """
    try:
        if sentence := _hopeless(task):
            task.end(Status.FAILED, sentence)
        elif task.step == Step.PREPARE:
            _prepare(task, stopping)
        else:
            _Listening(task, stopping).run()
    except LostLease:
        logger.info("task=%s is no longer ours, nothing more is written", task.pk)
    except EngineError as error:
        logger.warning("task=%s %s: %s", task.pk, error, error.detail)
        _set_back(task, str(error), error.detail, permanent=error.permanent)
    except Exception as error:
        logger.exception("task=%s step=%s", task.pk, task.step)
        _set_back(task, "Something went wrong on this server.", repr(error), permanent=False)


def rows(
    task: Task, cues: Iterable[Cue], first_number: int, before: Sequence[Segment] = ()
) -> list[Segment]:
    """Cues as unsaved segments of the task, numbered on from ``first_number``, with their marks.

    ``before``: the rows that they follow.
    """
    made = list(_unmarked(task, cues, first_number))
    for row, marks in zip(made, doubt.marks(made, before), strict=True):
        row.marks = marks
    return made


def _unmarked(task: Task, cues: Iterable[Cue], first_number: int) -> Iterator[Segment]:
    for number, cue in enumerate(cues, first_number):
        words = [[w.start_ms, w.end_ms, w.text, w.probability] for w in cue.words] or None
        yield Segment(
            task=task,
            number=number,
            start_ms=cue.start_ms,
            end_ms=cue.end_ms,
            text=_storable(cue.text),
            words=words,
        )


def write(
    task: Task, cues: Iterable[Cue], first_number: int, before: Sequence[Segment] = ()
) -> list[Segment]:
    """Store cues as the task's next segments, and make them findable."""
    made = rows(task, cues, first_number, before)
    search.index_segments(Segment.objects.bulk_create(made, batch_size=500))
    return made


def _storable(text: str) -> str:
    """Postgres takes no NUL and no lone surrogate."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def overdue_sentence() -> str:
    return f"Not finished within {timecode.spoken(settings.TASK_DEADLINE_HOURS * 3600)}."


def _is_overdue(task: Task) -> bool:
    return timezone.now() - task.asked_at > timedelta(hours=settings.TASK_DEADLINE_HOURS)


def _hopeless(task: Task) -> str:
    """Why this task should not be tried any more, or an empty string."""
    if _is_overdue(task):
        return overdue_sentence()
    if task.interruptions >= MAX_INTERRUPTIONS:
        where = timecode.clock(task.done_ms)
        return f"Stopped three times while reading this file at {where}, so it is left alone."
    return ""


def _set_back(task: Task, sentence: str, detail: str, *, permanent: bool) -> None:
    """Try again later, or end the task when that cannot help or did not help three times."""
    try:
        if permanent or task.interruptions + 1 >= MAX_INTERRUPTIONS:
            task.end(Status.FAILED, sentence, error_detail=detail[:20_000])
        else:
            wait = SETBACK_SECONDS[min(task.interruptions, len(SETBACK_SECONDS) - 1)]
            task.release(
                after_seconds=min(wait, settings.LEASE_SECONDS),
                status=Status.PENDING,
                doing="",
                fraction=None,
                interruptions=F("interruptions") + 1,
                error_detail=detail[:20_000],
            )
    except LostLease:
        logger.info("task=%s is no longer ours, nothing more is written", task.pk)
    except DatabaseError:
        logger.exception("task=%s is left to the sweep", task.pk)


class _Lease:
    """Keeps a running step's lease: renews it in time, and finds out when it is gone."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.renewed = self.looked = time.monotonic()

    def is_time_to_look(self) -> bool:
        return time.monotonic() - self.looked >= LOOK_SECONDS

    def keep(self, **changes: object) -> None:
        """Write ``changes``, with a longer lease when it ages; raises LostLease.

        With nothing to write it still looks whether the task was cancelled or taken over.
        """
        now = self.looked = time.monotonic()
        if now - self.renewed >= settings.HEARTBEAT_SECONDS:
            changes["lease_until"] = Now() + lease()
            self.renewed = now
        if changes:
            self.task.write(**changes)
        elif not Task.objects.held_as(self.task).exists():
            raise LostLease(self.task.pk)


# --- prepare ---


def _prepare(task: Task, stopping: Stopping) -> None:
    """Draw the poster; then the transcript, unless it came along or there is nothing to hear."""
    task.write(status=Status.VALIDATING)
    if not _draw_poster(task, stopping):
        task.release()
        return
    failpoints.reach("step.before_commit")
    if task.engine == CAPTIONS or not task.video.has_sound:
        _finish(task)
    else:
        task.release(step=Step.TRANSCRIBE, status=Status.PENDING)


def _draw_poster(task: Task, stopping: Stopping) -> bool:
    """A picture for the lists; False when it was broken off because the worker stops.

    A video without one is as good: its fault fails no task.
    """
    video, hold = task.video, _Lease(task)
    if not video.has_picture or video.has_poster:
        return True
    try:
        with closing(_drawing(video)) as drawing:
            for made in drawing:
                if made:
                    Video.objects.filter(pk=video.pk).update(has_poster=True)
                elif stopping():
                    return False
                elif hold.is_time_to_look():
                    hold.keep()
    except MediaError as error:
        logger.warning("video=%s no poster: %s %s", video.pk, error, error.detail)
    return True


def _drawing(video: Video) -> Generator[bool, None, None]:
    video.poster_path.parent.mkdir(parents=True, exist_ok=True)
    media = storage.media_path(video.media_name)
    at_ms = pictures.poster_moment(video.duration_ms)
    return pictures.drawing(media, video.poster_path, at_ms=at_ms)


# --- transcribe ---


class _Listening:
    """One run of a local engine over a task: keeps what it reports, and keeps the lease."""

    def __init__(self, task: Task, stopping: Stopping) -> None:
        self.task = task
        self.stopping = stopping
        self.hold = _Lease(task)
        self.number = task.segments.count()
        self.before = list(task.segments.order_by("-number")[: doubt.LOOK_BACK])[::-1]
        self.turn_began: float | None = None  # when it first got on

    def run(self) -> None:
        self.task.write(status=Status.INDEXING, run_started_at=None, error_detail="")
        with closing(self._reports()) as reports:
            for report in reports:
                self._keep(report)
                if self._should_hand_back():
                    self.task.release(status=Status.PENDING, doing="", fraction=None)
                    return
        failpoints.reach("step.before_commit")
        _finish(self.task)

    def _reports(self) -> Generator[Report, None, None]:
        path = storage.media_path(self.task.video.media_name)
        if not path.exists():
            raise EngineError("The video's file is missing on this server.", permanent=True)
        return engines.get(self.task.engine).transcribe(
            path,
            engine_config(),
            language=self.task.language or self.task.heard_language,
            from_ms=self.task.done_ms,
        )

    def _keep(self, report: Report) -> None:
        """Store what is new; look now and then whether the task is still ours, and in time."""
        if report.cues:
            self._store(report)
        elif self.hold.is_time_to_look():
            if _is_overdue(self.task):
                raise EngineError(overdue_sentence(), permanent=True)
            self.hold.keep(**self._changes(report))

    def _store(self, report: Report) -> None:
        """New segments, and the moment up to which they reach, in one transaction."""
        with transaction.atomic():
            self.hold.keep(**self._changes(report))
            failpoints.reach("segments.half")
            made = write(self.task, report.cues, self.number, self.before)
        self.number += len(made)
        self.before = [*self.before, *made][-doubt.LOOK_BACK :]

    def _changes(self, report: Report) -> dict[str, object]:
        """The fields of the row that this report changes."""
        changes: dict[str, object] = {}
        if report.done_ms is not None and report.done_ms > self.task.done_ms:
            changes |= self._progress(report.done_ms)
        if report.language and report.language != self.task.heard_language:
            changes["heard_language"] = report.language
        doing = (report.doing[:200], report.fraction)
        if report != Report() and doing != (self.task.doing, self.task.fraction):
            changes |= {"doing": doing[0], "fraction": doing[1]}
        return changes

    def _progress(self, done_ms: int) -> dict[str, object]:
        """It got on, so whatever stopped it before was not this file."""
        changes: dict[str, object] = {"done_ms": done_ms, "interruptions": 0}
        if self.turn_began is None:
            self.turn_began = time.monotonic()
            changes |= {"run_started_at": Now(), "run_from_ms": self.task.done_ms}
        return changes

    def _should_hand_back(self) -> bool:
        """When the worker stops, or when it had its turn and somebody else waits.

        The turn begins when it first gets on: what it takes to come back to ``done_ms`` does
        not count, or a long video on a slow machine would never get on at all.
        """
        if self.stopping():
            return True
        if self.turn_began is None or time.monotonic() - self.turn_began < TURN_SECONDS:
            return False
        self.turn_began = time.monotonic()
        mine = self.task.video.index.owner_id
        return Task.objects.due().heavy().exclude(video__index__owner=mine).exists()


def _finish(task: Task) -> None:
    """Ready: the task and the video that shows its segments change together or not at all.

    A transcript that an editor has corrected stays, and the new one is kept beside it.
    """
    with transaction.atomic():
        task.end(Status.READY, done_ms=task.video.duration_ms, doing="", fraction=None)
        # Whoever is about to correct a first line waits for this, or is waited for.
        Video.objects.select_for_update().get(pk=task.video_id)
        Video.objects.filter(pk=task.video_id).uncorrected().update(
            transcript=task, updated_at=Now()
        )
