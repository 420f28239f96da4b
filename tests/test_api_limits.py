from __future__ import annotations

import time

import pytest

from tests.api import Caller, refusal
from tests.factories import make_user

HEADERS = ("Limit", "Remaining", "Used", "Reset")


@pytest.fixture(autouse=True)
def _not_at_the_end_of_a_window(monkeypatch):
    now = time.time() // 86_400 * 86_400 + 12
    monkeypatch.setattr(time, "time", lambda: now)


def told(response) -> list[int]:
    return [int(response[f"X-Ratelimit-{name}"]) for name in HEADERS]


def test_every_answer_tells_how_many_requests_are_left(caller, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    reset = int(time.time()) + 48

    assert told(caller.get("/indexes")) == [3, 2, 1, reset]
    assert told(caller.get("/tasks/none")) == [3, 1, 2, reset]


def test_over_the_limit_is_429_with_the_seconds_to_wait(caller, settings):
    settings.API_REQUESTS_PER_MINUTE = 1
    caller.get("/indexes")

    response = caller.get("/indexes")

    assert refusal(response) == (429, "too_many_requests")
    assert told(response)[:3] == [1, 0, 1]
    assert response["Retry-After"] == "48"


def test_a_new_window_begins_anew(caller, settings, monkeypatch):
    settings.API_REQUESTS_PER_MINUTE = 1
    caller.get("/indexes")
    later = time.time() + 48
    monkeypatch.setattr(time, "time", lambda: later)

    assert caller.get("/indexes").status_code == 200


def test_all_keys_of_an_account_are_counted_together_and_others_apart(caller, settings):
    """Anybody may make as many keys as they like."""
    settings.API_REQUESTS_PER_MINUTE = 1

    assert caller.get("/indexes").status_code == 200
    assert Caller(caller.user).get("/indexes").status_code == 429
    assert Caller(make_user()).get("/indexes").status_code == 200


def test_uploads_have_a_limit_of_their_own(caller, settings):
    settings.API_UPLOADS_PER_DAY = 1

    assert told(caller.send("/tasks"))[:3] == [1, 0, 1]
    response = caller.send("/tasks")
    assert refusal(response) == (429, "too_many_requests")
    assert int(response["Retry-After"]) > 80_000
    assert caller.get("/tasks").status_code == 200


def test_zero_is_no_limit(caller, settings):
    settings.API_REQUESTS_PER_MINUTE = 0

    assert "X-Ratelimit-Limit" not in caller.get("/indexes")
