"""Celery's door. A message is a doorbell: it names a row, and may be lost, doubled or late."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.functions import Now

from videos import derive, failpoints, fetching, forgetting, pipeline, storage, webhooks
from videos.models import (
    Asset,
    Delivery,
    Fetch,
    Pulse,
    RemoteDeletion,
    Status,
    Step,
    Task,
    Upload,
    Video,
)
from videos.models.task import HEAVY

logger = logging.getLogger(__name__)

ORPHAN_SECONDS = 3600.0
DELIVERIES_KEPT = timedelta(days=30)
LATE_UPLOAD = "This upload was not finished in time."

_fetch_slots = threading.BoundedSemaphore(settings.FETCH_SLOTS)
_fetch_owners: list[int] = []  # of those whose files are fetched here now
_taking_turns = threading.Lock()  # or two would take the last slot for the same owner
_delivery_slot = threading.BoundedSemaphore(1)
_deletion_slot = threading.BoundedSemaphore(1)
# An upload waits for the network, speech for the cores, an answer for a cloud, somebody's click
# for a picture: none shall wait for another.
SLOTS = {
    Step.PREPARE: settings.LIGHT_SLOTS,
    Step.TRANSCRIBE: settings.SPEECH_SLOTS,
    Step.SUBMIT: settings.SENDING_SLOTS,
    Step.POLL: settings.LIGHT_SLOTS,
    Step.RECEIVE: settings.LIGHT_SLOTS,
}
_slots = {step: threading.BoundedSemaphore(slots) for step, slots in SLOTS.items()}
_stopping = threading.Event()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    """Running steps see it within a second, hand their tasks back and end."""
    _stopping.set()


@worker_ready.connect
def _start(**_: Any) -> None:
    """Begin with what was left behind, instead of waiting for beat's first call."""
    look_around()


def ring(task_id: str) -> None:
    """Tell a worker that this task is due. If nobody hears it, the sweep rings again."""
    _ring(advance, task_id)
    failpoints.reach("ring.after_publish")


def _ring(job: Any, *whom: str) -> None:
    try:
        job.apply_async(whom, retry=False)
    except Exception as error:  # whatever a broker raises: it must not cost the caller anything
        logger.warning("%s %s not rung, the sweep will: %s", job.name, " ".join(whom), error)


@shared_task
def advance(task_id: str, **_: Any) -> None:
    """Take a step on, if the task is due for it: whose turn it is. Safe to deliver twice, late
    or never. Without a free slot do nothing: who holds it rings when it is free.
    """
    _be_heard()
    found = Task.objects.due().filter(pk=task_id).values_list("step", flat=True).first()
    if found is None or not _slots[step := Step(found)].acquire(blocking=False):
        return
    try:
        _take_those_who_wait(step)
    finally:
        _slots[step].release()
    if not _stopping.is_set() and (next_id := _whose_turn(step)):
        ring(next_id)


def _be_heard() -> None:
    """A worker whose threads all wait for a slow cloud sweeps late, and is no mute one for that."""
    if not Pulse.objects.heard("worker", settings.SWEEP_SECONDS):
        Pulse.objects.beat("worker")


def _take(task_id: str) -> None:
    task = Task.objects.claim(task_id, pipeline.lease())
    if task is not None:
        pipeline.step(task, _stopping.is_set)
        _ring_errands()  # it may have ended, and its owner's webhook waits for that


def _take_those_who_wait(step: Step) -> None:
    """One of the heavy steps, and of small ones one after the other: to ring for each of them
    would take longer than the step.
    """
    while not _stopping.is_set() and (task_id := _whose_turn(step)):
        _take(task_id)
        if step in HEAVY:
            return
        ring(task_id)  # it may be due for its next step
        if step == Step.PREPARE and (video := Video.objects.filter(tasks=task_id).first()):
            derive.want(video)


def _whose_turn(step: Step) -> str | None:
    due = Task.objects.due().at(step)
    if step in HEAVY:
        return due.next_turn()
    # The one left alone for longest: many that wait for a cloud come again and again.
    return due.order_by("updated_at").values_list("pk", flat=True).first()


@shared_task
def forget(**_: Any) -> None:
    """Delete in a cloud what is due, one after the other: many shall not hold all threads."""
    _one_by_one(_deletion_slot, _forget_next)


def _forget_next() -> bool:
    if deletion := RemoteDeletion.objects.due().first():
        forgetting.carry_out(deletion.pk)
    return deletion is not None


def _one_by_one(slot: threading.BoundedSemaphore, take_next: Callable[[], bool]) -> None:
    """Until there is none; nothing where another thread is at it."""
    if not slot.acquire(blocking=False):
        return
    try:
        while not _stopping.is_set() and take_next():
            pass
    finally:
        slot.release()


@shared_task
def sweep(**_: Any) -> None:
    """Beat calls this every few seconds. Of calls that waited for a worker one is enough.

    So none expires: a worker whose clock is ahead of beat's would believe that each had.
    """
    if not Pulse.objects.heard("sweep", settings.SWEEP_SECONDS / 2):
        look_around()


