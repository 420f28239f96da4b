"""Made-up clips at the rates that go wrong, each with a start timecode of its own."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from zipfile import ZipFile

from videos import exports
from videos.exports import Clip, Line, Media
from videos.timecode import timebase

RATES = {
    "25": (Fraction(25), "10:00:00:00"),
    "23976": (Fraction(24000, 1001), "01:02:03:04"),
    "2997df": (Fraction(30000, 1001), "00:59:56;12"),
    "2997ndf": (Fraction(30000, 1001), "01:00:00:00"),
    "5994df": (Fraction(60000, 1001), "23:58:50;00"),
}
SPOKEN = [
    (0, 1980, "So we came down to the river."),
    (2000, 59_960, "Tom & Anna said: “<Nobody> told us --> never!”"),
    (60_060, 63_000, "=SUM(A1) is what she wrote,\n\non the wall. Größe: 東京"),
    (599_500, 601_001, "Right."),
]


def film(rate: str = "25", **fields) -> Media:
    frames, start = RATES[rate]
    known = {
        "name": "A001_C002 riverside & co.mov",
        "base": timebase(frames, start),
        "duration_ms": 601_500,
        "width": 1920,
        "height": 1080,
        "id": "0123456789abcdef01234567",
    }
    return Media(**(known | fields))


def clips(rate: str = "25", **fields) -> list[Clip]:
    return [Clip(film(rate, **fields), *line) for line in SPOKEN]


def range_clip(rate: str = "25") -> Clip:
    lines = tuple(Line(*line) for line in SPOKEN)
    return Clip(film(rate), 1000, 62_000, note="The river", colour="green", lines=lines[:3])


def written(name: str, rate: str, handles: int = 12) -> bytes:
    """The four lines as each format writes them; of a DOCX, the part that holds the words."""
    found = exports.write(name, clips(rate), title="Riverside & <co>", handles=handles)
    if name == "docx":
        return ZipFile(BytesIO(found)).read("word/document.xml")
    return found
