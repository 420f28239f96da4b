"""The rate at which a picture's frames are counted, and whether the file keeps to it. Child side.

Editing programs count at standard rates. The average of a phone, a meeting or a recorded screen
(29.7, say) is none: named by it, timecode would drift by seconds against every other program.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from statistics import median

from av.video.stream import VideoStream

from videos.media.opening import open_media, packets, picture_stream

STANDARD = [
    *(Fraction(rate) for rate in (24, 25, 30, 48, 50, 60, 100, 120, 240)),
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)),
]
NEAR = Fraction(1, 20)
ODD = Fraction(1, 500)  # twice of what 29.97 is beside 30
LOOKED_AT = 600  # packets
ROUNDING_MS = 1.5  # Matroska's times are whole milliseconds


def counted(path: str, picture: VideoStream) -> tuple[Fraction | None, bool]:
    """The rate to count at, None when the file tells none, and whether its frames stray from it,
    one by one or, at an odd rate such as 12.5, all together.
    """
    average = next(filter(_possible, _told(picture)), None)
    if average is None:
        return None, False
    rate = _snapped(average)
    if rate in STANDARD:
        return rate, False
    guesses = [_snapped(each) for each in _told(picture)[1:] if each and _possible(each)]
    standard = [guess for guess in guesses if guess in STANDARD]
    varies = any(_strays(picture, rate, guess) for guess in standard) or _uneven(path)
    near = (guess for guess in guesses if _is_near(guess, rate))
    meant = _meant(standard, rate) if varies else next(near, rate)
    whole = _whole(meant)
    return whole, varies or whole != meant


def _whole(rate: Fraction) -> Fraction:
    """Timecode names whole frames a second, or nearly (29.97): at 12.5 it would be no clock's."""
    whole = Fraction(max(1, round(rate)))
    return rate if abs(rate - whole) / rate <= ODD else whole


def _told(picture: VideoStream) -> list[Fraction | None]:
    """The average, then what libav takes the file to mean."""
    return [picture.average_rate, picture.guessed_rate, picture.base_rate]


def _possible(rate: Fraction | None) -> bool:
    return bool(rate and 1 <= rate <= 480)


def _snapped(rate: Fraction) -> Fraction:
    """Replace a rate that was measured over few frames by the standard one it must mean.

    30 and 29.97 differ by 1 in 1000, so 1 in 2500 tells them apart.
    """
    near = _nearest(rate)
    return near if abs(near - rate) / near < Fraction(1, 2500) else rate


def _nearest(rate: Fraction) -> Fraction:
    return min(STANDARD, key=lambda standard: abs(standard - rate))


def _is_near(standard: Fraction, rate: Fraction) -> bool:
    return abs(standard - rate) / standard < NEAR


def _meant(guesses: list[Fraction], average: Fraction) -> Fraction:
    """The standard rate that a camera aimed at; the average itself where there is none."""
    near = (rate for rate in [*guesses, _nearest(average)] if _is_near(rate, average))
    return next(near, next(iter(guesses), average))


def _strays(picture: VideoStream, average: Fraction, rate: Fraction) -> bool:
    """The file has two frames more or fewer than ``rate`` counts: one may be a short last one."""
    length = picture.duration * picture.time_base if picture.duration and picture.time_base else 0
    return abs(average - rate) * length >= 2


def _uneven(path: str) -> bool:
    """More than a few frames last shorter or longer than the others."""
    with open_media(path) as container:
        picture = picture_stream(container)
        found = packets(container, [picture] if picture else [], LOOKED_AT)
        times = sorted(float(p.pts * p.time_base) * 1000 for p in found if p.pts is not None)
    lengths = [later - earlier for earlier, later in pairwise(times)]
    if not lengths:
        return False
    usual = median(lengths)
    odd = sum(abs(length - usual) > ROUNDING_MS + usual / 50 for length in lengths)
    return odd > max(2, len(lengths) // 50)
