"""Transcripts and clips as files for other programs. Pure: clips in, bytes out.

To add a format: a function from a Cut to text or bytes, a line in FORMATS, a golden file (see
``tests/exports/``), and a row in docs/exports.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from videos.exports import documents, markers, subtitles, timelines
from videos.exports.clips import Clip, Cut, Line, Media, one_line

__all__ = [
    "FORMATS",
    "GROUPS",
    "Clip",
    "Cut",
    "Format",
    "Line",
    "Media",
    "filename",
    "shortened",
    "write",
]


@dataclass(frozen=True, slots=True)
class Format:
    """``edits``: it is a timeline, and takes handles."""

    label: str
    says: str  # one line about whom it is for
    group: str
    extension: str
    content_type: str
    writer: Callable[[Cut], str | bytes]
    edits: bool = False


# What file systems and archives of other machines refuse in a name; one_line() leaves no control.
_UNFIT = re.compile(r'[\\/:*?"<>|]')

# Linux takes 255 in a name: the rest is for the ending, and for what tells two files apart.
MOST_BYTES = 200

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEXT, XML = "text/plain; charset=utf-8", "application/xml; charset=utf-8"
GROUPS = ("Text", "Subtitles", "Editing programs", "Markers")

FORMATS = {
    "txt": Format("Text", "timecode and words", "Text", "txt", TEXT, documents.text),
    "plain": Format("Plain text", "words alone", "Text", "txt", TEXT, documents.plain),
    "docx": Format("DOCX", "Word, with timecode", "Text", "docx", DOCX, documents.docx),
    "csv": Format("CSV", "spreadsheets", "Text", "csv", "text/csv", documents.as_csv),
    "json": Format("JSON", "programs", "Text", "json", "application/json", documents.as_json),
    "srt": Format(
        "SRT", "most players", "Subtitles", "srt",
        "application/x-subrip; charset=utf-8", subtitles.srt,
    ),
    "vtt": Format("WebVTT", "the web", "Subtitles", "vtt", "text/vtt", subtitles.webvtt),
    "edl": Format(
        "EDL", "CMX 3600", GROUPS[2], "edl", TEXT, timelines.edl, edits=True
    ),
    "xmeml": Format(
        "Premiere XML", "also Resolve", GROUPS[2], "xml", XML, timelines.xmeml, edits=True
    ),
    "fcpxml": Format(
        "FCPXML", "Final Cut, Resolve", GROUPS[2], "fcpxml", XML, timelines.fcpxml, edits=True
    ),
    "otio": Format(
        "OpenTimelineIO", "JSON", GROUPS[2], "otio",
        "application/json", timelines.otio, edits=True,
    ),
    "markers-resolve": Format(
        "Resolve", "an EDL of markers", GROUPS[3], "edl", TEXT, markers.resolve
    ),
    "markers-avid": Format("Avid", "marker text", GROUPS[3], "txt", TEXT, markers.avid),
    "markers-csv": Format(
        "CSV", "Premiere's columns", GROUPS[3], "csv", "text/csv", markers.as_csv
    ),
}  # fmt: skip


def write(
    name: str, clips: Sequence[Clip], *, title: str, handles: int = 0, by_record: bool = False
) -> bytes:
    """The clips as a file of this format. Raises ValueError with a sentence, KeyError.

    ``by_record``: subtitles and markers have the times of the cut that a timeline of these clips
    with these handles makes, as they always have with clips of several videos.
    """
    if not clips:
        raise ValueError("There is no line to hand over.")
    form, cut = FORMATS[name], Cut(title, clips, handles, by_record)
    found = form.writer(cut)
    # Half of a surrogate pair is no letter, and JSON's writers keep it.
    return found if isinstance(found, bytes) else found.encode(errors="ignore")


def filename(name: str, title: str) -> str:
    """What the file is called: the title, with ``markers`` where that tells two apart."""
    form = FORMATS[name]
    middle = " markers" if form.group == "Markers" else ""
    return f"{_UNFIT.sub('-', shortened(one_line(title)))}{middle}.{form.extension}"


def shortened(text: str, most: int = MOST_BYTES) -> str:
    """At most so many bytes of UTF-8, and no half of a letter."""
    return text.encode(errors="ignore")[:most].decode(errors="ignore").rstrip()
