"""A task's way through Twelve Labs, against a scripted server on loopback."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import inspect
import json
import logging
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from email.utils import formatdate
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from tests import scripted_cloud
from tests.factories import make_index, make_task, make_user, make_video
from tests.scripted_cloud import KEY, Answer, Cloud
from transcribe_site import environment
from transcribe_site import settings as site_settings
from videos import engines, failpoints, forgetting, forms, ingest, pipeline, tasks
from videos.engines import calls, twelvelabs
from videos.engines.base import NotNow
from videos.models import Index, RemoteDeletion, SearchRow, Segment, Status, Step, Task, Video
from videos.views.state import describe

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=60)
LOOK_SECONDS, TICK_SECONDS = pipeline.SENDING_LOOK_SECONDS, calls.TICK_SECONDS


@pytest.fixture
def cloud(settings, monkeypatch):
    monkeypatch.setattr(pipeline, "SENDING_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(calls, "TICK_SECONDS", 0.02)
    settings.TWELVELABS_API_KEY = KEY
    settings.TWELVELABS_TIMEOUT_SECONDS = 20.0
    with scripted_cloud.scripted_cloud() as running:
        settings.TWELVELABS_BASE_URL = running.url
        yield running


@pytest.fixture
def rung(monkeypatch) -> list[str]:
    ids: list[str] = []
    monkeypatch.setattr(tasks, "ring", ids.append)
    return ids


def sending(**fields: Any) -> Task:
    content = fields.pop("content", b"moving pictures")
    video = make_video(fields.pop("index", None), content=content)
    defaults = {"engine": "twelvelabs", "step": Step.SUBMIT, "status": Status.PENDING}
    return make_task(video, **(defaults | {"language": ""} | fields))


def take(task: Task, **options: Any) -> Task:
    """Claim the task, due or not yet, and do one step."""
    Task.objects.filter(pk=task.pk).update(not_before=None)
    claimed = Task.objects.claim(task.pk, LEASE)
    assert claimed is not None
    pipeline.step(claimed, **options)
    return Task.objects.select_related("video__index").get(pk=task.pk)


def carry(task: Task, most: int = 12) -> Task:
    """Step by step to its end."""
    for _ in range(most):
        task = take(task)
        if task.is_final:
            return task
    return task


def texts(task: Task) -> list[tuple[int, int, str]]:
    return list(task.segments.values_list("start_ms", "end_ms", "text"))


def waiting_seconds(task: Task) -> float:
    """As it was written, by the database's clock."""
    assert task.not_before is not None
    return (task.not_before - task.updated_at).total_seconds()


# --- the way when all is well ---


def test_a_video_goes_there_and_its_transcript_comes_back_in_order(cloud: Cloud):
    task = carry(sending(step=Step.PREPARE))
    assert (task.status, task.video.transcript_id) == (Status.READY, task.pk)
    assert texts(task) == [(0, 2250, "The first phrase"), (2500, 4000, "and the second.")]
    (upload,) = cloud.asked("POST", "/tasks$")
    assert b"moving pictures" in upload.body
    assert task.remote_tag.encode() in upload.body
    assert cloud.indexes == {task.video.index.remote_id: f"desk-{task.video.index_id}"}


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ("v1.3", {"models": [{"model_name": "marengo3.0", "model_options": ["audio"]}]}),
        (
            "v1.2",
            {"engines": [{"engine_name": "marengo2.6", "engine_options": ["conversation"]}]},
        ),
        ("v1.1", {"engine_id": "marengo2.5", "index_options": ["conversation"]}),
    ],
)
def test_each_version_is_spoken_in_its_dialect(cloud: Cloud, settings, version, named):
    settings.TWELVELABS_VERSION = version
    task = carry(sending(language="de"))
    assert (task.status, len(texts(task))) == (Status.READY, 2)
    assert {call.path.split("/")[1] for call in cloud.calls} == {version}
    body = json.loads(cloud.asked("POST", "/indexes$")[0].body)
    assert body == {"index_name": f"desk-{task.video.index_id}", **named}
    (upload,) = cloud.asked("POST", "/tasks$")
    assert (b'name="language"' in upload.body) == (version != "v1.3")
    fetched = cloud.asked("GET", "/videos/")[0]
    assert fetched.path.endswith("/transcription") == (version != "v1.3")


def test_an_index_is_mirrored_once(cloud: Cloud):
    index = make_index()
    carry(sending(index=index))
    carry(sending(index=index, content=b"another"))
    assert len(cloud.asked("POST", "/indexes$")) == 1
    assert len(cloud.tasks) == 2


@pytest.mark.parametrize("status", [404, 400])
def test_an_index_that_is_gone_there_is_made_again(cloud: Cloud, status):
    cloud.always[f"GET /indexes/{'e' * 24}"] = Answer(status, {"message": "No such index."})
    task = carry(sending(index=make_index(remote_id="e" * 24)))
    assert task.status == Status.READY
    assert task.video.index.remote_id in cloud.indexes


