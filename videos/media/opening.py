"""Open a file that somebody sent. Child side only: the one call of ``av.open`` on user data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from videos.media.sandbox import MediaError

# Demuxers that read nothing but the file they are given. Playlists and manifests (hls, concat,
# dash, sdp), text, subtitles and pictures are left out on purpose: a "video" that is a playlist
# can name another file on this disk, and a protocol list alone does not stop that.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,mxf,flv,asf,wav,w64,aiff,caf,"
    "mp3,flac,ogg,aac"
)
OPTIONS = {"protocol_whitelist": "file", "format_whitelist": FORMATS}

UNREADABLE = "This is not a video or audio file that can be read here."
CUT_SHORT = "The file ends too early: was the upload interrupted?"
EMPTY = "The file is empty."
GONE = "The stored file is missing."

# Beginnings by which a file is known even when the rest of it is not there.
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_HEADS = (b"\x1aE\xdf\xa3", b"RIFF", b"OggS", b"fLaC", b"FLV\x01", b"\x06\x0e+4\x02\x05\x01\x01")
_NOT_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails


def open_media(path: str | Path) -> InputContainer:
    """Open our own file at ``path`` with the formats and the protocol that are allowed.

    Raises MediaError with a sentence that a person can use.
    """
    head = _head(path)
    try:
        return av.open(f"file:{path}", "r", container_options=OPTIONS, metadata_errors="ignore")
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaError(_sentence(head), detail=f"{type(error).__name__}: {error}") from error


def _head(path: str | Path) -> bytes:
    try:
        with open(path, "rb") as file:
            head = file.read(64)
    except OSError as error:
        raise MediaError(GONE, permanent=False, detail=str(error)) from error
    if not head:
        raise MediaError(EMPTY)
    return head


def _sentence(head: bytes) -> str:
    known = head[4:8] in _BOXES or head.startswith(_HEADS)
    return CUT_SHORT if known else UNREADABLE


def audio_stream(container: InputContainer) -> AudioStream | None:
    """Pick the sound that a player would play, as libav ranks it; None when there is none."""
    best = container.streams.best("audio")
    if isinstance(best, AudioStream) and _has_decoder(best):
        return best
    return next((stream for stream in container.streams.audio if _has_decoder(stream)), None)


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Pick the moving picture; cover art and thumbnails are none."""
    best = container.streams.best("video")
    streams = [best, *container.streams.video]
    moving = (s for s in streams if isinstance(s, VideoStream) and _is_moving(s))
    return next(moving, None)


def _is_moving(stream: VideoStream) -> bool:
    return not stream.disposition & _NOT_PICTURES and _has_decoder(stream)


def _has_decoder(stream: AudioStream | VideoStream) -> bool:
    return stream.codec_context is not None and bool(stream.codec_context.name)


def packets(
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


def zero_seconds(container: InputContainer) -> float:
    """Tell the file's own time at the player's zero, in seconds.

    The earliest start of sound and picture: subtitle and data tracks do not move a player's
    zero, and clocks may start anywhere (a recorder's day time, 25 hours).
    """
    streams = [audio_stream(container), picture_stream(container)]
    starts = [
        float(s.start_time * s.time_base)
        for s in streams
        if s is not None and s.start_time is not None and s.time_base is not None
    ]
    if starts:
        return min(starts)
    return (container.start_time or 0) / av.time_base
