"""The Twelve Labs REST API over the same rows, forms and ingest as the pages.

Each view fetches through ``visible_to``; wire shapes are made in ``dialects`` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from videos.models import ApiKey

PATH = re.compile(r"/(v1(?:\.[123])?)(?:/|$)")


class ApiRequest(HttpRequest):
    """A request that came through ``endpoint`` with a good key; ``user`` is the key's owner."""

    user: User
    key: ApiKey


View = Callable[..., HttpResponse]


def version_of(path: str) -> str:
    """The API version that a path names (``v1.3``), or an empty string: it is a page's."""
    match = PATH.match(path)
    return match[1] if match else ""
