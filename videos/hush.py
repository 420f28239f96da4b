"""Marks rows where nothing is to be heard, once both they and the sound's peaks are there."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from django.db import DatabaseError, transaction
from django.db.models import F

from videos import doubt
from videos.models import Derivation, Kind, Status, Task, Video

logger = logging.getLogger(__name__)

AT_ONCE = 500  # keys in one statement
SILENT = "s"  # of doubt.REASONS


def look(video_id: str) -> None:
    """Mark the rows of the video's ready tasks. Whoever comes last, peaks or rows, calls this.

    Never raises: a mark that is missing fails nothing.
    """
    try:
        if peaks := _peaks(video_id):
            ready = Task.objects.filter(video=video_id, status=Status.READY)
            for task in ready.select_related("video"):
                mark(task, peaks)
    except (DatabaseError, OSError):
        logger.exception("video=%s no line was marked as over silence", video_id)


def over_silence(video: Video, rows: Sequence[tuple[int, int]]) -> list[bool]:
    """For each row's start and end in ms; False while there are no peaks. Never raises OSError."""
    try:
        peaks = _peaks(video.pk)
    except OSError:
        logger.exception("video=%s its peaks could not be read", video.pk)
        peaks = b""
    return (
        list(doubt.over_silence(rows, peaks, video.duration_ms)) if peaks else [False] * len(rows)
    )


def _peaks(video_id: str) -> bytes:
    """Empty while they are not made, or when their file was taken away."""
    made = Derivation.objects.filter(video=video_id, kind=Kind.PEAKS, state=Derivation.READY)
    row = made.first()
    return row.path.read_bytes() if row and row.path.exists() else b""


def mark(task: Task, peaks: bytes) -> int:
    """How many rows were newly marked. Lines that an editor wrote or confirmed are believed."""
    bare = task.segments.filter(heard__isnull=True).exclude(marks__contains=SILENT)
    bare = bare.exclude(marks=doubt.CONFIRMED)
    rows = list(bare.values_list("pk", "start_ms", "end_ms", "marks"))
    times = [(start_ms, end_ms) for _, start_ms, end_ms, _ in rows]
    silent = doubt.over_silence(times, peaks, task.video.duration_ms)
    by_marks = defaultdict(list)  # one statement for each set of marks: there are few
    for (pk, _, _, marks), is_silent in zip(rows, silent, strict=True):
        if is_silent:
            by_marks[marks].append(pk)
    with transaction.atomic():
        Video.objects.filter(pk=task.video_id).lock()
        marked = sum(_add(task, marks, keys) for marks, keys in by_marks.items())
        if marked:
            Task.objects.filter(pk=task.pk).update(edition=F("edition") + 1)
    return marked


def _add(task: Task, marks: str, keys: list[int]) -> int:
    """Rows that were corrected or marked anew meanwhile are left alone."""
    fresh = "".join(sorted(marks + SILENT))
    same = task.segments.filter(heard__isnull=True, marks=marks)
    return sum(
        same.filter(pk__in=keys[at : at + AT_ONCE]).update(marks=fresh)
        for at in range(0, len(keys), AT_ONCE)
    )
