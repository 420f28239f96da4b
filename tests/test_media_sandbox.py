"""The sandbox holds its limits, leaves no process behind and hands no secret on."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import missing
from videos.media import child, guard, sandbox
from videos.media.sandbox import ChildDied, Limits, MediaError

JOBS = "tests.sandbox_jobs"
ROOMY = Limits(seconds=20)


def run(job: str, limits: Limits = ROOMY, **arguments: Any) -> dict[str, Any]:
    return sandbox.run(f"{JOBS}:{job}", arguments, limits)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_dead(pids: list[int], seconds: float = 3.0) -> list[int]:
    """Give those that are still alive after ``seconds``."""
    deadline = time.monotonic() + seconds
    while (alive := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def started_pids(stream: Iterator[dict[str, Any] | None]) -> list[int]:
    return next(message["pids"] for message in stream if message)


# --- tests ---


def test_messages_come_in_order_and_run_gives_the_last():
    messages = sandbox.stream(f"{JOBS}:count", {"to": 5}, ROOMY)

    assert [m["number"] for m in messages if m] == [0, 1, 2, 3, 4]
    assert run("answer", word="ä\n", list=[1, None]) == {
        "given": {"word": "ä\n", "list": [1, None]}
    }


def test_a_reported_error_is_a_sentence_with_its_detail():
    with pytest.raises(MediaError, match="No such luck") as caught:
        run("refuse")

    assert not isinstance(caught.value, ChildDied)
    assert caught.value.permanent and caught.value.detail == "why"


def test_a_crash_is_told_with_its_signal():
    with pytest.raises(ChildDied) as caught:
        run("crash")

    assert str(-signal.SIGSEGV) in caught.value.detail and not caught.value.permanent


def test_an_unknown_exception_is_a_death_with_its_trace():
    with pytest.raises(ChildDied) as caught:
        run("raise_unknown")

    assert "nobody thought of this" in caught.value.detail


def test_memory_is_limited():
    with pytest.raises(ChildDied) as caught:
        run("fill_memory", Limits(seconds=20, memory_bytes=512 * 1024**2))

    assert caught.value.limit == "memory"


def test_computing_time_is_limited_also_for_who_ignores_sigterm():
    with pytest.raises(ChildDied) as caught:
        run("spin_deaf", Limits(seconds=20, cpu_seconds=1))

    assert caught.value.limit == "cpu"


def test_time_is_limited_also_for_who_ignores_sigterm():
    started = time.monotonic()

    with pytest.raises(ChildDied) as caught:
        run("spin_deaf", Limits(seconds=1))

    assert caught.value.limit == "time"
    assert time.monotonic() - started < 10


def test_a_silent_child_is_stopped_and_ticks_come_meanwhile():
    stream = sandbox.stream(f"{JOBS}:sleep_long", {}, Limits(seconds=30, stall_seconds=3))
    pids = started_pids(stream)
    ticks = 0

    with pytest.raises(ChildDied) as caught:
        for message in stream:
            ticks += message is None

    assert caught.value.limit == "stall" and ticks >= 2
    assert wait_until_dead(pids) == []


def test_file_size_is_limited(tmp_path):
    with pytest.raises(ChildDied):
        run("write_much", Limits(seconds=20, file_bytes=100_000), path=str(tmp_path / "big"))

    assert (tmp_path / "big").stat().st_size <= 100_000


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("garbage\n", 1),
        ("[]\n", 1),
        ('{"kind": 7}\n', 1),
        ('{"kind": "message", "value": 7}\n', 1),
        ("[" * 100_000 + "\n", 1),
        ("x" * 65_536, 100),
    ],
    ids=["words", "list", "odd kind", "odd value", "deep", "endless line"],
)
def test_garbage_on_the_channel_ends_the_child(text, times):
    with pytest.raises(ChildDied, match="stopped"):
        run("say_raw", text=text, times=times)


def test_what_a_library_prints_does_not_break_the_channel():
    assert run("print_noise") == {"fine": True}


def test_closing_the_stream_kills_the_whole_group_at_once():
    stream = sandbox.stream(f"{JOBS}:sleep_long", {}, ROOMY)
    with closing(stream):
        pids = started_pids(stream)
        assert all(map(is_alive, pids))

    assert wait_until_dead(pids, 1.0) == []


def test_no_child_outlives_a_parent_that_is_killed():
    code = (
        "from videos.media import sandbox\n"
        f"for m in sandbox.stream('{JOBS}:sleep_long', {{}}, sandbox.Limits()):\n"
        "    if m: print(*m['pids'], flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=sandbox.ROOT, text=True
    ) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2 and all(map(is_alive, pids))
        parent.kill()

    assert wait_until_dead(pids) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere process 1 has them")
def test_nothing_is_left_to_be_reaped():
    code = (
        "import os\n"
        "from videos import process\n"
        "from videos.media import sandbox\n"
        "process.adopt_orphans()\n"
        f"sandbox.run('{JOBS}:answer', {{}}, sandbox.Limits())\n"
        "print(os.waitpid(-1, os.WNOHANG))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=sandbox.ROOT, capture_output=True, text=True
    )

    assert "ChildProcessError" in done.stderr and done.stdout == ""


def test_secrets_of_the_parent_are_not_in_the_childs_environment(monkeypatch):
    for name in ("SECRET_KEY", "TWELVELABS_API_KEY", "DATABASE_URL", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "s3cret")

    assert "s3cret" not in str(run("environment"))


def test_where_no_process_can_leave_the_network_it_is_said_once(monkeypatch, caplog):
    sent: list[dict[str, Any]] = []
    for left in (True, False, False):
        monkeypatch.setattr(guard, "leave_network", lambda left=left: left)
        child._leave_network(lambda kind, value: sent.append({"kind": kind, "value": value}))
    assert len(sent) == 2

    sandbox._say_that_the_network_is_open.cache_clear()
    lines = [json.dumps(line).encode() + b"\n" for line in [*sent, {"kind": "done"}]]
    running = sandbox._Child(None, ROOMY, buffer=bytearray(b"".join(lines)))
    assert list(running._lines()) == [None]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def run_with_network(job: str, **arguments: Any) -> list[dict[str, Any]]:
    return [m for m in sandbox.stream(f"{JOBS}:{job}", arguments, ROOMY, network=True) if m]


def test_a_job_that_opens_media_reaches_no_network():
    if run_with_network("leaves") != [{"left": True}]:
        missing("A network namespace")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert run("call", port=port) == {"reached": False}
        assert run_with_network("call", port=port) == [{"reached": True}]
