"""What a deed meets whose row somebody else deletes at that moment."""

from __future__ import annotations

import logging

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, IntegrityError

logger = logging.getLogger(__name__)

UNSAVED = "did not affect any rows"  # Django's save() of a row that is not there any more
ORPHAN = "foreign key constraint"  # said by SQLite and by Postgres


def is_gone(error: Exception) -> bool:
    """Tell whether it went wrong since a row, or what it belongs to, is not there any more."""
    if isinstance(error, IntegrityError):
        gone = ORPHAN in str(error).lower()
    elif isinstance(error, DatabaseError):
        gone = UNSAVED in str(error)
    else:
        return isinstance(error, ObjectDoesNotExist)
    if gone:
        logger.info("gone meanwhile: %r", error)
    return gone
