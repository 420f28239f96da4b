from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Count, Q, Sum

from videos.models.ids import IdField

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser


class IndexQuerySet(models.QuerySet["Index"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> IndexQuerySet:
        return self.filter(owner_id=user.pk)

    def with_totals(self) -> IndexQuerySet:
        """Add ``video_count`` and ``total_ms`` (None without videos)."""
        return self.annotate(video_count=Count("videos"), total_ms=Sum("videos__duration_ms"))


class Index(models.Model):
    """A named collection of videos with the engine that listens to them."""

    id = IdField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="indexes"
    )
    name = models.CharField(max_length=200)
    engine = models.CharField(max_length=20, blank=True)  # empty: the best that is available
    # As the API was asked for it: [{"name": "marengo2.6", "options": ["conversation"]}, …].
    options = models.JSONField(default=list, blank=True)
    # The index at Twelve Labs that mirrors this one; empty until one of its videos was sent.
    remote_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = IndexQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name_plural = "indexes"
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="index_name_once_an_owner"),
            models.CheckConstraint(condition=~Q(name=""), name="index_has_a_name"),
        ]

    if TYPE_CHECKING:
        owner_id: int
        videos: Any

    def __str__(self) -> str:
        return self.name

    @property
    def remote_tag(self) -> str:
        """The name of the index that mirrors this one in a cloud; a rename here changes nothing."""
        return f"desk-{self.pk}"
