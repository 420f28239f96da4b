"""The one place where untrusted media is opened: a child process with limits.

``stream`` starts ``python -m videos.media.child`` in a session of its own, hands it a job
and yields the messages that the job sends. Whatever ends the stream (an error, a limit, the
caller closing it), the child's whole process group is killed and reaped before control goes
back. Nothing of PyAV or of an engine is imported on this side.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
TICK_SECONDS = 0.5
LINE_BYTES = 4 * 1024**2
STDERR_BYTES = 8 * 1024

# What a child may know of our environment. Keys, passwords and database addresses are not in
# it: a decoder that is taken over by a hostile file finds nothing worth having.
ALLOWED_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)
# Only for jobs that call out: a proxy's address may carry a password.
NETWORK_ENVIRONMENT = tuple(
    name
    for word in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for name in (word, word.upper())
)


class MediaError(Exception):
    """A file cannot be used. The message is a sentence for the page; ``detail`` is for us."""

    def __init__(self, message: str, *, permanent: bool = True, detail: str = "") -> None:
        super().__init__(message)
        self.permanent = permanent
        self.detail = detail


class ChildDied(MediaError):
    """The child crashed, was killed at a limit or fell silent; ``limit`` names which."""

    def __init__(self, detail: str, *, limit: str = "") -> None:
        sentence = _DEATHS.get(limit, "The program that was reading this file stopped.")
        super().__init__(sentence, permanent=False, detail=detail)
        self.limit = limit


_DEATHS = {
    "time": "Reading this file took too long and was stopped.",
    "cpu": "Reading this file took too much computing time and was stopped.",
    "memory": "Reading this file needed too much memory and was stopped.",
    "stall": "The program that was reading this file made no progress and was stopped.",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use. ``None`` means no limit of that kind.

    ``seconds``: wall clock for the whole job. ``stall_seconds``: longest silence between two
    messages. ``memory_bytes`` (address space) and ``cpu_seconds`` hold for each process of the
    job alone; ``file_bytes`` is the largest file that it may write.
    """

    seconds: float | None = 60.0
    stall_seconds: float | None = None
    memory_bytes: int | None = 2 * 1024**3
    cpu_seconds: int | None = None
    file_bytes: int | None = 64 * 1024**2


def stream(
    job: str,
    arguments: Mapping[str, Any],
    limits: Limits,
    *,
    env: Mapping[str, str] | None = None,
    network: bool = False,
) -> Generator[dict[str, Any] | None, None, None]:
    """Run ``job`` ("package.module:function") in a child; yield its messages as they come.

    ``None`` is a tick: nothing new, given at least every half second, so that the caller can
    renew its lease. Raises MediaError for what the job reports and ChildDied when it crashed
    or was killed. Close the generator to end the work at once. The calling thread must live
    as long as the stream: on Linux the child dies with the thread that started it.
    """
    child = _Child(_start(job, env or {}, network), limits)
    try:
        _send_request(child, job, arguments, network)
        yield from child.messages()
    finally:
        child.end()


