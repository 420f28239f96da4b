"""What the system says when there is no room for a write."""

from __future__ import annotations

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)  # the disk's own end, or that of the account's share


def is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in FULL
