"""Files are looked into while their senders wait: that may stand in the way of nobody else."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from videos import admission
from videos.admission import Crowded


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{number}.mp4" for number in range(settings.WEB_THREADS)]
    for path in paths:
        path.write_bytes(b"x")
    return paths


@pytest.fixture
def _no_core_free(monkeypatch):
    monkeypatch.setattr(admission, "_probing", threading.BoundedSemaphore(1))
    with admission._probing:
        yield


@pytest.mark.usefixtures("_no_core_free")
def test_a_sender_waits_a_moment_for_a_core_and_is_told_to_come_again(files, monkeypatch):
    monkeypatch.setattr(admission, "PATIENCE", 0.1)
    with pytest.raises(Crowded, match="Try again in a minute"):
        admission.look_at(files[0])


def test_half_of_the_web_servers_threads_never_wait_for_a_probe(files, monkeypatch):
    done = threading.Event()
    monkeypatch.setattr(admission, "probe", lambda path: done.wait(60))
    monkeypatch.setattr(admission, "PATIENCE", 60)
    with ThreadPoolExecutor(settings.WEB_THREADS) as web:
        asked = [web.submit(admission.look_at, path) for path in files]
        time.sleep(0.5)
        answered = [each for each in asked if each.done()]
        refused = [each.exception() for each in answered]
        for each in asked:
            each.cancel()
        done.set()

    assert len(refused) == settings.WEB_THREADS // 2
    assert all(isinstance(each, Crowded) for each in refused)


def test_a_worker_waits_for_a_core_as_long_as_it_takes(files, sample, monkeypatch):
    monkeypatch.setattr(admission, "PATIENCE", 0)
    monkeypatch.setattr(admission, "_probing", threading.BoundedSemaphore(1))
    admission._probing.acquire()
    threading.Timer(0.3, admission._probing.release).start()

    assert admission.look_at(sample, is_sent=False).container == "mp4"
