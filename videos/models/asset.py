from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from videos.models.ids import IdField
from videos.models.video import media_name

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class AssetQuerySet(models.QuerySet["Asset"]):
    def visible_to(self, user: User) -> AssetQuerySet:
        """Without what a page is sending, which is to be a video and no asset of its owner's."""
        return self.filter(owner_id=user.pk).exclude(method=Asset.PAGE)


class Asset(models.Model):
    """A stored file that is in no index yet; each index that takes it makes a Video of it."""

    PAGE = "page"  # the method of what is sent from a page in parts

    id = IdField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assets"
    )
    method = models.CharField(max_length=10, default="direct")  # or "url" or PAGE
    filename = models.CharField(max_length=255)
    # Of the file under the media root; empty while the bytes are still coming.
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    content_type = models.CharField(max_length=50, blank=True)
    duration_ms = models.PositiveBigIntegerField(default=0)
    user_metadata = models.JSONField(default=dict, blank=True)
    error = models.CharField(max_length=500, blank=True)  # why it will never be ready
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="asset_newest_of_owner"),
        ]

    if TYPE_CHECKING:
        owner_id: int
        videos: Any

    def __str__(self) -> str:
        return self.filename

    @property
    def media_name(self) -> str:
        return media_name(self.sha256)
