"""Make static/sample/: a short spoken video and the true times of what is said in it.

Run by hand where flite is installed (``apt-get install flite``): python tools/make_sample.py
The voices are CMU's, the words and the picture our own.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "static" / "sample"
RATE = 16_000
FPS = 10
WIDTH, HEIGHT = 640, 360
PAUSE_SECONDS = 1.0
# Each of these is understood to the word by the offline engine; most sentences are not.
LINES = (
    ("slt", "welcome to the transcript desk"),
    ("awb", "you can read every word beside the picture"),
    ("slt", "click on a sentence to hear it again"),
    ("kal16", "the text on this page follows the speaker"),
    ("awb", "press any line of text and the video goes to that moment"),
    ("slt", "every word that is spoken here can be found again"),
    ("slt", "thank you for watching and see you next week"),
)

NIGHT, DEEP = np.array([22, 34, 57]), np.array([13, 20, 36])
FAINT, BRIGHT, AMBER = (52, 70, 104), (236, 241, 248), (246, 188, 84)
# Segments of a digit: top, upper right, lower right, bottom, lower left, upper left, middle.
DIGITS = ("012345", "12", "01346", "01236", "1256", "02356", "023456", "012", "0123456", "012356")

Sound = np.ndarray[Any, np.dtype[np.int16]]
Image = np.ndarray[Any, np.dtype[np.float64]]


def main() -> None:
    """Write sample.mp4 and sample.json."""
    TARGET.mkdir(parents=True, exist_ok=True)
    sound, cues = speak_all()
    write_video(TARGET / "sample.mp4", sound)
    text = json.dumps({"duration_ms": len(sound) * 1000 // RATE, "cues": cues}, indent=2)
    (TARGET / "sample.json").write_text(text + "\n")
    print((TARGET / "sample.mp4").stat().st_size, "bytes,", len(sound) / RATE, "s")


def speak_all() -> tuple[Sound, list[dict[str, Any]]]:
    """Speak the lines with pauses between; give the sound and each line's true times."""
    pause = np.zeros(round(RATE * PAUSE_SECONDS), np.int16)
    parts, cues = [pause], []
    for voice, text in LINES:
        start = sum(map(len, parts))
        parts.append(_speak(voice, text))
        times = [sample * 1000 // RATE for sample in (start, start + len(parts[-1]))]
        cues.append({"start_ms": times[0], "end_ms": times[1], "voice": voice, "text": text})
        parts.append(pause)
    return np.concatenate(parts), cues


def _speak(voice: str, text: str) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/line.wav"
        subprocess.run(["flite", "-voice", voice, "-t", f"{text}.", "-o", file], check=True)
        with wave.open(file) as spoken:
            return np.frombuffer(spoken.readframes(spoken.getnframes()), np.int16)


def write_video(target: Path, sound: Sound) -> None:
    """Encode the drawn picture and the sound, index first so that it plays at once."""
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as container:
        picture = container.add_stream(
            "libx264", rate=FPS, options={"crf": "27", "preset": "veryslow", "g": str(5 * FPS)}
        )
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        voice = container.add_stream("aac", rate=RATE, layout="mono")
        voice.bit_rate = 40_000
        for image in _images(sound):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for at in range(0, len(sound), 1024):
            container.mux(voice.encode(_audio_frame(sound, at)))
        container.mux(voice.encode(None))


def _audio_frame(sound: Sound, at: int) -> av.AudioFrame:
    part = np.ascontiguousarray(sound[at : at + 1024].reshape(1, -1))
    frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
    return frame


def _images(sound: Sound) -> Any:
    seconds = len(sound) / RATE
    still = _background()
    levels = _levels(sound, 96)
    for number in range(int(seconds * FPS)):
        now = number / FPS
        image = still.copy()
        _draw_ring(image, (now % 10) / 10)
        _draw_clock(image, int(now))
        _draw_levels(image, levels, now / seconds)
        yield image.round().astype(np.uint8)


def _background() -> Image:
    shade = np.linspace(0, 1, HEIGHT)[:, None, None]
    return np.broadcast_to(NIGHT * (1 - shade) + DEEP * shade, (HEIGHT, WIDTH, 3)).copy()


def _levels(sound: Sound, count: int) -> list[float]:
    """Give the loudness of ``count`` slices, 0..1."""
    slices = np.array_split(sound.astype(float), count)
    loud = np.sqrt([np.mean(part**2) for part in slices])
    return list(np.sqrt(loud / loud.max()))


def _paint(image: Image, cover: Any, colour: tuple[int, int, int]) -> None:
    image += (np.array(colour) - image) * np.clip(cover, 0, 1)[..., None]


def _grid() -> tuple[Any, Any]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return columns + 0.5, rows + 0.5


def _bar(image: Image, x: float, y: float, width: float, height: float, colour: Any) -> None:
    """Draw a bar with round ends and soft edges, its middle at x, y."""
    columns, rows = _grid()
    radius = min(width, height) / 2
    dx = np.maximum(np.abs(columns - x) - (width / 2 - radius), 0)
    dy = np.maximum(np.abs(rows - y) - (height / 2 - radius), 0)
    _paint(image, radius - np.hypot(dx, dy) + 0.5, colour)


def _draw_ring(image: Image, share: float) -> None:
    """Draw a ring that fills once in ten seconds."""
    columns, rows = _grid()
    dx, dy = columns - WIDTH / 2, rows - 140
    ring = 5 - np.abs(np.hypot(dx, dy) - 104) + 0.5
    _paint(image, ring, FAINT)
    turned = (np.arctan2(dx, -dy) / (2 * np.pi)) % 1
    _paint(image, np.where(turned <= share, ring, 0), AMBER)


def _draw_clock(image: Image, seconds: int) -> None:
    _draw_digit(image, WIDTH / 2 - 34, 140, seconds // 10)
    _draw_digit(image, WIDTH / 2 + 34, 140, seconds % 10)


def _draw_digit(image: Image, x: float, y: float, digit: int) -> None:
    half, tall, thick = 17, 30, 8
    places = [
        (x, y - 2 * tall + thick / 2, False),
        (x + half, y - tall + 2, True),
        (x + half, y + tall - 2, True),
        (x, y + 2 * tall - thick / 2, False),
        (x - half, y + tall - 2, True),
        (x - half, y - tall + 2, True),
        (x, y, False),
    ]
    for segment in DIGITS[digit]:
        column, row, upright = places[int(segment)]
        long = (2 * tall if upright else 2 * half + thick) - thick
        _bar(image, column, row, thick if upright else long, long if upright else thick, BRIGHT)


def _draw_levels(image: Image, levels: list[float], share: float) -> None:
    """Draw the sound of the whole video; what has been played is lit."""
    step = (WIDTH - 64) / len(levels)
    for number, level in enumerate(levels):
        played = (number + 0.5) / len(levels) <= share
        x, tall = 32 + (number + 0.5) * step, 4 + 52 * level
        _level(image, x, tall, AMBER if played else FAINT)


def _level(image: Image, x: float, tall: float, colour: tuple[int, int, int]) -> None:
    left, top = round(x - 1.5), round(306 - tall / 2)
    image[top : top + round(tall), left : left + 3] = colour


if __name__ == "__main__":
    main()
