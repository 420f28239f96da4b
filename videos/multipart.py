"""Large files in chunks: each comes by itself, in any order, several at once.

They are written to their places in one part file. An upload lives for PART_FILE_HOURS, a page's
from the last part or since it was taken up again; the sweep leaves its part file alone as long.
The API's becomes an asset; a page's becomes a video at once, and goes on where it broke off when
the same file is chosen again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from videos import admission, ingest, storage
from videos.admission import NoRoom, Passing, Refused
from videos.disk import is_full
from videos.models import Asset, Chunk, Upload
from videos.uploads import PartFile, refuse_size

CHUNK_BYTES = 16 * 1024 * 1024
MAX_CHUNKS = 10_000
PARTS_FROM_BYTES = 64 * 1024 * 1024  # a page sends larger files in parts
EXPIRED = "This upload has expired."
DISK_FULL = "The disk of this server is full. What was sent so far is kept: make room, then go on."
MOST_UNFINISHED = 100  # of one user's pages
PIECE_BYTES = 1024 * 1024


class Busy(Exception):
    """Somebody else has the file just now: ask again in a moment."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def path_of(upload: Upload) -> Path:
    return storage.part_path(upload.pk)


def begin(user: User, filename: str, total_bytes: int, user_metadata: Mapping[str, Any]) -> Upload:
    """Make room for a file of so many bytes. Raises Refused."""
    asset = Asset(owner=user, filename=filename, user_metadata=dict(user_metadata))
    return _begin(Upload(asset=asset, total_bytes=total_bytes))


