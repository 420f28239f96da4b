"""Look into a media file. Child side of ``videos.media.probe``."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videos.media.opening import (
    CUT_SHORT,
    audio_stream,
    open_media,
    picture_stream,
    zero_seconds,
)
from videos.media.sandbox import MediaError

TAIL_SECONDS = 15
SCAN_SECONDS = 20.0  # wall clock for reading a file through when its end is not known
LONGEST_MS = 1000 * 3600 * 1000
FIRST_PACKETS = 400
STANDARD_RATES = [
    *(Fraction(rate) for rate in (24, 25, 30, 48, 50, 60, 100, 120, 240)),
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)),
]
TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)\d?")
SHORT_NAMES = {"mpegts": "mpegts", "mpeg": "mpeg", "matroska,webm": "mkv"}
# These have no index: their headers' length is a guess from the bit rate.
GUESSING = {"mp3", "aac"}


def probe(path: str) -> dict[str, Any]:
    """Give the fields of ``Probe`` but ``content_type``; ``fps`` as [numerator, denominator]."""
    with open_media(path) as container:
        picture, sound = picture_stream(container), audio_stream(container)
        if picture is None and sound is None:
            raise MediaError("There is neither sound nor a picture in this file.")
        fps = _frame_rate(picture)
        claimed = _claimed_ms(container)
        facts: dict[str, Any] = {
            "container": _container_name(container, path, picture is not None),
            "fps": [fps.numerator, fps.denominator] if fps else None,
            "start_timecode": _timecode(container),
            "video_codec": picture.codec_context.codec.canonical_name if picture else "",
            "audio_codec": sound.codec_context.codec.canonical_name if sound else "",
            "has_audio": sound is not None,
            "has_picture": picture is not None,
        }
        facts |= _size(_first_frame(container, picture, sound), picture)
    duration_ms = _duration_ms(path, claimed, facts["container"])
    return {**facts, "duration_ms": duration_ms, "warning": _warning(claimed, duration_ms)}


def _container_name(container: InputContainer, path: str, has_picture: bool) -> str:
    name = container.format.name
    if name.startswith("mov,"):
        return _quicktime_name(container.metadata.get("major_brand", "qt").strip(), has_picture)
    if name == "matroska,webm":
        with open(path, "rb") as file:
            return "webm" if b"webm" in file.read(64) else "mkv"
    return SHORT_NAMES.get(name, name.split(",")[0])


def _quicktime_name(brand: str, has_picture: bool) -> str:
    if brand == "qt":
        return "mov"
    if brand.startswith("3g"):
        return "3gp"
    return "mp4" if has_picture else "m4a"


def _frame_rate(picture: VideoStream | None) -> Fraction | None:
    """Give the average rate, or libav's guess where that is no rate a picture can have."""
    if picture is None:
        return None
    rates = (picture.average_rate, picture.guessed_rate, picture.base_rate)
    rate = next((rate for rate in rates if rate and 1 <= rate <= 480), None)
    return rate and _snap(rate)


def _snap(rate: Fraction) -> Fraction:
    """Replace a rate that was measured over few frames by the standard one it must mean.

    30 and 29.97 differ by 1 in 1000, so 1 in 2500 tells them apart.
    """
    near = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return near if abs(near - rate) / near < Fraction(1, 2500) else rate


def _timecode(container: InputContainer) -> str:
    for metadata in (*(s.metadata for s in container.streams), container.metadata):
        for key, value in metadata.items():
            if key.lower() == "timecode" and (match := TIMECODE.fullmatch(value.strip())):
                hours, minutes, seconds, mark, frames = match.groups()
                return f"{hours}:{minutes}:{seconds}{':' if mark == ':' else ';'}{frames}"
    return ""


def _size(frame: VideoFrame | None, picture: VideoStream | None) -> dict[str, int]:
    if picture is None:
        return {"width": 0, "height": 0}
    aspect = picture.sample_aspect_ratio or Fraction(1)
    width, height = round(picture.width * aspect), picture.height
    if frame is not None and frame.rotation % 180:
        width, height = height, width
    return {"width": width, "height": height}