def run(job: str, arguments: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Run a job to its end and give its last message ({} if it sent none)."""
    last: dict[str, Any] = {}
    with closing(stream(job, arguments, limits)) as messages:
        for message in messages:
            last = message if message is not None else last
    return last


def _start(job: str, env: Mapping[str, str], network: bool) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "videos.media.child", job],  # the job is for whoever reads `ps`
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=_environment(env, network),
        start_new_session=True,
    )


def _environment(env: Mapping[str, str], network: bool) -> dict[str, str]:
    names = ALLOWED_ENVIRONMENT + (NETWORK_ENVIRONMENT if network else ())
    kept = {name: os.environ[name] for name in names if name in os.environ}
    fixed = {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        # Thread pools and malloc arenas of libraries reserve address space for each core.
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "4",
    }
    return {**kept, **fixed, **env}


def _send_request(child: _Child, job: str, arguments: Mapping[str, Any], network: bool) -> None:
    request = {
        "job": job,
        "arguments": dict(arguments),
        "limits": asdict(child.limits),
        "parent": os.getpid(),
        "network": network,
    }
    assert child.process.stdin is not None
    # A child that died already is told of by messages(), with its last words.
    with suppress(BrokenPipeError):
        child.process.stdin.write(json.dumps(request).encode() + b"\n")
        child.process.stdin.flush()


def _read(line: bytes) -> tuple[str, Any]:
    try:
        message = json.loads(line)
        return message["kind"], message.get("value")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ChildDied(f"the child sent garbage: {line[:200]!r}") from error


@cache
def _say_that_the_network_is_open() -> None:
    """Once, in each process of ours."""
    logger.warning(
        "The kernel lets no process leave the network here (Linux does as root or with user "
        "namespaces): media is opened with all other limits."
    )


@dataclass
class _Child:
    """A running child, its pipes and clocks."""

    process: subprocess.Popen[bytes]
    limits: Limits
    started: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    buffer: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)

    def messages(self) -> Iterator[dict[str, Any] | None]:
        """Yield messages and ticks until the child says that it is done."""
        with selectors.DefaultSelector() as selector:
            for pipe in (self.process.stdout, self.process.stderr):
                assert pipe is not None
                selector.register(pipe, selectors.EVENT_READ)
            ticked = time.monotonic()
            while True:
                self._check_clocks()
                for message in self._receive(selector):
                    if message is None:
                        return
                    ticked = self.heard = time.monotonic()
                    yield message
                    self.heard = time.monotonic()  # the caller's own time is not our silence
                if time.monotonic() - ticked >= TICK_SECONDS:
                    ticked = time.monotonic()
                    yield None

    def _check_clocks(self) -> None:
        now, limits = time.monotonic(), self.limits
        if limits.seconds is not None and now - self.started > limits.seconds:
            raise ChildDied(f"not done after {limits.seconds} s; {self._tail()}", limit="time")
        if limits.stall_seconds is not None and now - self.heard > limits.stall_seconds:
            raise ChildDied(f"silent for {limits.stall_seconds} s; {self._tail()}", limit="stall")

    def _receive(self, selector: selectors.BaseSelector) -> Iterator[dict[str, Any] | None]:
        """Read once from each ready pipe; yield whole messages, None at the proper end."""
        for key, _ in selector.select(TICK_SECONDS / 2):
            data = os.read(key.fd, 65536)
            if key.fileobj is self.process.stderr:
                self._keep_stderr(data)
                if not data:
                    selector.unregister(key.fileobj)
            elif data:
                self.buffer += data
                yield from self._lines()
            else:
                raise self._death()

    def _keep_stderr(self, data: bytes) -> None:
        self.stderr += data
        del self.stderr[:-STDERR_BYTES]

    def _lines(self) -> Iterator[dict[str, Any] | None]:
        *lines, rest = self.buffer.split(b"\n")
        if max(map(len, (*lines, rest))) > LINE_BYTES:
            raise ChildDied("the child sent a line that is too long")
        self.buffer = bytearray(rest)
        for line in lines:
            kind, value = _read(bytes(line))
            if kind == "network":
                _say_that_the_network_is_open()
            else:
                yield self._message(kind, value)

    def _message(self, kind: str, value: Any) -> dict[str, Any] | None:
        if kind == "done":
            return None
        if kind == "message" and isinstance(value, dict):
            return value
        raise self._reported(kind, value)

    def _reported(self, kind: str, value: Any) -> MediaError:
        if kind == "error" and isinstance(value, dict):
            return MediaError(
                str(value.get("sentence", "")),
                permanent=bool(value.get("permanent", True)),
                detail=str(value.get("detail", "")),
            )
        if kind == "limit":
            return ChildDied(f"limit reached: {value}; {self._tail()}", limit=str(value))
        return ChildDied(f"the child sent garbage of kind {kind!r}")

    def _death(self) -> ChildDied:
        """Say why the channel closed before the job was done."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        self._drain_stderr()
        code = self.process.returncode
        limit = "cpu" if code == -signal.SIGXCPU else ""
        return ChildDied(f"exit code {code}; {self._tail()}", limit=limit)

    def _drain_stderr(self) -> None:
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)
        with suppress(BlockingIOError):
            while data := os.read(self.process.stderr.fileno(), 65536):
                self._keep_stderr(data)

    def _tail(self) -> str:
        return self.stderr.decode("utf-8", "replace").strip() or "nothing on standard error"

    def end(self) -> None:
        """Kill the whole group and reap the child, with what it left to us."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self.process.wait()
        with suppress(ChildProcessError):  # its watcher is ours now, or process 1 has it
            while True:
                os.waitpid(-self.process.pid, 0)
