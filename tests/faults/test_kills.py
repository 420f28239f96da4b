"""What is killed, and what must hold afterwards: nothing lost, nothing twice, no orphan."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest
import redis
import requests

from tests.faults.conftest import set_up_once, start_redis, wait_ready
from tests.faults.stack import CAPTIONS, Stack, free_port, is_alive, running, wait_for


@set_up_once
def test_a_worker_killed_in_mid_transcription_loses_and_doubles_nothing(stack, a_while, truth):
    assert stack.upload(a_while).ok
    wait_for(stack.listening, 60, "the first segments")
    worker, engine = stack.child("worker"), stack.engine_child()
    before = len(stack.texts())
    os.killpg(worker, signal.SIGKILL)
    wait_for(lambda: not (is_alive(worker) or is_alive(engine)), 5, "both gone")

    pages = []

    def ready() -> bool:
        pages.append(requests.get(f"{stack.url}/", timeout=10).text.lower())
        return stack.all_ready()

    wait_for(ready, 90, "ready after the kill")
    assert stack.texts() == truth
    assert 0 < before <= len(truth)
    assert not any('class="state failed' in page for page in pages)
    (claims,) = stack.rows("SELECT claims FROM videos_task")[0]
    assert claims >= 3


@set_up_once
def test_an_engine_killed_in_mid_transcription_is_started_again(embedded, a_while, truth):
    embedded.start()
    assert embedded.upload(a_while).ok
    wait_for(embedded.listening, 60, "the first segments")
    os.killpg(embedded.engine_child(), signal.SIGKILL)
    wait_ready(embedded)
    assert embedded.texts() == truth
    embedded.check()


def empty_the_broker(stack: Stack) -> int:
    """Delete all messages; how many there were."""
    if url := stack.env.get("BROKER_URL"):
        client = redis.Redis.from_url(url)
        # A worker that stands still may hold some already: those are deleted as well.
        count = client.llen("transcribe") + client.hlen("unacked")
        client.flushall()
        return count
    messages = list((stack.data_dir / "broker" / "queue").glob("*.msg"))
    for message in messages:
        message.unlink(missing_ok=True)
    return len(messages)


@set_up_once
def test_messages_that_are_all_deleted_cost_no_task(stack, sample):
    wait_for(stack.ready, 30, "a worker")
    worker = stack.child("worker")
    stack.freeze(worker)
    for name in ("one", "two", "three"):
        assert stack.upload(sample, captions=CAPTIONS, upload_key=name).ok
    assert empty_the_broker(stack) > 0
    os.kill(worker, signal.SIGCONT)
    wait_ready(stack)
    assert len(stack.statuses()) == 3


@set_up_once
def test_a_message_delivered_many_times_at_once_does_its_work_once(stack, a_while, truth):
    assert stack.upload(a_while).ok
    (task_id,) = stack.rows("SELECT id FROM videos_task")[0]
    ring = f"from videos import tasks\nfor _ in range(20): tasks.ring('{task_id}')"
    stack.manage("shell", "--no-imports", "-c", ring)
    wait_ready(stack)
    assert stack.texts() == truth
    assert stack.rows("SELECT claims, interruptions FROM videos_task") == [(2, 0)]


def test_a_broker_that_vanishes_while_people_upload_costs_nothing(tmp_path, sample):
    port = free_port()
    with running(tmp_path / "data", BROKER_URL=f"redis://127.0.0.1:{port}/0") as stack:
        stack.session()  # the first page of all compiles what others find compiled
        begun = time.monotonic()
        assert stack.upload(sample, captions=CAPTIONS).ok
        assert time.monotonic() - begun < 10
        assert stack.statuses() == ["validating"]
        state = requests.get(f"{stack.url}/readyz", timeout=10)
        assert state.status_code == 503
        assert not state.json()["broker"]["ok"]

        server = start_redis(port, tmp_path)
        try:
            wait_ready(stack)
        finally:
            server.terminate()
            server.wait()


def test_the_broker_s_folder_may_be_deleted_at_any_time(embedded, sample):
    embedded.start()
    wait_for(embedded.ready, 30, "a worker")
    shutil.rmtree(embedded.data_dir / "broker")
    assert embedded.upload(sample, captions=CAPTIONS).ok
    wait_ready(embedded)


# --- uploads ---


def half_an_upload(stack: Stack) -> socket.socket:
    """Send the first half of a multipart body of four megabytes and leave it at that."""
    session, token = stack.session()
    cookies = "; ".join(f"{c.name}={c.value}" for c in session.cookies)
    body = bytes(4 * 2**20)
    head = (
        '--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n'
        f"{token}\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    ).encode()
    request = (
        f"POST /upload/ HTTP/1.1\r\nHost: 127.0.0.1:{stack.port}\r\nCookie: {cookies}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(head) + len(body) + 7}\r\n\r\n"
    ).encode()
    connection = socket.create_connection(("127.0.0.1", stack.port))
    connection.sendall(request + head + body[: len(body) // 2])
    return connection


def spooled(stack: Stack) -> int:
    """Bytes of bodies in the web server's own files, which have no name."""
    held = 0
    for link in Path(f"/proc/{stack.process.pid}/fd").iterdir():
        with suppress(OSError):
            if os.readlink(link).startswith(f"{stack.data_dir}/tmp/"):
                held += link.stat().st_size
    return held


