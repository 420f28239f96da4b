"""A transcript, or a part of it, as the clips that ``exports`` writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from videos import exports
from videos.exports import Clip, Line, Media
from videos.folding import holds, terms
from videos.models import Task, Video
from videos.timecode import clock


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked for: lines of a range that hold all words of ``q``. Empty: no such limit.

    ``as_range``: a timeline shows the range as one clip with its lines as markers, and not
    each line as a clip.
    """

    start_ms: int | None = None
    end_ms: int | None = None
    q: str = ""
    handles: int = 0
    as_range: bool = False


def media_of(video: Video) -> Media:
    return Media(
        name=video.filename,
        base=video.timebase,
        duration_ms=video.duration_ms,
        width=video.width,
        height=video.height,
        has_picture=video.has_picture,
        has_sound=video.has_sound,
        id=video.pk,
    )


def lines(task: Task | None, part: Part) -> tuple[Line, ...]:
    if task is None:
        return ()
    segments = task.segments.overlapping(part.start_ms, part.end_ms).order_by("number")
    found = segments.values_list("start_ms", "end_ms", "text")
    words = terms(part.q)
    return tuple(Line(*row) for row in found if not words or holds(row[2], words))


def one_clip(video: Video, task: Task | None, part: Part) -> Clip:
    """The range as one clip; an open side ends where the video does."""
    end_ms = video.duration_ms if part.end_ms is None else min(part.end_ms, video.duration_ms)
    start_ms = min(part.start_ms or 0, max(0, end_ms - 1))
    return Clip(media_of(video), start_ms, end_ms, lines=lines(task, part))


def write(name: str, video: Video, task: Task | None, part: Part) -> bytes:
    """The part as a file of the format ``name``. Raises ValueError with a sentence."""
    if part.as_range and exports.FORMATS[name].edits:
        clips = [one_clip(video, task, part)]
    else:
        media = media_of(video)
        clips = [Clip(media, *_fields(line)) for line in lines(task, part)]
    return exports.write(name, clips, title=title(video, part), handles=part.handles)


def _fields(line: Line) -> tuple[int, int, str]:
    return line.start_ms, line.end_ms, line.text


def title(video: Video, part: Part) -> str:
    """The file's name without its ending, with what was asked for behind it."""
    words = [PurePath(video.filename).stem or "transcript"]
    if part.start_ms is not None or part.end_ms is not None:
        end_ms = video.duration_ms if part.end_ms is None else part.end_ms
        words.append(f"{clock(part.start_ms or 0)}-{clock(end_ms)}".replace(":", "."))
    return " ".join([*words, *part.q.split()])
