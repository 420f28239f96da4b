"""Whisper through the whole site, its model fetched at first use from a hub on loopback."""

from __future__ import annotations

import requests

from tests.fake_hub import fake_hub
from tests.faults.conftest import wait_ready
from tests.faults.stack import running, wait_for
from tests.tiny_whisper import build

CHOOSE = {"ENGINE": "", "FETCH_MODELS": "1", "WHISPER_MODEL": "base", "MODEL_STALL_SECONDS": "4"}


def test_the_model_is_fetched_at_first_use_and_kept(tmp_path, sample):
    with (
        fake_hub(build(tmp_path / "model")) as hub,
        running(tmp_path / "data", **CHOOSE, HF_ENDPOINT=hub) as stack,
    ):
        assert stack.upload(sample).ok
        wait_ready(stack)
        chosen = stack.rows("SELECT engine, model, notice FROM videos_task")
        assert chosen == [("whisper", "whisper base", "")]
        assert "from the test model" in " ".join(stack.texts())

    # The hub is gone; what was fetched stays.
    with running(tmp_path / "data", **CHOOSE, HF_ENDPOINT=hub) as stack:
        assert stack.upload(sample).ok
        wait_ready(stack)
        assert len(stack.statuses()) == 2


def test_a_hub_that_falls_silent_ends_the_task_with_a_way_out(tmp_path, sample):
    with (
        fake_hub(build(tmp_path / "model"), "silent") as hub,
        running(tmp_path / "data", **CHOOSE, HF_ENDPOINT=hub) as stack,
    ):
        answer = stack.upload(sample)
        page = stack.url + answer.headers["Location"]
        wait_for(lambda: "Fetching the whisper model" in requests.get(page).text, 90, "a word")
        wait_for(lambda: stack.statuses() == ["failed"], 90, "the end")
        assert "model" in stack.rows("SELECT error FROM videos_task")[0][0]


def test_without_a_hub_the_task_falls_to_sphinx_when_it_is_made_and_says_so(tmp_path, sample):
    with running(tmp_path / "data", **CHOOSE, HF_ENDPOINT="http://127.0.0.1:9") as stack:
        answer = stack.upload(sample)
        page = requests.get(stack.url + answer.headers["Location"], timeout=10).text
        assert "cannot be reached" in page
        wait_ready(stack)
        assert stack.rows("SELECT engine FROM videos_task") == [("sphinx",)]
