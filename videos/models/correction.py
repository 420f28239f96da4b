from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from videos.models.task import Task

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def last_by(self, user: AbstractBaseUser) -> Correction | None:
        return self.filter(user_id=user.pk).order_by("-pk").first()


class Correction(models.Model):
    """What an editor did to a transcript in one go, with the lines as they were and as they are.

    ``before`` and ``after`` are lists of lines as ``videos.corrections`` writes them. A
    correction that was undone is deleted, so a transcript with corrections is one that an
    editor's hand shows in.
    """

    class Kind(models.TextChoices):
        TEXT = "text", "correction"
        TIMES = "times", "new times"
        SPLIT = "split", "split"
        MERGE = "merge", "merge"
        REVERT = "revert", "return to the engine's words"
        REPLACE = "replace", "replacement"
        TAKE = "take", "words taken over"

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="corrections")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    before = models.JSONField()
    after = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    if TYPE_CHECKING:
        task_id: str
        user_id: int | None

    def __str__(self) -> str:
        return f"{self.kind} of {len(self.before)} lines"
