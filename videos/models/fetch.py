from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from videos.models.asset import Asset
from videos.models.errand import Errand, ErrandQuerySet
from videos.models.task import FINAL, Step, Task


class FetchQuerySet(ErrandQuerySet["Fetch"]):
    def unfinished(self) -> Self:
        """Those somebody still waits for: not cancelled, not given up."""
        task = Q(task__step=Step.FETCH) & ~Q(task__status__in=FINAL)
        return self.filter(task | Q(asset__error="", asset__sha256=""))

    def next_turn(self, held_by: Collection[int] = (), most: int = 1) -> int | None:
        """One of an owner who holds no place; where none waits, of one who holds less than
        ``most``. ``held_by`` has an owner for each place that is taken.
        """
        full = [owner for owner, places in Counter(held_by).items() if places >= most]
        others = self.exclude(owner__in=held_by).by_lot("owner")
        turn: int | None = others or self.exclude(owner__in=full).by_lot("owner")
        return turn


class Fetch(Errand):
    """What a task or an asset waits for: a file, captions or both, at addresses of the user's.

    The row goes when they are here. It stays when they could not be had, so that they can be
    asked for once more.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    task = models.OneToOneField(
        Task, null=True, blank=True, on_delete=models.CASCADE, related_name="fetch"
    )
    asset = models.OneToOneField(
        Asset, null=True, blank=True, on_delete=models.CASCADE, related_name="fetch"
    )
    media_url = models.CharField(max_length=2000, blank=True)
    captions_url = models.CharField(max_length=2000, blank=True)

    objects = FetchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "fetches"
        constraints = [
            models.CheckConstraint(
                condition=Q(task__isnull=True, asset__isnull=False)
                | Q(task__isnull=False, asset__isnull=True),
                name="fetch_is_for_one",
            ),
        ]

    if TYPE_CHECKING:
        owner_id: int
        task_id: str | None
        asset_id: str | None

    def __str__(self) -> str:
        return f"for {self.task_id or self.asset_id}"
