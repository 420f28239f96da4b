"""One stretch as words for the clipboard: a mail, a log sheet, a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import PurePath

from videos.exports.clips import Clip, Cut, one_line
from videos.exports.subtitles import srt as write_srt
from videos.timecode import clock, ms_to_seconds, source

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&])")


def text(clip: Clip, url: str) -> str:
    return " ".join(filter(None, (one_line(line.text) for line in clip.said)))


def timed(clip: Clip, url: str) -> str:
    base = clip.media.base
    said = (line for line in clip.said if one_line(line.text))
    return "\n".join(f"{source(line.start_ms, base)}  {one_line(line.text)}" for line in said)


def markdown(clip: Clip, url: str) -> str:
    label = _plain(f"{clip.media.name}, {clip.source_in}")
    return f"[{label}](<{url}>) {_plain(text(clip, url))}".rstrip()


def _plain(words: str) -> str:
    return _MARKDOWN.sub(r"\\\1", one_line(words))


def srt(clip: Clip, url: str) -> str:
    return write_srt(Cut("", [clip]))


def ffmpeg(clip: Clip, url: str) -> str:
    """Without coding again, so it begins at the key frame before. A POSIX shell reads it."""
    name = one_line(clip.media.name) or "video"
    path, at = PurePath(name), clock(clip.start_ms).replace(":", ".")
    part = f"{path.stem} {at}{path.suffix}"
    times = f"-ss {ms_to_seconds(clip.start_ms)} -to {ms_to_seconds(clip.end_ms)}"
    return f"ffmpeg {times} -i {_argument(name)} -c copy {_argument(part)}"


def _argument(name: str) -> str:
    """``file:`` before what ffmpeg would take for an option or a protocol."""
    return shlex.quote(f"file:{name}" if name.startswith("-") or ":" in name else name)


COPIES: dict[str, tuple[str, Callable[[Clip, str], str]]] = {
    "text": ("Text", text),
    "timecode": ("Timecode and text", timed),
    "markdown": ("Markdown link", markdown),
    "srt": ("SRT", srt),
    "ffmpeg": ("ffmpeg command", ffmpeg),
}
