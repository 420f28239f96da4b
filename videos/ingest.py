"""A file becomes a Video with its Task: bytes first, then the rows, then the doorbell."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from videos import (
    admission,
    engines,
    failpoints,
    fetcher,
    forgetting,
    hush,
    pipeline,
    search,
    storage,
    tasks,
    wording,
)
from videos.admission import Refused
from videos.engines.base import Cue
from videos.media.probe import Probe
from videos.models import Asset, Fetch, Index, Segment, Status, Step, Tag, Task, Video
from videos.turns import in_turns
from videos.uploads import PartFile, refuse_size

SAMPLE_FILE = Path(settings.BASE_DIR) / "static" / "sample" / "sample.mp4"
OF_BYTES = ("sha256", "size_bytes", "content_type", "duration_ms")  # an asset's fields
DEFAULT_INDEX = "My videos"  # of somebody who has none yet
SAMPLE_NAME = "Sample: a spoken clip.mp4"


class UnknownLanguage(Refused):
    """The engine does not know the language that was asked for."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person may say with a file. Empty fields leave it to the index or the engine."""

    language: str = ""
    engine: str = ""
    captions: Sequence[Cue] = ()
    captions_name: str = ""
    captions_url: str = ""
    upload_key: str | None = None
    user_metadata: Mapping[str, Any] = field(default_factory=dict)


def accept(index: Index, file: PartFile, wishes: Wishes) -> Video:
    """Keep an uploaded file and start its task. When this returns nothing can be lost.

    The same ``upload_key`` in the same index gives the same video again. Raises Refused.
    """
    admission.require_bytes(file)
    if twin := _sent_before(index, wishes.upload_key, file.sha256):
        return twin
    try:
        return _take_in(index, file.path, file.sha256, file.name or "", wishes)
    except IntegrityError:
        if twin := _sent_before(index, wishes.upload_key, file.sha256):
            return twin
        raise


def _take_in(index: Index, part: Path, sha256: str, name: str, wishes: Wishes) -> Video:
    """A written and synced part file becomes a stored video with its task."""
    task = first_task(index, wishes)
    found = admission.look_at(part)
    failpoints.reach("upload.before_rename")
    video = _describe(index, name, sha256, part.stat().st_size, found)
    storage.adopt(part, video.media_name)
    failpoints.reach("upload.after_rename")
    return _store(video, task, wishes)


def accept_url(index: Index, url: str, wishes: Wishes) -> Video:
    """Start a task that fetches its file itself; the video has no bytes until they are here.

    The same ``upload_key`` in the same index gives the same video again. Raises Refused.
    """
    key = wishes.upload_key
    sent_before = Video.objects.filter(index=index, upload_key=key)
    if key and (twin := sent_before.first()):
        return twin
    task = first_task(index, wishes)
    name = _shown_name(fetcher.file_name(url))
    video = Video(index=index, filename=name, sha256="", size_bytes=0, duration_ms=0)
    try:
        return _store(video, task, wishes, media_url=url)
    except IntegrityError:
        if twin := sent_before.first():
            return twin
        raise


def accept_asset_url(user: User, url: str, name: str, user_metadata: Mapping[str, Any]) -> Asset:
    """An asset whose file is fetched; it is not ready until its bytes are here."""
    name = _shown_name(name or fetcher.file_name(url))
    with transaction.atomic():
        asset = Asset.objects.create(
            owner=user, method="url", filename=name, user_metadata=dict(user_metadata)
        )
        Fetch.objects.create(owner=user, asset=asset, media_url=url)
        transaction.on_commit(tasks.ring_fetch)
    return asset


def accept_asset(user: User, file: PartFile, name: str, user_metadata: Mapping[str, Any]) -> Asset:
    """Keep an uploaded file that goes into no index yet. Raises Refused."""
    admission.require_bytes(file)
    asset = Asset(owner=user, user_metadata=dict(user_metadata))
    asset.filename = _shown_name(name or file.name or "")
    found = admission.look_at(file.path)
    with transaction.atomic():
        asset.save(force_insert=True)
        keep_asset(asset, file.path, file.sha256, found)
    return asset


def keep_asset(asset: Asset, path: Path, sha256: str, found: Probe) -> None:
    """Give the asset's row its bytes, a written and synced part file. Call it last in a
    transaction: what fails before leaves the file where it was. Raises Refused if the row is gone.
    """
    asset.sha256, asset.size_bytes = sha256, path.stat().st_size
    asset.content_type, asset.duration_ms = found.content_type, found.duration_ms
    # These fields alone, and no new row: since the asset was read, minutes may have gone by, in
    # which somebody said more of it or deleted it.
    mine = {name: getattr(asset, name) for name in OF_BYTES}
    if not Asset.objects.filter(pk=asset.pk).update(updated_at=Now(), error="", **mine):
        raise Refused("This asset was deleted.")
    storage.adopt(path, asset.media_name)


