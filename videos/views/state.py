"""A task's state in plain words. All that a page says about progress is said here."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from videos import engines
from videos.forms import LANGUAGE_NAMES
from videos.models import Status, Step, Task, Video
from videos.pipeline import CAPTIONS
from videos.timecode import clock, spoken

# A step in a cloud, while a worker takes it and while it waits.
CLOUD_WORDS = {
    Step.SUBMIT: ("Uploading to {}", "Waiting to be uploaded to {}"),
    Step.POLL: ("Waiting for {}", "Waiting for {}"),
    Step.RECEIVE: ("Fetching the transcript from {}", "Fetching the transcript from {}"),
}
LOST_FILE = "Delete this video and upload it again."


@dataclass(frozen=True, slots=True)
class State:
    """``kind`` is one of waiting, running, ready, failed, cancelled: the colour, not the words.

    ``percent`` is None where no number would be true.
    """

    kind: str
    headline: str
    detail: str = ""
    percent: int | None = None

    @property
    def is_final(self) -> bool:
        return self.kind in ("ready", "failed", "cancelled")


def latest_task(video: Video) -> Task | None:
    """The newest of the video's tasks (they come newest first, prefetched in lists)."""
    for task in video.tasks.all()[:1]:
        task.video = video  # its duration gives the percentage, without another query
        return task
    return None


def describe(task: Task | None, *, ahead: int = 0) -> State:
    """Say what happens to the task now; ``ahead`` tasks have their turn before it."""
    if task is None:
        return State("failed", "No transcript was started", LOST_FILE)
    if task.status == Status.READY:
        return State("ready", "Ready", percent=100)
    known = task.video.transcript_id is not None  # an earlier task's: it stays
    if task.cancelled:
        headline = "New transcript cancelled" if known else "Cancelled"
        return State("cancelled", headline, _kept(task), _percent(task))
    if task.status == Status.FAILED:
        headline = "Not transcribed again" if known else "Not transcribed"
        return State("failed", headline, task.error, _percent(task))
    if task.step == Step.FETCH:
        return _fetching(task)
    return _running(task) if task.is_running else _waiting(task, ahead)


def _fetching(task: Task) -> State:
    """Its fetch writes how many bytes are here, and why it tries once more."""
    if not task.doing:
        return State("waiting", "Waiting to be fetched", task.error_detail)
    percent = None if task.fraction is None else min(99, int(task.fraction * 100))
    return State("running", task.doing, percent=percent)


def _running(task: Task) -> State:
    if task.step == Step.PREPARE:
        return State("running", "Checking the file")
    if task.step in CLOUD_WORDS:
        return _in_a_cloud(task, CLOUD_WORDS[Step(task.step)][0])
    if task.doing:
        percent = None if task.fraction is None else int(task.fraction * 100)
        return State("running", task.doing, percent=percent)
    left = task.seconds_left
    detail = f"about {spoken(left)} left" if left is not None else ""
    return State("running", "Listening", detail, task.percent)


def _in_a_cloud(task: Task, words: str) -> State:
    """Nobody here works on it while it waits there, yet it gets on: so it is "running"."""
    service = engines.CLOUD[task.engine].service if task.engine in engines.CLOUD else task.engine
    if task.remote_faults and not task.is_running:
        return State("waiting", words.format(service), f"{task.doing} Next try {_when(task)}.")
    percent = None if task.fraction is None else int(task.fraction * 100)
    waits = task.step == Step.SUBMIT and not task.is_running
    return State("waiting" if waits else "running", words.format(service), percent=percent)


def _waiting(task: Task, ahead: int) -> State:
    if task.step in CLOUD_WORDS and not task.interruptions:
        return _in_a_cloud(task, CLOUD_WORDS[Step(task.step)][1])
    if task.interruptions:
        detail = f"Resuming from {clock(task.done_ms)} {_when(task)}."
        return State("waiting", "Interrupted", detail, _percent(task))
    if task.done_ms:
        detail = f"Resuming from {clock(task.done_ms)}{_queue(ahead)}."
        return State("waiting", "Waiting for its next turn", detail, task.percent)
    return State("waiting", f"Waiting for its turn{_queue(ahead)}")


def _queue(ahead: int) -> str:
    return f", {ahead} ahead" if ahead else ""


def _when(task: Task) -> str:
    """How soon a task that was set back is tried again."""
    if task.not_before is None:
        return "in a moment"
    seconds = (task.not_before - timezone.now()).total_seconds()
    return f"in {spoken(seconds)}" if seconds >= 1 else "in a moment"


def _kept(task: Task) -> str:
    return f"What was heard until {clock(task.done_ms)} is kept." if task.done_ms else ""


def _percent(task: Task) -> int | None:
    return task.percent if task.done_ms else None


def count_ahead(task: Task) -> int:
    """How many tasks have this turn before it: owners take turns, so those of the same owner."""
    before = Task.objects.unfinished().filter(step=task.step, asked_at__lt=task.asked_at)
    return before.filter(video__index__owner=task.video.index.owner_id).count()


def origin(task: Task) -> str:
    """Who made a transcript: ``Whisper, model base, English``."""
    parts = [engine_label(task.engine)]
    if task.model:
        parts.append(task.model if task.engine == CAPTIONS else f"model {task.model}")
    language = task.heard_language or task.language
    if language and task.engine != CAPTIONS:
        parts.append(LANGUAGE_NAMES.get(language, language))
    return ", ".join(parts)


def engine_label(name: str) -> str:
    if name == CAPTIONS:
        return "Captions file"
    try:
        return engines.get(name).label
    except KeyError:  # an engine of an earlier version
        return name
