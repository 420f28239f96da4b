"""Both engines on real speech: words and times, progress, resuming, stopping, fetching."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace

import numpy as np
import pytest
from django.conf import settings
from huggingface_hub.errors import LocalEntryNotFoundError

from tests import makers, tiny_whisper
from tests.fake_hub import fake_hub
from tests.makers import Picture, media, silence
from tests.test_media_sandbox import wait_until_dead
from videos import engines, pipeline
from videos.engines import jobs, sphinx_job, whisper_job, whisper_models
from videos.engines.base import EngineConfig, EngineCrashed, EngineError, Report
from videos.engines.sphinx import Sphinx
from videos.engines.whisper import Whisper
from videos.media.sandbox import MediaError
from videos.media.speech import Region

TOLERANCE_MS = 400


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_whisper.build(tmp_path_factory.mktemp("model") / "tiny-test")


@pytest.fixture(scope="module")
def two_minutes(tmp_path_factory):
    path = tmp_path_factory.mktemp("spoken") / "two.m4a"
    return makers.spoken_video(path, 120, picture=False)


@pytest.fixture
def config(tmp_path):
    return EngineConfig(data_dir=tmp_path / "data", cores=2)


@pytest.fixture
def whisper_config(config, model):
    return replace(config, whisper_model=str(model), block_seconds=20)


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """What Sphinx reports of the sample on two cores."""
    config = EngineConfig(data_dir=tmp_path_factory.mktemp("heard"), cores=2)
    return listen(Sphinx(), makers.SAMPLE, config)


def listen(engine, path, config, **options):
    return list(engine.transcribe(path, config, **options))


def cues(reports):
    return [cue for report in reports for cue in report.cues]


def words(reports):
    return [word for cue in cues(reports) for word in cue.words]


def resumed(engine, path, config, done_ms, reports):
    """The words of a run that is cut off at ``done_ms`` and of one that goes on from there."""
    before = []
    for report in reports:
        before += [word for cue in report.cues for word in cue.words]
        if report.done_ms == done_ms:
            break
    return before + words(listen(engine, path, config, from_ms=done_ms))


def check_progress(reports, last_ms):
    done = [report.done_ms for report in reports if report.done_ms is not None]
    assert done == sorted(done) and abs(done[-1] - last_ms) < 500
    for report in reports:
        assert all(cue.end_ms <= report.done_ms for cue in report.cues)
    found = cues(reports)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(found))


# --- sphinx ---


def test_sphinx_hears_every_word_of_the_sample_where_it_is_said(heard):
    found, true = cues(heard), makers.SPOKEN["cues"]
    assert [cue.text for cue in found] == [cue["text"] for cue in true]
    for cue, said in zip(found, true, strict=True):
        assert abs(cue.start_ms - said["start_ms"]) < TOLERANCE_MS
        assert abs(cue.end_ms - said["end_ms"]) < TOLERANCE_MS
    assert all(0 <= word.probability <= 1 for word in words(heard))
    check_progress(heard, makers.SPOKEN["duration_ms"])


def test_sphinx_hears_the_same_on_one_core_and_in_other_containers(config, tmp_path, heard):
    webm = media(
        tmp_path / "x.webm", makers.sample_sound().repeat(3), picture=Picture(), rate=48_000
    )
    true = [cue["text"] for cue in makers.SPOKEN["cues"]]

    one = listen(Sphinx(), makers.SAMPLE, replace(config, cores=1))
    assert cues(one) == cues(heard)
    assert [cue.text for cue in cues(listen(Sphinx(), webm, config))] == true


def test_sphinx_goes_on_from_any_point_with_the_same_words(config, heard):
    whole = words(heard)

    for done_ms in sorted({r.done_ms for r in heard if r.done_ms})[::3]:
        assert resumed(Sphinx(), makers.SAMPLE, config, done_ms, heard) == whole


def test_sphinx_invents_no_words_in_silence(config, tmp_path):
    reports = listen(Sphinx(), media(tmp_path / "quiet.mp4", silence(5)), config)

    assert cues(reports) == []
    check_progress(reports, 5_000)


def test_sphinx_refuses_other_languages_and_files_without_sound(config, tmp_path):
    with pytest.raises(EngineError, match="English only") as caught:
        listen(Sphinx(), makers.SAMPLE, config, language="de")
    assert caught.value.permanent
    with pytest.raises(EngineError, match="no sound") as caught:
        listen(Sphinx(), media(tmp_path / "mute.mp4", picture=Picture()), config)
    assert caught.value.permanent


def children_of(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(stat.parent.name)
            found += [child, *children_of(child)]
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_dead_decoder_fails_everybody_at_once_with_its_end():
    dead = [sys.executable, "-c", "raise SystemExit(3)"]
    decoder = subprocess.Popen(dead, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
    idle.put(decoder)
    decoder.wait()

    for _ in range(2):
        assert idle.qsize() == 1
        with pytest.raises(RuntimeError, match="ended with code 3"):
            sphinx_job._cues(idle, Region(0, 1000, np.zeros(16_000, np.int16)))


def test_closing_the_reports_leaves_no_process(config, two_minutes):
    before = set(children_of(os.getpid()))
    with closing(Sphinx().transcribe(two_minutes, config)) as reports:
        next(report for report in reports if report.cues)
        started = set(children_of(os.getpid())) - before
        assert len(started) >= 3  # the job and its two decoders at least

    assert wait_until_dead(list(started), 1.0) == []


def test_a_job_that_cannot_live_is_a_crash_not_an_error(config):
    with pytest.raises(EngineCrashed):
        listen(Sphinx(), makers.SAMPLE, replace(config, memory_bytes=64 * 1024**2))


# --- whisper, its real code on the tiny model ---


def test_whisper_says_the_models_words_at_their_times(whisper_config):
    """One block and, without its pauses, one window: the model says its words once."""
    reports = listen(Whisper(), makers.SAMPLE, replace(whisper_config, block_seconds=300))

    said = cues(reports)
    assert [cue.text for cue in said] == [tiny_whisper.SAYS]
    assert abs(said[0].start_ms - makers.SPOKEN["cues"][0]["start_ms"]) < TOLERANCE_MS
    assert [w.text for w in said[0].words] == tiny_whisper.SAYS.split()
    assert tiny_whisper.DETECTED in [report.language for report in reports]
    check_progress(reports, makers.SPOKEN["duration_ms"])


def test_whisper_goes_on_from_the_end_of_each_block(whisper_config, two_minutes):
    """Blocks here are shorter than a window of 30 s: the tiny model says its words in each."""
    reports = listen(Whisper(), two_minutes, whisper_config)
    whole = words(reports)
    ends = [report.done_ms for report in reports if report.cues]

    assert len(ends) >= 4
    check_progress(reports, 120_000)
    for done_ms in ends:
        assert resumed(Whisper(), two_minutes, whisper_config, done_ms, reports) == whole


def test_whisper_tells_words_within_a_block_only_up_to_a_pause(whisper_config, two_minutes):
    """In one long block the windows of 30 s follow each other; what is told is final."""
    reports = listen(Whisper(), two_minutes, replace(whisper_config, block_seconds=300))

    told = [report for report in reports if report.cues]
    assert len(told) > 1
    check_progress(reports, 120_000)


def test_whisper_gives_a_sign_of_life_for_all_that_it_hears_without_a_pause():
    heard = []

    def window(start: float) -> SimpleNamespace:
        heard.append(start)
        spoken = [(start + at, start + at + 1.0) for at in range(30)]
        words = [SimpleNamespace(start=a, end=b, word=" on", probability=0.9) for a, b in spoken]
        return SimpleNamespace(words=words)

    no_pause = [
        Region(at, at + 15_000, np.ones(1, np.int16), False) for at in range(0, 360_000, 15_000)
    ]
    block = whisper_job._Block(0, 360_000, no_pause)
    told = [
        (len(heard), bool(message))
        for message in whisper_job._told(block, map(window, range(0, 360, 30)))
    ]
    assert told == [(number, False) for number in range(1, 13)] + [(12, True)]
    assert jobs._report({}) == Report()


def test_whisper_holds_no_hours_of_silence_between_two_words():
    word = np.ones(1600, np.int16)
    quiet = [Region(at, at + 60_000, word[:0]) for at in range(100, 12 * 3_600_000, 60_000)]
    last = quiet[-1].end_ms
    heard = [Region(0, 100, word), *quiet, Region(last, last + 100, word)]
    blocks = list(whisper_job._blocks(heard, 300_000))
    assert max(block.end_ms - block.start_ms for block in blocks) == 100
    assert [block.end_ms for block in blocks if block.regions] == [100, last + 100]


def test_a_whisper_model_of_one_language_listens_to_no_other():
    english = SimpleNamespace(supported_languages=["en"])

    assert whisper_job._known_language(english, "") == "en"
    assert whisper_job._known_language(english, "en-GB") == "en"
    with pytest.raises(MediaError, match="knows no language with the code 'de'"):
        whisper_job._known_language(english, "de")


def test_whisper_is_told_a_language_and_refuses_an_unknown_one(whisper_config):
    reports = listen(Whisper(), makers.SAMPLE, whisper_config, language="de-AT")

    assert {report.language for report in reports} == {"", "de"}
    with pytest.raises(EngineError, match="no language with the code 'xx'"):
        listen(Whisper(), makers.SAMPLE, whisper_config, language="xx")


def test_whisper_invents_no_words_in_silence(whisper_config, tmp_path):
    reports = listen(Whisper(), media(tmp_path / "quiet.mp4", silence(5)), whisper_config)

    assert cues(reports) == []
    check_progress(reports, 5_000)


def test_an_incomplete_model_is_an_error_with_a_sentence(whisper_config, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"nonsense")
    config = replace(whisper_config, whisper_model=str(folder))

    with pytest.raises(EngineError, match="cannot be loaded"):
        listen(Whisper(), makers.SAMPLE, config)


# --- fetching ---


@pytest.fixture(autouse=True)
def _forget_hubs():
    whisper_models._hub_answers.clear()


def fetching(config, url, **changes):
    return replace(config, whisper_model="tiny", hub_url=url, **changes)


def test_a_model_is_fetched_once_and_then_used_without_the_hub(config, model):
    with fake_hub(model) as url:
        assert Whisper().availability(fetching(config, url)).ok
        reports = listen(Whisper(), makers.SAMPLE, fetching(config, url))
    assert "Fetching the whisper model tiny (78 MB)" in [report.doing for report in reports]
    assert [cue.text for cue in cues(reports)] == [tiny_whisper.SAYS]

    gone = fetching(config, url, fetch_models=False)
    assert Whisper().availability(gone).ok
    assert cues(listen(Whisper(), makers.SAMPLE, gone)) == cues(reports)


def test_a_relative_folder_of_a_model_is_beside_manage_py(config, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.bin").touch()
    named = replace(config, whisper_model="./mine", base_dir=tmp_path)

    assert whisper_models.located(named) == tmp_path / "mine"
    assert pipeline.engine_config().base_dir == settings.BASE_DIR


@pytest.mark.parametrize("error", [OSError, LocalEntryNotFoundError])
def test_a_model_for_which_the_disk_has_no_room_says_that(monkeypatch, error):
    def download(*_: object, **__: object) -> str:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as full:
            if error is OSError:
                raise
            raise error("not found here") from full

    monkeypatch.setattr(whisper_job, "download_model", download)
    with pytest.raises(MediaError, match="The disk is full") as said:
        whisper_job.fetch("tiny", "folder")
    assert not said.value.permanent


def test_a_fetched_model_that_was_deleted_is_not_believed_in(config, model):
    with fake_hub(model) as url:
        list(whisper_models.fetch(fetching(config, url)))
    folder = whisper_models.located(fetching(config, url))
    (folder / "model.bin").unlink()

    answer = Whisper().availability(fetching(config, url, fetch_models=False))
    assert not answer.ok and "switched off" in answer.reason


@pytest.mark.parametrize("mode", ["silent", "drip"])
def test_a_hub_that_stops_answering_is_given_up(config, model, mode):
    started = time.monotonic()
    with fake_hub(model, mode) as url, pytest.raises(EngineError, match="stopped sending"):
        listen(Whisper(), makers.SAMPLE, fetching(config, url, model_stall_seconds=2))

    assert time.monotonic() - started < 20


def test_a_model_that_the_hub_has_not_is_a_sentence(config, model):
    with fake_hub(model, "missing") as url, pytest.raises(EngineError, match="hub has no whisper"):
        listen(Whisper(), makers.SAMPLE, fetching(config, url))


def test_a_hub_that_fails_half_way_is_a_sentence(config, model, tmp_path):
    (tmp_path / "empty").mkdir()
    with fake_hub(tmp_path / "empty") as url, pytest.raises(EngineError, match="could not be"):
        listen(Whisper(), makers.SAMPLE, fetching(config, url))


def resolving_for_ever(*_, **__):
    time.sleep(30)  # it runs in a thread that is left behind
    raise OSError("no name server answered")


@pytest.mark.parametrize("name_server", ["refuses", "hangs"])
def test_an_unreachable_hub_is_told_within_five_seconds(config, monkeypatch, name_server):
    if name_server == "hangs":
        monkeypatch.setattr("socket.getaddrinfo", resolving_for_ever)
    assert whisper_models.HUB_SECONDS < 5
    monkeypatch.setattr(whisper_models, "HUB_SECONDS", 1.5)
    started = time.monotonic()

    answer = Whisper().availability(fetching(config, "http://127.0.0.1:9"))

    assert time.monotonic() - started < 5
    assert not answer.ok
    assert "'tiny' is not on this machine and the model hub cannot be reached" in answer.reason


def test_a_model_is_not_fetched_into_the_disks_reserve(config, model):
    free = shutil.disk_usage(config.data_dir.parent).free
    with fake_hub(model) as url:
        full = fetching(config, url, reserve_bytes=free - 78 * 10**6 // 2)
        answer = Whisper().availability(full)
        assert (answer.ok, "disk has no room for it" in answer.reason) == (False, True)
        with pytest.raises(EngineError, match="'tiny' is not on this machine and this server's"):
            listen(Whisper(), makers.SAMPLE, full)
        assert Whisper().availability(replace(full, reserve_bytes=0)).ok

        came = config.data_dir / "models/hub/models--Systran--faster-whisper-tiny/blobs/half"
        came.parent.mkdir(parents=True)
        with came.open("wb") as file:
            file.truncate(60 * 10**6)  # an earlier fetch brought it: the rest has room
        assert Whisper().availability(full).ok


def test_the_hubs_answer_is_remembered_for_a_while(config, model):
    with fake_hub(model) as url:
        assert Whisper().availability(fetching(config, url)).ok

    assert Whisper().availability(fetching(config, url)).ok


def test_a_task_asks_a_hub_again_that_was_away_just_now(config, model, sample):
    with fake_hub(model) as url:
        whisper_models._hub_answers[url] = (time.monotonic(), False)
        assert not Whisper().availability(fetching(config, url)).ok
        with closing(Whisper().transcribe(sample, fetching(config, url))) as reports:
            assert next(reports).doing.startswith("Fetching")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/no/such/folder", "no whisper model in the folder"),
        ("enormous", "No whisper model is called 'enormous'"),
        ("../../etc", "no whisper model in the folder"),
    ],
)
def test_a_wrong_model_name_is_said_to_be_wrong(config, name, reason):
    answer = Whisper().availability(replace(config, whisper_model=name))

    assert not answer.ok and reason in answer.reason


def test_our_table_of_models_is_the_librarys():
    from faster_whisper.utils import _MODELS

    assert {name: repository for name, (repository, _) in whisper_models.MODELS.items()} == _MODELS


# --- registry ---


def test_the_default_is_whisper_when_it_is_there_and_says_why_when_not(config, whisper_config):
    assert engines.default(whisper_config) == ("whisper", "")

    name, reason = engines.default(replace(config, fetch_models=False))
    assert name == "sphinx" and "'base' is not on this machine" in reason
    assert "WHISPER_MODEL" in reason


def test_each_engine_knows_its_name():
    assert all(engines.get(name).name == name for name in engines.ENGINES)


def test_the_parents_side_imports_nothing_heavy():
    """The web process must start fast and must not hold a decoder."""
    import subprocess
    import sys

    heavy = ["av", "numpy", "faster_whisper", "pocketsphinx", "onnxruntime", "huggingface_hub"]
    code = (
        "import sys, json, videos.engines, videos.captions, videos.media.probe, "
        f"videos.media.pictures; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []
