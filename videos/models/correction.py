from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from videos.models.task import Task

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def last_by(self, user: AbstractBaseUser) -> Correction | None:
        """What the user would undo."""
        return self._steps_of(user).filter(undone=False).order_by("-pk").first()

    def next_by(self, user: AbstractBaseUser) -> Correction | None:
        """What the user would redo: of those undone the one that was done first."""
        return self._steps_of(user).filter(undone=True).order_by("pk").first()

    def at_hand_of(self, user: AbstractBaseUser) -> CorrectionQuerySet:
        """Both of these, without their lines, by one query."""
        mine = self._steps_of(user)
        last = mine.filter(undone=False).order_by("-pk").values("pk")[:1]
        following = mine.filter(undone=True).order_by("pk").values("pk")[:1]
        return self.filter(Q(pk__in=last) | Q(pk__in=following)).defer("before", "after")

    def _steps_of(self, user: AbstractBaseUser) -> CorrectionQuerySet:
        return self.filter(user_id=user.pk, stale=False)


class Correction(models.Model):
    """What an editor did to a transcript in one go, with the lines as they were and as they are.

    ``before`` and ``after`` are lists of lines as ``videos.corrections`` writes them. One that
    was undone is kept until its user corrects something else, to be redone; an editor's hand
    shows in a transcript that has others. A ``stale`` one can be neither any more: somebody
    changed its lines since.
    """

    class Kind(models.TextChoices):
        TEXT = "text", "correction"
        TIMES = "times", "new times"
        SPLIT = "split", "split"
        MERGE = "merge", "merge"
        REVERT = "revert", "return to the engine's words"
        REPLACE = "replace", "replacement"
        CONFIRM = "confirm", "confirmation"
        TAKE = "take", "words taken over"

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="corrections")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    before = models.JSONField()
    after = models.JSONField()
    undone = models.BooleanField(default=False)
    stale = models.BooleanField(default=False)
    at = models.DateTimeField(auto_now_add=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    if TYPE_CHECKING:
        task_id: str
        user_id: int | None

    def __str__(self) -> str:
        return f"{self.kind} of {len(self.before)} lines"