def test_a_null_transcript_means_that_nobody_speaks(cloud: Cloud):
    cloud.transcript = None
    task = carry(sending())
    assert (task.status, texts(task)) == (Status.READY, [])


def test_waiting_there_is_a_row_and_asks_more_slowly_with_its_age(cloud: Cloud):
    cloud.status = "Indexing"
    task = take(take(sending()))
    assert (task.step, task.status, task.lease_until) == (Step.POLL, Status.INDEXING, None)
    assert 3 < waiting_seconds(task) <= 5
    old = timezone.now() - timedelta(minutes=10)
    Task.objects.update(asked_at=old, remote_asked_at=old)
    assert 25 < waiting_seconds(take(task)) <= 31
    old = timezone.now() - timedelta(hours=5)
    Task.objects.update(asked_at=old, remote_asked_at=old)
    assert 50 < waiting_seconds(take(task)) <= 60


def test_an_upload_shows_its_bytes_keeps_its_lease(cloud: Cloud, settings):
    settings.HEARTBEAT_SECONDS = 0.0
    seen: list[tuple[str, float]] = []
    task = sending(content=b"x" * 30_000_000)
    first = Task.objects.claim(task.pk, LEASE)
    original = Task.write

    def write(self: Task, **fields: Any) -> None:
        if fields.get("doing"):
            seen.append((fields["doing"], fields["fraction"], "lease_until" in fields))
        original(self, **fields)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Task, "write", write)
        pipeline.step(first)
    assert {doing for doing, *_ in seen} == {"Uploading to Twelve Labs"}
    assert all(renewed for *_, renewed in seen)
    fractions = [fraction for _, fraction, _ in seen if fraction is not None]
    assert fractions == sorted(fractions)
    assert Task.objects.get().step == Step.POLL


SEND = """
import resource, sys
from pathlib import Path
from videos.engines.base import CloudConfig, EngineConfig, Parcel
from videos.engines.twelvelabs import TwelveLabs

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

url, key, path = sys.argv[1:]
config = EngineConfig(Path("."), cloud=CloudConfig(key, url, "v1.3"))
before = peak()
for _ in TwelveLabs().submit(config, "a" * 24, Parcel(Path(path), "t.mp4", "i", "video/mp4", "t")):
    pass
print(peak() - before)
"""


