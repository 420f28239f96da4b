"""Media made for tests with PyAV alone: spoken, silent, odd and broken files."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SAMPLE = Path(__file__).resolve().parents[1] / "static" / "sample" / "sample.mp4"
SPOKEN = json.loads(SAMPLE.with_suffix(".json").read_text())
RATE = 16_000
# One round of the sample in a loop: whole AAC frames, just longer than the sound.
ROUND = Fraction(1024 * 422, RATE)
VIDEO_CODECS = {"webm": "libvpx", "avi": "mpeg4", "mpg": "mpeg2video", "ogg": "libtheora"}
AUDIO_CODECS = {
    "webm": "libopus",
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "flac": "flac",
    "ogg": "libopus",
    "mxf": "pcm_s16le",
    "avi": "libmp3lame",
    "mpg": "mp2",
}


def spoken_video(
    path: Path, seconds: float = 0.0, *, picture: bool = True, sound: bool = True
) -> Path:
    """Write the sample to ``path``, over and over until ``seconds``; nothing is encoded anew.

    The n-th round starts at n * ROUND seconds. The ending of ``path`` decides the container:
    one that takes H.264 and AAC.
    """
    with av.open(str(SAMPLE)) as source, av.open(str(path), "w") as target:
        wanted = {"video": picture, "audio": sound}
        streams = [s for s in source.streams if wanted.get(s.type)]
        copies = {s.index: target.add_stream_from_template(s) for s in streams}
        packets = [
            (p, copies[p.stream_index], p.pts, p.dts, p.time_base)
            for p in source.demux(streams)
            if p.size and p.pts >= 0
        ]
        for number in range(int(seconds / ROUND) + 1):
            for packet, copy, pts, dts, time_base in packets:
                shift = int(number * ROUND / time_base)
                if seconds and (pts + shift) * time_base >= seconds:
                    continue
                packet.pts, packet.dts, packet.time_base = pts + shift, dts + shift, time_base
                packet.stream = copy
                target.mux(packet)
    return path


def sample_sound() -> np.ndarray[Any, Any]:
    """Decode the sample to int16 at 16 kHz."""
    with av.open(str(SAMPLE)) as source:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        frames = [g for f in source.decode(audio=0) for g in resampler.resample(f)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


def tone(seconds: float, hertz: float = 440.0) -> np.ndarray[Any, Any]:
    times = np.arange(int(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * hertz * times)).astype(np.int16)


def silence(seconds: float) -> np.ndarray[Any, Any]:
    return np.zeros(int(seconds * RATE), np.int16)


@dataclass
class Picture:
    """A moving picture: the first frames black, then a gradient that is brighter to the right."""

    seconds: float = 2.0
    fps: Fraction | int = 25
    size: tuple[int, int] = (160, 90)
    rotation: int = 0
    timecode: str = ""
    reel: str = ""
    black_seconds: float = 0.0


def media(
    path: Path,
    *sounds: np.ndarray[Any, Any],
    picture: Picture | None = None,
    sound_at: float = 0.0,
    start_at: float = 0.0,
    gap: tuple[float, float] | None = None,
    rate: int = RATE,
    options: dict[str, str] | None = None,
    cover: bool = False,
) -> Path:
    """Encode sounds (one stream each) and a picture to ``path``, as its ending says.

    ``sound_at``: when sound starts, in seconds. ``start_at``: what the file's clock says at the
    beginning. ``gap``: (at, seconds) moves the sound from ``at`` on to later.
    """
    kind = path.suffix[1:]
    with av.open(str(path), "w", options=options or {}) as target:
        drawn = _picture_stream(target, kind, picture) if picture else None
        voices = [_sound_stream(target, kind, rate) for _ in sounds]
        if cover:
            _add_cover(target)
        if drawn is not None and picture is not None:
            for frame in _frames(picture, start_at):
                target.mux(drawn.encode(frame))
            target.mux(drawn.encode(None))
        for voice, sound in zip(voices, sounds, strict=True):
            for frame in _sound_frames(voice, sound, sound_at + start_at, gap):
                target.mux(voice.encode(frame))
            target.mux(voice.encode(None))
    return path


def _picture_stream(target: Any, kind: str, picture: Picture) -> Any:
    codec = VIDEO_CODECS.get(kind, "libx264")
    stream = target.add_stream(codec, rate=picture.fps)
    stream.width, stream.height = picture.size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.gop_size = 12
    if picture.rotation:
        stream.set_display_rotation(picture.rotation)
    if picture.timecode:
        stream.metadata["timecode"] = picture.timecode
    if picture.reel:  # QuickTime has it in the track, MXF in the file
        stream.metadata["reel_name"] = target.metadata["reel_name"] = picture.reel
    return stream


def varying(path: Path, lengths: Iterable[int], clock: int = 600) -> Path:
    """Write a picture whose n-th frame lasts ``lengths[n]`` ticks of 1 / ``clock`` s."""
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, clock)
        at = 0
        for length in lengths:
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            frame.time_base, frame.pts = Fraction(1, clock), at
            at += length
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def broadcast_wav(path: Path, start_samples: int, rate: int = 48_000, channels: int = 1) -> Path:
    """Write a second of silence as a recorder does, with a ``bext`` chunk (EBU Tech 3285)."""
    bext = b"Scene 1".ljust(256 + 32 + 32 + 10 + 8, b"\0") + struct.pack("<Q", start_samples)
    bext = (bext + struct.pack("<H", 1)).ljust(602, b"\0")
    size = channels * 2
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * size, size, 16)
    chunks = [(b"bext", bext), (b"fmt ", form), (b"data", bytes(rate * size))]
    body = b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    return path


def _sound_stream(target: Any, kind: str, rate: int) -> Any:
    stream = target.add_stream(
        AUDIO_CODECS.get(kind, "aac"), rate=48_000 if kind == "mxf" else rate
    )
    stream.layout = "mono"
    return stream


def _add_cover(target: Any) -> None:
    stream = target.add_stream("mjpeg", rate=1)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
    stream.disposition = av.stream.Disposition.attached_pic
    image = np.full((64, 64, 3), 200, np.uint8)
    target.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
    target.mux(stream.encode(None))


def _frames(picture: Picture, start_at: float) -> Iterator[av.VideoFrame]:
    width, height = picture.size
    ramp = np.linspace(0, 255, width).astype(np.uint8)[None, :, None].repeat(height, 0).repeat(3, 2)
    for number in range(int(picture.seconds * picture.fps)):
        black = number / picture.fps < picture.black_seconds
        image = np.zeros_like(ramp) if black else ramp
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.time_base = 1 / Fraction(picture.fps)
        frame.pts = number + round(start_at * picture.fps)
        yield frame


def _sound_frames(
    stream: Any, sound: np.ndarray[Any, Any], at: float, gap: tuple[float, float] | None
) -> Iterator[av.AudioFrame]:
    rate = stream.codec_context.sample_rate
    size = 1024
    for start in range(0, len(sound), size):
        part = np.ascontiguousarray(sound[start : start + size].reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        late = gap[1] if gap and start / rate >= gap[0] else 0.0
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = start + round((at + late) * rate)
        yield frame


def truncated(path: Path, source: Path, share: float) -> Path:
    """Write the first part of a file."""
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def playlists(folder: Path, victim: Path) -> dict[str, Path]:
    """Write files named .mp4 that point at ``victim`` or at themselves; name -> path."""
    texts = {
        "hls-absolute": _hls(str(victim)),
        "hls-relative": _hls(victim.name),
        "hls-file-url": _hls(f"file://{victim}"),
        "hls-itself": _hls("hls-itself.mp4"),
        "hls-network": _hls("http://127.0.0.1:9/x.ts"),
        "ffconcat": f"ffconcat version 1.0\nfile '{victim}'\n",
        "ffconcat-relative": f"ffconcat version 1.0\nfile {victim.name}\n",
        "dash": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
            'mediaPresentationDuration="PT5S"><Period><AdaptationSet mimeType="video/mp4">'
            f'<Representation id="1" bandwidth="1"><BaseURL>{victim}</BaseURL>'
            "</Representation></AdaptationSet></Period></MPD>"
        ),
        "sdp": (
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
            "m=audio 5004 RTP/AVP 0\n"
        ),
        "srt": "1\n00:00:01,000 --> 00:00:02,000\nhello\n",
        "html": "<!doctype html><html><script>alert(1)</script></html>",
        "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    }
    paths = {name: folder / f"{name}.mp4" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text)
    return paths


def _hls(target: str) -> str:
    return (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:30\n"
        f"#EXTINF:26.0,\n{target}\n#EXT-X-ENDLIST\n"
    )
