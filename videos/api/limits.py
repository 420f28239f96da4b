"""How often an account may call, with whichever of its keys: fixed windows, counted in Django's
cache.

The default cache belongs to one process, which is right for the one web process that ``serve``
runs. With several, each counts by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache

from videos.api import errors
from videos.models import ApiKey

Some = TypeVar("Some", bound=Callable[..., object])

# scope -> the setting that holds how many, the window's seconds, its words
WINDOWS = {
    "requests": ("API_REQUESTS_PER_MINUTE", 60, "requests a minute"),
    "uploads": ("API_UPLOADS_PER_DAY", 86_400, "uploads a day"),
}


def counts_as_upload(view: Some) -> Some:
    view.scope = "uploads"  # type: ignore[attr-defined]
    return view


def count(key: ApiKey, view: object) -> dict[str, str]:
    """Count a call of the view; the headers that tell how many are left. Raises ApiError 429."""
    headers = _count(key, "requests")
    if scope := getattr(view, "scope", ""):
        headers = _count(key, scope) or headers
    return headers


def _count(key: ApiKey, scope: str) -> dict[str, str]:
    setting, seconds, words = WINDOWS[scope]
    most, now = getattr(settings, setting), int(time.time())
    if not most:
        return {}
    reset = now - now % seconds + seconds
    used = _one_more(f"rate-{scope}-{key.user_id}-{reset}", seconds)
    headers = {
        "X-Ratelimit-Limit": str(most),
        "X-Ratelimit-Remaining": str(max(0, most - used)),
        "X-Ratelimit-Used": str(min(used, most)),
        "X-Ratelimit-Reset": str(reset),
    }
    if used > most:
        message = (
            f"You have exceeded the rate limit ({most} {words}). "
            f"Please try again later after {reset - now} seconds."
        )
        again = {"Retry-After": str(reset - now)}
        raise errors.ApiError(429, "too_many_requests", message, headers | again)
    return headers


def _one_more(name: str, seconds: int) -> int:
    cache.add(name, 0, timeout=seconds)
    try:
        return cache.incr(name)
    except ValueError:  # dropped between the two calls
        return 1
