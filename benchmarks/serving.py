"""What serving costs, measured on the real site: ``python -m benchmarks.serving``.

Prints: the time from ``manage.py serve`` to the first page and to a worker that is heard;
the pipeline's overhead (from the end of an upload to a ready transcript, over the engine's
own time on the same file in the same run); the web process's memory while a large video is
uploaded. ``--gigabytes`` and ``--minutes`` set the sizes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import requests

from tests.faults.stack import ROOT, Stack, running, wait_for
from tests.makers import spoken_video
from videos import engines
from videos.engines.base import EngineConfig

SAMPLE = ROOT / "static" / "sample" / "sample.mp4"
# The clockwork that users get, not the tests' short one.
AS_SHIPPED = {"HEARTBEAT_SECONDS": "10", "LEASE_SECONDS": "60", "SWEEP_SECONDS": "10"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--minutes", type=float, default=5)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start_up(Path(folder))
        overhead(Path(folder), wishes.minutes)
        upload_memory(Path(folder), wishes.gigabytes)


def start_up(folder: Path) -> None:
    for name in ("empty data folder", "second start"):
        stack = Stack(folder / "start", AS_SHIPPED, from_nothing=True)
        begun, begun_at = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        try:
            stack.start()
            requests.get(f"{stack.url}/", timeout=10).raise_for_status()
            first_page = time.monotonic() - begun
            wait_for(partial(worker_heard, stack, begun_at), 30, "a worker")
            ready = time.monotonic() - begun
            stopped = stack.stop()
        finally:
            stack.end()
        print(f"start, {name}: first page {first_page:.2f} s, worker {ready:.2f} s; ", end="")
        print(f"stop {stopped:.2f} s")


def worker_heard(stack: Stack, since: str) -> bool:
    """A worker of this start: /readyz may still mean the one before."""
    return bool(stack.rows("SELECT 1 FROM videos_pulse WHERE name='worker' AND at > ?", since))


def overhead(folder: Path, minutes: float) -> None:
    """Taken in turns, the best of three each: the machine may have other work now and then."""
    video = folder / "spoken.mp4"
    spoken_video(video, seconds=minutes * 60)
    alone, whole = [], []
    with running(folder / "overhead", **AS_SHIPPED, ENGINE="sphinx") as stack:
        wait_for(stack.ready, 30)
        for turn in range(3):
            alone.append(time_engine(video, folder))
            assert stack.upload(video, upload_key=str(turn)).ok
            begun = time.monotonic()
            wait_for(stack.all_ready, 3600)
            whole.append(time.monotonic() - begun)
    print(f"pipeline, {minutes:g} min of speech: sphinx alone {min(alone):.2f} s, ", end="")
    print(f"upload done to ready {min(whole):.2f} s, ratio {min(whole) / min(alone):.3f}")


def time_engine(video: Path, folder: Path) -> float:
    config = EngineConfig(data_dir=folder, cores=len(os.sched_getaffinity(0)))
    begun = time.monotonic()
    for _ in engines.get("sphinx").transcribe(video, config):
        pass
    return time.monotonic() - begun


def upload_memory(folder: Path, gigabytes: float) -> None:
    size = int(gigabytes * 1024**3)
    if shutil.disk_usage(folder).free < 3 * size:
        print("upload memory: not enough disk to measure")
        return
    with running(folder / "upload", **AS_SHIPPED, MAX_UPLOAD_GB=str(gigabytes + 1)) as stack:
        session, token = stack.session()
        before = resident(stack)
        with watched(stack) as peak:
            begun = time.monotonic()
            answer = session.post(
                f"{stack.url}/upload/",
                data=padded_video(size, token),
                headers={"Content-Type": "multipart/form-data; boundary=x"},
                timeout=3600,
            )
            took = time.monotonic() - begun
        assert answer.ok, answer.text[:500]
        assert stack.rows("SELECT size_bytes FROM videos_video") == [(size,)]
    print(f"upload of {gigabytes:g} GiB: {size / took / 1e6:.0f} MB/s, web process ", end="")
    print(f"{before / 1e6:.0f} MB before, {peak[0] / 1e6:.0f} MB at its peak")


def padded_video(size: int, token: str) -> Iterator[bytes]:
    """A multipart body with the sample, grown by a ``free`` box (ISO 14496-12, 8.1.2)."""
    sample = SAMPLE.read_bytes()
    yield (
        '--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n'
        f"{token}\r\n"
        '--x\r\nContent-Disposition: form-data; name="new_index"\r\n\r\nBenchmark\r\n'
        '--x\r\nContent-Disposition: form-data; name="file"; filename="large.mp4"\r\n\r\n'
    ).encode()
    rest = size - len(sample)
    yield sample + struct.pack(">I4sQ", 1, b"free", rest)
    rest -= 16
    chunk = bytes(1024 * 1024)
    while rest:
        yield chunk[:rest]
        rest -= min(rest, len(chunk))
    yield b"\r\n--x--\r\n"


def resident(stack: Stack) -> int:
    assert stack.process is not None
    status = Path(f"/proc/{stack.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


@contextmanager
def watched(stack: Stack) -> Iterator[list[int]]:
    """The web process's largest resident size while the block runs."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], resident(stack))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


if __name__ == "__main__":
    main()
