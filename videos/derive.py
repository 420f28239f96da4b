"""Files made of a video in the background: waveform peaks, thumbnails, a playable copy.

Rows are the truth here too: a worker claims one for a lease, makes the file under a name that
holds the claim's number, and writes the name while the lease is still its own. So whatever is
killed when, the row never names half a file. Each kind has slots of its own, and the children
are nice: no transcript waits for a picture.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from videos import failpoints, hush, pipeline, storage
from videos.media import derived
from videos.media.playable import plays
from videos.media.sandbox import MediaError
from videos.models import Derivation, Kind, LostLease, Video

logger = logging.getLogger(__name__)

MAX_INTERRUPTIONS = 3
LOOK_SECONDS = 1.0  # how often a run looks whether it was cancelled, and tells how far it is
SETBACK_SECONDS = 10.0
CANCELLED = "Cancelled."
DISK_FULL = "The disk is full."

_QUICK = (Kind.PEAKS, Kind.SPRITE)
_SLOTS: tuple[tuple[tuple[Kind, ...], threading.BoundedSemaphore], ...] = (
    (_QUICK, threading.BoundedSemaphore(settings.PICTURE_SLOTS)),
    ((Kind.PROXY,), threading.BoundedSemaphore(settings.COPY_SLOTS)),
)
_stopping = threading.Event()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    _stopping.set()


# --- what a video is to have ---


def needed(video: Video) -> tuple[Kind, ...]:
    """The kinds that this video can have, and of a copy that it needs one."""
    kinds = {
        Kind.PEAKS: video.has_sound,
        Kind.SPRITE: video.has_picture,
        Kind.PROXY: not plays(video.container, video.video_codec, video.audio_codec),
    }
    return tuple(kind for kind, wanted in kinds.items() if wanted)


def want(video: Video, kinds: Iterable[Kind] | None = None) -> None:
    """Have them made, once; a row that is there already is left as it is. Of a video that was
    deleted meanwhile nothing is made.
    """
    kinds = needed(video) if kinds is None else tuple(kinds)
    rows = [Derivation(video=video, kind=kind) for kind in kinds]
    with transaction.atomic():
        if Video.objects.filter(pk=video.pk).select_for_update(no_key=True).first():
            Derivation.objects.bulk_create(rows, ignore_conflicts=True)
            transaction.on_commit(partial(_ring_all, kinds))


def look(video: Video) -> dict[str, Derivation]:
    """The video's rows by kind, for somebody who waits for them: what is missing is made."""
    rows = _rows(video)
    if any(kind not in rows for kind in needed(video)):
        want(video)
        rows = _rows(video)
    for row in rows.values():
        if row.is_ready and not row.path.exists():  # the folder may be emptied at any time
            again(row)
            row.state = row.WAITING
    if (proxy := rows.get(Kind.PROXY)) and proxy.is_waiting:
        Derivation.objects.filter(pk=proxy.pk).update(seen_at=Now())
    return rows


def copies(videos: Iterable[str]) -> dict[str, Derivation]:
    """The playable copies that are there, by video, of videos given by id; in one query."""
    ready = Derivation.objects.filter(video__in=videos, kind=Kind.PROXY, state=Derivation.READY)
    return {row.video_id: row for row in ready if row.path.exists()}


def _rows(video: Video) -> dict[str, Derivation]:
    return {row.kind: row for row in Derivation.objects.filter(video=video)}


def again(row: Derivation) -> bool:
    """Make it anew after it ended; False if it is under way."""
    started = Derivation.objects.filter(pk=row.pk).start_again()
    transaction.on_commit(partial(_ring_all, (Kind(row.kind),)))
    return bool(started)


def cancel(row: Derivation) -> bool:
    """End it at the user's word; the child that works on it is stopped within a second."""
    return bool(Derivation.objects.filter(pk=row.pk).end(Derivation.FAILED, CANCELLED))


# --- the doorbell ---


def sweep() -> None:
    """Ring for what is due in each kind of slot: a lost message or a crash left it behind."""
    for kinds, _ in _SLOTS:
        _ring_next(kinds)


@shared_task
def make(pk: int, **_: Any) -> None:
    """Make what is next of the kind that the row is of. Safe to deliver twice, late or never."""
    kind = Derivation.objects.due().filter(pk=pk).values_list("kind", flat=True).first()
    for kinds, slot in _SLOTS:
        if kind in kinds and not _stopping.is_set():
            _make_the_next(kinds, slot)


def _make_the_next(kinds: tuple[Kind, ...], slot: threading.BoundedSemaphore) -> None:
    """Without a free slot do nothing: who holds it rings when it is free."""
    if storage.free_bytes() < 0 or not slot.acquire(blocking=False):
        return  # or a full disk would end what is worth a wait; the sweep rings again
    try:
        pk = Derivation.objects.next_id(kinds)
        lease = timedelta(seconds=settings.LEASE_SECONDS)
        if pk is not None and (row := Derivation.objects.claim(pk, lease)):
            run(row, _stopping.is_set)
    finally:
        slot.release()
    _ring_next(kinds)


def _ring_next(kinds: tuple[Kind, ...]) -> None:
    if not _stopping.is_set() and (pk := Derivation.objects.next_id(kinds)) is not None:
        _ring(pk)