def _begin(upload: Upload) -> Upload:
    if sentence := refuse_size(upload.total_bytes):
        raise admission.not_kept(sentence, upload.total_bytes)
    upload.chunk_bytes = max(CHUNK_BYTES, -(-upload.total_bytes // MAX_CHUNKS))
    upload.expires_at = _expiry()
    with transaction.atomic():
        upload.asset.save(force_insert=True)
        upload.save(force_insert=True)
    path_of(upload).touch()
    return upload


def _expiry() -> datetime:
    return timezone.now() + timedelta(hours=settings.PART_FILE_HOURS)


def go_on(user: User, filename: str, total_bytes: int, modified_ms: int) -> Upload:
    """A page's upload of this file: the one that broke off, or a new one. Raises Refused."""
    known = Upload.objects.of_page(user).active().select_related("asset")
    same = known.filter(
        asset__filename=filename, total_bytes=total_bytes, modified_ms=modified_ms
    ).first()
    if same and path_of(same).exists():
        prolong(same)
        return same
    if known.count() >= MOST_UNFINISHED:
        raise Refused(f"You have {MOST_UNFINISHED} unfinished uploads. Discard some of them first.")
    asset = Asset(owner=user, filename=filename, method=Asset.PAGE)
    return _begin(Upload(asset=asset, total_bytes=total_bytes, modified_ms=modified_ms))


def prolong(upload: Upload) -> None:
    """Let it live, and its part file with it, for PART_FILE_HOURS from now on."""
    Upload.objects.filter(pk=upload.pk).update(expires_at=_expiry())


def discard(upload: Upload) -> None:
    """Forget a page's upload, with its bytes if no video took them."""
    upload.asset.delete()
    storage.delete_parts(upload.pk)


def write(upload: Upload, number: int, stream: Readable) -> str:
    """Put a chunk in its place and give its ETag. Raises Refused.

    A chunk may come again until the upload is complete: the last one counts.
    """
    try:
        etag = _write(upload, number, stream)
    except FileNotFoundError:
        raise Refused(EXPIRED) from None
    except OSError as error:
        if not is_full(error):
            raise
        raise NoRoom(DISK_FULL) from error
    values = {"etag": etag, "reported": False}
    try:
        Chunk.objects.update_or_create(upload=upload, number=number, defaults=values)
    except IntegrityError:  # discarded meanwhile
        raise Refused(EXPIRED) from None
    return etag


def _write(upload: Upload, number: int, stream: Readable) -> str:
    size = upload.bytes_of(number)
    if refuse_size(size):
        raise OSError(errno.ENOSPC, "the reserve is reached")
    digest, at, left = hashlib.sha256(), (number - 1) * upload.chunk_bytes, size
    with open(path_of(upload), "r+b", buffering=0) as handle:
        # Whoever completes the upload waits for us, and whom it did not wait for must not write:
        # the file may be somebody else's twin by then.
        fcntl.flock(handle, fcntl.LOCK_SH)
        if _is_adopted(handle) or not _is_active(upload):
            raise Refused("This upload is complete.")
        handle.seek(at)
        while left and (piece := stream.read(min(left, PIECE_BYTES))):
            digest.update(piece)
            left -= handle.write(piece)
        os.fsync(handle.fileno())  # what a row calls here outlives a power cut
    if left or stream.read(1):
        Chunk.objects.filter(upload=upload, number=number).delete()
        raise Refused(f"Chunk {number} must have {size} bytes.")
    return digest.hexdigest()


def _is_adopted(handle: FileIO) -> bool:
    """It lies among the media, although its rows were not committed: it has two names."""
    return os.fstat(handle.fileno()).st_nlink > 1


def _is_active(upload: Upload) -> bool:
    return Upload.objects.active().filter(pk=upload.pk).exists()


def report(upload: Upload, proofs: Iterable[tuple[int, str]]) -> tuple[int, int]:
    """Believe the client's word for chunks whose ETags are right: (how many, known before).

    Raises Refused for a wrong one.
    """
    new = known = 0
    for number, etag in proofs:
        chunk = Chunk.objects.filter(upload=upload, number=number).first()
        if chunk is None or chunk.etag != etag:
            raise Refused(f"Chunk {number} did not arrive with this ETag.")
        changed = Chunk.objects.filter(pk=chunk.pk, etag=etag, reported=False)
        if changed.update(reported=True):
            new += 1
        else:
            known += 1
    return new, known


def complete(upload: Upload) -> bool:
    """Once all chunks are reported, make the asset ready; True for the one caller that did.

    A file that is none ends the upload; the asset says why. Whatever else goes wrong leaves all
    that was sent, for the next report: raises Busy, Passing or OSError.
    """
    if Chunk.objects.filter(upload=upload, reported=True).count() < upload.total_chunks:
        return False
    try:
        with whole(upload) as file:
            _keep(upload, file)
    except Passing:
        raise
    except Refused as refusal:
        _end(upload, str(refusal))
    return True


def _keep(upload: Upload, file: PartFile) -> None:
    found = admission.look_at(file.path)
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(status=Upload.COMPLETED)
        ingest.keep_asset(upload.asset, file.path, file.sha256, found)
    storage.delete_parts(upload.pk)  # now that a row names its bytes


def _end(upload: Upload, sentence: str) -> None:
    with transaction.atomic():
        if Upload.objects.active().filter(pk=upload.pk).update(status=Upload.FAILED):
            Asset.objects.filter(pk=upload.asset_id).update(error=sentence[:500])
    storage.delete_parts(upload.pk)


def missing(upload: Upload) -> list[int]:
    """The numbers of the chunks that are not here."""
    here = set(upload.chunks.values_list("number", flat=True))
    return [number for number in range(1, upload.total_chunks + 1) if number not in here]


@contextmanager
def whole(upload: Upload) -> Iterator[PartFile]:
    """The file of an upload all of whose chunks are here, as if it had come in one piece.

    It stays the upload's until that is discarded or complete, wherever else it was put. Raises
    Busy while a chunk is written, or while another request does the same; Refused if it is gone.
    """
    try:
        handle = _seal(upload)
    except BlockingIOError:
        raise Busy from None
    except FileNotFoundError:
        if _is_active(upload):
            raise Refused(EXPIRED) from None
        raise Busy from None
    with handle, storage.second_name(path_of(upload)) as path:
        if not _is_active(upload):
            raise Busy  # who had it before us made the video or the asset
        about = {"name": upload.filename, "size": upload.total_bytes}
        yield PartFile(path, handle, _digest(handle), "", **about)


def _seal(upload: Upload) -> BufferedReader:
    """The upload's file, to which nobody writes until it is closed."""
    handle = open(path_of(upload), "rb")  # noqa: SIM115
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise
    return handle


def _digest(handle: BufferedReader) -> str:
    os.fsync(handle.fileno())
    return hashlib.file_digest(handle, "sha256").hexdigest()
