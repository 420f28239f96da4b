from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from videos.models.lease import RIPE


class RemoteDeletionQuerySet(models.QuerySet["RemoteDeletion"]):
    def due(self) -> RemoteDeletionQuerySet:
        return self.filter(RIPE)

    def claim(self, pk: int, lease: timedelta) -> RemoteDeletion | None:
        """Keep others away for ``lease``; None if it is not due. Twice would do no harm either."""
        claimed = self.due().filter(pk=pk).update(not_before=Now() + lease, tries=F("tries") + 1)
        return self.filter(pk=pk).first() if claimed else None


class RemoteDeletion(models.Model):
    """Something of ours in a cloud that must go, since what it came from is deleted here.

    It outlives the rows that it was made from, so it repeats what they knew.
    """

    engine = models.CharField(max_length=20)
    index_id = models.CharField(max_length=64, blank=True)
    task_id = models.CharField(max_length=64, blank=True)
    video_id = models.CharField(max_length=64, blank=True)
    tag = models.CharField(max_length=64, blank=True)  # a video's
    index_tag = models.CharField(max_length=64, blank=True)  # the whole index shall go
    tries = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    error_detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RemoteDeletionQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.index_tag or self.tag
