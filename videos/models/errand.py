from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now

from videos.models.lease import UNCLAIMED, LostLease

Some = TypeVar("Some", bound="Errand")


class ErrandQuerySet(models.QuerySet[Some]):
    """Errands are claimed as tasks are: by one conditional UPDATE, fenced off by ``lease_no``."""

    def open(self) -> Self:
        """Those that are not over; each kind says which."""
        return self

    def due(self) -> Self:
        return self.open().filter(UNCLAIMED)

    def by_lot(self, whose: str) -> Any:
        """The oldest of one chosen by lot, by key: none waits behind another's thousand.

        ``whose`` is the field that says whose each is. None where there are none.
        """
        waiting = list(self.values_list(whose, flat=True).distinct().order_by())
        if not waiting:
            return None
        theirs = self.filter(**{whose: random.choice(waiting)})  # noqa: S311 - no secret
        return theirs.order_by("created_at", "pk").values_list("pk", flat=True).first()

    def claim(self, pk: object, seconds: float) -> Some | None:
        """Give the errand to the caller alone for so long; None if it is not due.

        Which are open may take a join, and an UPDATE of one is by a subquery, which Postgres
        does not ask again after waiting for another claim. So the lease stands outside of it.
        """
        with transaction.atomic():
            claimed = self.filter(UNCLAIMED, pk=pk, pk__in=self.open().values("pk")).update(
                lease_no=F("lease_no") + 1,
                lease_until=Now() + timedelta(seconds=seconds),
                attempts=F("attempts") + 1,
                not_before=None,
            )
            return self.get(pk=pk) if claimed else None

    def held_as(self, errand: Some) -> Self:
        """The errand, if the lease under which it was claimed still holds."""
        return self.filter(pk=errand.pk, lease_no=errand.lease_no)


class Errand(models.Model):
    """Something to do on the network for a user: tried again later when it fails."""

    attempts = models.PositiveIntegerField(default=0)
    lease_no = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    if TYPE_CHECKING:
        objects: Any

    def write(self, **fields: Any) -> None:
        """Change the row while its lease is ours; raises LostLease otherwise."""
        if not type(self).objects.held_as(self).update(**fields):
            raise LostLease(str(self.pk))

    def renew(self, seconds: float) -> None:
        self.write(lease_until=Now() + timedelta(seconds=seconds))

    def release(self, after_seconds: float, **fields: Any) -> None:
        """Hand it back, to be claimed again not before so many seconds have gone."""
        wait = Now() + timedelta(seconds=after_seconds)
        self.write(lease_until=None, not_before=wait, lease_no=F("lease_no") + 1, **fields)
