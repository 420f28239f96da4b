"""Many write transactions in a row, beside which others can write too."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
REST = 1 / 4  # of the time that was spent on the item before


def in_turns(items: Iterable[Item]) -> Iterator[Item]:
    """The items one by one, with a rest after each, in which somebody else has a turn.

    Who waits for SQLite's one writer only looks ten times a second whether it is free. Without
    rests it hardly ever is just then, however short the transactions are.
    """
    for item in items:
        began = time.monotonic()
        yield item
        time.sleep(REST * (time.monotonic() - began))