def leftovers(stack: Stack) -> list[Path]:
    folders = ("media", "incoming", "tmp")
    return [
        path
        for folder in folders
        for path in (stack.data_dir / folder).rglob("*")
        if path.is_file() and path.name != ".lock"
    ]


def test_a_web_server_killed_in_mid_upload_leaves_no_video_and_a_retry_works(embedded, sample):
    embedded.start()
    connection = half_an_upload(embedded)
    wait_for(lambda: spooled(embedded) > 2**20, 10, "half of it on the disk")
    embedded.stop(signal.SIGKILL)
    connection.close()
    embedded.start()
    assert embedded.rows("SELECT * FROM videos_video") == []
    assert leftovers(embedded) == []
    assert embedded.upload(sample, captions=CAPTIONS).ok
    wait_ready(embedded)
    embedded.check()


at_each_place_of_storing = pytest.mark.parametrize(
    ("place", "stored"),
    [("upload.before_rename", 0), ("upload.after_rename", 0), ("task.after_commit", 1)],
)


@at_each_place_of_storing
def test_a_web_server_killed_at_any_place_of_storing_loses_and_doubles_nothing(
    embedded, sample, place, stored
):
    embedded.start(ALLOW_FAILPOINTS="1", FAILPOINT=f"{place}:kill")
    with pytest.raises(requests.ConnectionError):
        embedded.upload(sample, captions=CAPTIONS, upload_key="the same")
    embedded.process.wait(10)
    assert embedded.rows("SELECT COUNT(*) FROM videos_video") == [(stored,)]

    embedded.start()
    assert embedded.upload(sample, captions=CAPTIONS, upload_key="the same").ok
    wait_ready(embedded)
    assert embedded.rows("SELECT COUNT(*) FROM videos_video") == [(1,)]
    embedded.check()


def send_in_parts(stack: Stack, file: Path) -> tuple[requests.Session, str]:
    """A session, and the address that makes a video of what it sent."""
    session, token = stack.session()
    session.headers.update({"X-CSRFToken": token, "Accept": "application/json"})
    about = {"name": file.name, "size": file.stat().st_size, "modified": 5}
    begun = session.post(f"{stack.url}/upload/parts/", data=about, timeout=10).json()
    for number in begun["missing"]:
        part = f"{stack.url}{begun['url']}{number}"
        assert session.put(part, file.read_bytes(), timeout=10).json() == {"ok": True}
    return session, f"{stack.url}{begun['url']}finish"


