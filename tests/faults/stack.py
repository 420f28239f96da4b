"""The real site as a user starts it, in a folder of its own, with a short clockwork."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import requests

ROOT = Path(__file__).resolve().parents[2]
SHORT_CLOCKWORK = {
    "HEARTBEAT_SECONDS": "0.5",
    "LEASE_SECONDS": "3",
    "SWEEP_SECONDS": "1",
    "ENGINE": "sphinx",
    "FETCH_MODELS": "0",
    "MIN_FREE_GB": "0",
}
CAPTIONS = b"1\n00:00:00,500 --> 00:00:02,500\nWritten by somebody.\n"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait_for(question: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
    """Ask until the answer is true; fail with ``what`` when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what or question.__name__}: not within {seconds} s")


def children_of(pid: int) -> list[int]:
    """The direct children of a process, read from /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(after_name[1]) == pid and after_name[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def family_of(pid: int) -> list[int]:
    """The process with all that descend from it."""
    family = [pid]
    for child in children_of(pid):
        family += family_of(child)
    return family


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def clean() -> dict[str, str]:
    """This process' environment without settings, and so that the site is compiled only once:
    there are some hundreds of processes.
    """
    not_ours = ("DJANGO_", "DATABASE_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(not_ours)}


def migrate(**env: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=clean() | env, check=True)


@cache
def migrated() -> Path:
    """An empty database with all its tables: a tenth of a second instead of three."""
    folder = tempfile.mkdtemp(prefix="desk-migrated-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate(DATA_DIR=folder)
    return Path(folder, "db.sqlite3")


@dataclass
class Stack:
    """``manage.py serve`` and what a test wants to do to it."""

    data_dir: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    from_nothing: bool = False  # or from a copy of a database that was migrated once for all
    process: subprocess.Popen[bytes] | None = None
    _seen: set[int] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        own = {"DATA_DIR": str(self.data_dir), "PORT": str(self.port)}
        return clean() | SHORT_CLOCKWORK | own | self.env

    def start(self, **env: str) -> Stack:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        database = self.data_dir / "db.sqlite3"
        if not (self.from_nothing or database.exists()):
            shutil.copy(migrated(), database)
        with open(self.data_dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self.environment() | env,
                stdout=log,
                stderr=log,
            )
        wait_for(self.answers, 30, "the first page")
        return self

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"serve ended: {self.log()[-2000:]}")
        return self._says_yes("healthz")

    def ready(self) -> bool:
        """Web, database, broker and a worker: all heard."""
        return self._says_yes("readyz")

    def _says_yes(self, path: str) -> bool:
        try:
            return requests.get(f"{self.url}/{path}", timeout=10).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def log(self) -> str:
        return (self.data_dir / "log").read_text(errors="replace")

    def manage(self, *arguments: str) -> str:
        """What another command of manage.py prints, in this site's environment."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=True
        )
        return done.stdout

    # --- processes ---

    def child(self, command: str) -> int:
        """The pid of the worker or of beat."""
        assert self.process is not None
        mine = children_of(self.process.pid)
        return next(pid for pid in mine if f"manage.py {command}" in command_of(pid))

    def engine_child(self) -> int | None:
        """The pid of a child that listens now."""
        return self.job("videos.engines.")

    def job(self, name: str) -> int | None:
        """The pid of a child whose job has this in its name."""
        for pid in family_of(self.child("worker")):
            if f"videos.media.child {name}" in command_of(pid):
                return pid
        return None

    def freeze(self, pid: int) -> None:
        """SIGSTOP, but not while the process holds SQLite's write lock: nobody could write then."""
        while True:
            os.kill(pid, signal.SIGSTOP)
            if self.env.get("DATABASE_URL") or not self._is_locked():
                return
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.05)

    def _is_locked(self) -> bool:
        with closing(sqlite3.connect(self.data_dir / "db.sqlite3", timeout=0.5)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            db.rollback()
            return False

    def family(self) -> set[int]:
        assert self.process is not None
        self._seen |= set(family_of(self.process.pid))
        return self._seen

    def survivors(self) -> list[str]:
        return [command_of(pid) for pid in self._seen if is_alive(pid)]

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15) -> float:
        """Stop the site; how many seconds that took."""
        assert self.process is not None
        self.family()
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(seconds)
        return time.monotonic() - begun

    def end(self) -> None:
        """Leave nothing of ours behind, whatever the test did."""
        if self.process is not None:
            self.family()
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        for pid in self._seen:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)

    # --- what a user does ---

    def session(self) -> tuple[requests.Session, str]:
        """A browser's session with its CSRF token."""
        session = requests.Session()
        page = session.get(f"{self.url}/upload/", timeout=10)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text[:500]
        session.headers["Referer"] = f"{self.url}/upload/"
        return session, token[1]

    def upload(self, *paths: Path, captions: bytes = b"", **fields: str) -> requests.Response:
        """Send the form; the answer is the redirect itself. With captions no engine listens."""
        session, token = self.session()
        files = [("file", (path.name, path.read_bytes(), "video/mp4")) for path in paths]
        if captions:
            files.append(("captions", (f"{paths[0].stem}.srt", captions, "text/plain")))
        data = {"csrfmiddlewaretoken": token, "new_index": "Interviews"} | fields
        url = f"{self.url}/upload/"
        return session.post(url, data=data, files=files, timeout=60, allow_redirects=False)

    # --- what is in the database ---

    def rows(self, sql: str, *values: Any) -> list[Any]:
        with closing(self._connect()) as db:
            return list(db.execute(sql, values).fetchall())

    def _connect(self) -> Any:
        if url := self.env.get("DATABASE_URL"):
            return psycopg.connect(url)
        return sqlite3.connect(self.data_dir / "db.sqlite3", timeout=20)

    def statuses(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT status FROM videos_task ORDER BY created_at")]

    def listening(self) -> bool:
        """A task is in the middle of its transcript."""
        running = "SELECT 1 FROM videos_task WHERE status = 'indexing' AND done_ms > 0"
        return bool(self.rows(running))

    def texts(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT text FROM videos_segment ORDER BY number")]

    def all_ready(self) -> bool:
        statuses = self.statuses()
        assert "failed" not in statuses, self.rows("SELECT error, error_detail FROM videos_task")
        return bool(statuses) and set(statuses) == {"ready"}

    def report(self) -> str:
        """The rows that work is done by, the processes, and the end of the log."""
        assert self.process is not None
        kept = "interruptions, not_before, lease_no, lease_until, error_detail"
        asked = (
            f"SELECT id, status, step, done_ms, {kept} FROM videos_task",
            f"SELECT video_id, kind, state, fraction, {kept} FROM videos_derivation",
        )
        found = [str(row) for sql in asked for row in self.rows(sql)]
        commands = [f"{pid} {command_of(pid)}" for pid in family_of(self.process.pid)]
        return "\n".join([*found, *commands, self.log()[-4000:]])

    def check(self) -> None:
        """What must hold at the end of every test: nothing lost, nothing twice."""
        twins = "SELECT task_id, number FROM videos_segment GROUP BY 1, 2 HAVING COUNT(*) > 1"
        assert self.rows(twins) == []
        gaps = (
            "SELECT task_id FROM videos_segment GROUP BY task_id "
            "HAVING MAX(number) + 1 != COUNT(*) OR MIN(number) != 0"
        )
        assert self.rows(gaps) == []
        doubled = "SELECT task_id, start_ms FROM videos_segment GROUP BY 1, 2 HAVING COUNT(*) > 1"
        assert self.rows(doubled) == []
        for (sha256,) in self.rows("SELECT sha256 FROM videos_video"):
            assert (self.data_dir / "media" / sha256[:2] / sha256[2:4] / sha256).exists()
        command = [sys.executable, "manage.py", "fsck", "--read"]
        fsck = subprocess.run(command, cwd=ROOT, env=self.environment(), capture_output=True)
        assert fsck.returncode == 0, fsck.stdout + fsck.stderr


@contextmanager
def running(data_dir: Path, **env: str) -> Iterator[Stack]:
    stack = Stack(data_dir, env)
    try:
        yield stack.start()
    finally:
        stack.end()
