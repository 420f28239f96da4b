from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, F
from django.db.models.functions import Least, Now

from videos.models.asset import Asset
from videos.models.ids import IdField

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: User) -> UploadQuerySet:
        return self.filter(asset__owner_id=user.pk).exclude(asset__method=Asset.PAGE)

    def of_page(self, user: User) -> UploadQuerySet:
        """What the user is sending from a page, or has broken off there."""
        return self.filter(asset__owner_id=user.pk, asset__method=Asset.PAGE)

    def active(self) -> UploadQuerySet:
        return self.filter(status=Upload.ACTIVE, expires_at__gt=Now())

    def with_sent_bytes(self) -> UploadQuerySet:
        """With ``sent_bytes``: how much of each is here, to the chunk."""
        length: models.Field[int, int] = models.PositiveBigIntegerField()
        here = models.ExpressionWrapper(Count("chunks") * F("chunk_bytes"), output_field=length)
        sent = Least(here, F("total_bytes"))
        return self.select_related("asset").annotate(sent_bytes=sent)

    def expired(self) -> UploadQuerySet:
        return self.filter(status=Upload.ACTIVE, expires_at__lte=Now())


class Upload(models.Model):
    """An asset whose bytes come in chunks, numbered from 1, in any order."""

    ACTIVE, COMPLETED, FAILED = "active", "completed", "failed"

    id = IdField()
    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="upload")
    total_bytes = models.PositiveBigIntegerField()
    chunk_bytes = models.PositiveBigIntegerField()
    # When the file was last changed, as the page says: with its name and size it tells whether
    # somebody who chooses a file again chose the same one.
    modified_ms = models.PositiveBigIntegerField(default=0)
    status = models.CharField(max_length=10, default=ACTIVE)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    if TYPE_CHECKING:
        asset_id: str
        chunks: models.Manager[Chunk]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"

    @property
    def filename(self) -> str:
        return self.asset.filename

    @property
    def total_chunks(self) -> int:
        return -(-self.total_bytes // self.chunk_bytes)

    def bytes_of(self, number: int) -> int:
        """How long chunk ``number`` is: the last one is what remains."""
        return min(self.chunk_bytes, self.total_bytes - (number - 1) * self.chunk_bytes)


class Chunk(models.Model):
    """A chunk whose bytes are here; ``reported`` when the client has said so too."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    etag = models.CharField(max_length=64)
    reported = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["upload", "number"]
        constraints = [
            models.UniqueConstraint(fields=["upload", "number"], name="chunk_number_once"),
        ]

    if TYPE_CHECKING:
        upload_id: str

    def __str__(self) -> str:
        return f"{self.upload_id} {self.number}"