def look_around() -> None:
    """Ring for what a crash or a lost message left behind, end what is late, clean up."""
    Pulse.objects.beat("worker")
    Pulse.objects.beat("sweep")
    overdue = Now() - timedelta(hours=settings.TASK_DEADLINE_HOURS)
    Task.objects.unfinished().filter(begun_at__lt=overdue).finish(
        Status.FAILED, pipeline.overdue_sentence()
    )
    for step, slots in SLOTS.items():  # whom it names does not matter: see ``_whose_turn``
        due = Task.objects.due().at(step).order_by("updated_at")
        for task_id in due.values_list("pk", flat=True)[:slots]:
            ring(task_id)
    if RemoteDeletion.objects.due().exists():
        _ring(forget)
    _ring_errands()
    derive.sweep()
    if not Pulse.objects.heard("cleaner", settings.CLEAN_MINUTES * 60):
        Pulse.objects.beat("cleaner")
        clean_up()


# --- calling addresses that users name: beside the tasks, in slots of their own ---


def ring_fetch() -> None:
    _ring(fetch)


def ring_delivery() -> None:
    _ring(deliver)


def _ring_errands() -> None:
    if Fetch.objects.due().exists():
        ring_fetch()
    if Delivery.objects.due().exists():
        ring_delivery()


@shared_task
def fetch(**_: Any) -> None:
    """Bring the file whose turn it is. Without a free slot, or one that the owners of those that
    are due may take, do nothing: its holder rings.
    """
    if _stopping.is_set() or not _fetch_slots.acquire(blocking=False):
        return
    try:
        found = _fetch_next()
    finally:
        _fetch_slots.release()
    if found and not _stopping.is_set() and Fetch.objects.due().exists():
        ring_fetch()


def _fetch_next() -> bool:
    with _taking_turns:
        pk = Fetch.objects.due().next_turn(_fetch_owners, _most_of_one())
        claimed = Fetch.objects.claim(pk, pipeline.lease()) if pk else None
        if claimed is not None:
            _fetch_owners.append(claimed.owner_id)
    if claimed is not None:
        _fetch(claimed)
    return pk is not None


def _most_of_one() -> int:
    """How many slots one owner may hold: the last one is for others, where there are any."""
    are_others = User.objects.filter(is_active=True).count() > 1
    return max(1, settings.FETCH_SLOTS - are_others)


def _fetch(claimed: Fetch) -> None:
    try:
        fetching.run(claimed, _stopping.is_set)
    finally:
        _fetch_owners.remove(claimed.owner_id)
    if claimed.task_id:
        ring(claimed.task_id)


@shared_task
def deliver(**_: Any) -> None:
    """Tell webhooks what waits for them, one after the other and in turns."""
    _one_by_one(_delivery_slot, _deliver_next)


def _deliver_next() -> bool:
    pk = Delivery.objects.due().by_lot("webhook")
    claimed = Delivery.objects.claim(pk, webhooks.lease()) if pk else None
    if claimed is not None:
        webhooks.deliver(claimed)
    return claimed is not None


def clean_up() -> None:
    """Delete what nothing names any more: broken uploads, files whose videos are gone."""
    for part in broken_uploads(settings.PART_FILE_HOURS * 3600):
        with suppress(IsADirectoryError):
            part.unlink(missing_ok=True)
    Delivery.objects.filter(created_at__lt=Now() - DELIVERIES_KEPT).delete()
    Asset.objects.filter(method=Asset.PAGE, upload__expires_at__lte=Now()).delete()
    late = Upload.objects.expired()
    Asset.objects.filter(upload__in=late, sha256="", error="").update(error=LATE_UPLOAD)
    for names in batched(storage.stored_before(ORPHAN_SECONDS)):
        used = _used(names)
        for name in names:
            if Path(name).name not in used:
                storage.discard_unless(partial(is_used, name), name, grace=ORPHAN_SECONDS)
    for ids in batched(storage.derived_before(ORPHAN_SECONDS)):
        known = Video.objects.filter(pk__in=ids)
        for video_id in set(ids) - set(known.values_list("pk", flat=True)):
            storage.delete_derived(video_id)


def broken_uploads(older_than_seconds: float) -> Iterator[Path]:
    """Part files that nobody has written to for so long, and with which nobody may go on."""
    for part in storage.stale_parts(older_than_seconds):
        if not Upload.objects.active().filter(pk=part.stem).exists():
            yield part


def batched(names: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    """Lists of ``size``: what one query takes comfortably."""
    names = iter(names)
    while batch := list(islice(names, size)):
        yield batch


def clean_up_after(video_id: str, media_name: str) -> None:
    """Delete a deleted video's files, but not bytes that a twin uses or is about to."""
    storage.delete_derived(video_id)
    if not media_name:
        return
    unused_for = storage.ADOPTION_SECONDS
    storage.discard_unless(partial(is_used, media_name), media_name, grace=unused_for)


def is_used(media_name: str) -> bool:
    return bool(_used([media_name]))


def _used(media_names: Iterable[str]) -> set[str]:
    """The hashes, of those that the files are named by, which a video or an asset has."""
    hashes = [Path(name).name for name in media_names]
    videos = Video.objects.filter(sha256__in=hashes).values_list("sha256", flat=True)
    assets = Asset.objects.filter(sha256__in=hashes).values_list("sha256", flat=True)
    return {*videos, *assets}


def broker_answers() -> str:
    """An empty string if a message could be sent now, or a sentence that says why not."""
    folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("data_folder_in")
    if folder is not None:
        return "" if os.access(folder, os.W_OK) else "The broker's folder cannot be written."
    try:
        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=2)
    except Exception as error:  # whatever a broker raises
        return f"The broker does not answer: {type(error).__name__}."
    return ""
