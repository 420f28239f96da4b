"""Time: integer milliseconds inside, seconds at the API's edge, clock text on the screen, and
SMPTE timecode (ST 12-1) for editors: frames are counted exactly, by rational rates.

``static/js/time.js`` says the same in the browser; ``tests/timecodes.json`` holds the cases
that both must pass.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

MAX_MS = 1000 * 3600 * 1000  # a thousand hours: beyond any video, far below any overflow
SOUND_RATE = Fraction(25)  # frames a second of what has no picture
HAIR_US = 10  # finer than any frame, coarser than what containers and players round to

_SECONDS = re.compile(r"\d{1,9}(?:[.,]\d{1,20})?", re.ASCII)
_SPOKEN = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d{1,20})?)s)?", re.ASCII)
_SMPTE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})", re.ASCII)
_CLOCK = re.compile(r"(?:(?P<h>\d{1,4}):)?(?P<m>\d{1,2}):(?P<s>\d{1,2}(?:[.,]\d{1,20})?)", re.ASCII)


def parse_clock(text: str) -> int:
    """Read ``90``, ``90.5``, ``1:30``, ``1:30.5`` or ``00:01:30`` as milliseconds.

    Minutes and seconds behind a colon go to 59. Raises ValueError with a sentence.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return _within(seconds_to_ms(float(text.replace(",", "."))))
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError("Write a time as 90, 1:30, 00:01:30 or 1:30.5.")
    minutes, seconds = int(match["m"]), float(match["s"].replace(",", "."))
    if seconds >= 60 or (match["h"] and minutes >= 60):
        raise ValueError("Minutes and seconds go up to 59.")
    return _within(seconds_to_ms(int(match["h"] or 0) * 3600 + minutes * 60 + seconds))


def _within(ms: int) -> int:
    if ms > MAX_MS:
        raise ValueError("That is beyond the end of any video.")
    return ms


def seconds_to_ms(seconds: float) -> int:
    """Round to the nearest millisecond, halves up (Python's ``round`` goes to even)."""
    return math.floor(seconds * 1000 + 0.5)


