"""Faults on purpose. ``FAILPOINT=name:kill``, ``name:raise`` or ``name:sleep=SECONDS``, with
``:N`` behind it to act at the Nth time only. Read only when ``ALLOW_FAILPOINTS=1``; the fault
tests stop the program with it at each place where a stop might lose or double something.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections import Counter

from django.conf import settings

_reached: Counter[str] = Counter()


class Failpoint(Exception):
    """Raised by ``name:raise``."""


def reach(name: str) -> None:
    """Mark a place in the code; does nothing unless FAILPOINT names it."""
    if not settings.FAILPOINT or settings.FAILPOINT.split(":")[0] != name:
        return
    _, action, nth = itertools.islice(
        itertools.chain(settings.FAILPOINT.split(":"), itertools.repeat("")), 3
    )
    _reached[name] += 1
    if not nth or int(nth) == _reached[name]:
        _act(name, action)


def _act(name: str, action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "raise":
        raise Failpoint(name)
    time.sleep(float(action.removeprefix("sleep=")))