def index_asset(index: Index, asset: Asset, wishes: Wishes) -> Video:
    """Make a video of an asset's file and start its task. Raises Refused."""
    task = first_task(index, wishes)
    path = storage.media_path(asset.media_name)
    try:
        found = admission.look_at(path)
    except FileNotFoundError:
        raise Refused("The file of this asset is missing on this server.") from None
    video = _describe(index, asset.filename, asset.sha256, asset.size_bytes, found)
    video.asset = asset
    return _store(video, task, wishes)


def accept_sample(user: User) -> Video:
    """Give the user the clip that ships with the site, in an index of the user's own.

    Raises Refused.
    """
    if why := refuse_size(SAMPLE_FILE.stat().st_size):
        raise Refused(why)
    owned = Index.objects.owned_by(user)
    index = owned.first() or owned.get_or_create(owner=user, name=DEFAULT_INDEX)[0]
    part = storage.new_part_path()
    try:
        shutil.copyfile(SAMPLE_FILE, part)
        with open(part, "rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            os.fsync(handle.fileno())
        return _take_in(index, part, digest, SAMPLE_NAME, Wishes(language="en"))
    finally:
        part.unlink(missing_ok=True)


def first_task(index: Index, wishes: Wishes) -> Task:
    """An unsaved task without its video: the engine chosen, and why it is not a better one.

    Raises Refused when that engine does not know the language that was asked for, or is not known
    itself: an earlier version's, say.
    """
    if wishes.captions or wishes.captions_url:
        name = wording.printable(wishes.captions_name)[-200:]
        return Task(engine=pipeline.CAPTIONS, model=name)
    config = pipeline.engine_config()
    name, notice = wishes.engine or index.engine or settings.DEFAULT_ENGINE, ""
    if not name:
        name, notice = engines.default(config)
    if not engines.is_known(name):
        raise Refused(f"The engine of this index, {name}, is not known here. Choose another one.")
    engine = engines.get(name)
    if wishes.language and engine.languages and wishes.language not in engine.languages:
        raise UnknownLanguage(f"{engine.label} does not understand this language. {notice}".strip())
    model = engine.model(config)[:200]
    return Task(engine=name, model=model, language=wishes.language, notice=notice)


def cancel(task: Task) -> bool:
    """Stop the task for good; False if it had ended already."""
    return bool(Task.objects.filter(pk=task.pk).cancel())


def try_again(task: Task) -> bool:
    """Take a failed task up where it stopped; False if it is not failed, or the video has a newer
    one: captions that came meanwhile, say.
    """
    with transaction.atomic():
        Video.objects.filter(pk=task.video_id).lock()
        again = Task.objects.filter(video=task.video_id).first() == task and task.try_again()
        if again:
            Fetch.objects.filter(task=task).update(attempts=0, not_before=None)
            transaction.on_commit(partial(_ring, task))
    return again


def transcribe_again(video: Video, engine: str, language: str) -> Task:
    """Give the video to an engine once more; empty strings leave the choice to the index.

    The transcript that it has stays until the new one is ready. Raises Refused when that
    engine is unknown or does not know the language, or when a task is under way.
    """
    if engine and engine not in engines.offered(pipeline.engine_config()):
        raise Refused("There is no such engine.")
    if not video.sha256:
        raise Refused("The file of this video is not here yet.")
    task = first_task(video.index, Wishes(engine=engine, language=language))
    task.video = video
    with transaction.atomic():
        Video.objects.select_for_update().get(pk=video.pk)  # of two clicks the second waits here
        if Task.objects.filter(video=video).unfinished().exists():
            raise Refused("This video is being transcribed already.")
        task.save(force_insert=True)
        transaction.on_commit(partial(tasks.ring, task.pk))
    return task


def caption(video: Video, cues: Sequence[Cue], name: str) -> Task:
    """Show captions that came later as the video's transcript; its earlier ones are kept.

    Raises Refused while a task is under way: it would be shown over them when it is ready.
    """
    task = first_task(video.index, Wishes(captions=cues, captions_name=name))
    task.video = video
    task.status, task.step, task.done_ms = Status.READY, Step.DONE, video.duration_ms
    task.finished_at = timezone.now()
    with transaction.atomic():
        Video.objects.select_for_update().get(pk=video.pk)
        if Task.objects.filter(video=video).unfinished().exists():
            raise Refused("This video is being transcribed: wait for it, or cancel it first.")
        task.save(force_insert=True)
        pipeline.write(task, cues, 0)
        Video.objects.filter(pk=video.pk).update(transcript=task, updated_at=Now())
    hush.look(video.pk)
    return task


def _ring(task: Task) -> None:
    """Whoever takes the task's next step."""
    if hasattr(task, "fetch"):
        tasks.ring_fetch()
    else:
        tasks.ring(task.pk)


def delete_video(video: Video) -> None:
    """Delete the video with all that was made from it; its bytes too if no twin uses them."""
    with transaction.atomic():
        if Video.objects.filter(pk=video.pk).lock():
            forgetting.note_tasks(Task.objects.filter(video=video))
            _delete_held(video)
            Tag.objects.drop_unused(video.index.owner_id)


def _delete_held(video: Video) -> None:
    """What it has in a cloud is noted by the caller, in the same transaction or before."""
    # Before the rows go: it fences off a worker that is about to add a segment to them.
    Task.objects.filter(video=video).cancel()
    search.forget(Segment.objects.filter(task__video=video))
    transaction.on_commit(partial(tasks.clean_up_after, video.pk, video.media_name))
    video.delete()


def delete_task(task: Task) -> None:
    """Delete one of several tasks of a video, with its transcript."""
    with transaction.atomic():
        Video.objects.filter(pk=task.video_id).lock()
        search.forget(Segment.objects.filter(task=task))
        forgetting.note_tasks(Task.objects.filter(pk=task.pk))
        task.delete()


def delete_index(index: Index) -> None:
    """Delete the index with all its videos, each in a transaction of its own.

    In a single one SQLite's only writer would keep all others waiting: a million lines take the
    better part of a minute. A stop in between leaves a smaller index, to be deleted again.
    """
    noted_at = timezone.now()
    with transaction.atomic():
        Task.objects.filter(video__index=index).cancel()
        forgetting.note_index(index)
    while not _delete_if_empty(index):
        for video in in_turns(Video.objects.filter(index=index).only("id", "sha256")):
            _delete_inside(index, video, noted_at)


def _delete_if_empty(index: Index) -> bool:
    with transaction.atomic():
        list(Index.objects.filter(pk=index.pk).select_for_update())  # no video comes in now
        if Video.objects.filter(index=index).exists():
            return False
        index.delete()
        Tag.objects.drop_unused(index.owner_id)
    return True


def _delete_inside(index: Index, video: Video, noted_at: datetime) -> None:
    """Delete it if it still is in the index."""
    with transaction.atomic():
        if Video.objects.filter(pk=video.pk, index=index).lock():
            forgetting.note_rest(Task.objects.filter(video=video), index, noted_at)
            _delete_held(video)


def delete_asset(asset: Asset) -> None:
    """Delete the asset; its bytes too if no video uses them."""
    with transaction.atomic():
        if asset.sha256:
            transaction.on_commit(partial(tasks.clean_up_after, asset.pk, asset.media_name))
        asset.delete()


def delete_user(user: User) -> None:
    """Delete the account with all that it owns, one after the other as ``delete_index`` does."""
    _delete_belongings(user)
    with transaction.atomic():
        _delete_belongings(user)  # what came meanwhile
        user.delete()


def _delete_belongings(user: User) -> None:
    for index in Index.objects.owned_by(user):
        delete_index(index)
    for asset in Asset.objects.filter(owner=user):
        delete_asset(asset)


def _sent_before(index: Index, upload_key: str | None, sha256: str) -> Video | None:
    """The video that this very upload made already. Another file under an old key is no twin."""
    if not upload_key:
        return None
    return Video.objects.filter(index=index, upload_key=upload_key, sha256=sha256).first()


def _describe(index: Index, name: str, sha256: str, size: int, found: Probe) -> Video:
    """An unsaved Video with all that the probe found."""
    return Video(
        index=index,
        filename=_shown_name(name),
        sha256=sha256,
        size_bytes=size,
        **admission.facts(found),
    )


def _shown_name(name: str) -> str:
    """A file's name fit for a row: no control characters (Postgres takes no NUL), not endless."""
    return wording.printable(name)[-255:] or "video"


def _store(video: Video, task: Task, wishes: Wishes, media_url: str = "") -> Video:
    """Write the rows in one transaction; a worker hears of the task after the commit.

    A task whose file or captions lie elsewhere waits until they were fetched.
    """
    fetch = Fetch(task=task, media_url=media_url, captions_url=wishes.captions_url)
    away = bool(media_url or wishes.captions_url)
    video.upload_key = wishes.upload_key or None
    video.user_metadata = dict(wishes.user_metadata)
    task.video = video
    if away:
        task.step = Step.FETCH
    with transaction.atomic():
        video.save(force_insert=True)
        task.save(force_insert=True)
        if away:
            fetch.owner_id = video.index.owner_id
            fetch.save(force_insert=True)
        if wishes.captions:
            pipeline.write(task, wishes.captions, 0)
        transaction.on_commit(tasks.ring_fetch if away else partial(tasks.ring, task.pk))
    failpoints.reach("task.after_commit")
    return video