def ms_to_seconds(ms: int) -> str:
    """The shortest decimal seconds for a URL or a data attribute: 280940 -> ``280.94``."""
    whole, rest = divmod(ms, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


def clock(ms: int, *, tenths: bool = False) -> str:
    """``4:40`` below an hour, ``1:04:40`` from there on; cut, never rounded to a later second."""
    seconds, rest = divmod(max(ms, 0), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    return f"{text}.{rest // 100}" if tenths else text


def exact_clock(ms: int) -> str:
    """What a time field shows: as short as it can be without changing the moment."""
    return clock(ms) + (f".{ms % 1000:03d}".rstrip("0") if ms % 1000 else "")


def spoken(seconds: float) -> str:
    """A rough length in words for a person who waits: ``40 s``, ``6 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


# --- SMPTE timecode ---


@dataclass(frozen=True, slots=True)
class Timebase:
    """How the frames of a video are counted and named.

    ``rate``: frames a second, exactly (30000/1001). ``drop``: drop-frame names, which skip two
    numbers (four at 59.94) a minute but every tenth, so that they keep up with the clock.
    ``start``: the frame number of the first frame, from the file's own start timecode.
    """

    rate: Fraction
    drop: bool = False
    start: int = 0

    @property
    def nominal(self) -> int:
        """The frames that a second of timecode counts: 30 at 29.97, 24 at 23.976."""
        return max(1, round(self.rate))

    @property
    def dropped(self) -> int:
        return self.nominal // 15 if self.drop else 0

    @property
    def day(self) -> int:
        """The frames of 24 hours, after which the names begin again."""
        return 24 * 3600 * self.nominal - self.dropped * (24 * 60 - 24 * 6)


def can_drop(rate: Fraction) -> bool:
    """Drop-frame exists at 30000/1001 and its doubles only."""
    return rate.denominator == 1001 and rate.numerator % 30_000 == 0


def timebase(rate: Fraction, start_timecode: str = "") -> Timebase:
    """Read a file's own counting; sound alone (rate 0) counts as ``SOUND_RATE``.

    Without a start timecode 29.97 and 59.94 drop, so that what is shown is the clock's time. One
    that counts more frames a second than the picture has is right to the second.
    """
    rate = rate if rate > 0 else SOUND_RATE
    drop = can_drop(rate) and (";" in start_timecode if start_timecode else True)
    base = Timebase(rate, drop)
    second = start_timecode.strip()[:8]
    for name in (start_timecode, f"{second}:00", f"{second}:{base.dropped:02d}"):
        with suppress(ValueError):
            return Timebase(rate, drop, parse_timecode(name, base))
    return base  # none, or no time of a day


def frame_at(ms: int, rate: Fraction) -> int:
    """The frame that is shown at ``ms``, from 0. A frame's own start, rounded to ms, is in it."""
    return math.floor(Fraction(2 * ms + 1, 2000) * rate)


def frame_from(ms: int, rate: Fraction) -> int:
    """The first frame that begins at ``ms`` or later: where what ends at ``ms`` is cut."""
    return -int(-Fraction(2 * ms - 1, 2000) * rate // 1)


def frame_ms(frame: int, rate: Fraction) -> int:
    """When the frame begins, to the nearest millisecond."""
    return math.floor(frame * 1000 / rate + Fraction(1, 2))


def seek_us(ms: int, rate: Fraction) -> int:
    """Where a player has to go to show what begins at ``ms``, in microseconds.

    A frame's start, rounded, may lie before it, where players show the frame before; and some cut
    the seconds that they are told to microseconds. So a frame is gone to a hair behind its start.
    """
    frame = frame_at(ms, rate)
    if frame == 0 or frame_ms(frame, rate) != ms:
        return ms * 1000
    return max(ms * 1000, math.ceil(frame * 1_000_000 / rate)) + HAIR_US


def fragment(ms: int, rate: Fraction) -> str:
    """``#t=83.4``: behind the address of a video it opens a player at ``ms`` (Media Fragments)."""
    seconds, rest = divmod(seek_us(ms, rate), 1_000_000)
    return f"#t={seconds}.{rest:06d}".rstrip("0").rstrip(".")


def timecode(frame: int, base: Timebase) -> str:
    """Name frame number ``frame`` (not counting ``base.start``): ``01:00:12:10``, or with ``;``
    before the frames when numbers drop. After 24 hours the names begin again.
    """
    number = frame % base.day
    if base.dropped:
        number += _dropped_before(number, base)
    seconds, frames = divmod(number, base.nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    mark = ";" if base.drop else ":"
    width = len(str(base.nominal - 1))
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:0{max(2, width)}d}"


def _dropped_before(frame: int, base: Timebase) -> int:
    """How many numbers were skipped before this frame: none in each tenth minute."""
    minute = 60 * base.nominal - base.dropped
    ten = 10 * minute + base.dropped
    tens, rest = divmod(frame, ten)
    return base.dropped * (9 * tens + max(0, rest - base.dropped) // minute)


def parse_timecode(text: str, base: Timebase) -> int:
    """The frame number that ``text`` names. Raises ValueError with a sentence.

    Both ``:`` and ``;`` are taken before the frames: whether numbers drop is the file's matter.
    """
    match = _SMPTE.fullmatch(text.strip())
    if match is None:
        raise ValueError("Write a timecode as 01:00:12:10.")
    hours, minutes, seconds, frames = (int(match[n]) for n in (1, 2, 3, 5))
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= base.nominal:
        raise ValueError(
            f"Hours go to 23, minutes and seconds to 59, frames to {base.nominal - 1}."
        )
    if frames < base.dropped and seconds == 0 and minutes % 10:
        raise ValueError("This timecode is one of those that drop-frame leaves out.")
    total = 60 * hours + minutes
    number = (60 * total + seconds) * base.nominal + frames
    return number - base.dropped * (total - total // 10)


def renamed(frame: int, own: Timebase, base: Timebase) -> int:
    """The frame number by which ``base`` has the name that ``own`` gives to ``frame``: the same
    second, and the nearest part of it.
    """
    name = timecode(frame, own)
    part = (2 * int(name[9:]) * base.nominal + own.nominal) // (2 * own.nominal)
    try:
        return parse_timecode(f"{name[:8]}:{min(part, base.nominal - 1):02d}", base)
    except ValueError:  # drop-frame leaves it out
        return parse_timecode(f"{name[:8]}:{base.dropped:02d}", base)


def running(ms: int, base: Timebase) -> str:
    """Timecode from the start of the video."""
    return timecode(frame_at(ms, base.rate), base)


def source(ms: int, base: Timebase) -> str:
    """Timecode as the file has it: its own start added."""
    return timecode(base.start + frame_at(ms, base.rate), base)


def source_out(start_ms: int, end_ms: int, base: Timebase) -> str:
    """Where a stretch is cut, as the file has it: the frame behind its last one."""
    out = max(frame_from(end_ms, base.rate), frame_at(start_ms, base.rate) + 1)
    return timecode(base.start + out, base)


def parse_moment(
    text: str, base: Timebase, *, now_ms: int = 0, length_ms: int = 0, is_running: bool = False
) -> int:
    """Read whatever an editor types as a moment, in milliseconds of the video.

    ``1234`` (seconds), ``12:34``, ``1m23s``, ``+10`` and ``-5`` (from ``now_ms``), and
    ``01:00:12:10``: source timecode when the video of ``length_ms`` has it, also after midnight,
    else counted from the start of the video, as it always is when time ``is_running``. Behind a
    point or a comma come parts of a second, not frames. Raises ValueError with a sentence.
    """
    text = text.strip().removeprefix("?").removeprefix("t=")
    if text[:1] in ("+", "-") and text[1:2].isdigit():
        step = parse_moment(text[1:], Timebase(base.rate, base.drop))
        return max(0, now_ms + (step if text[0] == "+" else -step))
    name = _SMPTE.fullmatch(text)
    if name and name[4] in ":;":
        frame = parse_timecode(text, base)
        return frame_ms(frame, base.rate) if is_running else _from_start(frame, base, length_ms)
    match = _SPOKEN.fullmatch(text)
    if text and match:
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return _within(seconds_to_ms(3600 * hours + 60 * minutes + seconds))
    return parse_clock(text)


def _from_start(frame: int, base: Timebase, length_ms: int) -> int:
    """When the frame of this number is shown; before the file's start it may be the next day's."""
    if frame >= base.start:
        return frame_ms(frame - base.start, base.rate)
    tomorrow = frame_ms(frame + base.day - base.start, base.rate)
    return tomorrow if tomorrow <= length_ms else frame_ms(frame, base.rate)
