"""Keep work that nobody waits for out of the way of work that somebody does. Child side only."""

from __future__ import annotations

import os
from contextlib import suppress

NICENESS = 10  # about a tenth of a core beside somebody who wants all of it


def be_nice() -> None:
    """Give way to the recognisers and to the web server."""
    with suppress(OSError):
        os.nice(NICENESS)
