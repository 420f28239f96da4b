"""Takes a claimed Task one step on. The only room that changes the status of one that runs.

    prepare -> transcribe -> done                 an engine on this machine
    prepare -> submit -> poll -> receive -> done    a service elsewhere

Each step may be cut off at any moment and taken again: what it writes, it writes together
with the task's new state in one transaction that only the holder of the lease can make.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from videos import doubt, engines, failpoints, hush, search, storage, timecode
from videos.engines.base import (
    Call,
    CloudConfig,
    Cue,
    EngineConfig,
    EngineError,
    NotNow,
    Parcel,
    Place,
    Progress,
    Report,
)
from videos.media import pictures
from videos.media.sandbox import MediaError
from videos.models import Index, LostLease, RemoteDeletion, Segment, Status, Step, Task, Video
from videos.models.task import MAX_INTERRUPTIONS

logger = logging.getLogger(__name__)

# A task that has listened for so long lets another one have its turn, if one waits.
TURN_SECONDS = 180.0
# How often a running step looks whether it was cancelled, and how often the page sees it move.
LOOK_SECONDS = 1.0
SENDING_LOOK_SECONDS = 0.6  # a cancelled upload stops within a second, with the call's own ticks
SETBACK_SECONDS = (2.0, 10.0, 30.0)

# After a call to a service that failed, doubled with each one in a row.
FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 300.0
# A task is asked about every so often of its age: 5 s at first, a minute after 20 of them.
POLL_SHARE = 1 / 20
SLOWEST_POLL = 12  # times the first interval

# The "engine" of a transcript that came with the video.
CAPTIONS = "captions"

Stopping = Callable[[], bool]


def lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def engine_config() -> EngineConfig:
    """What the settings say to the engines, which know no Django."""
    return EngineConfig(
        data_dir=Path(settings.DATA_DIR),
        base_dir=Path(settings.BASE_DIR),
        cores=settings.CORES,
        whisper_model=settings.WHISPER_MODEL,
        hub_url=settings.HUB_URL,
        fetch_models=settings.FETCH_MODELS,
        model_stall_seconds=settings.MODEL_STALL_SECONDS,
        memory_bytes=settings.ENGINE_MEMORY_BYTES,
        reserve_bytes=settings.MIN_FREE_BYTES,
        cloud=CloudConfig(
            key=settings.TWELVELABS_API_KEY,
            base_url=settings.TWELVELABS_BASE_URL,
            version=settings.TWELVELABS_VERSION,
            model=settings.TWELVELABS_MODEL,
            timeout_seconds=settings.TWELVELABS_TIMEOUT_SECONDS,
        ),
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
        elif task.step == Step.TRANSCRIBE:
            _Listening(task, stopping).run()
        else:
            _Cloud(task, stopping).run()
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
    for row, marks in zip(made, doubt.marks(made, before, task.video.duration_ms), strict=True):
        row.marks = marks
    return made


def _unmarked(task: Task, cues: Iterable[Cue], first_number: int) -> Iterator[Segment]:
    for number, cue in enumerate(cues, first_number):
        words = [[w.start_ms, w.end_ms, w.text, w.probability] for w in cue.words] or None
        text = _storable(cue.text)
        yield Segment(
            task=task,
            number=number,
            start_ms=cue.start_ms,
            end_ms=cue.end_ms,
            text=text,
            words=words,
            unsure=doubt.unsure_places(text, words),
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
    limit = timecode.spoken(settings.TASK_DEADLINE_HOURS * 3600)
    return f"Not finished within {limit} of its start."


def _is_overdue(task: Task) -> bool:
    limit = timedelta(hours=settings.TASK_DEADLINE_HOURS)
    return task.begun_at is not None and timezone.now() - task.begun_at > limit


def _hopeless(task: Task) -> str:
    """Why this task should not be tried any more, or an empty string."""
    if _is_overdue(task):
        return overdue_sentence()
    if task.interruptions >= MAX_INTERRUPTIONS:
        if task.step == Step.SUBMIT:
            return "Stopped three times while this file was sent, so it is left alone."
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

    def __init__(self, task: Task, look_seconds: float | None = None) -> None:
        self.task = task
        self.look_seconds = LOOK_SECONDS if look_seconds is None else look_seconds
        self.renewed = self.looked = time.monotonic()

    def is_time_to_look(self) -> bool:
        return time.monotonic() - self.looked >= self.look_seconds

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
        task.release(step=_first_step(task), status=Status.PENDING, begun_at=None)


def _first_step(task: Task) -> Step:
    """What is in a cloud already is not sent again."""
    if task.engine not in engines.CLOUD:
        return Step.TRANSCRIBE
    return Step.POLL if task.remote_id else Step.SUBMIT


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
    except (MediaError, OSError) as error:
        detail = getattr(error, "detail", "")
        logger.warning("video=%s no poster: %s %s", video.pk, error, detail)
    return True


def draw_missed_poster(video: Video) -> None:
    """Once more, where it could not be drawn, perhaps for want of room on the disk."""
    if Video.objects.filter(pk=video.pk, has_poster=True).exists():
        return
    try:
        if any(_drawing(video)):
            Video.objects.filter(pk=video.pk).update(has_poster=True)
    except (MediaError, OSError) as error:
        logger.warning("video=%s no poster: %s", video.pk, error)


def _drawing(video: Video) -> Generator[bool, None, None]:
    folder = video.poster_path.parent
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f".{video.poster_path.name}.*.part"):  # by a worker that was killed
        left.unlink(missing_ok=True)
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
                    self._hand_back()
                    return
        failpoints.reach("step.before_commit")
        _finish(self.task)

    def _hand_back(self) -> None:
        """After a turn in which it got on, the wait for the next one is no time of work."""
        waits: dict[str, Any] = {} if self.turn_began is None else {"begun_at": None}
        self.task.release(status=Status.PENDING, doing="", fraction=None, **waits)

    def _reports(self) -> Generator[Report, None, None]:
        return engines.ENGINES[self.task.engine].transcribe(
            _media(self.task),
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
        return Task.objects.due().at(Step.TRANSCRIBE).exclude(video__index__owner=mine).exists()


def _media(task: Task) -> Path:
    path = storage.media_path(task.video.media_name)
    if not path.exists():
        raise EngineError("The video's file is missing on this server.", permanent=True)
    return path


# --- submit, poll, receive ---

Answer = TypeVar("Answer")


class _Stopping(Exception):
    """The worker shuts down: the call is broken off and the task handed back."""


class _Cloud:
    """One step of a task that a service elsewhere listens to."""

    def __init__(self, task: Task, stopping: Stopping) -> None:
        self.task = task
        self.stopping = stopping
        self.hold = _Lease(task, SENDING_LOOK_SECONDS)
        self.engine = engines.CLOUD[task.engine]
        self.config = engine_config()
        self.last_fault = task.doing if task.remote_faults else ""

    def run(self) -> None:
        steps = {Step.SUBMIT: self._submit, Step.POLL: self._poll, Step.RECEIVE: self._receive}
        try:
            if self._is_late():
                self._give_up(NotNow(self.last_fault))
            else:
                steps[Step(self.task.step)]()
        except _Stopping:
            self.task.release(doing="", fraction=None)
        except NotNow as error:
            self._wait(error)

    def _submit(self) -> None:
        """What is meant to happen is written before it does: see ``Task.remote_asked_at``."""
        sent_before = self.task.remote_asked_at is not None
        intent = {} if sent_before else {"remote_asked_at": Now()}
        self.task.write(status=Status.INDEXING, **intent)
        index_id = self._mirror_index()
        failpoints.reach("remote.before_call")
        parcel = self._parcel(sent_before)
        call = self.engine.submit(self.config, index_id, parcel)
        place = self._attend(call, f"Uploading to {self.engine.service}")
        failpoints.reach("remote.after_call")
        found = {"remote_id": place.task_id, "remote_video_id": place.video_id}
        self._go_on(Step.POLL, settings.TWELVELABS_POLL_SECONDS, **found)

    def _mirror_index(self) -> str:
        """Where an earlier attempt went, or the mirror of the index that the video is in."""
        index = self.task.video.index
        known = _remote_index(self.task)
        index_id = self._attend(self.engine.mirror(self.config, index.remote_tag, known))
        failpoints.reach("remote.after_index")
        if index_id != known:
            Index.objects.filter(pk=index.pk).update(remote_id=index_id)
        self.task.write(remote_index_id=index_id)
        return index_id

    def _parcel(self, sent_before: bool) -> Parcel:
        video = self.task.video
        return Parcel(
            media=_media(self.task),
            tag=self.task.remote_tag,
            index_tag=video.index.remote_tag,
            content_type=video.content_type,
            title=video.filename,
            language=self.task.language,
            sent_before=sent_before,
        )

    def _poll(self) -> None:
        progress = self._attend(self.engine.poll(self.config, self._place()))
        if progress.error:
            self._end_as_they_did(progress)
        elif progress.is_ready:
            self._go_on(Step.RECEIVE, remote_video_id=progress.video_id)
        else:
            wait = self._poll_seconds()
            found = {"remote_video_id": progress.video_id, "fraction": progress.fraction}
            self._go_on(Step.POLL, wait, **found)

    def _receive(self) -> None:
        cues = self._attend(self.engine.fetch(self.config, self._place()))
        with transaction.atomic():
            Video.objects.filter(pk=self.task.video_id).lock()
            self.task.write(remote_faults=0)
            write(self.task, cues, 0)
            failpoints.reach("step.before_commit")
            _make_ready(self.task)
        hush.look(self.task.video_id)

    def _attend(self, call: Call[Answer], doing: str = "") -> Answer:
        """Keep the lease while the call is under way, and show how much was sent."""
        with closing(call):
            while True:
                try:
                    tick = next(call)
                except StopIteration as end:
                    answer: Answer = end.value
                    return answer
                if tick.bytes:
                    failpoints.reach("remote.sending")
                if self.stopping():
                    raise _Stopping
                if self.hold.is_time_to_look():
                    self.hold.keep(**({"doing": doing, "fraction": tick.fraction} if doing else {}))

    def _place(self) -> Place:
        return remote_place(self.task)

    def _go_on(self, step: Step, after_seconds: float = 0, **found: object) -> None:
        fields = {"step": step, "status": Status.INDEXING, "doing": "", "fraction": None}
        calm = {"remote_faults": 0, "interruptions": 0, "error_detail": ""}
        self.task.release(after_seconds=after_seconds, **{**fields, **calm, **found})

    def _end_as_they_did(self, progress: Progress) -> None:
        """Failed there: the next try sends it once more, and the failed one goes."""
        place = self._place()
        with transaction.atomic():
            self.task.end(Status.FAILED, progress.error, remote_id="", remote_video_id="")
            if settings.TWELVELABS_DELETE:
                RemoteDeletion.objects.create(
                    engine=self.task.engine,
                    index_id=place.index_id,
                    task_id=place.task_id,
                    video_id=progress.video_id,
                )

    # --- when it does not answer as it should ---

    def _wait(self, error: NotNow) -> None:
        """As a row that is due later: no worker sleeps."""
        faults = self.task.remote_faults + 1 if str(error) == self.last_fault else 1
        if self._is_late() or (error.most and faults >= error.most):
            self._give_up(error)
            return
        self.task.release(
            after_seconds=self._wait_seconds(error, faults),
            doing=str(error)[:200],
            fraction=None,
            remote_faults=faults,
            error_detail=error.detail[:20_000],
        )

    def _wait_seconds(self, error: NotNow, faults: int) -> float:
        """As asked for until the deadline, else doubled each time; never the same for all."""
        if error.wait_seconds is not None:
            wait = min(error.wait_seconds, max(1.0, _deadline_seconds() - self._age_seconds()))
            return wait * random.uniform(1.0, 1.1)  # noqa: S311 - no secret
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(faults - 1, 10))
        return wait * random.uniform(0.75, 1.25)  # noqa: S311

    def _give_up(self, error: NotNow) -> None:
        """What is gone there is sent again when somebody tries again."""
        lost: dict[str, object] = {}
        if error.gone and self.task.step != Step.SUBMIT:
            lost = {"remote_id": "", "remote_video_id": ""}
        sentence = str(error)
        if self._is_late():
            limit = timecode.spoken(_deadline_seconds())
            sentence = f"{self.engine.service} was not done within {limit}. {error}".strip()
        self.task.end(Status.FAILED, sentence, error_detail=error.detail[:20_000], **lost)

    def _age_seconds(self) -> float:
        asked = self.task.remote_asked_at
        return (timezone.now() - max(asked, self.task.asked_at)).total_seconds() if asked else 0.0

    def _is_late(self) -> bool:
        return self._age_seconds() > _deadline_seconds()

    def _poll_seconds(self) -> float:
        first = float(settings.TWELVELABS_POLL_SECONDS)
        slowest = SLOWEST_POLL * first
        return min(max(first, self._age_seconds() * POLL_SHARE), slowest)


def _deadline_seconds() -> float:
    return float(settings.TWELVELABS_DEADLINE_HOURS) * 3600


def remote_place(task: Task) -> Place:
    """Where the task is in a cloud; its index there is not the one its video was moved to."""
    return Place(_remote_index(task), task.remote_id, task.remote_video_id)


def _remote_index(task: Task) -> str:
    return task.remote_index_id or task.video.index.remote_id


def _finish(task: Task) -> None:
    _make_ready(task)
    hush.look(task.video_id)


def _make_ready(task: Task) -> None:
    """The task and the video that shows its segments change together or not at all.

    A transcript that an editor has corrected stays, and the new one is kept beside it.
    """
    with transaction.atomic():
        # Whoever is about to correct a first line waits for this, or is waited for.
        Video.objects.filter(pk=task.video_id).lock()
        task.end(Status.READY, done_ms=task.video.duration_ms, doing="", fraction=None)
        Video.objects.filter(pk=task.video_id).uncorrected().update(
            transcript=task, updated_at=Now()
        )
