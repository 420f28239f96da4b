"""The folder that serves as a broker, and what a worker does when the broker fails it."""

from __future__ import annotations

import errno
import socket
import threading
import time
from pathlib import Path
from queue import Empty

import pytest
from celery import Celery
from celery.signals import worker_shutting_down
from kombu import Connection, Exchange, Queue
from kombu.exceptions import ChannelError, OperationalError
from kombu.transport import filesystem
from kombu.transport.virtual import BrokerState

from transcribe_site import environment
from videos.management.commands.worker import _Worker


@pytest.fixture
def queue(tmp_path, monkeypatch):
    # kombu remembers for the whole process which queues it has told the folder of.
    monkeypatch.setattr(filesystem.Transport, "global_state", BrokerState())
    url, options = environment.broker(tmp_path)
    for name in ("queue", "control"):
        (tmp_path / "broker" / name).mkdir(parents=True)
    with (
        Connection(url, transport_options=options) as connection,
        connection.SimpleQueue("transcribe") as queue,
    ):
        yield queue


def messages(folder: Path) -> list[Path]:
    return list((folder / "broker" / "queue").glob("[!.]*.transcribe.msg"))


def test_a_message_is_seen_only_when_it_is_whole(queue, tmp_path, monkeypatch):
    seen_before, rename = [], Path.rename

    def spy(self: Path, target: Path) -> Path:
        seen_before.extend(messages(tmp_path))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", spy)
    queue.put({"task": 1})

    assert seen_before == []
    assert len(messages(tmp_path)) == 1
    assert queue.get(timeout=5).payload == {"task": 1}
    assert messages(tmp_path) == []


def test_a_disk_that_is_full_keeps_no_half_message(queue, tmp_path, monkeypatch):
    def full(self: Path, text: str) -> None:
        self.write_bytes(text.encode()[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ChannelError):
        queue.put({"task": 1})
    assert not [path for path in (tmp_path / "broker" / "queue").iterdir() if path.suffix == ".msg"]


def test_a_message_that_cannot_be_read_stops_nobody(queue, tmp_path):
    (tmp_path / "broker" / "queue" / "0_half.transcribe.msg").write_bytes(b'{"bo')
    queue.put({"task": 2})

    for _ in range(2):
        try:
            assert queue.get(timeout=2).payload == {"task": 2}
            break
        except Empty:
            pass
    else:
        pytest.fail("The message behind it was not had.")
    assert messages(tmp_path) == []


def test_who_starts_while_another_writes_the_bindings_waits_for_them(queue, tmp_path):
    connection = queue.channel.connection.client
    bound = Queue("alone", Exchange("alone"), routing_key="alone")
    bound(connection.channel()).declare()
    table = tmp_path / "broker" / "control" / "alone.exchange"
    written = table.read_bytes()
    table.write_bytes(b"")  # opened, not written yet
    threading.Timer(0.2, table.write_bytes, [written]).start()

    connection.channel()._queue_bind("alone", "alone", "", "alone")

    assert table.read_bytes() == written


@pytest.mark.parametrize("left", [b"", b'[["", "", "al'])
def test_bindings_that_a_full_disk_cut_off_are_written_anew(queue, tmp_path, left):
    connection = queue.channel.connection.client
    table = tmp_path / "broker" / "control" / "alone.exchange"
    table.write_bytes(left)

    connection.channel()._queue_bind("alone", "alone", "", "alone")

    assert connection.channel().get_table("alone") == [("alone", "", "alone")]


@pytest.mark.parametrize("how", ["refuses", "is silent"])
def test_who_rings_does_not_wait_for_a_broker_that(how, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("BROKER_URL", f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        if how == "refuses":
            server.close()
        app = Celery(set_as_current=False)
        app.conf.broker_url, app.conf.broker_transport_options = environment.broker(tmp_path)
        hung_up = threading.Timer(10, server.close)  # or without a timeout this were no test's end
        hung_up.start()
        begun = time.monotonic()
        with pytest.raises(OperationalError):
            app.send_task("ring", retry=False)
        assert time.monotonic() - begun < 8
        hung_up.cancel()


def test_a_worker_that_waits_for_messages_soon_asks_whether_it_shall_stop(queue):
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        queue.channel.connection.client.drain_events(timeout=20)
    assert time.monotonic() - begun < 10


def test_a_worker_that_ends_by_an_error_tells_what_runs_to_stop(monkeypatch):
    heard, ended = [], []

    def hear(**told: object) -> None:
        heard.append(told["exitcode"])

    worker = _Worker(loglevel="WARNING", quiet=True)
    monkeypatch.setattr(_Worker.__base__, "stop", lambda *told: ended.append(told[-1]))
    # What listens in this process already would stay stopped.
    monkeypatch.setattr(worker_shutting_down, "receivers", [])
    worker_shutting_down.connect(hear, weak=False)
    worker.stop(exitcode=1)

    assert heard == ended == [1]
