"""Large files in chunks: each comes by itself, in any order, several at once.

They are written to their places in one part file. The sweep takes a part file that nobody
has written to for PART_FILE_HOURS; an upload lives as long.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from videos import ingest, storage
from videos.ingest import Refused
from videos.models import Asset, Chunk, Upload
from videos.uploads import DISK_FULL, refuse_size

CHUNK_BYTES = 16 * 1024 * 1024
MAX_CHUNKS = 10_000
PIECE_BYTES = 1024 * 1024


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def path_of(upload: Upload) -> Path:
    return storage.part_path(upload.pk)


def begin(user: User, filename: str, total_bytes: int, user_metadata: Mapping[str, Any]) -> Upload:
    """Make room for a file of so many bytes. Raises Refused."""
    if sentence := refuse_size(total_bytes):
        raise Refused(sentence)
    asset = Asset(owner=user, filename=filename, user_metadata=dict(user_metadata))
    upload = Upload(
        asset=asset,
        total_bytes=total_bytes,
        chunk_bytes=max(CHUNK_BYTES, -(-total_bytes // MAX_CHUNKS)),
        expires_at=timezone.now() + timedelta(hours=settings.PART_FILE_HOURS),
    )
    with transaction.atomic():
        asset.save(force_insert=True)
        upload.save(force_insert=True)
    path_of(upload).touch()
    return upload


def write(upload: Upload, number: int, stream: Readable) -> str:
    """Put a chunk in its place and give its ETag. Raises Refused.

    A chunk may come again until the upload is complete: the last one counts.
    """
    try:
        etag = _write(upload, number, stream)
    except FileNotFoundError:
        raise Refused("This upload has expired.") from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Refused(DISK_FULL) from error
    Chunk.objects.update_or_create(
        upload=upload, number=number, defaults={"etag": etag, "reported": False}
    )
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
        if not Upload.objects.active().filter(pk=upload.pk).exists():
            raise Refused("This upload is complete.")
        handle.seek(at)
        while left and (piece := stream.read(min(left, PIECE_BYTES))):
            digest.update(piece)
            left -= handle.write(piece)
    if left or stream.read(1):
        Chunk.objects.filter(upload=upload, number=number).delete()
        raise Refused(f"Chunk {number} must have {size} bytes.")
    return digest.hexdigest()


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

    A file that is none ends the upload; the asset says why.
    """
    if Chunk.objects.filter(upload=upload, reported=True).count() < upload.total_chunks:
        return False
    if not Upload.objects.active().filter(pk=upload.pk).update(status=Upload.COMPLETED):
        return False
    path = path_of(upload)
    try:
        with open(path, "rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
            os.fsync(handle.fileno())
            ingest.keep_asset(upload.asset, path, sha256)
    except (Refused, OSError) as error:
        path.unlink(missing_ok=True)
        sentence = str(error) if isinstance(error, Refused) else "The file could not be kept."
        Asset.objects.filter(pk=upload.asset_id).update(error=sentence[:500])
        Upload.objects.filter(pk=upload.pk).update(status=Upload.FAILED)
    return True
