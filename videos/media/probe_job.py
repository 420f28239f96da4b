"""Look into a media file. Child side of ``videos.media.probe``."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videos.media.frame_rates import counted
from videos.media.opening import (
    CUT_SHORT,
    audio_stream,
    open_media,
    packets,
    picture_stream,
    zero_seconds,
)
from videos.media.sandbox import MediaError
from videos.media.timecode_tracks import frames_counted
from videos.timecode import MAX_MS, SOUND_RATE

TAIL_SECONDS = 15
SCAN_SECONDS = 20.0  # wall clock for reading a file through when its end is not known
DAY_MS = 24 * 3600 * 1000
MOST_PIXELS = 100_000
MOST_CHANNELS = 999  # no file has more: what says so is broken
FIRST_PACKETS = 400
TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d{1,3})")
SHORT_NAMES = {"mpegts": "mpegts", "mpeg": "mpeg", "matroska,webm": "mkv"}
VARIES = (
    "The frame rate of this file varies or is an odd one, so its timecodes are approximate: "
    "convert it to a constant standard rate before editing."
)
GUESSED = (
    "The file does not say how long it is and takes long to read through: its length is a guess."
)
# These have no index: their headers' length is a guess from the bit rate.
GUESSING = {"mp3", "aac"}


class End(NamedTuple):
    """Where a file and its picture end, in ms of the player's time; 0 where that is unknown.

    ``is_guess``: there was no time to read so far.
    """

    ms: int
    picture_ms: int = 0
    is_guess: bool = False


def probe(path: str) -> dict[str, Any]:
    """Give the fields of ``Probe`` but ``content_type``; ``fps`` as [numerator, denominator]."""
    with open_media(path) as container:
        picture, sound = picture_stream(container), audio_stream(container)
        if picture is None and sound is None:
            raise MediaError("There is neither sound nor a picture in this file.")
        fps, varies = counted(path, picture) if picture else (None, False)
        claimed = _claimed_ms(container)
        facts: dict[str, Any] = {
            "container": _container_name(container, path, picture is not None),
            "fps": [fps.numerator, fps.denominator] if fps else None,
            "rate_varies": varies,
            "start_timecode": _timecode(container, path, round(fps or SOUND_RATE)),
            "reel_name": _reel_name(container),
            "sound_start_ms": 0 if picture else _sound_start_ms(container, sound),
            "audio_channels": _channels(container),
            "video_codec": picture.codec_context.codec.canonical_name if picture else "",
            "audio_codec": sound.codec_context.codec.canonical_name if sound else "",
            "has_picture": picture is not None,
        }
        facts |= _size(_first_frame(container, picture, sound), picture)
    end = _measured(path, claimed, facts["container"])
    length = GUESSED if end.is_guess else _cut_short(claimed, end.ms)
    warning = " ".join(filter(None, [length, VARIES if varies else ""]))
    return {**facts, "duration_ms": end.ms, "picture_ms": end.picture_ms, "warning": warning}


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


def _timecode(container: InputContainer, path: str, nominal: int) -> str:
    """With its frames as the picture counts them, of which there are ``nominal`` a second."""
    for value in _said(container, "timecode"):
        if match := TIMECODE.fullmatch(value):
            *clock, mark, frames = match.groups()
            counts = frames_counted(path) if container.format.name.startswith("mov,") else 0
            frame = int(frames) * nominal // counts if int(frames) < counts else int(frames)
            return f"{':'.join(clock)}{':' if mark == ':' else ';'}{frame:02d}"
    return ""


def _said(container: InputContainer, name: str) -> Iterator[str]:
    """What the tracks and then the file say under this name, whatever its case."""
    for metadata in (*(s.metadata for s in container.streams), container.metadata):
        for key, value in metadata.items():
            if key.lower() == name:
                yield value.strip()


def _reel_name(container: InputContainer) -> str:
    """The tape or card, from a QuickTime timecode track or an MXF source package."""
    names = ("".join(filter(str.isprintable, name)) for name in _said(container, "reel_name"))
    return next(filter(None, names), "")[:80]


def _sound_start_ms(container: InputContainer, sound: AudioStream | None) -> int:
    """When a Broadcast WAV begins by its recorder's clock: samples since midnight (EBU 3285)."""
    samples = next(filter(str.isdecimal, _said(container, "time_reference")), "0")
    if sound is None or not sound.rate or len(samples) > 15:
        return 0
    return int(samples) * 1000 // sound.rate % DAY_MS


