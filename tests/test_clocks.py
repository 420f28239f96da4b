"""Clocks that are set back or go wrong: the site's own work goes on."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from celery import current_app
from celery.beat import Scheduler
from django.utils import timezone

from videos import tasks
from videos.models import Pulse


@pytest.fixture
def beat(monkeypatch) -> Scheduler:
    """Beat as it starts with the settings, with what it sends gathered in ``beat.sent``."""
    scheduler = Scheduler(current_app._get_current_object())
    scheduler.sent = []
    monkeypatch.setattr(
        scheduler, "apply_async", lambda entry, **_: scheduler.sent.append(entry.task)
    )
    return scheduler


def test_beat_goes_on_when_the_machine_s_clock_is_set_back(beat, monkeypatch, settings):
    assert beat.tick() > 0 and beat.sent == []
    two_hours_ago = timezone.now() - timedelta(hours=2)
    monkeypatch.setattr(current_app._get_current_object(), "now", lambda: two_hours_ago)
    later = time.monotonic() + settings.SWEEP_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)

    beat.tick()

    assert beat.sent == ["videos.tasks.sweep"]
    assert 0 < beat.tick() <= settings.SWEEP_SECONDS


@pytest.mark.django_db
def test_what_was_heard_in_a_future_that_was_taken_back_is_not_heard():
    Pulse.objects.beat("worker")
    assert Pulse.objects.heard("worker", 5)

    Pulse.objects.update(at=timezone.now() + timedelta(hours=2))

    assert not Pulse.objects.heard("worker", 5)


def test_no_worker_s_clock_throws_a_sweep_away(beat):
    """When a message expires is written by beat's clock, and judged by the worker's."""
    options = [entry.options for entry in beat.schedule.values()]

    assert len(options) == 1 and not {"expires", "eta", "countdown"} & set(options[0])


@pytest.mark.django_db
def test_of_sweeps_that_waited_for_a_worker_one_is_done(monkeypatch, settings):
    settings.SWEEP_SECONDS = 60  # longer than all of this takes
    rounds = []
    monkeypatch.setattr(tasks.derive, "sweep", lambda: rounds.append(1))
    for _ in range(50):
        tasks.sweep()
    assert len(rounds) == 1

    Pulse.objects.update(at=timezone.now() - timedelta(seconds=31))
    tasks.sweep()
    assert len(rounds) == 2
