"""Made-up clips at the rates that go wrong, each with a start timecode of its own."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from zipfile import ZipFile

from videos import exports
from videos.exports import Clip, Line, Media
from videos.timecode import Timebase, timebase

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


def mixed() -> list[Clip]:
    """A bin: drop-frame, non-drop-frame, a recorder's sound and a phone's varying rate."""
    wild = film("2997df", name="Größe 東京 #1.mov", id="df", reel="A001 & B", channels=2)
    tape = film("2997ndf", name="CLIP0002.mov", id="ndf", channels=4)
    again = film("2997ndf", name="CLIP0002 (1).mov", id="ndf 1", has_sound=False)
    phone = film("2997df", name="IMG_1.mp4", id="phone", varies=True, channels=2)
    sound = film(
        name="T01.WAV", id="wav", base=Timebase(Fraction(25), start=90_090), channels=2,
        width=0, height=0, has_picture=False, sound_start_ms=3_603_600,
    )  # fmt: skip
    lines = tuple(Line(*line) for line in SPOKEN)
    cut = (Line(60_060, 62_000, SPOKEN[2][2]),)
    return [
        Clip(sound, 0, 2000, SPOKEN[0][2], note="wild track", colour="red", lines=lines[:1]),
        Clip(wild, 0, 62_000, "all of it", note="The river", colour="green", lines=lines[:2] + cut),
        Clip(tape, 2000, 4000, "kept words", colour="purple"),
        Clip(again, 100_000, 101_001, note="hands, nobody speaks", colour="orange"),
        Clip(phone, 599_500, 601_001, "Right.", lines=lines[3:]),
    ]  # fmt: skip


def written(name: str, what: str, handles: int = 12) -> bytes:
    """The four lines of a film, or the mixed bin; of a DOCX, the part that holds the words."""
    bin_of_several = what == "mixed"
    found = exports.write(
        name,
        mixed() if bin_of_several else clips(what),
        title="Riverside & <co>",
        handles=handles,
        by_record=bin_of_several,
    )
    if name == "docx":
        return ZipFile(BytesIO(found)).read("word/document.xml")
    return found
