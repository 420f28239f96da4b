"""How long what is made of a video takes: python -m benchmarks.derived [--hours 3]

Prints the time and the most memory for the waveform and the thumbnails of a long video, and for
a copy of ten seconds of ProRes in full HD, on all cores.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from benchmarks.engines import peak_memory
from tests import makers
from videos.media import derived

SECONDS, FPS = 10, 25


def main() -> None:
    """Make each of them once and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=3)
    hours = parser.parse_args().hours
    with tempfile.TemporaryDirectory() as name:
        folder, target = Path(name), Path(name, "made")
        video = makers.spoken_video(folder / "long.mp4", hours * 3600)
        camera = _prores(folder / "camera.mov")
        ms = int(hours * 3_600_000)
        print(f"load {os.getloadavg()[0]:.1f}")
        print(f"{'what':44} {'seconds':>8} {'peak MB':>8}", flush=True)
        _row(f"waveform of {hours:g} h", derived.peaks(video, target, duration_ms=ms))
        _row(f"thumbnails of {hours:g} h", derived.sprite(video, target, duration_ms=ms))
        cores = os.cpu_count() or 1
        copy = derived.proxy(camera, target, duration_ms=SECONDS * 1000, cores=cores)
        _row(f"copy of {SECONDS} s of ProRes, 1920 x 1080, {FPS} fps", copy)


def _row(label: str, making: derived.Making) -> None:
    began = time.monotonic()
    with peak_memory() as peak:
        for _ in making:
            pass
    print(f"{label:44} {time.monotonic() - began:8.1f} {peak[0] / 1e6:8.0f}", flush=True)


def _prores(path: Path) -> Path:
    """One second of coarse noise that moves, again and again: each frame stands for itself."""
    noise = np.random.default_rng(1).integers(64, 128, (27, 48, 3), np.uint8)
    image = noise.repeat(40, 0).repeat(40, 1)
    with av.open(str(path), "w") as target:
        stream = target.add_stream("prores_ks", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv422p10le"
        moved = (np.roll(image, number * 8, axis=1) for number in range(FPS))
        frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in moved]
        packets = [p for frame in [*frames, None] for p in stream.encode(frame)]
        base = packets[0].time_base
        for number in range(SECONDS * FPS):
            packet = packets[number % len(packets)]
            packet.stream, packet.time_base = stream, base
            packet.pts = packet.dts = round(Fraction(number, FPS) / base)
            target.mux(packet)
    return path


if __name__ == "__main__":
    main()
