"""What is deleted here is deleted in a cloud too: noted with the deed, done and retried later."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from videos import engines, pipeline
from videos.engines.base import EngineError, NotNow, Place
from videos.models import Index, RemoteDeletion, Task
from videos.models.task import TaskQuerySet

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
# What was under way may arrive after its task is gone.
LATE_ARRIVAL = timedelta(minutes=2)
FIRST_WAIT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 3600.0
GIVE_UP_AFTER = timedelta(days=7)


def note_tasks(tasks: TaskQuerySet) -> None:
    """Note what these tasks have in clouds. Call it in the transaction that deletes them."""
    if settings.TWELVELABS_DELETE:
        sent = _sent(tasks).select_related("video__index")
        RemoteDeletion.objects.bulk_create([_deletion(task) for task in sent])


def note_index(index: Index) -> None:
    """Note the index there, with all that is in it. Call it before its videos are deleted."""
    if not settings.TWELVELABS_DELETE:
        return
    inside = Task.objects.filter(video__index=index)
    there = Task.objects.exclude(remote_index_id="").filter(remote_index_id=index.remote_id)
    names = _sent(inside | there).order_by().values_list("engine")
    for (engine,) in names.distinct():
        RemoteDeletion.objects.create(
            engine=engine,
            index_id=index.remote_id,
            index_tag=index.remote_tag,
            not_before=Now() + LATE_ARRIVAL,
        )


def note_rest(tasks: TaskQuerySet, index: Index, noted_at: datetime) -> None:
    """Note those of an index's tasks that do not go with it, though it was noted at that moment:
    what was sent before its video was moved here, and what was asked for since.
    """
    elsewhere = ~Q(remote_index_id__in=["", index.remote_id])
    note_tasks(tasks.filter(elsewhere | Q(asked_at__gte=noted_at)))


def _sent(tasks: TaskQuerySet) -> TaskQuerySet:
    """Those of which something may be there, whatever came of it."""
    return tasks.filter(Q(remote_asked_at__isnull=False) | ~Q(remote_id=""))


def _deletion(task: Task) -> RemoteDeletion:
    place = pipeline.remote_place(task)
    return RemoteDeletion(
        engine=task.engine,
        index_id=place.index_id,
        task_id=place.task_id,
        video_id=place.video_id,
        tag=task.remote_tag,
        not_before=None if task.remote_id else timezone.now() + LATE_ARRIVAL,
    )


def carry_out(pk: int) -> None:
    """Do it now if it is due. Twice does no harm: what is gone already is well."""
    deletion = RemoteDeletion.objects.claim(pk, LEASE)
    if deletion is None:
        return
    try:
        _forget(deletion)
    except (EngineError, KeyError) as error:
        _set_back(deletion, error)
    else:
        deletion.delete()


def _forget(deletion: RemoteDeletion) -> None:
    call = engines.CLOUD[deletion.engine].forget(
        pipeline.engine_config(),
        Place(deletion.index_id, deletion.task_id, deletion.video_id),
        tag=deletion.tag,
        index_tag=deletion.index_tag,
    )
    for _ in call:
        pass


def _set_back(deletion: RemoteDeletion, error: Exception) -> None:
    if timezone.now() - deletion.created_at > GIVE_UP_AFTER:
        logger.warning("%s is still at %s: %s", deletion, deletion.engine, error)
        deletion.delete()
        return
    wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(deletion.tries, 10))
    if isinstance(error, NotNow) and error.wait_seconds is not None:
        wait = error.wait_seconds
    detail = f"{error} {getattr(error, 'detail', '')}"[:2000]
    RemoteDeletion.objects.filter(pk=deletion.pk).update(
        not_before=Now() + timedelta(seconds=wait), error_detail=detail
    )