def _first_frame(
    container: InputContainer, picture: VideoStream | None, sound: AudioStream | None
) -> VideoFrame | None:
    """Decode until sound or picture comes out; of a picture, its first frame.

    Raises MediaError when nothing does: a file of noise may still look like a format.
    """
    heard = False
    for packet in _packets(container, [s for s in (picture, sound) if s], FIRST_PACKETS):
        frames = _decoded(packet)
        if frames and isinstance(frames[0], VideoFrame):
            return frames[0]
        heard = heard or bool(frames)
        if heard and picture is None:
            return None
    if not heard:
        raise MediaError(CUT_SHORT, detail="no packet could be decoded")
    return None


def _decoded(packet: Packet[Any]) -> list[Any]:
    try:
        return list(packet.decode())
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError):
        return []


def _packets(
    container: InputContainer, streams: list[Any], count: int | None = None
) -> Iterator[Packet[Any]]:
    """Demux until the end or the first thing that cannot be read."""
    try:
        for number, packet in enumerate(container.demux(*streams)):
            if count is not None and number >= count:
                return
            yield packet
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError):
        return


def _claimed_ms(container: InputContainer) -> int:
    """Give the length that the header claims, 0 when it claims none or nonsense."""
    claimed = (container.duration or 0) * 1000 // av.time_base
    return claimed if 0 < claimed < LONGEST_MS else 0


def _duration_ms(path: str, claimed: int, container_name: str) -> int:
    """Measure where the last packet ends; the header's word counts where none can be read."""
    if claimed and container_name not in GUESSING:
        measured = _end_ms(path, seek_ms=max(0, claimed - TAIL_SECONDS * 1000))
        # A header that is far off sends the seek astray: then read the file through.
        if measured and abs(measured - claimed) <= max(2000, claimed // 50):
            return measured
    return _end_ms(path, seek_ms=0) or claimed


def _end_ms(path: str, seek_ms: int) -> int:
    """Give the end of the last packet after ``seek_ms`` in player's time, 0 when unknown."""
    with open_media(path) as container:
        streams: list[Any] = [s for s in (picture_stream(container), audio_stream(container)) if s]
        zero = zero_seconds(container)
        if seek_ms and not _seek(container, zero + seek_ms / 1000):
            return 0
        deadline, last = time.monotonic() + SCAN_SECONDS, 0.0
        clocks: dict[int, _Clock] = {stream.index: _Clock(zero) for stream in streams}
        for packet in _packets(container, streams):
            last = max(last, clocks[packet.stream_index].end_of(packet))
            if time.monotonic() > deadline:
                break
    milliseconds = round(last * 1000)
    return milliseconds if milliseconds < LONGEST_MS else 0


class _Clock:
    """Follows one stream's timestamps; a jump of hours is read as a new clock, not as length."""

    JUMP_SECONDS = 3600.0

    def __init__(self, zero: float) -> None:
        self.zero = zero
        self.end: float | None = None

    def end_of(self, packet: Packet[Any]) -> float:
        """Give the packet's end in seconds of the player's time."""
        if packet.pts is None or not packet.size:
            return self.end or 0.0
        base = float(packet.time_base)
        start, length = packet.pts * base - self.zero, (packet.duration or 0) * base
        if self.end is not None and abs(start - self.end) > self.JUMP_SECONDS:
            self.zero += start - self.end
            start = self.end
        self.end = start + max(0.0, length)
        return self.end


def _seek(container: InputContainer, seconds: float) -> bool:
    try:
        container.seek(int(seconds * av.time_base))
    except (av.error.FFmpegError, OverflowError):
        return False
    return True


def _warning(claimed: int, measured: int) -> str:
    if claimed - measured <= max(2000, claimed // 20):
        return ""
    return (
        f"The file ends early: {measured / 1000:.0f} s of the {claimed / 1000:.0f} s "
        "that it announces can be read."
    )
