"""Does a claimed Fetch: brings the file and the captions, checks them as an upload is checked,
and hands its task to the next step, or its asset its bytes. Cut off anywhere, it begins again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Now
from django.template.defaultfilters import filesizeformat

from videos import admission, captions, doubt, failpoints, fetcher, pipeline, storage
from videos.admission import Passing, Refused
from videos.engines.base import Cue
from videos.fetcher import FetchError, Line
from videos.media.probe import Probe
from videos.models import Asset, Fetch, LostLease, Status, Step, Task, Video
from videos.models.task import TaskQuerySet
from videos.models.video import media_name
from videos.uploads import PartFile, PartFileHandler, refuse_size

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
SETBACK_SECONDS = (2.0, 10.0, 30.0)
PROBE = timedelta(seconds=60)  # as long as a probe may take: nobody renews the lease meanwhile
GIVEN_UP = "Stopped several times while fetching this file, so it is left alone."
BROKEN = "Something went wrong on this server."

Stopping = Callable[[], bool]


class _Stopped(Exception):
    """The worker shuts down."""


def run(fetch: Fetch, stopping: Stopping) -> None:
    """Never raises: the fetch is done, waits for another try, or its task or asset ends."""
    try:
        _run(fetch, stopping)
    except LostLease:
        logger.info("fetch=%s is no longer ours, nothing more is written", fetch.pk)
    except Exception:  # the database itself: the lease runs out, and the sweep rings
        logger.exception("fetch=%s", fetch.pk)


def _run(fetch: Fetch, stopping: Stopping) -> None:
    try:
        _bring(fetch, stopping)
    except _Stopped:
        fetch.release(attempts=F("attempts") - 1)
    except FetchError as error:
        _set_back(fetch, str(error), permanent=error.permanent)
    except Refused as refusal:
        _set_back(fetch, str(refusal), permanent=not isinstance(refusal, Passing))
    except LostLease:
        raise
    except Exception:
        logger.exception("fetch=%s", fetch.pk)
        _set_back(fetch, BROKEN, permanent=False)


def _bring(fetch: Fetch, stopping: Stopping) -> None:
    if fetch.attempts > MAX_ATTEMPTS:
        raise Refused(GIVEN_UP)
    if not settings.FETCH_URLS:
        raise Refused(fetcher.OFF)
    if fetch.task_id:
        _waiting(fetch.task_id).begin()
    storage.delete_parts(f"fetch-{fetch.pk}-")
    hold = _Hold(fetch, stopping)
    cues = _captions(fetch, hold)
    if not fetch.media_url:
        _keep(fetch, None, None, cues)
        return
    with _part(fetch, fetch.media_url, hold, settings.MAX_UPLOAD_BYTES) as part:
        fetch.renew(pipeline.lease() + PROBE)
        found = admission.look_at(part.path, is_sent=False)
        failpoints.reach("fetch.before_rename")
        hold.look()
        storage.adopt(part.path, media_name(part.sha256))
        _keep(fetch, part, found, cues)


def _captions(fetch: Fetch, hold: _Hold) -> Sequence[Cue]:
    if not fetch.captions_url:
        return ()
    try:
        with _part(fetch, fetch.captions_url, hold, captions.MAX_BYTES) as part:
            return admission.read_captions(part)
    except FetchError as error:
        raise FetchError(f"The captions: {error}", permanent=error.permanent) from error


# --- the network ---


class _Handler(PartFileHandler):
    """Writes, hashes and syncs as for an upload, into a part file that names its fetch."""

    def __init__(self, fetch: Fetch) -> None:
        super().__init__()
        self.name = f"fetch-{fetch.pk}-{fetch.lease_no}"

    def new_path(self) -> Path:
        return storage.part_path(self.name)

    def keep(self, piece: bytes) -> None:
        self.receive_data_chunk(piece, 0)
        if self.refusal:
            raise Refused(self.refusal)


@contextmanager
def _part(fetch: Fetch, url: str, hold: _Hold, largest: int) -> Iterator[PartFile]:
    """What lies at the address, on the disk until the block ends or it is adopted."""
    handler = _Handler(fetch)
    name = fetcher.file_name(url)[-255:]
    handler.new_file("file", name, "application/octet-stream", None)
    try:
        fetcher.get(url, handler.keep, hold.watch, largest=largest)
        part = handler.file_complete(handler.size)
    except BaseException:
        handler.upload_interrupted()
        raise
    try:
        if part.refusal:
            raise Refused(part.refusal)
        yield part
    finally:
        part.close()


class _Hold:
    """Keeps the lease while bytes come, says how many, and finds out that it was cancelled."""

    def __init__(self, fetch: Fetch, stopping: Stopping) -> None:
        self.fetch, self.stopping = fetch, stopping
        self.renewed = self.looked = time.monotonic()

    def watch(self, line: Line) -> None:
        if time.monotonic() - self.looked >= pipeline.LOOK_SECONDS / 2:
            self.look(line)

    def look(self, line: Line | None = None) -> None:
        if self.stopping():
            raise _Stopped
        now = self.looked = time.monotonic()
        if now - self.renewed >= settings.HEARTBEAT_SECONDS:
            self.fetch.renew(pipeline.lease())
            self.renewed = now
        if not Fetch.objects.held_as(self.fetch).unfinished().exists():
            raise LostLease(str(self.fetch.pk))
        if line and (why := refuse_size((line.total or line.received) - line.received)):
            raise Refused(why)  # before the disk is full, and others suffer
        if line and self.fetch.task_id:
            _waiting(self.fetch.task_id).update(**_progress(line))


def _progress(line: Line) -> dict[str, object]:
    came = filesizeformat(line.received)
    if not line.total:
        return {"doing": f"Fetching the file: {came}", "fraction": None}
    said = f"Fetching the file: {came} of {filesizeformat(line.total)}"
    return {"doing": said, "fraction": line.received / line.total}


def _waiting(task_id: str) -> TaskQuerySet:
    return Task.objects.unfinished().filter(pk=task_id, step=Step.FETCH)


# --- the end ---


def _keep(fetch: Fetch, part: PartFile | None, found: Probe | None, cues: Sequence[Cue]) -> None:
    """The bytes are in their place: the rows that name them, all or none."""
    failpoints.reach("fetch.before_commit")
    with transaction.atomic():
        if fetch.task_id:
            Video.objects.filter(tasks=fetch.task_id).lock()
            _keep_for_task(fetch.task_id, part, found, cues)
        elif part and found:
            _keep_for_asset(str(fetch.asset_id), part, found)
        fetch.write(lease_until=None)
        fetch.delete()


def _keep_for_task(
    task_id: str, part: PartFile | None, found: Probe | None, cues: Sequence[Cue]
) -> None:
    next_step = {"step": Step.PREPARE, "doing": "", "fraction": None, "error_detail": ""}
    if not _waiting(task_id).update(begun_at=None, updated_at=Now(), **next_step):
        raise LostLease(task_id)
    task = Task.objects.get(pk=task_id)
    if part and found:
        Video.objects.filter(pk=task.video_id).update(
            sha256=part.sha256,
            size_bytes=part.size,
            updated_at=Now(),
            **admission.facts(found),
        )
        # Captions that were sent along are rows since the length was not known.
        late = task.segments.filter(start_ms__gte=found.duration_ms)
        late.update(marks=Concat(Value(doubt.LATE), "marks"))
    pipeline.write(task, cues, 0)


def _keep_for_asset(asset_id: str, part: PartFile, found: Probe) -> None:
    kept = Asset.objects.filter(pk=asset_id, sha256="", error="").update(
        sha256=part.sha256,
        size_bytes=part.size,
        content_type=found.content_type,
        duration_ms=found.duration_ms,
        updated_at=Now(),
    )
    if not kept:
        raise LostLease(asset_id)


def _set_back(fetch: Fetch, sentence: str, *, permanent: bool) -> None:
    """Try again later, or end the task or the asset when that cannot help or did not help."""
    if permanent or fetch.attempts >= MAX_ATTEMPTS:
        _give_up(fetch, sentence)
        return
    if fetch.task_id:
        _waiting(fetch.task_id).update(doing="", fraction=None, error_detail=sentence)
    wait = SETBACK_SECONDS[min(fetch.attempts, len(SETBACK_SECONDS)) - 1]
    fetch.release(after_seconds=wait)


def _give_up(fetch: Fetch, sentence: str) -> None:
    with transaction.atomic():
        if fetch.task_id:
            _waiting(fetch.task_id).finish(Status.FAILED, sentence[:500], doing="", fraction=None)
        Asset.objects.filter(pk=fetch.asset_id, sha256="").update(error=sentence[:500])
        fetch.release()
