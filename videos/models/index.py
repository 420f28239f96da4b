from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from videos.models.ids import IdField
from videos.models.member import Member, MemberQuerySet, WithRole, role_of

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser


class IndexQuerySet(models.QuerySet["Index"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> IndexQuerySet:
        """Those that are the user's own or shared with the user."""
        shared = Member.objects.of(user).order_by().values("index")
        return self.filter(Q(owner_id=user.pk) | Q(pk__in=shared))

    def owned_by(self, user: AbstractBaseUser | AnonymousUser) -> IndexQuerySet:
        return self.filter(owner_id=user.pk)

    def with_role(self, user: AbstractBaseUser | AnonymousUser) -> IndexQuerySet:
        """Add the user's ``role`` and ``owner_name``."""
        return self.annotate(**role_of(user), **{"owner_name": F("owner__username")})

    def with_totals(self) -> IndexQuerySet:
        """Add ``video_count`` and ``total_ms`` (None without videos)."""
        # Not grouped: to sort all videos by all columns of their index takes three times as long.
        videos = apps.get_model("videos", "Video").objects.filter(index=OuterRef("pk"))
        inside = videos.order_by().values("index")
        count = Subquery(inside.annotate(total=Count("pk")).values("total"))
        length = Subquery(inside.annotate(total=Sum("duration_ms")).values("total"))
        return self.annotate(video_count=Coalesce(count, 0), total_ms=length)


class Index(WithRole, models.Model):
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
        owner_name: str
        videos: Any
        members: MemberQuerySet

    def __str__(self) -> str:
        return self.name

    @property
    def shared_by(self) -> str:
        """The name of its owner, for those who are not; it came by ``with_role``."""
        return "" if self.is_own else self.owner_name

    @property
    def remote_tag(self) -> str:
        """The name of the index that mirrors this one in a cloud; a rename here changes nothing."""
        return f"desk-{self.pk}"
