from __future__ import annotations

import time

import pytest

from videos.turns import in_turns


def test_after_each_item_there_is_a_rest_of_a_quarter_of_its_time(monkeypatch):
    slept, now = [], [0.0]
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    for seconds in in_turns([0.4, 4.0]):
        now[0] += seconds

    assert slept == [pytest.approx(0.1), pytest.approx(1.0)]
