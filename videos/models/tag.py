from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from videos.models.video import Video

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_NAME = 50


class TagQuerySet(models.QuerySet["Tag"]):
    def visible_to(self, user: User) -> TagQuerySet:
        return self.filter(owner_id=user.pk)

    def named(self, user: User, name: str) -> Tag:
        """The user's tag of that name, made if it is new; capitals make no other tag."""
        mine = self.visible_to(user)
        twin = mine.filter(name__iexact=name).first()
        return twin or mine.get_or_create(owner=user, name=name)[0]


class Tag(models.Model):
    """A word that its owner puts on videos to find them together."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tags"
    )
    name = models.CharField(max_length=MAX_NAME)
    videos = models.ManyToManyField(Video, related_name="tags", blank=True)

    objects = TagQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="tag_name_once_an_owner"),
            models.CheckConstraint(condition=~Q(name=""), name="tag_has_a_name"),
        ]

    if TYPE_CHECKING:
        owner_id: int

    def __str__(self) -> str:
        return self.name
