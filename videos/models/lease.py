"""What all rows that a worker claims have in common, whatever else each kind of them does."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Now

_FREE = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())

# No waiting time is left.
RIPE = Q(not_before__isnull=True) | Q(not_before__lte=Now())
# And nobody's lease is running. The database's clock judges: machines need not agree on the time.
UNCLAIMED = _FREE & RIPE


class LostLease(Exception):
    """Somebody else holds the row, or it was cancelled or deleted: write nothing more."""
