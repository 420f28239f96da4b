"""Playable copies are killed while they are made: they are made again, whole and once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import av
import pytest
import requests

from tests.faults.conftest import set_up_once, wait_ready
from tests.faults.stack import Stack, is_alive, wait_for
from tests.makers import spoken_video

PROXY = "videos.media.proxy_job"


@pytest.fixture(scope="module")
def silent(tmp_path_factory) -> Path:
    """Five minutes of picture in a file that few browsers play."""
    return spoken_video(tmp_path_factory.mktemp("media") / "silent.mkv", seconds=300, sound=False)


def upload(stack: Stack, path: Path) -> str:
    answer = stack.upload(path)
    assert answer.status_code == 303
    return answer.headers["Location"]


def under_way(stack: Stack) -> bool:
    return bool(stack.rows("SELECT 1 FROM videos_derivation WHERE fraction > 0 AND kind = 'proxy'"))


def all_made(stack: Stack) -> bool:
    states = {row[0] for row in stack.rows("SELECT state FROM videos_derivation")}
    assert "failed" not in states, stack.rows("SELECT error_detail FROM videos_derivation")
    return states == {"ready"}


def names(stack: Stack) -> list[str]:
    return sorted(path.name for path in stack.data_dir.glob("derived/*/*"))


@set_up_once
def test_a_worker_killed_while_a_copy_is_made_makes_it_again(stack, silent, tmp_path):
    page = upload(stack, silent)
    wait_for(lambda: under_way(stack), 60, "a copy under way")
    worker, child = stack.child("worker"), stack.job(PROXY)
    os.killpg(worker, signal.SIGKILL)
    wait_for(lambda: not (is_alive(worker) or is_alive(child)), 5, "both gone")

    wait_for(lambda: all_made(stack), 90, "all made")

    assert stack.all_ready()
    (name,) = stack.rows("SELECT name FROM videos_derivation WHERE kind = 'proxy'")[0]
    assert [n for n in names(stack) if "proxy" in n] == [name] != ["proxy-1.mp4"]
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(requests.get(f"{stack.url}{page}proxy", timeout=10).content)
    with av.open(str(copy)) as container:
        assert container.duration / av.time_base == pytest.approx(300, abs=1)


def test_a_transcript_does_not_wait_for_a_copy(embedded, silent, sample):
    embedded.start()
    upload(embedded, silent)
    wait_for(lambda: under_way(embedded), 60, "a copy under way")
    child = embedded.job(PROXY)
    os.kill(child, signal.SIGSTOP)  # a copy that takes for ever

    embedded.upload(sample)
    wait_ready(embedded)

    assert embedded.job(PROXY) == child
    os.kill(child, signal.SIGCONT)
    embedded.check()


def test_a_deleted_videos_copy_is_stopped_and_leaves_nothing(embedded, silent):
    embedded.start()
    page = upload(embedded, silent)
    wait_for(lambda: under_way(embedded), 60, "a copy under way")
    session, token = embedded.session()

    session.post(f"{embedded.url}{page}delete", data={"csrfmiddlewaretoken": token}, timeout=10)

    wait_for(lambda: embedded.job(PROXY) is None, 10, "the child gone")
    wait_for(lambda: names(embedded) == [], 10, "no file left")