def _channels(container: InputContainer) -> int:
    """Of all tracks of sound together: a camera may write each channel as a track."""
    return min(sum(stream.channels or 0 for stream in container.streams.audio), MOST_CHANNELS)


def _size(frame: VideoFrame | None, picture: VideoStream | None) -> dict[str, int]:
    if picture is None:
        return {"width": 0, "height": 0}
    aspect = picture.sample_aspect_ratio or Fraction(1)
    width, height = round(picture.width * aspect), picture.height
    if not 0 < width <= MOST_PIXELS:  # an aspect that is no picture's
        width = picture.width
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
    for packet in packets(container, [s for s in (picture, sound) if s], FIRST_PACKETS):
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


def _claimed_ms(container: InputContainer) -> int:
    """Give the length that the header claims, 0 when it claims none or nonsense."""
    claimed = (container.duration or 0) * 1000 // av.time_base
    return claimed if 0 < claimed < MAX_MS else 0


def _measured(path: str, claimed: int, container_name: str) -> End:
    """Measure where the last packet ends; the header's word counts where none can be read."""
    if claimed and container_name not in GUESSING:
        end = _end(path, seek_ms=max(0, claimed - TAIL_SECONDS * 1000))
        # A header that is far off sends the seek astray: then read the file through.
        if end.ms and not end.is_guess and abs(end.ms - claimed) <= max(2000, claimed // 50):
            return end
    end = _end(path, seek_ms=0)
    return end if end.ms else End(claimed)


def _end(path: str, seek_ms: int) -> End:
    """Find the end of the last packet after ``seek_ms``.

    Past MAX_MS it is that: longer than any limit, so the file is refused.
    """
    with open_media(path) as container:
        streams: list[Any] = [s for s in (picture_stream(container), audio_stream(container)) if s]
        zero = zero_seconds(container)
        if seek_ms and not _seek(container, zero + seek_ms / 1000):
            return End(0)
        deadline = time.monotonic() + SCAN_SECONDS
        clocks: dict[int, _Clock] = {stream.index: _Clock(zero) for stream in streams}
        for packet in packets(container, streams):
            clocks[packet.stream_index].see(packet)
            if time.monotonic() > deadline:
                # As much time as so far for as many bytes as so far.
                share = os.path.getsize(path) / max(1, packet.pos or 0)
                return End(_limited(share * max(clock.last for clock in clocks.values())), 0, True)
        ends = {stream.type: _limited(clocks[stream.index].last) for stream in streams}
    return End(max(ends.values()), ends.get("video", 0))


def _limited(seconds: float) -> int:
    return min(round(seconds * 1000), MAX_MS)


class _Clock:
    """Follows one stream's timestamps; a jump of hours is read as a new clock, not as length."""

    JUMP_SECONDS = 3600.0

    def __init__(self, zero: float) -> None:
        self.zero = zero
        self.end: float | None = None
        self.last = 0.0  # where the latest packet ends, in seconds of the player's time

    def see(self, packet: Packet[Any]) -> None:
        if packet.pts is None or not packet.size:
            return
        base = float(packet.time_base)
        start, length = packet.pts * base - self.zero, (packet.duration or 0) * base
        if self.end is not None and abs(start - self.end) > self.JUMP_SECONDS:
            self.zero += start - self.end
            start = self.end
        self.end = start + max(0.0, length)
        self.last = max(self.last, self.end)


def _seek(container: InputContainer, seconds: float) -> bool:
    try:
        container.seek(int(seconds * av.time_base))
    except (av.error.FFmpegError, OverflowError):
        return False
    return True


def _cut_short(claimed: int, measured: int) -> str:
    if claimed - measured <= max(2000, claimed // 20):
        return ""
    return (
        f"The file ends early: {measured / 1000:.0f} s of the {claimed / 1000:.0f} s "
        "that it announces can be read."
    )
