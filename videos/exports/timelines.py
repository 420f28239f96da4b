"""Clips one behind the other, for editing programs: EDL, xmeml, FCPXML, OpenTimelineIO.

The sequence counts as the first clip does (rate and drop-frame) and begins at 01:00:00:00.
A clip of another rate keeps its own frames as its source; its length on the sequence is the
nearest whole number of the sequence's frames, and the file says so in a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

from videos.exports.clips import Clip, Cut, Line, Media, frame_from, one_line
from videos.timecode import Timebase, frame_at, parse_timecode, timecode

FCM = {False: "FCM: NON-DROP FRAME", True: "FCM: DROP FRAME"}


class Colour(NamedTuple):
    """What each program calls it."""

    resolve: str
    avid: str
    premiere: str
    otio: str


COLOURS = {
    "": Colour("Blue", "Cyan", "Iris", "CYAN"),
    "red": Colour("Red", "Red", "Rose", "RED"),
    "orange": Colour("Sand", "Yellow", "Mango", "ORANGE"),
    "yellow": Colour("Yellow", "Yellow", "Mango", "YELLOW"),
    "green": Colour("Green", "Green", "Forest", "GREEN"),
    "cyan": Colour("Cyan", "Cyan", "Caribbean", "CYAN"),
    "blue": Colour("Blue", "Blue", "Cerulean", "BLUE"),
    "purple": Colour("Purple", "Magenta", "Violet", "PURPLE"),
    "pink": Colour("Pink", "Magenta", "Rose", "PINK"),
}


class Edit(NamedTuple):
    """A clip in frames: [first, last) of its video, from 0; [at, until) of the sequence, from 0."""

    clip: Clip
    first: int
    last: int
    at: int
    until: int

    @property
    def media(self) -> Media:
        return self.clip.media

    @property
    def colour(self) -> Colour:
        return COLOURS.get(self.clip.colour, COLOURS[""])

    @property
    def name(self) -> str:
        """What is shown on the timeline: the note, or what is said, or the file."""
        return one_line(self.clip.note or self.clip.text)[:80] or self.media.stem

    @property
    def marks(self) -> Iterator[tuple[int, Line]]:
        """Lines that say something, each at a frame of the video that is in the clip."""
        for line in self.clip.said:
            if line.text.strip():
                frame = frame_at(line.start_ms, self.media.base.rate)
                yield min(max(frame, self.first), self.last - 1), line


@dataclass(frozen=True)
class Sequence:
    title: str
    base: Timebase
    edits: list[Edit]

    @property
    def frames(self) -> int:
        return self.edits[-1].until

    @cached_property
    def media(self) -> dict[Media, int]:
        """Every video of it once, with its number."""
        return {m: n for n, m in enumerate(dict.fromkeys(e.media for e in self.edits), 1)}

    @property
    def size(self) -> tuple[int, int]:
        """The first picture's; a sequence must have one even for sound alone."""
        sizes = ((media.width, media.height) for media in self.media if media.has_picture)
        return next((size for size in sizes if all(size)), (1920, 1080))

    @property
    def warning(self) -> str:
        """What an editor must know of clips at several rates; empty when all have one."""
        rates = sorted({media.base.rate for media in self.media})
        if len(rates) == 1:
            return ""
        listed = ", ".join(f"{float(rate):.3f}".rstrip("0").rstrip(".") for rate in rates)
        return f"Clips at several frame rates ({listed}): lengths are rounded to this sequence's."


def lay(cut: Cut) -> Sequence:
    """Put the clips behind each other, with their handles as far as their videos reach."""
    first = cut.media.base
    start = parse_timecode("01:00:00:00", first)
    base, at, edits = Timebase(first.rate, first.drop, start), 0, []
    for clip in cut.clips:
        begin, end = _stretch(clip, cut.handles)
        until = at + _length(end - begin, clip.media.base.rate, base.rate)
        edits.append(Edit(clip, begin, end, at, until))
        at = until
    return Sequence(one_line(cut.title) or "Transcript", base, edits)


def _stretch(clip: Clip, handles: int) -> tuple[int, int]:
    """At least one frame, and none that the video does not have."""
    rate, frames = clip.media.base.rate, clip.media.frames
    begin = min(max(frame_at(clip.start_ms, rate) - handles, 0), frames - 1)
    end = min(frame_from(clip.end_ms, rate) + handles, frames)
    return begin, max(end, begin + 1)


def _length(frames: int, rate: Fraction, of: Fraction, *, least: int = 1) -> int:
    """So many frames at ``rate``, counted in frames at the rate ``of``."""
    return frames if rate == of else max(least, int(frames * of / rate + Fraction(1, 2)))


