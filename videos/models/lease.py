"""Rows that a worker claims for a lease: what all of them have in common.

One conditional UPDATE is the lock. ``lease_no`` goes up with each claim and fences off whoever
held the row before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

_FREE = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())

# No waiting time is left.
RIPE = Q(not_before__isnull=True) | Q(not_before__lte=Now())
# And nobody's lease is running. The database's clock judges: machines need not agree on the time.
UNCLAIMED = _FREE & RIPE

# Set by a claim: a lease that ran out was an interruption.
INTERRUPTIONS = F("interruptions") + Case(When(lease_until__isnull=False, then=1), default=0)

Some = TypeVar("Some", bound="Leased")


class LostLease(Exception):
    """Somebody else holds the row, or it was cancelled or deleted: write nothing more."""


class LeasedQuerySet(models.QuerySet[Some]):
    def unfinished(self) -> Self:
        """Those that are not over; each kind says which."""
        raise NotImplementedError

    def due(self) -> Self:
        """Those a worker may claim now."""
        return self.unfinished().filter(UNCLAIMED)

    def due_as(self, pk: object) -> Self:
        """This one, if it is due: what an UPDATE asks again after it waited for another claim."""
        return self.due().filter(pk=pk)

    def take(self, pk: object, lease: timedelta, **fields: Any) -> bool:
        """Give the row to the caller alone for ``lease``; False if it is not due.

        Whoever takes it reads the row in the same transaction: read later, its number might be
        another claim's already.
        """
        taken = {"lease_no": F("lease_no") + 1, "lease_until": Now() + lease, "not_before": None}
        return bool(self.due_as(pk).update(**taken, **fields))

    def held_as(self, row: Some) -> Self:
        """The row, if the lease under which it was claimed still holds."""
        return self.unfinished().filter(pk=row.pk, lease_no=row.lease_no)


class Leased(models.Model):
    lease_no = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    if TYPE_CHECKING:
        objects: Any

    def write(self, **fields: Any) -> None:
        """Change the row while its lease is ours; raises LostLease otherwise.

        Inside a transaction it also holds the row, so what follows is fenced too.
        """
        if not type(self).objects.held_as(self).update(**fields):
            raise LostLease(str(self.pk))

    def renew(self, lease: timedelta) -> None:
        self.write(lease_until=Now() + lease)

    def release(self, *, after_seconds: float = 0, **fields: Any) -> None:
        """Hand it back, to be claimed again not before so many seconds have gone."""
        wait = Now() + timedelta(seconds=after_seconds) if after_seconds else None
        self.write(lease_until=None, not_before=wait, **fields)
