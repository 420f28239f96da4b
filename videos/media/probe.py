"""What a stored file is: asked of the file itself, in the sandbox, never of its sender."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videos.media import sandbox
from videos.media.sandbox import Limits

LIMITS = Limits(seconds=60, memory_bytes=2 * 1024**3, cpu_seconds=40, file_bytes=0)

# container -> (content type with a picture, content type of sound alone). QuickTime is served
# as MP4: the boxes are the same, and a browser that can play the codecs refuses the other name.
CONTENT_TYPES = {
    "mp4": ("video/mp4", "audio/mp4"),
    "m4a": ("video/mp4", "audio/mp4"),
    "mov": ("video/mp4", "audio/mp4"),
    "3gp": ("video/3gpp", "audio/3gpp"),
    "mkv": ("video/x-matroska", "audio/x-matroska"),
    "webm": ("video/webm", "audio/webm"),
    "mpegts": ("video/mp2t", "video/mp2t"),
    "mpeg": ("video/mpeg", "video/mpeg"),
    "avi": ("video/x-msvideo", "video/x-msvideo"),
    "mxf": ("application/mxf", "application/mxf"),
    "flv": ("video/x-flv", "video/x-flv"),
    "asf": ("video/x-ms-wmv", "audio/x-ms-wma"),
    "wav": ("audio/wav", "audio/wav"),
    "w64": ("audio/x-w64", "audio/x-w64"),
    "aiff": ("audio/aiff", "audio/aiff"),
    "caf": ("audio/x-caf", "audio/x-caf"),
    "mp3": ("audio/mpeg", "audio/mpeg"),
    "flac": ("audio/flac", "audio/flac"),
    "ogg": ("video/ogg", "audio/ogg"),
    "aac": ("audio/aac", "audio/aac"),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found in a file.

    ``container`` is a key of CONTENT_TYPES. ``width`` and ``height`` are those of the upright
    picture with square pixels, 0 without one. ``fps`` is the rate at which frames are counted;
    with ``rate_varies`` the file does not keep to it. ``start_timecode`` is the camera's,
    "HH:MM:SS:FF" or with ";" before FF when it drops frames, "" when the file has none;
    ``reel_name`` is the tape's or the card's. ``picture_ms`` is where the picture ends, 0 where
    that is not known: sound often goes on a little. ``sound_start_ms`` is when sound alone begins
    by its recorder's clock (Broadcast WAV), after midnight. ``audio_channels`` counts those of all
    its tracks. ``warning`` is a sentence for the page when the file can be used in part only,
    or not exactly.
    """

    container: str
    content_type: str
    duration_ms: int
    width: int = 0
    height: int = 0
    fps: Fraction | None = None
    rate_varies: bool = False
    start_timecode: str = ""
    reel_name: str = ""
    picture_ms: int = 0
    sound_start_ms: int = 0
    video_codec: str = ""
    audio_codec: str = ""
    audio_channels: int = 0
    has_picture: bool = False
    warning: str = ""


def probe(path: Path, limits: Limits = LIMITS) -> Probe:
    """Look into the file at ``path``.

    Raises MediaError when it is no readable media or has neither sound nor picture, ChildDied
    when looking at it broke the child.
    """
    found = sandbox.run("videos.media.probe_job:probe", {"path": str(path)}, limits)
    fps = found.pop("fps")
    content_type = CONTENT_TYPES[found["container"]][0 if found["has_picture"] else 1]
    return Probe(content_type=content_type, fps=Fraction(*fps) if fps else None, **found)
