"""How the templates say lengths and moments."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from django import template
from django.utils import timezone

from videos import timecode

register = template.Library()


@register.filter
def clock(ms: int | None) -> str:
    """``4:40``, ``1:04:40``."""
    return timecode.clock(ms or 0)


@register.filter
def exact_clock(ms: int | None) -> str:
    """``4:40.5``, for fields; empty for no moment."""
    return "" if ms is None else timecode.exact_clock(ms)


@register.filter
def seconds(ms: int | None) -> str:
    """``280.94``, for URLs."""
    return "" if ms is None else timecode.ms_to_seconds(ms)


@register.filter(expects_localtime=True)
def day(moment: datetime) -> str:
    """The date, without the year while it is this one, and the time of a thing of today."""
    now = timezone.localtime()
    if moment.date() == now.date():
        return f"Today {moment:%H:%M}"
    return (
        f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment.day} {moment:%b %Y}"
    )


@register.filter
def thousands(number: int) -> str:
    """``10,000``."""
    return f"{number:,}"


@register.filter
def fps(rate: Fraction) -> str:
    """``25``, ``23.976``."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


@register.filter
def spoken(seconds: float) -> str:
    """``6 min``: about how long."""
    return timecode.spoken(seconds)
