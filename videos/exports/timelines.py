"""Clips one behind the other, for editing programs: EDL, xmeml, FCPXML, OpenTimelineIO."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from itertools import chain, count
from typing import Any
from urllib.parse import quote

from videos.exports.clips import Cut, Line, Media, one_line
from videos.exports.laying import FCM, Edit, Sequence, lay
from videos.timecode import Timebase, timecode

EDL_EVENTS = 999  # the numbers that three digits give
# Tracks of sound in xmeml, where each of a clip's tracks names all the others: with many clips
# of many channels a file would have hundreds of megabytes.
MOST_TRACKS, FEW_TRACKS = 8, 2
MANY_CLIPS = 2000

# --- EDL, CMX 3600 ---


def edl(cut: Cut) -> str:
    """Reels are eight capitals or digits, as the format has it; the file's name is a comment."""
    sequence = lay(cut)
    reels, drops = _reels(list(sequence.media)), sequence.base.drop
    lines = [f"TITLE: {sequence.title[:70]}", FCM[drops]]
    for number, edit in enumerate(sequence.edits, 1):
        lines.append("")
        if edit.media.base.drop != drops:  # it holds until the next one
            drops = edit.media.base.drop
            lines.append(FCM[drops])
        lines += _event(number, edit, reels[edit.media], sequence.base)
        if number == 1:  # behind it, since some readers take no comment in the head
            lines += _edl_warnings(sequence)
    return "\r\n".join([*lines, ""])


def _edl_warnings(sequence: Sequence) -> Iterator[str]:
    if sequence.warning:
        yield f"* {sequence.warning}"
    if (events := len(sequence.edits)) > EDL_EVENTS:
        yield f"* {events} events: some programs read no number beyond {EDL_EVENTS}."


def _event(number: int, edit: Edit, reel: str, base: Timebase) -> Iterator[str]:
    media, own = edit.media, edit.media.base
    places = (
        timecode(own.start + edit.first, own),
        timecode(own.start + edit.last, own),
        timecode(base.start + edit.at, base),
        timecode(base.start + edit.until, base),
    )
    yield f"{number:03d}  {reel:8} {_channels(media):5} C        {' '.join(places)}"
    yield f"* FROM CLIP NAME: {one_line(media.name)}"
    yield f"* SOURCE FILE: {one_line(media.name)}"
    lines = edit.clip.lines
    for comment in (edit.clip.note, "" if lines else edit.clip.text):
        if comment := one_line(comment):
            yield f"* COMMENT: {comment}"
    if lines or edit.clip.colour:
        yield from _locators(edit, base)


def _channels(media: Media) -> str:
    """Two channels at most: the format has no name for more beside a picture."""
    if not media.has_sound:
        return "V"
    sound = "AA" if media.channels > 1 else "A"
    return sound if not media.has_picture else "B" if sound == "A" else "AA/V"


def _locators(edit: Edit, base: Timebase) -> Iterator[str]:
    """The lines in a clip, each at its place on the record side."""
    for frame, line in edit.marks:
        place = timecode(base.start + edit.place(frame, base), base)
        yield f"* LOC: {place} {edit.colour.avid.upper():7} {one_line(line.text)}"


def _reels(media: list[Media]) -> dict[Media, str]:
    """Files of one tape or card share its name; a file that names none has one of its own."""
    taken, found = {"", "BL", "AX"}, dict[tuple[str, str, str], str]()
    for number, each in enumerate(media, 1):
        if _reel_key(each) not in found:
            reel = _free(re.sub(r"[^A-Z0-9]", "", (each.reel or each.stem).upper()), number, taken)
            taken.add(reel)
            found[_reel_key(each)] = reel
    return {each: found[_reel_key(each)] for each in media}


def _reel_key(media: Media) -> tuple[str, str, str]:
    return (media.reel, "", "") if media.reel else ("", media.id, media.name)


