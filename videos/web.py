"""The web server's own care for request bodies: Waitress, with a spool that can say no.

Waitress writes a body to a temporary file before the application sees the request, which is
what makes slow clients cheap. When the disk cannot hold the body it would cut the connection,
and the person at the other end would see a broken page. Here the rest of the body is read and
dropped instead, and the application is told why, so that it can answer with a sentence.

So a body is on the disk before anybody asked who sends it. Of somebody unknown no more than a
little is kept: the application gets an empty body and answers as it answers strangers.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, connection
from django.http import parse_cookie
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser

from videos import captions, storage
from videos.disk import is_full
from videos.models import ApiKey
from videos.models.api_key import hash_key

# As Waitress keeps headers; the application reads HTTP_X_BODY_REFUSED. A client that sends it
# itself only refuses its own request.
REFUSED_HEADER = "X_BODY_REFUSED"
UPLOAD_PATHS = ("/upload/", "/v1")  # only there may a body be large,
CAPTIONS_END = "/captions"  # and where captions are given to a video not so small
TOO_LARGE, DISK_FULL, STRANGER = "too-large", "disk-full", "stranger"
Headers = Mapping[str, str]  # as Waitress keeps them: X_API_KEY


class Spool(OverflowableBuffer):  # type: ignore[misc]
    """Keeps a body in memory, then in a file; throws all of it away when it cannot be kept."""

    def __init__(self, overflow: int, largest: int, announced: int, headers: Headers) -> None:
        """``announced``: the body's length if the client said it, else 0."""
        super().__init__(overflow)
        self.largest, self.headers, self.is_known = largest, headers, False
        self.size = self.looked_at = 0
        self.refusal = _foreseen(largest, announced)

    def append(self, data: bytes) -> None:
        self.size += len(data)
        if not self.refusal and (refusal := self._outgrown()):
            self._throw_away(refusal)
        if self.refusal:
            return
        try:
            super().append(data)
        except OSError as error:
            if not is_full(error):
                raise
            self._throw_away(DISK_FULL)

    def _outgrown(self) -> str:
        if self.size > self.largest:
            return TOO_LARGE
        if not self.is_known and self.size > most_of_a_stranger():
            self.is_known = knows_sender(self.headers)
            if not self.is_known:
                return STRANGER
        if self.size - self.looked_at < storage.LOOK_EVERY:
            return ""
        self.looked_at = self.size
        return DISK_FULL if storage.free_bytes() < 0 else ""

    def _throw_away(self, why: str) -> None:
        self.refusal = why
        with suppress(OSError):  # closing flushes, and the disk is full
            self.close()
        self.buf, self.strbuf, self.overflowed = None, b"", False


def most_of_a_stranger() -> int:
    """Bytes. A chunk of the largest file comes with a signature and without a key."""
    return max(32 * 2**20, int(settings.MAX_UPLOAD_BYTES) // 5000)


def knows_sender(headers: Headers) -> bool:
    """Whether a working API key or a session of somebody signed in comes with the request.

    Asked by the thread that reads all connections, and only once of a large body. A database that
    does not answer is no reason to lose one.
    """
    if not settings.REQUIRE_LOGIN:
        return True
    try:
        return _has_key(headers.get("X_API_KEY", "")) or _has_session(headers.get("COOKIE", ""))
    except DatabaseError:
        return True
    finally:
        connection.close()


def _has_key(key: str) -> bool:
    return bool(key) and ApiKey.objects.working().filter(hash=hash_key(key)).exists()


def _has_session(cookies: str) -> bool:
    session_id = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    return bool(session_id) and SESSION_KEY in SessionStore(session_id)


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Gives each body a Spool, and a refused one to the application as an empty body."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        self.headers.pop(REFUSED_HEADER, None)
        if self.body_rcv is not None:
            largest = _largest(self.path)
            self.body_rcv.buf = Spool(
                self.adj.inbuf_overflow, largest, self.content_length, self.headers
            )

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        refusal = self.completed and self.body_rcv is not None and self.body_rcv.buf.refusal
        if refusal:
            self.headers["CONTENT_LENGTH"] = "0"
        if refusal and refusal != STRANGER:
            self.headers[REFUSED_HEADER] = refusal
        return consumed


class Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = Parser


def options() -> dict[str, Any]:
    """What ``waitress.create_server`` is told; the server's ``channel_class`` must be Channel."""
    return {
        "threads": settings.WEB_THREADS,
        "ident": None,
        "connection_limit": 1000,
        "channel_timeout": 300,
        # select() fails for good at the 1024th open file; spools and databases count as well.
        "asyncore_use_poll": True,
        # Ours is in Spool: Waitress' own limit cuts the connection.
        "max_request_body_size": 2**62,
        "clear_untrusted_proxy_headers": True,
        **_proxy(),
    }


def _proxy() -> dict[str, Any]:
    """A proxy's headers count only when one is declared: anybody else could forge them."""
    if not settings.TRUSTED_PROXY:
        return {}
    headers = {"x-forwarded-proto", "x-forwarded-for"}
    return {"trusted_proxy": settings.TRUSTED_PROXY, "trusted_proxy_headers": headers}


def _largest(path: str) -> int:
    """Where files are sent: a whole form of the largest ones, and a little for other fields."""
    if path.startswith(UPLOAD_PATHS):
        return int(settings.MAX_UPLOAD_BYTES) * int(settings.MAX_FILES_AT_ONCE) + 2**20
    if path.endswith(CAPTIONS_END):
        return captions.MAX_BYTES + 2**20
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def _foreseen(largest: int, announced: int) -> str:
    if announced > largest:
        return TOO_LARGE
    # The spool and the part file lie on the disk at the same time.
    return DISK_FULL if announced > 2**20 and 2 * announced > storage.free_bytes() else ""
