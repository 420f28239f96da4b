"""Files as a browser takes them: by byte ranges (RFC 9110), to jump to any moment, or to save."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase

from videos import exports

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class Window(io.RawIOBase):
    """A stretch of a file as a file of its own.

    It can seek and has no ``fileno``: so waitress sends it without holding a thread for a
    slow player, and no server looks past the stretch's end.
    """

    def __init__(self, path: Path, start: int, length: int) -> None:
        super().__init__()
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close()
        self._start, self._length, self._at = start, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = min(max(base + offset, 0), self._length)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: self._length - self._at]
        self._file.seek(self._start + self._at)
        got = self._file.readinto(view)
        self._at += got
        return got

    def close(self) -> None:
        self._file.close()
        super().close()


def serve(request: HttpRequest, path: Path, content_type: str, etag: str) -> HttpResponseBase:
    """Answer GET or HEAD for a file that never changes under its ``etag`` (without quotes).

    One range gives 206, one beyond the end 416. Several ranges, or words that are no range,
    give the whole file, as the RFC allows. Raises FileNotFoundError.
    """
    size = path.stat().st_size
    etag = f'"{etag}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if _names(request.headers.get("If-None-Match", ""), etag):
        return HttpResponse(status=304, headers=headers)
    wanted = _wanted_range(request, etag)
    if wanted is None:
        return _send(request, Window(path, 0, size), size, 200, content_type, headers)
    stretch = _fit(*wanted, size)
    if stretch is None:
        headers["Content-Range"] = f"bytes */{size}"
        return HttpResponse(status=416, headers=headers)
    start, length = stretch
    headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    return _send(request, Window(path, start, length), length, 206, content_type, headers)


def attachment(body: bytes, name: str, title: str) -> HttpResponse:
    """What was written in the format ``name``, as a file to save. It holds the text of this
    moment: nobody keeps it for the next time.
    """
    response = HttpResponse(body, content_type=exports.FORMATS[name].content_type)
    filename = exports.filename(name, title)
    response["Content-Disposition"] = disposition(filename, attachment=True)
    response["Cache-Control"] = "private, no-store"
    return response


def disposition(filename: str, *, attachment: bool) -> str:
    """Content-Disposition for any name (RFC 6266, RFC 8187), with an ASCII one for old clients."""
    kind = "attachment" if attachment else "inline"
    plain = re.sub(r"[^\w .()-]", "_", filename, flags=re.ASCII).strip() or "video"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _names(header: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in tags or "*" in tags


def _wanted_range(request: HttpRequest, etag: str) -> tuple[str, str] | None:
    """First and last byte as written, or None when the whole file is to be sent."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or match is None or match[1] == match[2] == "":
        return None
    # If-Range: a stretch of another file would be worse than the whole of this one.
    if request.headers.get("If-Range", etag) != etag:
        return None
    if match[1] and match[2] and int(match[2]) < int(match[1]):
        return None
    return match[1], match[2]


def _fit(first: str, last: str, size: int) -> tuple[int, int] | None:
    """Start and length inside the file; None when the range begins beyond its end."""
    if not first:  # the last so many bytes
        length = min(int(last), size)
        return (size - length, length) if length else None
    start = int(first)
    if start >= size:
        return None
    end = min(int(last), size - 1) if last else size - 1
    return start, end - start + 1


def _send(
    request: HttpRequest,
    body: Window,
    length: int,
    status: int,
    content_type: str,
    headers: dict[str, str],
) -> HttpResponseBase:
    headers |= {"Content-Length": str(length)}
    if request.method == "HEAD":
        body.close()
        return HttpResponse(status=status, headers=headers, content_type=content_type)
    return FileResponse(body, status=status, headers=headers, content_type=content_type)
