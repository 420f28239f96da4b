from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from videos.models.task import Task


class SegmentQuerySet(models.QuerySet["Segment"]):
    def overlapping(
        self, start_ms: int | None = None, end_ms: int | None = None
    ) -> SegmentQuerySet:
        """Keep segments any part of which lies in [start_ms, end_ms); None leaves a side open."""
        segments = self
        if start_ms is not None:
            segments = segments.filter(end_ms__gt=start_ms)
        if end_ms is not None:
            segments = segments.filter(start_ms__lt=end_ms)
        return segments


class Segment(models.Model):
    """A cue as a row of the transcript that one task made. Times are milliseconds of the video."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="segments")
    number = models.PositiveIntegerField()  # 0, 1, 2 … in the order of time
    start_ms = models.PositiveBigIntegerField()
    end_ms = models.PositiveBigIntegerField()
    text = models.TextField()
    # [[start_ms, end_ms, "word", probability or null], …] where the engine hears words.
    words = models.JSONField(null=True)

    # What the engine heard, kept once an editor changes the text; null while it is untouched.
    heard = models.TextField(null=True)  # noqa: DJ001 - empty text is a text
    version = models.PositiveIntegerField(default=0)  # goes up with each correction
    # Reasons to doubt the row, one letter each; sorted, so that equal sets are equal text.
    marks = models.CharField(max_length=8, blank=True)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        ordering = ["task", "number"]
        indexes = [models.Index(fields=["task", "start_ms"], name="segment_by_start")]
        constraints = [
            models.UniqueConstraint(fields=["task", "number"], name="segment_number_once"),
            models.CheckConstraint(
                condition=Q(end_ms__gt=F("start_ms")), name="segment_has_length"
            ),
        ]

    if TYPE_CHECKING:
        task_id: str

    def __str__(self) -> str:
        return f"{self.start_ms}-{self.end_ms} {self.text}"