def test_an_upload_is_read_from_disk_in_flat_memory(cloud: Cloud, tmp_path):
    film = tmp_path / "film.mp4"
    size = 200_000_000
    with open(film, "wb") as handle:
        handle.truncate(size)
    command = [sys.executable, "-c", SEND, cloud.url, KEY, str(film)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000  # KiB
    assert int(cloud.calls[-1].headers["Content-Length"]) > size


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_upload_stops_within_a_second(cloud: Cloud, monkeypatch):
    monkeypatch.setattr(pipeline, "SENDING_LOOK_SECONDS", LOOK_SECONDS)
    monkeypatch.setattr(calls, "TICK_SECONDS", TICK_SECONDS)
    begun = threading.Event()

    def never_answers(handler) -> None:
        begun.set()
        time.sleep(20)

    cloud.always["POST /tasks"] = Answer(play=never_answers)
    claimed = Task.objects.claim(sending().pk, LEASE)

    def step() -> None:
        pipeline.step(claimed)
        connection.close()

    thread = threading.Thread(target=step)
    thread.start()
    assert begun.wait(20)
    ingest.cancel(claimed)
    cancelled = time.monotonic()
    thread.join(20)
    assert LOOK_SECONDS + TICK_SECONDS <= 1
    assert time.monotonic() - cancelled < 10  # on any machine; the other end is still for 20
    assert Task.objects.get().error == "Cancelled."


def test_a_worker_that_stops_hands_an_upload_back(cloud: Cloud):
    cloud.always["POST /tasks"] = Answer(play=lambda handler: time.sleep(3))
    task = take(sending(), stopping=lambda: True)
    assert (task.step, task.lease_until, task.interruptions) == (Step.SUBMIT, None, 0)


# --- nothing is sent twice ---


@pytest.mark.parametrize("place", ["remote.after_index", "remote.before_call", "remote.after_call"])
def test_a_death_around_a_call_sends_nothing_twice(cloud: Cloud, monkeypatch, place):
    deaths: list[str] = []

    class Killed(BaseException):
        pass

    def die_once(name: str) -> None:
        if name == place and not deaths:
            deaths.append(name)
            raise Killed

    monkeypatch.setattr(failpoints, "reach", die_once)
    task = sending()
    with pytest.raises(Killed):
        take(task)
    Task.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert carry(task).status == Status.READY
    assert (len(cloud.indexes), len(cloud.tasks)) == (1, 1)
    assert len(cloud.asked("POST", "/tasks$")) == 1


def test_an_answer_lost_on_the_way_is_looked_for_before_sending_again(cloud: Cloud):
    def keeps_it_and_hangs_up(handler) -> None:
        cloud.keep(cloud.calls[-1])
        scripted_cloud.reset(handler)

    cloud.script["POST /tasks"] = [Answer(play=keeps_it_and_hangs_up)]
    task = carry(sending())
    assert (task.status, len(cloud.tasks)) == (Status.READY, 1)
    assert len(cloud.asked("POST", "/tasks$")) == 1


def test_an_upload_that_has_no_name_there_yet_is_waited_for(cloud: Cloud):
    task = sending(remote_asked_at=timezone.now(), index=make_index(remote_id="e" * 24))
    cloud.indexes["e" * 24] = "desk"
    cloud.tasks["f" * 24] = {"_id": "f" * 24, "status": "validating", "system_metadata": {}}
    task = take(task)
    assert (task.step, task.remote_id, task.remote_faults) == (Step.SUBMIT, "", 1)
    cloud.tasks["f" * 24]["system_metadata"] = {"filename": task.remote_tag}
    cloud.tasks["f" * 24]["video_id"] = "d" * 24
    task = carry(task)
    assert (task.status, task.remote_id) == (Status.READY, "f" * 24)
    assert cloud.asked("POST", "/tasks$") == []


# --- faults: asked again later, as rows ---

IN_AN_HOUR = {"Retry-After": formatdate(time.time() + 3600, usegmt=True)}
RESET_IN_AN_HOUR = {"X-Ratelimit-Reset": str(int(time.time()) + 3600)}
SOON, RARELY, AGAIN, A_DAY = (1, 3), (890, 1000), (300, 331), 86_400
# Each with how long is waited, and how long where a video was sent.
PASSING = {
    "429 after 7 s": (Answer(429, None, {"Retry-After": "7"}), (6, 8), (6, 8)),
    "429 after a date": (Answer(429, {}, IN_AN_HOUR), RARELY, (3000, 4000)),
    "429 after far too long": (
        Answer(429, None, {"Retry-After": "99999"}),
        RARELY,
        (A_DAY - 100, A_DAY * 1.1),
    ),
    "429 with a reset": (Answer(429, None, RESET_IN_AN_HOUR), RARELY, (3000, 4000)),
    "429 and no more": (Answer(429), SOON, AGAIN),
    "429 with nonsense": (Answer(429, None, {"Retry-After": "soon"}), SOON, AGAIN),
    "500": (Answer(500, {"message": "oops"}), SOON, AGAIN),
    "503 in HTML": (Answer(503, b"<h1>Down</h1>"), SOON, AGAIN),
    "reset": (Answer(play=scripted_cloud.reset), SOON, SOON),
    "truncated": (Answer(play=scripted_cloud.truncated), SOON, SOON),
    "huge": (Answer(play=scripted_cloud.huge), SOON, SOON),
    "HTML": (Answer(200, b"<!doctype html><p>Sign in to the hotel's network"), SOON, SOON),
    "empty": (Answer(200, b""), SOON, SOON),
    "half of the JSON": (Answer(200, b'{"_id": "6'), SOON, SOON),
    "a list": (Answer(200, []), SOON, SOON),
    "NaN": (Answer(200, b'{"status": NaN}'), SOON, SOON),
    "wrong types": (Answer(200, {"_id": 7, "status": {}, "data": "x"}), SOON, SOON),
    "a bottomless list": (Answer(200, b"[" * 100_000), SOON, SOON),
}


@pytest.mark.parametrize("step", [Step.SUBMIT, Step.POLL, Step.RECEIVE])
@pytest.mark.parametrize("fault", PASSING)
def test_cloud_faults_that_pass_are_asked_about_again_later(cloud: Cloud, fault, step):
    answer, asking, sending_again = PASSING[fault]
    task = sending()
    while task.step != step:
        task = take(task)
    method = "POST /tasks" if step == Step.SUBMIT else "GET *"
    cloud.script[method] = [answer]
    task = take(task)
    assert (task.is_final, task.lease_until, task.remote_faults) == (False, None, 1)
    least, most = sending_again if step == Step.SUBMIT else asking
    assert least <= waiting_seconds(task) <= most
    assert task.doing.startswith("Twelve Labs")
    assert KEY not in task.error_detail
    cloud.script.clear()
    assert carry(task).status == Status.READY


def test_a_short_answer_that_a_proxy_packed_is_whole(cloud: Cloud):
    """Packed it is longer than what is in it."""
    task = take(sending())
    body = json.dumps({"_id": task.remote_id, "status": "pending"}).encode()
    packed = gzip.compress(body, 0)
    assert len(packed) > len(body)
    cloud.script["GET *"] = [Answer(200, packed, {"Content-Encoding": "gzip"})]

    task = take(task)

    assert (task.step, task.remote_faults) == (Step.POLL, 0)


def test_an_answer_that_drips_is_cut_off(cloud: Cloud, settings):
    settings.TWELVELABS_TIMEOUT_SECONDS = 1.0
    task = take(sending())
    cloud.script["GET *"] = [Answer(play=scripted_cloud.drip)]
    begun = time.monotonic()
    task = take(task)
    assert time.monotonic() - begun < 10
    assert (task.step, task.doing) == (Step.POLL, "Twelve Labs did not answer within 1 s.")


def test_waits_grow_and_are_never_the_same_for_all(cloud: Cloud):
    cloud.always["GET *"] = Answer(500)
    task = take(sending())
    waits = []
    for _ in range(10):
        task = take(task)
        waits.append(waiting_seconds(task))
    assert waits[2] > waits[0] and waits[5] > waits[3]
    assert all(200 < wait < 400 for wait in waits[-2:])
    assert task.status == Status.INDEXING
    assert "Twelve Labs has a fault. Next try in" in describe(task).detail


def test_a_service_that_is_down_ends_at_the_deadline_with_a_sentence(cloud: Cloud):
    cloud.always["GET *"] = Answer(500)
    task = take(sending())
    Task.objects.update(
        asked_at=Now() - timedelta(hours=25), remote_asked_at=Now() - timedelta(hours=25)
    )
    task = take(task)
    assert task.status == Status.FAILED
    assert task.error.startswith("Twelve Labs was not done within 24 h")
    assert "has a fault" in task.error


def test_a_task_that_is_never_ready_ends_at_the_deadline_and_can_be_tried_again(cloud: Cloud, rung):
    cloud.status = "indexing"
    task = take(take(sending()))
    Task.objects.update(
        asked_at=Now() - timedelta(hours=25), remote_asked_at=Now() - timedelta(hours=25)
    )
    task = take(task)
    assert task.error.startswith("Twelve Labs was not done within 24 h")
    cloud.status = "ready"
    assert ingest.try_again(task)
    assert carry(task).status == Status.READY
    assert len(cloud.asked("POST", "/tasks$")) == 1


def test_a_task_that_failed_there_says_so_and_is_sent_again_when_asked(cloud: Cloud, rung):
    cloud.status = "failed"
    task = carry(sending())
    assert (task.status, task.error) == (
        Status.FAILED,
        "Twelve Labs could not transcribe this video.",
    )
    for each in cloud.tasks.values():
        each["status"] = "failed"
    cloud.status = "ready"
    ingest.try_again(task)
    assert carry(task).status == Status.READY
    assert len(cloud.asked("POST", "/tasks$")) == 2


@pytest.mark.parametrize("step", [Step.POLL, Step.RECEIVE])
def test_a_task_or_transcript_that_vanished_there_ends_and_is_sent_again_when_asked(
    cloud: Cloud, rung, step
):
    task = sending()
    while task.step != step:
        task = take(task)
    cloud.tasks.clear()
    cloud.always["GET *"] = Answer(404, {"code": "not_found", "message": "No."})
    task = carry(task)
    assert (task.status, task.error) == (
        Status.FAILED,
        "Twelve Labs does not know this video any more.",
    )
    cloud.always.clear()
    ingest.try_again(task)
    assert carry(task).status == Status.READY


@pytest.mark.parametrize("known", ["", "e" * 24])
def test_an_address_where_nothing_is_is_called_that(cloud: Cloud, settings, known):
    settings.TWELVELABS_BASE_URL = f"{cloud.url}/elsewhere"
    task = carry(sending(index=make_index(remote_id=known)))
    assert task.status == Status.FAILED
    assert "check TWELVELABS_BASE_URL and TWELVELABS_VERSION" in task.error
    assert cloud.asked("POST") == []


def test_a_video_whose_index_goes_while_it_is_sent_names_the_index(cloud: Cloud):
    cloud.always["POST /tasks"] = Answer(404, {"code": "resource_not_exists", "message": "No."})
    task = carry(sending())
    assert "does not know the index" in task.error


def test_a_service_that_hangs_up_on_each_upload_is_not_sent_to_for_a_day(cloud: Cloud):
    cloud.always["POST /tasks"] = Answer(play=scripted_cloud.reset)
    task = carry(sending())
    assert (task.status, task.error) == (
        Status.FAILED,
        "Twelve Labs hung up while the video was sent.",
    )
    assert len(cloud.asked("POST", "/tasks$")) == 5


@pytest.mark.parametrize("answer", [Answer(500), Answer(503, b"<h1>Down</h1>"), Answer(429)])
def test_a_video_that_is_not_taken_is_sent_five_times_at_most(cloud: Cloud, answer):
    cloud.always["POST /tasks"] = answer
    task = carry(sending())
    said = "asks us to send the video later" if answer.status == 429 else "had a fault"
    assert (task.status, said in task.error) == (Status.FAILED, True)
    assert len(cloud.asked("POST", "/tasks$")) == 5


def test_silence_about_a_video_that_was_sent_is_waited_for_and_bounded():
    def work(watch: calls.Watch) -> None:
        watch.progress(7, 7)
        time.sleep(1)

    with pytest.raises(NotNow, match="that it took the video") as caught:
        list(calls.watched(work, "Twelve Labs", 0.2))
    assert (caught.value.most, caught.value.wait_seconds) == (5, 300)


def test_a_limit_that_ends_is_waited_for_as_often_as_they_ask(cloud: Cloud):
    cloud.always["POST /tasks"] = Answer(429, None, {"Retry-After": "60"})
    task = carry(sending(), most=9)
    assert (task.step, task.remote_faults) == (Step.SUBMIT, 9)
    cloud.always.clear()
    assert carry(task).status == Status.READY


def test_faults_before_a_video_is_sent_do_not_count_as_sendings(cloud: Cloud):
    index = make_index(remote_id="e" * 24)
    cloud.indexes["e" * 24] = index.remote_tag
    cloud.script[f"GET /indexes/{index.remote_id}"] = [Answer(500)] * 9
    cloud.script["POST /tasks"] = [Answer(500)] * 4
    task = carry(sending(index=index), most=20)
    assert (task.status, len(cloud.asked("POST", "/tasks$"))) == (Status.READY, 5)


# --- faults for good ---


def test_a_refusal_is_final_with_their_words_escaped(cloud: Cloud, client):
    owner = make_user()
    client.force_login(owner)
    words = f"<script>alert(1)</script> too long, key {KEY}\n" + "x" * 5000
    cloud.script["POST /tasks"] = [
        Answer(400, {"code": "video_duration_too_long", "message": words})
    ]
    task = carry(sending(index=make_index(owner)))
    assert task.status == Status.FAILED
    assert task.error.startswith(
        "Twelve Labs refused: <script>alert(1)</script> too long, key (key) xxx"
    )
    assert len(task.error) < 400
    page = client.get(f"/videos/{task.video_id}/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize("status", [400, 401, 402, 403, 405, 413, 422])
def test_what_is_refused_is_not_asked_again(cloud: Cloud, status):
    cloud.script["POST /tasks"] = [Answer(status, {"message": "No."})]
    task = take(sending())
    assert (task.status, task.error) == (Status.FAILED, "Twelve Labs refused: No.")


def test_a_wrong_key_costs_no_upload(cloud: Cloud, settings):
    settings.TWELVELABS_API_KEY = "tlk_WRONG"
    task = take(sending())
    assert task.error == "Twelve Labs refused: The API key is invalid."
    assert cloud.asked("POST", "/tasks$") == []


def test_without_a_key_the_task_says_so(cloud: Cloud, settings):
    settings.TWELVELABS_API_KEY = ""
    task = take(sending())
    assert task.error == "No key for Twelve Labs is set (TWELVELABS_API_KEY)."


def test_a_redirect_is_not_followed_with_the_key(cloud: Cloud):
    with scripted_cloud.scripted_cloud() as elsewhere:
        to = {"Location": f"{elsewhere.url}/v1.3/tasks"}
        cloud.always["POST /tasks"] = Answer(307, None, to)
        task = take(sending())
        assert elsewhere.calls == []
    assert task.status == Status.FAILED
    assert "redirects elsewhere" in task.error


# --- their data is looked at before it is kept ---


@pytest.mark.parametrize(
    "dirty",
    [
        {"start": float("nan"), "end": 1, "value": "x"},
        {"start": 0, "end": float("inf"), "value": "x"},
        {"start": 5, "end": 1, "value": "x"},
        {"start": -1, "end": 1, "value": "x"},
        {"start": "0", "end": 1, "value": "x"},
        {"start": True, "end": 1, "value": "x"},
        {"start": 0, "end": 1e15, "value": "x"},
        {"start": 0, "end": 1},
        {"start": 0, "end": 1, "value": None},
        {"start": 0, "end": 1, "value": "x" * 1_000_000},
        "words",
        None,
    ],
)
def test_a_dirty_transcript_is_asked_for_again_and_never_kept(cloud: Cloud, dirty):
    cloud.transcript = [{"start": 0, "end": 1, "value": "fine"}, dirty]
    task = take(take(take(sending())))
    assert (task.step, task.doing) == (
        Step.RECEIVE,
        "Twelve Labs gave an answer that cannot be read.",
    )
    task = carry(task)
    assert (task.status, Segment.objects.count()) == (Status.FAILED, 0)


def test_numbers_too_large_for_a_float_are_no_times(cloud: Cloud):
    huge = b'{"transcription": [{"start": 0, "end": 1' + b"0" * 400 + b', "value": "x"}]}'
    task = take(take(sending()))
    cloud.script["GET *"] = [Answer(200, huge)]
    assert take(task).doing == "Twelve Labs gave an answer that cannot be read."


def test_an_instant_is_given_a_millisecond_and_empty_text_is_left_out(cloud: Cloud):
    cloud.transcript = [
        {"start": 1, "end": 1, "value": "now"},
        {"start": 2, "end": 3, "value": "  "},
    ]
    assert texts(carry(sending())) == [(1000, 1001, "now")]


@pytest.mark.django_db(transaction=True)
def test_a_transcript_is_kept_before_its_lines_are_held_against_the_sound(
    cloud: Cloud, monkeypatch
):
    inside = []

    def look(video_id: str) -> None:
        inside.append(connection.in_atomic_block)

    monkeypatch.setattr(pipeline.hush, "look", look)

    assert carry(sending()).status == Status.READY

    assert inside == [False]


# --- the key ---


def test_the_key_is_in_no_log_row_repr_or_message(
    cloud: Cloud, caplog, monkeypatch, django_user_model
):
    caplog.set_level(logging.DEBUG)
    sent: list[Any] = []
    monkeypatch.setattr(tasks.advance, "apply_async", lambda *a, **k: sent.append((a, k)))
    monkeypatch.setattr(tasks.forget, "apply_async", lambda *a, **k: sent.append((a, k)))
    for fault in (Answer(500, f"echo {KEY}".encode()), Answer(400, {"message": KEY})):
        cloud.script["POST /tasks"] = [fault]
        task = take(sending(content=str(fault.status).encode()))
    tasks.sweep()
    ingest.delete_video(task.video)
    rows = [list(Task.objects.values()), list(RemoteDeletion.objects.values())]
    assert KEY not in caplog.text
    assert KEY not in str(rows)
    assert KEY not in str(sent)
    assert KEY not in repr(pipeline.engine_config())


@pytest.mark.parametrize("value", ["tlk_A\nB", "tlk_A B", "tlk_É"])
def test_a_key_that_no_header_can_hold_stops_the_start_unseen(monkeypatch, value):
    monkeypatch.setenv("TWELVELABS_API_KEY", value)
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.token("TWELVELABS_API_KEY")
    assert "tlk" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["api.example.org", "ftp://a.example", "https://me:pw@a.example", "https://"]
)
def test_an_address_that_is_none_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("TWELVELABS_BASE_URL", value)
    with pytest.raises(ImproperlyConfigured):
        environment.address("TWELVELABS_BASE_URL", "https://api.example.org")


@pytest.mark.parametrize("version", ["", "/v1", "/v1.1", "/v1.2", "/v1.3"])
def test_an_address_may_have_the_version_in_it_as_sdks_want_it(version):
    assert environment.without_version(f"http://desk/api{version}") == "http://desk/api"
    assert "env.without_version(TWELVELABS_BASE_URL)" in inspect.getsource(site_settings)


def test_an_engine_that_there_is_not_stops_the_start(monkeypatch):
    known = ("", *engines.ENGINES, *engines.CLOUD)
    asked = 'one_of("ENGINE", ' + json.dumps(known).replace("[", "(").replace("]", ")")
    assert asked in inspect.getsource(site_settings)
    monkeypatch.setenv("ENGINE", "Whisper")
    with pytest.raises(ImproperlyConfigured, match="one of whisper, sphinx, twelvelabs, not"):
        environment.one_of("ENGINE", known)


# --- choosing it ---


def test_it_is_offered_and_the_default_only_with_a_key(cloud: Cloud, settings):
    assert engines.default(pipeline.engine_config()) == ("twelvelabs", "")
    assert ("twelvelabs", "Twelve Labs (cloud)") in forms.engine_choices()
    settings.TWELVELABS_API_KEY = ""
    assert "twelvelabs" not in dict(forms.engine_choices())


@pytest.mark.parametrize(
    ("fields", "headline"),
    [
        ({"step": Step.SUBMIT}, "Waiting to be uploaded to Twelve Labs"),
        (
            {"step": Step.SUBMIT, "lease_until": timezone.now(), "fraction": 0.4},
            "Uploading to Twelve Labs",
        ),
        ({"step": Step.POLL}, "Waiting for Twelve Labs"),
        ({"step": Step.RECEIVE}, "Fetching the transcript from Twelve Labs"),
    ],
)
def test_the_page_says_what_happens_there(fields, headline):
    state = describe(sending(status=Status.INDEXING, **fields))
    assert state.headline == headline
    assert state.percent == (40 if "fraction" in fields else None)


def test_an_upload_and_local_speech_do_not_wait_for_each_other(monkeypatch, rung):
    sent, heard = sending(), sending(engine="sphinx", step=Step.TRANSCRIBE)
    taken: list[str] = []
    monkeypatch.setattr(tasks, "_take", taken.append)
    with tasks._slots[Step.TRANSCRIBE]:
        tasks.advance(heard.pk)
        tasks.advance(sent.pk)
    assert taken == [sent.pk]


def test_a_slow_cloud_keeps_no_picture_waiting(monkeypatch, rung):
    asked, new = sending(step=Step.POLL), sending(step=Step.PREPARE)
    taken: list[str] = []
    monkeypatch.setattr(
        tasks, "_take", lambda pk: taken.append(pk) or Task.objects.claim(pk, LEASE)
    )
    with ExitStack() as slots:
        for _ in range(tasks.SLOTS[Step.POLL]):
            slots.enter_context(tasks._slots[Step.POLL])
        tasks.advance(asked.pk)
        tasks.advance(new.pk)
    assert taken == [new.pk]


def test_many_that_wait_there_do_not_keep_a_new_one_waiting(rung):
    index = make_index()
    for _ in range(20):
        sending(index=index, step=Step.POLL)
    new = sending(index=index, step=Step.PREPARE)
    for _ in range(2):
        rung.clear()
        tasks.look_around()
        Task.objects.filter(pk__in=rung, step=Step.POLL).update(updated_at=Now())
    assert new.pk in rung


def test_what_is_to_be_deleted_there_goes_one_after_the_other(cloud: Cloud, monkeypatch):
    pks = [RemoteDeletion.objects.create(engine="twelvelabs", task_id=str(n)).pk for n in range(3)]
    begun, ended = [], []

    def carry_out(pk: int) -> None:
        begun.append(pk)
        tasks.forget()  # another message, beside it
        RemoteDeletion.objects.filter(pk=pk).delete()
        ended.append(pk)

    monkeypatch.setattr(forgetting, "carry_out", carry_out)
    tasks.forget()
    assert begun == ended == pks


# --- gone here, gone there ---


def delete_there() -> None:
    RemoteDeletion.objects.update(not_before=None)
    for pk in RemoteDeletion.objects.values_list("pk", flat=True):
        forgetting.carry_out(pk)


def test_a_deleted_video_is_deleted_there_video_first(cloud: Cloud, rung):
    task = carry(sending())
    ingest.delete_video(task.video)
    assert cloud.asked("DELETE") == []
    delete_there()
    first, second = cloud.asked("DELETE")
    assert first.path.endswith(f"/videos/{task.remote_video_id}")
    assert second.path.endswith(f"/tasks/{task.remote_id}")
    assert not RemoteDeletion.objects.exists()


def test_a_deleted_index_is_deleted_there(cloud: Cloud, rung):
    task = carry(sending())
    ingest.delete_index(task.video.index)
    delete_there()
    assert cloud.indexes == {}
    assert not Index.objects.exists()


def test_what_arrived_without_our_knowing_is_found_by_its_name_and_deleted(cloud: Cloud, rung):
    task = take(sending())
    Task.objects.update(remote_id="", remote_video_id="")
    ingest.delete_video(Task.objects.get().video)
    delete_there()
    assert (cloud.tasks, len(cloud.asked("DELETE"))) == ({}, 2)
    assert task.remote_id


def test_a_video_that_was_moved_is_fetched_and_deleted_where_it_was_sent(cloud: Cloud, rung):
    task = take(sending())
    Video.objects.update(index=make_index(task.video.index.owner))
    task = carry(task)
    assert (task.status, len(texts(task))) == (Status.READY, 2)
    ingest.delete_video(task.video)
    delete_there()
    assert (cloud.tasks, len(cloud.asked("POST", "/tasks$"))) == ({}, 1)
    assert not RemoteDeletion.objects.exists()


def test_an_index_goes_there_with_what_was_moved_into_it_and_out_of_it(cloud: Cloud, rung):
    out, into = carry(sending()), carry(sending(content=b"another"))
    Video.objects.filter(pk=into.video_id).update(index=out.video.index)
    Video.objects.filter(pk=out.video_id).update(index=into.video.index)
    ingest.delete_index(out.video.index)
    delete_there()
    assert list(cloud.indexes) == [into.remote_index_id]
    assert into.remote_id not in cloud.tasks


def test_an_index_whose_deletion_broke_off_goes_there_with_what_was_deleted(
    cloud: Cloud, rung, monkeypatch
):
    index = carry(sending()).video.index
    carry(sending(index=index, content=b"another"))
    delete = ingest._delete_inside

    def power_cut(*args: Any) -> None:
        delete(*args)
        raise SystemExit

    monkeypatch.setattr(ingest, "_delete_inside", power_cut)
    with pytest.raises(SystemExit):
        ingest.delete_index(index)
    assert (index.videos.count(), RemoteDeletion.objects.count()) == (1, 1)
    delete_there()
    assert cloud.indexes == {}


def test_what_is_sent_while_its_index_is_deleted_is_deleted_there_by_itself(
    cloud: Cloud, rung, monkeypatch
):
    index = carry(sending()).video.index
    is_empty, late = ingest._delete_if_empty, []

    def meanwhile(index: Index) -> bool:
        if not late:
            late.append(take(sending(index=index, content=b"late")).remote_id)
        return is_empty(index)

    monkeypatch.setattr(ingest, "_delete_if_empty", meanwhile)
    ingest.delete_index(index)
    assert not Index.objects.exists()
    assert set(RemoteDeletion.objects.values_list("task_id", flat=True)) == {"", *late}


def test_what_was_sent_before_the_site_knew_of_moves_is_where_its_index_is(cloud: Cloud):
    task = take(sending())
    Task.objects.update(remote_index_id="")
    import_module("videos.migrations.0024_stay_where_it_was_sent").remember(apps, None)
    assert Task.objects.get().remote_index_id == task.remote_index_id != ""


def test_a_transcript_deleted_by_itself_is_deleted_there_and_found_no_more(
    cloud: Cloud, rung, client
):
    task = carry(sending())
    client.force_login(task.video.index.owner)
    Video.objects.update(transcript=make_task(task.video, status=Status.READY))
    client.post(f"/videos/{task.video_id}/transcripts/{task.pk}/delete")
    delete_there()
    assert cloud.tasks == {}
    assert not SearchRow.objects.exists()


@pytest.mark.parametrize("kind", ["index", "video", "task", "user"])
def test_what_an_administrator_deletes_goes_there_too(cloud: Cloud, rung, admin_client, kind):
    task = carry(sending())
    video, index = task.video, task.video.index
    pk = {"index": index.pk, "video": video.pk, "task": task.pk, "user": index.owner_id}[kind]
    app = "auth" if kind == "user" else "videos"
    answer = admin_client.post(f"/admin/{app}/{kind}/{pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    delete_there()
    assert not Task.objects.exists()
    assert (cloud.tasks if kind in ("video", "task") else cloud.indexes) == {}


def test_several_that_an_administrator_deletes_go_there_too(cloud: Cloud, rung, admin_client):
    task = carry(sending())
    chosen = {"action": "delete_selected", "_selected_action": [task.video_id], "post": "yes"}
    admin_client.post("/admin/videos/video/", chosen)
    delete_there()
    assert cloud.tasks == {}


def test_a_deletion_that_fails_is_tried_again_later(cloud: Cloud, rung):
    task = carry(sending())
    cloud.always["DELETE *"] = Answer(400, {"code": "task_cannot_be_deleted", "message": "Later."})
    ingest.delete_video(task.video)
    delete_there()
    left = RemoteDeletion.objects.get()
    assert (left.tries, left.not_before > timezone.now()) == (1, True)
    cloud.always["DELETE *"] = Answer(404, {"message": "Gone."})
    delete_there()
    assert not RemoteDeletion.objects.exists()


def test_a_failed_task_deleted_by_itself_is_deleted_there_too(cloud: Cloud, rung):
    task = take(take(sending()))
    ingest.delete_task(task)
    delete_there()
    assert cloud.tasks == {}


def test_nothing_is_deleted_there_when_the_setting_says_so_or_nothing_was_sent(
    cloud: Cloud, rung, settings
):
    ingest.delete_video(sending().video)
    settings.TWELVELABS_DELETE = False
    ingest.delete_video(carry(sending()).video)
    assert not RemoteDeletion.objects.exists()


# --- they call us ---

SECRET = "whsec_0123456789"


def notify(client, body: bytes, *, secret: str = SECRET, moment: float | None = None):
    moment_text = str(int(time.time() if moment is None else moment))
    digest = hmac.new(secret.encode(), moment_text.encode() + b"." + body, hashlib.sha256)
    header = f"t={moment_text},v1={digest.hexdigest()}"
    return client.post(
        "/hooks/twelvelabs", body, content_type="application/json", headers={"TL-Signature": header}
    )


def test_a_signed_notification_rings_the_row_and_is_believed_nothing_else(
    cloud: Cloud, client, settings, rung
):
    settings.TWELVELABS_WEBHOOK_SECRET = SECRET
    cloud.status = "indexing"
    task = take(take(sending()))
    assert not Task.objects.due().exists()
    data = {"id": task.remote_id, "status": "ready"}
    body = json.dumps({"type": "index.task.ready", "data": data}).encode()
    assert notify(client, body).status_code == 204
    task.refresh_from_db()
    assert (task.step, task.status) == (Step.POLL, Status.INDEXING)
    assert Task.objects.due().exists()
    assert rung == [task.pk]


def test_a_notification_that_is_not_signed_rightly_is_refused(client, settings):
    body = b'{"data": {"id": "x"}}'
    assert notify(client, body).status_code == 404  # no secret is set
    settings.TWELVELABS_WEBHOOK_SECRET = SECRET
    assert notify(client, body, secret="another").status_code == 403
    assert notify(client, body, moment=time.time() - 400).status_code == 403
    assert notify(client, body, moment=time.time() + 400).status_code == 403
    assert client.post("/hooks/twelvelabs", body, content_type="text/plain").status_code == 403
    assert client.get("/hooks/twelvelabs").status_code == 405
    for nonsense in (
        b"",
        b"[]",
        b"\xff",
        b'{"data": 3}',
        b'{"data": {"id": ["x"]}}',
        b"[" * 10_000,
    ):
        assert notify(client, nonsense).status_code == 204


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=é", "t=,v1=", "t=９,v1=0", "a,b,c", "t=99999999999999,v1=0"]
)
def test_a_signature_header_may_be_anything(header):
    assert not twelvelabs.is_signed(SECRET, header, b"{}")
