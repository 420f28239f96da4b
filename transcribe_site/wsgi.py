"""WSGI entry for any server; ``manage.py serve`` uses it too."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribe_site.settings")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
CHARSET = re.compile(r";\s*charset\b[^;]*", re.IGNORECASE)


def in_utf8(application: Application) -> Application:
    """Whatever charset a request names, it is read as UTF-8, as everything here is written.

    Django decodes the query with any codec that Python has before it asks anybody: with "hex" that
    is a 500 outside of all pages, and "punycode" takes a minute of a thread for some kilobytes.
    """

    def read(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "CONTENT_TYPE" in environ:
            environ["CONTENT_TYPE"] = CHARSET.sub("", environ["CONTENT_TYPE"])
        return application(environ, start_response)

    return read


application = in_utf8(get_wsgi_application())
