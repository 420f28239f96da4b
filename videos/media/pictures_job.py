"""Draw still pictures of a video. Child side of ``videos.media.pictures``."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videos.media.opening import open_media, picture_stream, zero_seconds
from videos.media.sandbox import MediaError

MAX_PIXELS = 64_000_000
CANDIDATES = 5
TELLING = 24.0  # standard deviation of brightness (0..255) at which a frame shows something
PACKETS = 20_000
QUALITY = 5  # of JPEG as libav counts: 2 best, 31 worst

Image = np.ndarray[Any, np.dtype[np.uint8]]


def poster(path: str, target: str, at_ms: int, width: int) -> dict[str, Any]:
    """Write the poster; {"made": False} when the file has no picture."""
    with open_media(path) as container:
        picture = picture_stream(container)
        if picture is None:
            return {"made": False}
        frame = _telling_frame(container, picture, at_ms)
        if frame is None:
            return {"made": False}
        aspect = picture.sample_aspect_ratio or Fraction(1)
        Path(target).write_bytes(jpeg(upright(frame, aspect, width)))
    return {"made": True}


def _telling_frame(
    container: InputContainer, picture: VideoStream, at_ms: int
) -> VideoFrame | None:
    """Give the first of a few key frames that is not almost one colour, or the best of them."""
    best: tuple[float, VideoFrame] | None = None
    for frame in islice(_key_frames(container, picture, at_ms), CANDIDATES):
        contrast = _contrast(frame)
        if best is None or contrast > best[0]:
            best = (contrast, frame)
        if contrast >= TELLING:
            break
    return best and best[1]


def _key_frames(
    container: InputContainer, picture: VideoStream, at_ms: int
) -> Iterator[VideoFrame]:
    """Decode key frames from the one before ``at_ms`` on; from the start if seeking fails."""
    refuse_huge(picture.width, picture.height)
    picture.codec_context.skip_frame = "NONKEY"
    picture.thread_count = 1
    found = False
    for moment in (zero_seconds(container) + at_ms / 1000, zero_seconds(container)):
        try:
            container.seek(round(moment * av.time_base))
        except (av.error.FFmpegError, OverflowError):
            continue
        for packet in _packets(container, picture):
            for frame in decoded(packet):
                found = True
                yield frame
        if found:
            return


def _packets(container: InputContainer, picture: VideoStream) -> Iterator[Packet[Any]]:
    try:
        yield from islice(container.demux(picture), PACKETS)
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError):
        return


def decoded(packet: Packet[Any]) -> list[VideoFrame]:
    try:
        frames = list(packet.decode())
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError):
        return []
    for frame in frames:
        refuse_huge(frame.width, frame.height)
    return frames


def refuse_huge(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise MediaError(f"The picture is too large to be drawn ({width} x {height}).")


def _contrast(frame: VideoFrame) -> float:
    return float(frame.reformat(width=64, height=36, format="gray").to_ndarray().std())


def upright(frame: VideoFrame, aspect: Fraction, width: int) -> VideoFrame:
    """Scale to square pixels and turn as the file says; ``width`` is that of the result."""
    return VideoFrame.from_ndarray(turned(frame, aspect, width), format="rgb24")


def turned(
    frame: VideoFrame, aspect: Fraction, width: int, height: int | None = None, step: int = 1
) -> Image:
    """Give the upright picture with square pixels, no larger than the box, never blown up.

    Its sides are multiples of ``step``.
    """
    turns = round(frame.rotation / 90) % 4
    full = (frame.width * aspect, Fraction(frame.height))
    shown = full[::-1] if turns % 2 else full
    scale = min(Fraction(1), width / shown[0], Fraction(height or shown[1]) / shown[1])
    small = frame.reformat(
        width=max(step, round(full[0] * scale / step) * step),
        height=max(step, round(full[1] * scale / step) * step),
        format="rgb24",
    )
    return np.ascontiguousarray(np.rot90(small.to_ndarray().astype(np.uint8), turns))


def jpeg(frame: VideoFrame) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY), "strict": "unofficial"}
    picture = frame.reformat(format="yuvj420p", dst_color_range="JPEG")
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
