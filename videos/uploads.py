"""Django's upload handler that streams a file to its part file and hashes it on the way."""

from __future__ import annotations

import hashlib
import os
from io import FileIO
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.template.defaultfilters import filesizeformat

from videos import storage
from videos.disk import is_full

CHUNK_BYTES = 1024 * 1024


class PartFile(UploadedFile):
    """An uploaded file that lies on the media's disk, synced, until it is adopted or closed.

    ``refusal`` is a sentence when the bytes were not kept; there is no file then.
    """

    def __init__(self, path: Path, handle: IO[bytes], sha256: str, refusal: str, **about: Any):
        super().__init__(handle, **about)
        self.path = path
        self.sha256 = sha256
        self.refusal = refusal

    def close(self) -> None:
        """At the end of the request: what was not adopted is gone."""
        super().close()
        self.path.unlink(missing_ok=True)


class PartFileHandler(FileUploadHandler):
    """Memory stays flat whatever the size: a chunk is written, hashed and forgotten.

    A file that is too large, or that the disk cannot hold, is read to its end and thrown
    away, so that the client hears a sentence instead of a broken pipe.
    """

    chunk_size = CHUNK_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        # So forms name what holds a double quote (WHATWG, multipart/form-data encoding).
        self.file_name = (self.file_name or "").replace("%22", '"')
        self.path = self.new_path()
        # Unbuffered: a full disk shows at the write, not once more at each flush and close.
        self.handle = open(self.path, "w+b", buffering=0)  # noqa: SIM115
        self.digest = hashlib.sha256()
        self.size = self.looked_at = 0
        self.refusal = refuse_size(0)

    def new_path(self) -> Path:
        return storage.new_part_path()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size += len(raw_data)
        if not self.refusal:
            self.refusal = self._keep(raw_data)

    def _keep(self, data: bytes) -> str:
        """Write the chunk, or throw the file away and say why."""
        if self.size <= settings.MAX_UPLOAD_BYTES and self._has_room():
            try:
                self.digest.update(data)
                _write_all(self.handle, data)
                return ""
            except OSError as error:
                if not is_full(error):
                    raise
        self._throw_away()
        return refuse_size(self.size) or DISK_FULL

    def _has_room(self) -> bool:
        """False when the disk's reserve was reached since the file began."""
        if self.size - self.looked_at < storage.LOOK_EVERY:
            return True
        self.looked_at = self.size
        return storage.free_bytes() >= 0

    def file_complete(self, file_size: int) -> PartFile:
        if not self.refusal:
            self.refusal = self._sync()
        return PartFile(
            self.path,
            self.handle,
            self.digest.hexdigest(),
            self.refusal,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
        )

    def _sync(self) -> str:
        try:
            os.fsync(self.handle.fileno())
            self.handle.seek(0)
        except OSError as error:
            if not is_full(error):
                raise
            self._throw_away()
            return DISK_FULL
        return ""

    def _throw_away(self) -> None:
        self.handle.truncate(0)
        self.path.unlink(missing_ok=True)

    def upload_interrupted(self) -> None:
        """The client went away in the middle: leave nothing behind."""
        if hasattr(self, "handle"):
            self.handle.close()
            self.path.unlink(missing_ok=True)


def _write_all(handle: FileIO, data: bytes) -> None:
    """A raw file may take less than it is given."""
    view = memoryview(data)
    while view:
        view = view[handle.write(view) :]


DISK_FULL = "The disk of this server is full. Nothing was kept; make room and upload it again."


def too_large(size: int) -> str:
    """Why no file of so many bytes is ever taken, or an empty string."""
    if size <= settings.MAX_UPLOAD_BYTES:
        return ""
    largest = filesizeformat(settings.MAX_UPLOAD_BYTES)
    return f"This file is too large: {filesizeformat(size)}. The limit is {largest} a file."


def refuse_size(size: int, *, copies: int = 1) -> str:
    """Why a file of so many bytes cannot be taken now, or an empty string.

    ``copies``: 2 before its bytes are sent, since the web server's spool and the part file
    lie on the disk at the same time.
    """
    if sentence := too_large(size):
        return sentence
    free = storage.free_bytes()
    if free <= 0 or size * copies > free:
        return (
            f"There is not enough room on this server's disk: files of up to "
            f"{filesizeformat(max(free, 0) // copies)} can be taken now. Delete videos that are "
            f"no longer needed, or ask whoever runs it."
        )
    return ""