# --- EDL, CMX 3600 ---


def edl(cut: Cut) -> str:
    """Reels are eight capitals or digits, as the format has it; the file's name is a comment."""
    sequence = lay(cut)
    reels = _reels(list(sequence.media))
    lines = [f"TITLE: {sequence.title[:70]}", FCM[sequence.base.drop]]
    if sequence.warning:
        lines.append(f"* {sequence.warning}")
    for number, edit in enumerate(sequence.edits, 1):
        lines += ["", *_event(number, edit, reels[edit.media], sequence.base)]
    return "\r\n".join([*lines, ""])


def _event(number: int, edit: Edit, reel: str, base: Timebase) -> Iterator[str]:
    media, own = edit.media, edit.media.base
    channels = "V" if not media.has_sound else "B" if media.has_picture else "A"
    places = (
        timecode(own.start + edit.first, own),
        timecode(own.start + edit.last, own),
        timecode(base.start + edit.at, base),
        timecode(base.start + edit.until, base),
    )
    yield f"{number:03d}  {reel:8} {channels:5} C        {' '.join(places)}"
    yield f"* FROM CLIP NAME: {one_line(media.name)}"
    for comment in (edit.clip.note, edit.clip.text):
        if comment := one_line(comment):
            yield f"* COMMENT: {comment}"
    if edit.clip.lines:
        yield from _locators(edit, base)


def _locators(edit: Edit, base: Timebase) -> Iterator[str]:
    """The lines in a clip, each at its place on the record side."""
    for frame, line in edit.marks:
        at = edit.at + _length(frame - edit.first, edit.media.base.rate, base.rate, least=0)
        place = timecode(base.start + min(at, edit.until - 1), base)
        yield f"* LOC: {place} {edit.colour.avid.upper():7} {one_line(line.text)}"


def _reels(media: list[Media]) -> dict[Media, str]:
    taken, found = {"", "BL", "AX"}, {}
    for number, each in enumerate(media, 1):
        reel = re.sub(r"[^A-Z0-9]", "", each.stem.upper())[:8]
        if reel in taken:
            reel = f"{reel[:4]}{number:04d}"
        taken.add(reel)
        found[each] = reel
    return found


# --- xmeml: Premiere, Resolve, Final Cut 7 ---


def xmeml(cut: Cut) -> str:
    """Frames count from the file's first; the file's own timecode stands beside it."""
    sequence = lay(cut)
    base, (width, height) = sequence.base, sequence.size
    picture = [edit for edit in sequence.edits if edit.media.has_picture]
    sound = [edit for edit in sequence.edits if edit.media.has_sound]
    known: set[Media] = set()
    both = {edit.at for edit in picture} & {edit.at for edit in sound}
    video = "".join(_clipitem(edit, "video", sequence, known, both) for edit in picture)
    audio = "".join(_clipitem(edit, "audio", sequence, known, both) for edit in sound)
    tracks = [f"<track>\n{items}</track>\n" if items else "" for items in (video, audio)]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n'
        f"{_comment(sequence)}"
        f'<xmeml version="4">\n<sequence id="sequence-1">\n<name>{_xml(sequence.title)}</name>\n'
        f"<duration>{sequence.frames}</duration>\n{_rate(base)}\n{_timecode(base)}\n"
        f"<media>\n<video>\n<format><samplecharacteristics>{_rate(base)}<width>{width}</width>"
        f"<height>{height}</height><pixelaspectratio>square</pixelaspectratio>"
        f"</samplecharacteristics></format>\n{tracks[0]}</video>\n"
        f"<audio>\n{tracks[1]}</audio>\n</media>\n</sequence>\n</xmeml>\n"
    )


def _clipitem(edit: Edit, kind: str, sequence: Sequence, known: set[Media], both: set[int]) -> str:
    media = edit.media
    marked = kind == "video" or not media.has_picture
    marks = "".join(_marker(frame, line) for frame, line in edit.marks) if marked else ""
    track = f"<sourcetrack><mediatype>{kind}</mediatype><trackindex>1</trackindex></sourcetrack>"
    links = "".join(_link(edit, each) for each in ("video", "audio")) if edit.at in both else ""
    return (
        f'<clipitem id="{kind}-{edit.at}">\n<name>{_xml(edit.name)}</name>\n'
        f"<enabled>TRUE</enabled>\n<duration>{media.frames}</duration>\n{_rate(media.base)}\n"
        f"<start>{edit.at}</start>\n<end>{edit.until}</end>\n"
        f"<in>{edit.first}</in>\n<out>{edit.last}</out>\n"
        f"{_file(media, sequence.media[media], known)}\n{track}\n"
        f"<labels><label2>{edit.colour.premiere}</label2></labels>\n"
        f"{marks}{links}</clipitem>\n"
    )


