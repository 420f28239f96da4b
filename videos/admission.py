"""Which files may come in: what each must be, and the sentence for one that is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from videos import captions, timecode
from videos.captions import CaptionError
from videos.engines.base import Cue
from videos.media.probe import Probe, probe
from videos.media.sandbox import MediaError
from videos.uploads import PartFile, too_large

# Probes run while their senders wait; more at once than there are cores would only stall the site.
_probing = threading.BoundedSemaphore(settings.CORES)
# Each sender holds a thread of the web server meanwhile. Half of them are for everybody else.
_senders = threading.BoundedSemaphore(settings.WEB_THREADS // 2)
PATIENCE = 5.0  # seconds that a sender waits for a core
CROWDED = "This server is busy checking other files. Try again in a minute."
MOST_REMEMBERED = 1000  # files


class Refused(Exception):
    """What was given cannot be taken. The message is one sentence for the person who gave it."""


class Passing(Refused):
    """It failed by a fault of the moment: the same file may be taken a little later."""


class Crowded(Passing):
    """Nobody looked at it, since others' files are being looked at."""


class TooLong(Refused):
    """The video is longer than the limit."""


class TooLarge(Refused):
    """The file is larger than the limit."""


class NoRoom(Refused):
    """The disk is full: the same file may be taken when somebody made room."""


def not_kept(sentence: str, size: int) -> Refused:
    """What was said of a file of so many bytes before anybody looked into it."""
    return (TooLarge if too_large(size) else NoRoom)(sentence)


def require_bytes(file: PartFile) -> None:
    """Raises Refused for a file that came, but was not kept."""
    if file.refusal:
        raise not_kept(file.refusal, file.size or 0)


def look_at(path: Path, *, is_sent: bool = True) -> Probe:
    """What the file is, by its content. Raises Refused for what cannot be transcribed, and
    Passing where that is not known, since the reader died or took too long.

    ``is_sent``: its sender waits, and is told soon that there is no place: raises Crowded.
    """
    about = path.stat()
    if about.st_size == 0:
        raise Refused("This file is empty.")
    try:
        found = _found(path, about.st_size, about.st_mtime_ns, is_sent)
    except MediaError as error:
        raise (Refused if error.permanent else Passing)(str(error)) from error
    if found.duration_ms > settings.MAX_VIDEO_MS:
        limit = timecode.spoken(settings.MAX_VIDEO_MS / 1000)
        length = timecode.spoken(found.duration_ms / 1000)
        raise TooLong(f"This video is too long: {length}. The limit is {limit}.")
    return found


@lru_cache(MOST_REMEMBERED)
def _found(path: Path, size: int, mtime_ns: int, is_sent: bool) -> Probe:  # noqa: ARG001, FBT001
    """Once of the same bytes: a part file's name is its own, a stored one's is its hash."""
    at_once, soon = (0, PATIENCE) if is_sent else (None, None)
    with _one_of(_senders, at_once), _one_of(_probing, soon):
        return probe(path)


@contextmanager
def _one_of(places: threading.BoundedSemaphore, seconds: float | None) -> Iterator[None]:
    if not places.acquire(timeout=seconds):
        raise Crowded(CROWDED)
    try:
        yield
    finally:
        places.release()


def facts(found: Probe) -> dict[str, Any]:
    """What the probe found, as a Video's fields."""
    return {
        "container": found.container,
        "content_type": found.content_type,
        "duration_ms": found.duration_ms,
        "picture_ms": found.picture_ms,
        "width": found.width,
        "height": found.height,
        "fps_numerator": found.fps.numerator if found.fps else 0,
        "fps_denominator": found.fps.denominator if found.fps else 1,
        "rate_varies": found.rate_varies,
        "start_timecode": found.start_timecode,
        "reel_name": found.reel_name,
        "sound_start_ms": found.sound_start_ms,
        "video_codec": found.video_codec,
        "audio_codec": found.audio_codec,
        "audio_channels": found.audio_channels,
        "warning": found.warning[:300],
    }


def read_captions(file: PartFile) -> tuple[Cue, ...]:
    """The cues of a captions file. Raises Refused: a bad one is not passed over in silence."""
    require_bytes(file)
    if (file.size or 0) > captions.MAX_BYTES:  # said before so much is read into memory
        limit = f"{captions.MAX_BYTES // 1_000_000} MB"
        raise Refused(f"{file.name} is too large for captions: the limit is {limit}.")
    try:
        return tuple(captions.read(file.path.read_bytes()))
    except CaptionError as error:
        raise Refused(f"{file.name}: {error}") from error