def _ring_all(kinds: Iterable[Kind]) -> None:
    for slot_kinds, _ in _SLOTS:
        if set(slot_kinds) & set(kinds):
            _ring_next(slot_kinds)


def _ring(pk: int) -> None:
    try:
        make.apply_async((pk,), retry=False)
    except Exception as error:  # whatever a broker raises: the sweep rings again
        logger.warning("derivation=%s not rung, the sweep will: %s", pk, error)


# --- the work ---


def run(row: Derivation, stopping: Callable[[], bool] = lambda: False) -> None:
    """Make the claimed row's file. Never raises: it ends, waits for another try, or fails."""
    part = row.folder / f".{row.next_name}.part"
    try:
        if row.interruptions >= MAX_INTERRUPTIONS:
            row.finish(row.FAILED, "It was interrupted three times, so it is left alone.")
            return
        _clear(row)
        if (facts := _work(row, part, stopping)) is None:
            row.release()
        else:
            _keep(row, part, facts)
    except LostLease:
        logger.info("derivation=%s is no longer ours, nothing more is written", row.pk)
    except MediaError as error:
        logger.warning("derivation=%s %s: %s %s", row.pk, row, error, error.detail)
        _set_back(row, str(error), error.detail, permanent=error.permanent)
    except Exception as error:
        logger.exception("derivation=%s %s", row.pk, row)
        _set_back(row, "Something went wrong on this server.", repr(error), permanent=False)
    finally:
        part.unlink(missing_ok=True)


def _work(row: Derivation, part: Path, stopping: Callable[[], bool]) -> dict[str, Any] | None:
    """The facts of the file at ``part``; None when the worker stops. Raises LostLease."""
    hold, facts = _Lease(row), dict[str, Any]()
    with closing(_making(row, part)) as messages:
        for message in messages:
            facts = message.get("facts", {}) if message else facts
            if stopping():
                return None
            hold.keep(message.get("fraction") if message else None)
    return facts


def _making(row: Derivation, part: Path) -> derived.Making:
    video = row.video
    media = storage.media_path(video.media_name)
    if row.kind == Kind.PEAKS:
        return derived.peaks(media, part, duration_ms=video.duration_ms)
    if row.kind == Kind.SPRITE:
        return derived.sprite(media, part, duration_ms=video.duration_ms)
    return derived.proxy(media, part, duration_ms=video.duration_ms, cores=settings.CORES)


class _Lease:
    """Keeps a run's lease; finds out when it is gone or the disk is full."""

    def __init__(self, row: Derivation) -> None:
        self.row = row
        self.fraction: float | None = None
        self.renewed = self.looked = time.monotonic()

    def keep(self, fraction: float | None) -> None:
        """Take note of how far it is; now and then write that, and look. Raises LostLease."""
        self.fraction = self.fraction if fraction is None else fraction
        now = time.monotonic()
        if now - self.looked < LOOK_SECONDS:
            return
        self.looked = now
        changes: dict[str, Any] = {"fraction": self.fraction}
        if now - self.renewed >= settings.HEARTBEAT_SECONDS:
            changes["lease_until"] = Now() + timedelta(seconds=settings.LEASE_SECONDS)
            self.renewed = now
        self.row.write(**changes)
        if storage.free_bytes() < 0:
            raise MediaError(DISK_FULL, permanent=False)


def _clear(row: Derivation) -> None:
    """Make room: delete what earlier runs of this kind left."""
    row.folder.mkdir(parents=True, exist_ok=True)
    for pattern in (f"{row.kind}-*", f".{row.kind}-*.part"):
        for path in row.folder.glob(pattern):
            path.unlink(missing_ok=True)


def _keep(row: Derivation, part: Path, facts: dict[str, Any]) -> None:
    """Put the file to its place, then name it in the row; it goes again if the lease is lost."""
    target = row.folder / row.next_name
    with open(part, "rb") as file:
        os.fsync(file.fileno())
    os.replace(part, target)
    failpoints.reach("derive.before_commit")
    try:
        row.finish(row.READY, name=row.next_name, facts=facts, interruptions=0)
    except LostLease:
        target.unlink(missing_ok=True)
        with suppress(OSError):  # of a video that was deleted meanwhile
            row.folder.rmdir()
        raise
    video = row.video
    if row.kind == Kind.PEAKS:
        hush.look(video.pk)
    if row.kind == Kind.SPRITE:
        pipeline.draw_missed_poster(video)
    names = (video.container, video.video_codec, video.audio_codec)
    if row.kind == Kind.SPRITE and not plays(*names, facts.get("pixels", "")):
        want(video, [Kind.PROXY])


def _set_back(row: Derivation, sentence: str, detail: str, *, permanent: bool) -> None:
    """Try again later, or end it when that cannot help or did not help three times."""
    with suppress(LostLease, DatabaseError):  # the sweep finds a row whose lease runs out
        is_full = storage.free_bytes() < 0  # no fault of this file: it waits for room
        if permanent or (not is_full and row.interruptions + 1 >= MAX_INTERRUPTIONS):
            row.finish(row.FAILED, sentence, error_detail=detail[:20_000])
        else:
            wait = min(SETBACK_SECONDS, settings.LEASE_SECONDS)
            row.release(
                after_seconds=wait,
                interruptions=row.interruptions + (not is_full),
                error_detail=detail[:20_000],
            )