def _marker(frame: int, line: Line) -> str:
    name = one_line(line.text)
    return (
        f"<marker><name>{_xml(name[:80])}</name><comment>{_xml(name)}</comment>"
        f"<in>{frame}</in><out>-1</out></marker>\n"
    )


def _link(edit: Edit, kind: str) -> str:
    return (
        f"<link><linkclipref>{kind}-{edit.at}</linkclipref><mediatype>{kind}</mediatype>"
        "<trackindex>1</trackindex></link>\n"
    )


def _file(media: Media, number: int, known: set[Media]) -> str:
    """The whole story at the first use, its id after that."""
    if media in known:
        return f'<file id="file-{number}"/>'
    known.add(media)
    size = f"<width>{media.width}</width><height>{media.height}</height>" if media.width else ""
    picture = (
        f"<video><samplecharacteristics>{_rate(media.base)}{size}</samplecharacteristics></video>"
    )
    return (
        f'<file id="file-{number}">\n<name>{_xml(one_line(media.name))}</name>\n'
        f"<pathurl>file://localhost/{quote(one_line(media.name))}</pathurl>\n"
        f"{_rate(media.base)}\n<duration>{media.frames}</duration>\n{_timecode(media.base)}\n"
        f"<media>{picture if media.has_picture else ''}{'<audio/>' if media.has_sound else ''}"
        "</media>\n</file>"
    )


def _rate(base: Timebase) -> str:
    ntsc = "TRUE" if base.rate.denominator == 1001 else "FALSE"
    return f"<rate><timebase>{base.nominal}</timebase><ntsc>{ntsc}</ntsc></rate>"


def _timecode(base: Timebase) -> str:
    return (
        f"<timecode>{_rate(base)}<string>{timecode(base.start, base)}</string>"
        f"<frame>{base.start}</frame>"
        f"<displayformat>{'DF' if base.drop else 'NDF'}</displayformat></timecode>"
    )


def _xml(text: str) -> str:
    return escape(text)


def _comment(sequence: Sequence) -> str:
    return f"<!-- {sequence.warning} -->\n" if sequence.warning else ""


# --- FCPXML: Final Cut, Resolve ---

# Which rates conform-rate can name.
CONFORMS = ("23.98", "24", "25", "29.97", "30", "47.95", "48", "50", "59.94", "60")


def fcpxml(cut: Cut) -> str:
    """Times are rational seconds, whole frames each: those of the source in its own frames."""
    sequence = lay(cut)
    base = sequence.base
    clips = "".join(_asset_clip(edit, sequence) for edit in sequence.edits)
    assets = "".join(_asset(media, number) for media, number in sequence.media.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'
        f'{_comment(sequence)}<fcpxml version="1.8">\n<resources>\n'
        f"{_format('r0', base, *sequence.size)}{assets}</resources>\n"
        f'<library>\n<event name="Transcripts">\n<project name="{_xml(sequence.title)}">\n'
        f'<sequence format="r0" duration="{_time(sequence.frames, base)}" '
        f'tcStart="{_time(base.start, base)}" tcFormat="{_tc(base)}">\n<spine>\n{clips}'
        "</spine>\n</sequence>\n</project>\n</event>\n</library>\n</fcpxml>\n"
    )


def _format(name: str, base: Timebase, width: int, height: int) -> str:
    size = f' width="{width}" height="{height}"' if width else ""
    return f'<format id="{name}" frameDuration="{_time(1, base)}"{size}/>\n'


def _asset(media: Media, number: int) -> str:
    base, name = media.base, one_line(media.name)
    has = ' hasVideo="1"' * media.has_picture + ' hasAudio="1" audioSources="1"' * media.has_sound
    return (
        f"{_format(f'f{number}', base, media.width, media.height)}"
        f'<asset id="a{number}" name="{_xml(media.stem)}" src="file:///{quote(name)}" '
        f'start="{_time(base.start, base)}" duration="{_time(media.frames, base)}" '
        f'format="f{number}"{has}/>\n'
    )


