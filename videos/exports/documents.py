"""What people and spreadsheets read: text, JSON, CSV, DOCX. Timecode is the source's."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from itertools import groupby
from typing import Any

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from videos.exports.clips import Clip, Cut, Media, one_line, printable
from videos.timecode import source

# A cell that begins so is a formula to some spreadsheet, full-width signs included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

STRONG = ("L", "R", "AL")  # letters that have a direction: those of Hebrew R, of Arabic AL


def text(cut: Cut) -> str:
    """Source timecode and line; the video's name where another one begins."""
    parts = []
    for media, clips in groupby(cut.clips, key=lambda clip: clip.media):
        name = f"{one_line(media.name)}\n\n"
        parts.append(name + "".join(_lines(media, clips)))
    return "\n".join(parts)


def _lines(media: Media, clips: Iterable[Clip]) -> Iterator[str]:
    note = ""
    for clip in clips:
        if clip.note and clip.note != note:
            yield f"({one_line(clip.note)})\n"
        note = clip.note
        for line in clip.said:
            words = f"{source(line.start_ms, media.base)}  {one_line(line.text)}"
            yield f"{words.rstrip()}\n"


def plain(cut: Cut) -> str:
    """The words alone, a line for each."""
    return "".join(f"{one_line(line.text)}\n" for clip in cut.clips for line in clip.said)


def as_json(cut: Cut) -> str:
    """Each clip in seconds and in source timecode, and how its video's frames are counted."""
    data = {"title": cut.title, "videos": _videos(cut), "segments": _segments(cut)}
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _videos(cut: Cut) -> list[dict[str, Any]]:
    return [
        {
            "id": media.id,
            "filename": media.name,
            "duration": media.duration_ms / 1000,
            "frame_rate": [media.base.rate.numerator, media.base.rate.denominator],
            "drop_frame": media.base.drop,
            "start_timecode": source(0, media.base),
        }
        for media in dict.fromkeys(clip.media for clip in cut.clips)
    ]


def _segments(cut: Cut) -> list[dict[str, Any]]:
    return [
        {
            "video": clip.media.id,
            "start": clip.start_ms / 1000,
            "end": clip.end_ms / 1000,
            "source_in": clip.source_in,
            "source_out": clip.source_out,
            "text": clip.text,
        }
        | ({"note": clip.note} if clip.note else {})
        | ({"colour": clip.colour} if clip.colour else {})
        for clip in cut.clips
    ]


def as_csv(cut: Cut) -> bytes:
    """Begins with a byte order mark, without which Excel reads UTF-8 as something else."""
    head = ("video", "start", "end", "source_in", "source_out", "text", "note", "colour")
    rows = (
        (
            clip.media.name,
            f"{clip.start_ms / 1000:.3f}",
            f"{clip.end_ms / 1000:.3f}",
            clip.source_in,
            clip.source_out,
            clip.text,
            clip.note,
            clip.colour,
        )
        for clip in cut.clips
    )
    return table(head, rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: str) -> str:
    """An apostrophe in front makes a formula text; spaces before the sign do not hide it."""
    value = printable(value)
    starts = value.startswith(_FORMULA) or value.lstrip().startswith(_FORMULA)
    return f"'{value}" if starts else value


# --- DOCX ---


def docx(cut: Cut) -> bytes:
    """A paragraph for each line, its timecode before a hanging indent."""
    document = Document()
    _style(document)
    title = one_line(cut.title)[:200]
    document.core_properties.title, document.core_properties.author = title, ""
    document.add_heading(title, 1)
    for media, clips in groupby(cut.clips, key=lambda clip: clip.media):
        if cut.one_media is None:
            document.add_heading(one_line(media.name), 2)
        _fill(document, media, clips)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _style(document: Any) -> None:
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    shape = normal.paragraph_format
    shape.left_indent, shape.first_line_indent = Cm(3), Cm(-3)
    shape.space_after = Pt(4)
    shape.tab_stops.add_tab_stop(Cm(3))
    for level in (1, 2):
        heading = document.styles[f"Heading {level}"].paragraph_format
        heading.left_indent = heading.first_line_indent = Cm(0)


def _fill(document: Any, media: Media, clips: Iterable[Clip]) -> None:
    """Copies one paragraph: python-docx takes ten times as long to make each anew."""
    patterns = {leftwards: _pattern(document, leftwards) for leftwards in (False, True)}
    behind, note = patterns[False]._p, None
    for clip in clips:
        if clip.note and clip.note != note:
            behind.addprevious(_note(document, clip.note))
        note = clip.note
        for line in clip.said:
            paragraph = deepcopy(patterns[_runs_leftwards(line.text)]._p)
            times, said = paragraph.iter(qn("w:t"))
            times.text, said.text = source(line.start_ms, media.base), one_line(line.text)
            behind.addprevious(paragraph)
    for pattern in patterns.values():
        pattern._p.getparent().remove(pattern._p)


def _pattern(document: Any, leftwards: bool) -> Any:  # noqa: FBT001 - a key of the patterns
    paragraph = document.add_paragraph()
    code = paragraph.add_run("00:00:00:00\t")
    code.font.size, code.font.color.rgb = Pt(9), RGBColor(0x59, 0x59, 0x59)
    words = paragraph.add_run("text")
    if leftwards:
        _turn(paragraph, words)
    return paragraph


def _note(document: Any, note: str) -> Any:
    paragraph = document.add_paragraph()
    words = paragraph.add_run(f"\t{one_line(note)}")
    words.italic = True
    if _runs_leftwards(note):
        words.font.cs_italic = True
        _turn(paragraph, words)
    return paragraph._p


def _turn(paragraph: Any, words: Any) -> None:
    """From right to left, with the indent on the right; timecode stays as it is."""
    paragraph._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
    words.font.rtl = True


def _runs_leftwards(text: str) -> bool:
    """Whether the first letter that has a direction is of Hebrew or Arabic, say (UAX 9, P2)."""
    directions = map(unicodedata.bidirectional, text)
    return next((each for each in directions if each in STRONG), "L") != "L"
