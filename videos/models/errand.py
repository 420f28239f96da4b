from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, Self, TypeVar

from django.db import models, transaction
from django.db.models import F

from videos.models.lease import UNCLAIMED, Leased, LeasedQuerySet

Some = TypeVar("Some", bound="Errand")


class ErrandQuerySet(LeasedQuerySet[Some]):
    def by_lot(self, whose: str) -> Any:
        """The least tried, then oldest, of one chosen by lot, by key: none waits behind another's
        thousand, or behind one that is refused for ever.

        ``whose`` is the field that says whose each is. None where there are none.
        """
        waiting = list(self.values_list(whose, flat=True).distinct().order_by())
        if not waiting:
            return None
        theirs = self.filter(**{whose: random.choice(waiting)})  # noqa: S311 - no secret
        return theirs.order_by("attempts", "created_at", "pk").values_list("pk", flat=True).first()

    def due_as(self, pk: object) -> Self:
        """Which are unfinished may take a join, and an UPDATE of one is by a subquery, which
        Postgres does not ask again after waiting for another claim. So the lease stands outside.
        """
        return self.filter(UNCLAIMED, pk=pk, pk__in=self.unfinished().values("pk"))

    def claim(self, pk: object, lease: timedelta) -> Some | None:
        """Give the errand to the caller alone for ``lease``; None if it is not due."""
        with transaction.atomic():
            return self.get(pk=pk) if self.take(pk, lease, attempts=F("attempts") + 1) else None

    def held_as(self, errand: Some) -> Self:
        return self.filter(pk=errand.pk, lease_no=errand.lease_no)  # no join, as above


class Errand(Leased):
    """Something to do on the network for a user: tried again later when it fails."""

    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def release(self, *, after_seconds: float = 0, **fields: Any) -> None:
        super().release(after_seconds=after_seconds, lease_no=F("lease_no") + 1, **fields)