def _asset_clip(edit: Edit, sequence: Sequence) -> str:
    own, base, number = edit.media.base, sequence.base, sequence.media[edit.media]
    marks = "".join(
        f'<marker start="{_time(own.start + frame, own)}" duration="{_time(1, own)}" '
        f'value="{_xml(one_line(line.text))}"/>\n'
        for frame, line in edit.marks
    )
    note = one_line(edit.clip.note)
    return (
        f'<asset-clip ref="a{number}" name="{_xml(edit.name)}" '
        f'offset="{_time(base.start + edit.at, base)}" '
        f'start="{_time(own.start + edit.first, own)}" '
        f'duration="{_time(edit.until - edit.at, base)}" '
        f'format="f{number}" tcFormat="{_tc(own)}">\n'
        f"{f'<note>{_xml(note)}</note>' if note else ''}{_conform(own, base)}{marks}</asset-clip>\n"
    )


def _conform(own: Timebase, base: Timebase) -> str:
    """At another rate: play at the clip's own speed."""
    named = f"{int(own.rate * 100) / 100:.2f}".removesuffix(".00")
    named = {"23.97": "23.98"}.get(named, named)
    if own.rate == base.rate or named not in CONFORMS:
        return ""
    return f'<conform-rate scaleEnabled="0" srcFrameRate="{named}"/>\n'


def _time(frames: int, base: Timebase) -> str:
    found = frames / base.rate
    bottom = "" if found.denominator == 1 else f"/{found.denominator}"
    return f"{found.numerator}{bottom}s"


def _tc(base: Timebase) -> str:
    return "DF" if base.drop else "NDF"


# --- OpenTimelineIO ---


def otio(cut: Cut) -> str:
    """The JSON that every version since 0.12 reads, newer ones by upgrading it."""
    sequence = lay(cut)
    tracks = [_track(kind, sequence) for kind in ("Video", "Audio")]
    return json.dumps(
        {
            "OTIO_SCHEMA": "Timeline.1",
            "name": sequence.title,
            "metadata": {"transcript": {"warning": sequence.warning}} if sequence.warning else {},
            "global_start_time": _moment(sequence.base.start, sequence.base),
            "tracks": {
                "OTIO_SCHEMA": "Stack.1",
                "name": "tracks",
                "metadata": {},
                "source_range": None,
                "effects": [],
                "markers": [],
                "children": [track for track in tracks if track["children"]],
            },
        },
        ensure_ascii=False,
        separators=(",", ":"),  # indenting takes eight times as long
    )


def _track(kind: str, sequence: Sequence) -> dict[str, Any]:
    """A clip that has no such side leaves a gap, so that what follows stays in its place."""
    has = [e.media.has_picture if kind == "Video" else e.media.has_sound for e in sequence.edits]
    pairs = zip(sequence.edits, has, strict=True)
    return {
        "OTIO_SCHEMA": "Track.1",
        "name": kind[0] + "1",
        "kind": kind,
        "metadata": {},
        "source_range": None,
        "effects": [],
        "markers": [],
        "children": [
            _clip(e, kind == "Video" or not e.media.has_picture) if here else _gap(e, sequence.base)
            for e, here in pairs
        ]
        if any(has)
        else [],
    }


def _clip(edit: Edit, marked: bool) -> dict[str, Any]:
    """``marked``: with its markers, which are not said again on a second track."""
    base, clip, media = edit.media.base, edit.clip, edit.media
    return {
        "OTIO_SCHEMA": "Clip.1",
        "name": edit.name,
        "metadata": {"transcript": {"text": clip.text, "note": clip.note, "video": media.id}},
        "source_range": _range(base.start + edit.first, edit.last - edit.first, base),
        "effects": [],
        "markers": [
            {
                "OTIO_SCHEMA": "Marker.2",
                "name": one_line(line.text),
                "color": edit.colour.otio,
                "metadata": {},
                "marked_range": _range(base.start + frame, 1, base),
            }
            for frame, line in edit.marks
            if marked
        ],
        "media_reference": {
            "OTIO_SCHEMA": "ExternalReference.1",
            "name": one_line(media.name),
            "metadata": {},
            "target_url": f"file:///{quote(one_line(media.name))}",
            "available_range": _range(base.start, media.frames, base),
        },
    }


def _gap(edit: Edit, base: Timebase) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Gap.1",
        "name": "",
        "metadata": {},
        "effects": [],
        "markers": [],
        "source_range": _range(0, edit.until - edit.at, base),
    }


def _range(first: int, frames: int, base: Timebase) -> dict[str, Any]:
    start, duration = _moment(first, base), _moment(frames, base)
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": start, "duration": duration}


def _moment(frame: int, base: Timebase) -> dict[str, Any]:
    rate = float(base.rate)
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(frame)}