def _free(name: str, number: int, taken: set[str]) -> str:
    """The name's first eight signs, or its first four and a number that nobody has."""
    numbered = (f"{name[:4]}{n % 10_000:04d}" for n in count(number))
    return next(reel for reel in chain([name[:8]], numbered) if reel not in taken)


# --- xmeml: Premiere, Resolve, Final Cut 7 ---


def xmeml(cut: Cut) -> str:
    """Frames count from the file's first; the file's own timecode stands beside it."""
    sequence = lay(cut)
    base, (width, height) = sequence.base, sequence.size
    known: set[Media] = set()
    video = _track_of("video", 1, sequence, known)
    most = max(_sounds(media, sequence) for media in sequence.media)
    audio = "".join(_track_of("audio", n, sequence, known) for n in range(1, most + 1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n'
        f"{_comment(sequence)}"
        f'<xmeml version="4">\n<sequence id="sequence-1">\n<name>{_xml(sequence.title)}</name>\n'
        f"<duration>{sequence.frames}</duration>\n{_rate(base)}\n{_timecode(base)}\n"
        f"<media>\n<video>\n<format><samplecharacteristics>{_rate(base)}<width>{width}</width>"
        f"<height>{height}</height><pixelaspectratio>square</pixelaspectratio>"
        f"</samplecharacteristics></format>\n{video}</video>\n"
        f"<audio>\n{audio}</audio>\n</media>\n</sequence>\n</xmeml>\n"
    )


def _tracks(media: Media, sequence: Sequence) -> list[tuple[str, int]]:
    """A track of picture, and one of sound for each channel."""
    sounds = range(1, _sounds(media, sequence) + 1)
    return [("video", 1)] * media.has_picture + [("audio", number) for number in sounds]


def _sounds(media: Media, sequence: Sequence) -> int:
    most = MOST_TRACKS if len(sequence.edits) <= MANY_CLIPS else FEW_TRACKS
    return min(max(1, media.channels), most) if media.has_sound else 0


def _track_of(kind: str, number: int, sequence: Sequence, known: set[Media]) -> str:
    edits = (edit for edit in sequence.edits if (kind, number) in _tracks(edit.media, sequence))
    items = "".join(_clipitem(edit, kind, number, sequence, known) for edit in edits)
    return f"<track>\n{items}</track>\n" if items else ""


def _clipitem(edit: Edit, kind: str, number: int, sequence: Sequence, known: set[Media]) -> str:
    media, tracks = edit.media, _tracks(edit.media, sequence)
    marked = (kind, number) == tracks[0]
    marks = "".join(_marker(frame, line) for frame, line in edit.marks) if marked else ""
    links = "".join(_link(edit, *track) for track in tracks) if len(tracks) > 1 else ""
    return (
        f'<clipitem id="{kind}{number}-{edit.at}">\n<name>{_xml(edit.name)}</name>\n'
        f"<enabled>TRUE</enabled>\n<duration>{media.frames}</duration>\n{_rate(media.base)}\n"
        f"<start>{edit.at}</start>\n<end>{edit.until}</end>\n"
        f"<in>{edit.first}</in>\n<out>{edit.last}</out>\n"
        f"{_file(media, sequence.media[media], known)}\n"
        f"<sourcetrack><mediatype>{kind}</mediatype><trackindex>{number}</trackindex></sourcetrack>\n"
        f"{_note(edit)}<labels><label2>{edit.colour.premiere}</label2></labels>\n"
        f"{marks}{links}</clipitem>\n"
    )


def _marker(frame: int, line: Line) -> str:
    name = one_line(line.text)
    return (
        f"<marker><name>{_xml(name[:80])}</name><comment>{_xml(name)}</comment>"
        f"<in>{frame}</in><out>-1</out></marker>\n"
    )


def _note(edit: Edit) -> str:
    if not (note := _xml(one_line(edit.clip.note))):
        return ""
    return (
        f"<logginginfo><lognote>{note}</lognote></logginginfo>\n"
        f"<comments><mastercomment1>{note}</mastercomment1></comments>\n"
    )


def _link(edit: Edit, kind: str, number: int) -> str:
    return (
        f"<link><linkclipref>{kind}{number}-{edit.at}</linkclipref><mediatype>{kind}</mediatype>"
        f"<trackindex>{number}</trackindex></link>\n"
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
    sound = f"<audio><channelcount>{max(1, media.channels)}</channelcount></audio>"
    return (
        f'<file id="file-{number}">\n<name>{_xml(one_line(media.name))}</name>\n'
        f"<pathurl>file://localhost/{quote(one_line(media.name))}</pathurl>\n"
        f"{_rate(media.base)}\n<duration>{media.frames}</duration>\n"
        f"{_timecode(media.base, media.reel)}\n"
        f"<media>{picture if media.has_picture else ''}{sound if media.has_sound else ''}"
        "</media>\n</file>"
    )


def _rate(base: Timebase) -> str:
    ntsc = "TRUE" if base.rate.denominator == 1001 else "FALSE"
    return f"<rate><timebase>{base.nominal}</timebase><ntsc>{ntsc}</ntsc></rate>"


def _timecode(base: Timebase, reel: str = "") -> str:
    named = f"<reel><name>{_xml(reel)}</name></reel>" if reel else ""
    return (
        f"<timecode>{_rate(base)}<string>{timecode(base.start, base)}</string>"
        f"<frame>{base.start}</frame>"
        f"<displayformat>{_tc(base)}</displayformat>{named}</timecode>"
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
    sound = f' hasAudio="1" audioSources="1" audioChannels="{max(1, media.channels)}"'
    has = ' hasVideo="1"' * media.has_picture + sound * media.has_sound
    return (
        f"{_format(f'f{number}', base, media.width, media.height)}"
        f'<asset id="a{number}" name="{_xml(media.stem)}" src="file:///{quote(name)}" '
        f'start="{_time(base.start, base)}" duration="{_time(media.frames, base)}" '
        f'format="f{number}"{has}{_reel(media.reel)}\n'
    )


def _reel(name: str) -> str:
    """The end of an asset, which holds its reel if it has one."""
    if not name:
        return "/>"
    md = f'<md key="com.apple.proapps.studio.reel" value="{_xml(name)}"/>'
    return f">\n<metadata>{md}</metadata>\n</asset>"


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
            _clip(e, kind == "Video" or not e.media.has_picture) if here else _gap(e)
            for e, here in pairs
        ]
        if any(has)
        else [],
    }


def _clip(edit: Edit, marked: bool) -> dict[str, Any]:
    """``marked``: with its markers, which are not said again on a second track."""
    base, clip, media = edit.media.base, edit.clip, edit.media
    about = {"text": clip.text, "note": clip.note, "video": media.id}
    # OpenTimelineIO's own EDL writer looks for the reel below its format's name.
    reel = {"cmx_3600": {"reel": media.reel}} if media.reel else {}
    return {
        "OTIO_SCHEMA": "Clip.1",
        "name": edit.name,
        "metadata": {"transcript": about} | reel,
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
            "metadata": {"transcript": {"reel": media.reel}} if media.reel else {},
            "target_url": f"file:///{quote(one_line(media.name))}",
            "available_range": _range(base.start, media.frames, base),
        },
    }


def _gap(edit: Edit) -> dict[str, Any]:
    """As long as the clip on the other track: in its own frames, not rounded to the sequence's."""
    return {
        "OTIO_SCHEMA": "Gap.1",
        "name": "",
        "metadata": {},
        "effects": [],
        "markers": [],
        "source_range": _range(0, edit.last - edit.first, edit.media.base),
    }


def _range(first: int, frames: int, base: Timebase) -> dict[str, Any]:
    start, duration = _moment(first, base), _moment(frames, base)
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": start, "duration": duration}


def _moment(frame: int, base: Timebase) -> dict[str, Any]:
    rate = float(base.rate)
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(frame)}