@at_each_place_of_storing
def test_a_web_server_killed_while_it_stores_an_upload_in_parts_needs_no_part_again(
    embedded, sample, place, stored
):
    embedded.start(ALLOW_FAILPOINTS="1", FAILPOINT=f"{place}:kill")
    session, finish = send_in_parts(embedded, sample)
    with pytest.raises(requests.ConnectionError):
        session.post(finish, timeout=60)
    embedded.process.wait(10)
    assert embedded.rows("SELECT COUNT(*) FROM videos_video") == [(stored,)]

    embedded.start()
    assert session.post(finish, timeout=60).status_code == 201
    wait_ready(embedded)
    assert embedded.rows("SELECT COUNT(*) FROM videos_video") == [(1,)]
    assert [path.name for path in leftovers(embedded) if path.suffix == ".part"] == []
    embedded.check()


def test_a_broken_upload_s_part_file_is_swept(embedded, sample):
    embedded.start(ALLOW_FAILPOINTS="1", FAILPOINT="upload.before_rename:kill")
    with pytest.raises(requests.ConnectionError):
        embedded.upload(sample)
    embedded.process.wait(10)
    assert [path.suffix for path in leftovers(embedded)] == [".part"]
    embedded.start(PART_FILE_HOURS="0", CLEAN_MINUTES="0")
    wait_for(lambda: leftovers(embedded) == [], 20, "the part file swept")


@set_up_once
@pytest.mark.parametrize("place", ["segments.half", "step.before_commit", "ring.after_publish"])
def test_a_worker_killed_at_any_place_of_a_step_loses_and_doubles_nothing(
    embedded, two_phrases, place, short_truth
):
    embedded.start(ALLOW_FAILPOINTS="1", FAILPOINT=f"{place}:kill")
    try:
        embedded.upload(two_phrases)
    except requests.ConnectionError:
        embedded.process.wait(10)  # the web process rings as well
    wait_for(lambda: "code -9" in embedded.log() or embedded.process.poll(), 90, "it")
    if embedded.process.poll() is None:
        embedded.stop()

    embedded.start()

    wait_ready(embedded)
    assert embedded.texts() == short_truth
    embedded.check()


# --- stopping ---


@set_up_once
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_with_a_task_running_is_clean_and_quick(embedded, a_while, truth, number):
    embedded.start()
    assert embedded.upload(a_while).ok
    wait_for(embedded.listening, 60, "the first segments")
    assert embedded.stop(number) < 10
    assert embedded.process.returncode == 0
    assert embedded.survivors() == []
    lease, interruptions, status = embedded.rows(
        "SELECT lease_until, interruptions, status FROM videos_task"
    )[0]
    assert (lease, interruptions, status) == (None, 0, "pending")

    embedded.start()
    wait_ready(embedded)
    assert embedded.texts() == truth


def test_nothing_survives_a_killed_parent(embedded, a_while):
    embedded.start()
    assert embedded.upload(a_while).ok
    wait_for(embedded.listening, 60, "the first segments")
    assert len(embedded.family()) >= 4
    embedded.process.kill()
    embedded.process.wait()
    wait_for(lambda: not embedded.survivors(), 12, "no orphan")


@pytest.mark.parametrize("after", [0.0, 0.1, 0.4])
def test_nothing_survives_a_parent_that_is_killed_while_it_starts(embedded, after):
    embedded.start()
    time.sleep(after)
    wait_for(lambda: len(embedded.family()) >= 3, 10, "its children")
    embedded.process.kill()
    embedded.process.wait()
    wait_for(lambda: not embedded.survivors(), 12, "no orphan")


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_a_killed_child_is_started_again_and_leaves_no_orphan(embedded, command):
    embedded.start()
    wait_for(embedded.ready, 30, "a worker")
    old = embedded.child(command)
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: not is_alive(old), 5, "it is dead")

    def another() -> bool:
        try:
            return embedded.child(command) != old
        except StopIteration:
            return False

    wait_for(another, 10, "another one")
    time.sleep(1.5)
    wait_for(embedded.ready, 30, "a worker again")
