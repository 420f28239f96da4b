"""Read a caption file that somebody brings along: SubRip, WebVTT or a transcript as JSON, decided
by its content.

Libraries that read captions forgive everything and name no lines: here each line is looked at, and
what is not right is refused with its number.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from videos import transcript_json
from videos.engines.base import MOST_CHARACTERS, Cue
from videos.transcript_json import is_json

MAX_BYTES = 10_000_000
MAX_CUES = 100_000
MAX_LINE = 2 * MOST_CHARACTERS  # with its markup

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ARROW = "-->"
STAMP = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
TIMES = re.compile(rf"\s*{STAMP}\s*{ARROW}\s*{STAMP}(?:\s+\S.*)?\s*")
STAMP_TAG = re.compile(rf"<{STAMP}>")
# Markup of WebVTT and of SRT. Other words in such brackets are the transcriber's: <inaudible>.
TAG = re.compile(r"</?(?:[biusvc]|font|ruby|rt|lang)(?:[\s.][^<>]*)?/?>", re.IGNORECASE)
OVERRIDE = re.compile(r"\{\\[^{}]*\}")  # "{\an8}", which programs for SubStation leave in SRT
BREAK = re.compile(r"\\[Nh]")  # and their line feed and hard space
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
NOTE = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
LAST_HOUR = 99


class CaptionError(ValueError):
    """A caption file cannot be used; the message is a sentence that names the line or segment."""


@dataclass
class _Block:
    line: int  # the number of the line with its times
    start_ms: int
    end_ms: int
    text: list[str]


def read(data: bytes) -> list[Cue]:
    """Give the cues of an SRT, WebVTT or JSON file, in the order of their starts.

    Text is plain: markup is dropped, entities are decoded, lines are joined. Cues may overlap;
    those without text are left out. UTF-8 and UTF-16 with a mark are known, anything else is
    taken for Windows' Latin-1. Raises CaptionError.
    """
    if len(data) > MAX_BYTES:
        raise CaptionError(f"The caption file is larger than {MAX_BYTES // 1_000_000} MB.")
    text = _decode(data)
    cues = _from_json(text) if is_json(text) else list(_cues(list(_blocks(text))))
    if not cues:
        raise CaptionError("There are no captions in this file.")
    return sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))


def _from_json(text: str) -> list[Cue]:
    try:
        return transcript_json.read(text, MAX_CUES)
    except transcript_json.NotUsable as error:
        raise CaptionError(str(error)) from None


def _decode(data: bytes) -> str:
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].decode(encoding, "replace").count("\n") + 1
        raise CaptionError(f"Line {line}: this is not {encoding.upper()} text.") from None


def _lines(text: str) -> list[str]:
    """Split at line ends alone: str.splitlines would also split at letters of some scripts."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if CONTROL.search(line):
            raise CaptionError(f"Line {number}: this is not a text file.")
        if len(line) > MAX_LINE:
            raise CaptionError(f"Line {number}: the line is longer than {MAX_LINE:,} characters.")
    return lines


def _blocks(text: str) -> Iterator[_Block]:
    """Check every line; give each cue with its lines of text.

    A blank line ends a WebVTT cue, whatever comes then. In SRT it may stand inside of the text, as
    many programs write it: a cue goes on to the next number or times.
    """
    lines = _lines(text)
    vtt = re.match(r"\s*WEBVTT(\s|$)", text) is not None
    block: _Block | None = None
    count, in_note = 0, False
    for number, line in enumerate(lines, 1):
        in_note = vtt and bool(line.strip()) and (in_note or _starts_note(lines, number))
        if in_note:
            continue
        if ARROW in line and (vtt or TIMES.fullmatch(line) or _starts_block(lines, number)):
            count += 1
            if block is not None:
                yield block
            block = _timed(line, number, count)
        elif block is not None and vtt and not line.strip():
            yield block
            block = None
        elif block is not None and line.strip() and not _is_label(lines, number):
            block.text.append(line.strip())
    if block is not None:
        yield block


def _timed(line: str, number: int, count: int) -> _Block:
    match = TIMES.fullmatch(line)
    if match is None:
        raise CaptionError(f"Line {number}: these are not two times such as 00:01:02.500.")
    if count > MAX_CUES:
        raise CaptionError(f"Line {number}: there are more than {MAX_CUES} captions.")
    start_ms = _milliseconds(match.groups()[:4], number)
    end_ms = _milliseconds(match.groups()[4:], number)
    if end_ms < start_ms:
        raise CaptionError(f"Line {number}: the caption ends before it starts.")
    # Some programs give single captions no length, as Whisper does in its JSON.
    return _Block(number, start_ms, max(end_ms, start_ms + 1), [])


def _milliseconds(groups: tuple[str | None, ...], number: int) -> int:
    hours, minutes, seconds = (int(group or "0") for group in groups[:3])
    if hours > LAST_HOUR or minutes > 59 or seconds > 59:
        raise CaptionError(f"Line {number}: there is no such time.")
    # "1.5" is a second and a half: the digits are a fraction.
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((groups[3] or "0").ljust(3, "0"))


def _starts_block(lines: list[str], number: int) -> bool:
    """Tell whether a line with an arrow stands where only times can stand."""
    before = [line.strip() for line in lines[max(0, number - 3) : number - 1]]
    if not before or not before[-1]:
        return True
    return before[-1].isdigit() and (len(before) == 1 or not before[0])


def _starts_note(lines: list[str], number: int) -> bool:
    """Tell whether a WebVTT line begins a comment or a style, which may hold anything."""
    first = number == 1 or not lines[number - 2].strip()
    return first and NOTE.match(lines[number - 1]) is not None


def _is_label(lines: list[str], number: int) -> bool:
    """Tell whether a line is the number of the cue whose times come next, or would have come."""
    if not lines[number - 1].strip().isdigit():
        return False
    if lines[number - 2].strip():  # text stands before it: only the very next line tells
        following: str | None = lines[number] if number < len(lines) else ""
    else:
        following = _next_words(lines, number)
    return following is None or TIMES.fullmatch(following) is not None


def _next_words(lines: list[str], at: int) -> str | None:
    """The next line that is not blank. By index: a slice would copy the rest for each number."""
    while at < len(lines):
        if lines[at].strip():
            return lines[at]
        at += 1
    return None


def _cues(blocks: list[_Block]) -> Iterator[Cue]:
    for block in blocks:
        if text := _plain(block):
            yield Cue(block.start_ms, block.end_ms, text)


def _plain(block: _Block) -> str:
    text = BREAK.sub(" ", STAMP_TAG.sub("", " ".join(block.text)))
    if len(text) > MOST_CHARACTERS:
        sentence = f"it has more than {MOST_CHARACTERS:,} characters of text."
        raise CaptionError(f"Line {block.line}: {sentence}")
    text = html.unescape(TAG.sub("", OVERRIDE.sub("", text))).replace("\xa0", " ")
    return " ".join(CONTROL.sub("", text).split())
