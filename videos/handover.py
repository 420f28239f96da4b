"""A transcript, or a part of it, as the clips that ``exports`` writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import compress, islice
from pathlib import PurePath

from videos import exports
from videos.doubt import wanted
from videos.exports import Clip, Line, Media
from videos.folding import terms
from videos.models import Segment, Select, Status, Task, Video
from videos.models.segment import Lines, Row
from videos.models.video import VideoQuerySet
from videos.timecode import clock

NO_SUCH_LINE = "This range has no such line."
LEAST_BYTES = 80  # of a video's name, in that of a part of it


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked for: lines of a range that hold all words of ``q``. Empty: no such limit.

    ``match_case``: in the same case as there. ``doubt`` and ``gaps``: the lines that the page's
    switches of these names leave, counted within the range.

    ``as_range``: a timeline shows the range as one clip with its lines as markers, and not
    each line as a clip. ``number``: that line of the range alone, and not another said over it.
    """

    start_ms: int | None = None
    end_ms: int | None = None
    q: str = ""
    handles: int = 0
    as_range: bool = False
    number: int | None = None
    match_case: bool = False
    doubt: bool = False
    gaps: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Not every line of the range is meant."""
        return bool(self.q.strip() or self.doubt or self.gaps)


def media_of(video: Video) -> Media:
    return Media(
        name=video.filename,
        base=video.timebase,
        duration_ms=video.duration_ms,
        picture_ms=video.picture_ms,
        width=video.width,
        height=video.height,
        has_picture=video.has_picture,
        has_sound=video.has_sound,
        id=video.pk,
        reel=video.reel_name,
        channels=max(1, video.audio_channels),
        varies=video.rate_varies,
        sound_start_ms=video.sound_start_ms,
    )


def transcript(video: Video, task_id: str) -> Task | None:
    """The finished transcript of this id, shown or not; None when the video has none such."""
    ready = video.tasks.filter(status=Status.READY)
    return next((task for task in ready if task.pk == task_id), None)


def lines(task: Task | None, part: Part) -> tuple[Line, ...]:
    if task is None:
        return ()
    segments = task.segments.overlapping(part.start_ms, part.end_ms).order_by("number")
    if part.number is not None:
        segments = segments.filter(number=part.number)
    found = segments.values_list("start_ms", "end_ms", "text", "marks", named=True)
    words, case = terms(part.q, match_case=part.match_case), part.match_case
    meant = wanted(list(found), words, match_case=case, doubt=part.doubt, gaps=part.gaps)
    return tuple(Line(row.start_ms, row.end_ms, row.text) for row in compress(found, meant))


def one_clip(video: Video, task: Task | None, part: Part) -> Clip:
    """The range as one clip, whether anything is said in it or not; an open side ends where the
    video does. Raises ValueError with a sentence when it lies behind that, or when no line is one
    of those that were asked for.
    """
    found = lines(task, part)
    if part.is_narrowed and not found:
        looked_at = part.doubt or part.gaps
        raise ValueError(NO_SUCH_LINE if looked_at else "No line of this range holds these words.")
    end_ms = video.duration_ms if part.end_ms is None else min(part.end_ms, video.duration_ms)
    start_ms = part.start_ms or 0
    if start_ms and start_ms >= video.duration_ms:
        raise ValueError("The video ends before this range begins.")
    return Clip(media_of(video), min(start_ms, max(0, end_ms - 1)), end_ms, lines=found)


def write(name: str, video: Video, task: Task | None, part: Part) -> bytes:
    """The part as a file of the format ``name``. Raises ValueError with a sentence."""
    if part.as_range and exports.FORMATS[name].edits:
        clips = [one_clip(video, task, part)]
    else:
        media = media_of(video)
        said = lines(task, part)
        if exports.FORMATS[name].edits:  # of what the file does not have there is no clip
            said = tuple(line for line in said if line.start_ms < video.duration_ms)
        clips = [Clip(media, *_fields(line)) for line in said]
    return exports.write(name, clips, title=title(video, part), handles=part.handles)


def write_all(name: str, videos: VideoQuerySet) -> Iterator[tuple[str, bytes]]:
    """(file's name, bytes) of each video in which something is said; no two have one name."""
    taken: set[str] = set()
    for video in videos.select_related("transcript"):
        try:
            body = write(name, video, video.transcript, Part())
        except ValueError:  # nothing is said in it
            continue
        wanted = PurePath(exports.filename(name, title(video, Part())))
        found, number = wanted.name, 1
        while found.casefold() in taken:
            number += 1
            found = f"{wanted.stem} {number}{wanted.suffix}"
        taken.add(found.casefold())
        yield found, body


MOST_LINES = 200_000  # of all clips of a cut: lines that lie in several count for each


class TooMuch(ValueError):
    """No program would read so long a cut, and this one should not hold it."""


def write_bin(
    name: str, selects: Iterable[Select], title: str, *, handles: int = 0, as_range: bool = True
) -> bytes:
    """Selects of any videos as one cut, in their order. Raises ValueError with a sentence, and
    TooMuch for more than MOST_LINES.

    ``as_range``: each select is one clip with its lines in it, else each of its lines is a clip.
    Subtitles and markers have the times of that cut.
    """
    known = list(selects)
    said = _said(known)
    clips = [clip for each in known for clip in _bin_clips(each, said[each.pk], as_range)]
    return exports.write(name, clips, title=title, handles=handles, by_record=True)


def _bin_clips(select: Select, said: tuple[Line, ...], as_range: bool) -> list[Clip]:
    """Without lines, it is what was said there when the select was kept."""
    kept = Clip(
        media_of(select.video),
        select.start_ms,
        select.end_ms,
        text=" ".join(line.text for line in said) or select.words,
        note=select.note,
        colour=select.colour,
    )
    if as_range or not said:
        return [replace(kept, lines=said)]
    return [replace(kept, start_ms=a, end_ms=b, text=text) for a, b, text in map(_fields, said)]


def _said(selects: list[Select]) -> dict[str, tuple[Line, ...]]:
    """The lines of the shown transcripts in each select, cut to it; a query for each video."""
    of_video: dict[str, list[Select]] = {}
    for select in selects:
        of_video.setdefault(select.video_id, []).append(select)
    found: dict[str, tuple[Line, ...]] = {}
    room = MOST_LINES
    for each in of_video.values():
        start_ms, end_ms = min(s.start_ms for s in each), max(s.end_ms for s in each)
        shown = Segment.objects.filter(task=each[0].video.transcript_id)
        lines = Lines(shown.lines(start_ms, end_ms))
        for select in each:
            rows = list(islice(lines.within(select.start_ms, select.end_ms), room + 1))
            room -= len(rows)
            if room < 0:
                raise TooMuch(f"These clips hold more than {MOST_LINES:,} lines: trim some.")
            found[select.pk] = _cut(rows, select)
    return found


def _cut(rows: list[Row], select: Select) -> tuple[Line, ...]:
    return tuple(
        Line(max(start, select.start_ms), min(end, select.end_ms), text)
        for start, end, text in rows
    )


def _fields(line: Line) -> tuple[int, int, str]:
    return line.start_ms, line.end_ms, line.text


def title(video: Video, part: Part) -> str:
    """The file's name without its ending, with what was asked for behind it: of a long name there
    is less, so that the name of what is saved has room for that.
    """
    asked = []
    if part.start_ms is not None or part.end_ms is not None:
        end_ms = video.duration_ms if part.end_ms is None else part.end_ms
        asked.append(f"{clock(part.start_ms or 0)}-{clock(end_ms)}".replace(":", "."))
    asked += [word for word, wanted in (("doubtful", part.doubt), ("gaps", part.gaps)) if wanted]
    behind = "".join(f" {word}" for word in [*asked, *part.q.split()])
    stem = PurePath(video.filename).stem or "transcript"
    room = exports.MOST_BYTES - len(behind.encode(errors="ignore"))
    return (exports.shortened(stem, max(room, LEAST_BYTES)) if behind else stem) + behind
