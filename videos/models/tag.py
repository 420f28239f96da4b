from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from videos.models.member import Member
from videos.models.video import Video

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_NAME = 50


class TagQuerySet(models.QuerySet["Tag"]):
    def visible_to(self, user: User) -> TagQuerySet:
        """The user's own, and those on videos of indexes that are shared with the user."""
        shared = Member.objects.of(user).order_by().values("index")
        there = Tag.videos.through.objects.filter(video__index__in=shared).values("tag")
        return self.filter(Q(owner_id=user.pk) | Q(pk__in=there))

    def named(self, owner: User, name: str) -> Tag:
        """The owner's tag of that name, made if it is new; capitals make no other tag."""
        return self.all_named(owner, [name])[0]

    def all_named(self, owner: User, names: Sequence[str]) -> list[Tag]:
        """The same for each name, whatever the owner has, in one query."""
        # Compared here, since SQLite knows the capitals of English letters only.
        known: dict[str, Tag] = {}
        for tag in self.filter(owner=owner):
            known.setdefault(tag.name.casefold(), tag)
            known[tag.name] = tag
        found = []
        for name in names:
            same = known.get(name) or known.get(name.casefold())
            found.append(same or self.get_or_create(owner=owner, name=name)[0])
            known.setdefault(name.casefold(), found[-1])
        return found

    def drop_unused(self, owner_id: int) -> None:
        """A tag that is on no video any more is gone."""
        self.filter(owner_id=owner_id, videos__isnull=True).delete()

    def put_on(self, owner: User, video: Video, names: Sequence[str]) -> None:
        """Give the video the owner's tags of these names and no others."""
        with transaction.atomic():
            before = [tag.pk for tag in video.tags.all()]
            video.tags.set(self.all_named(owner, names))
            self.filter(pk__in=before, videos__isnull=True).delete()


class Tag(models.Model):
    """A word on videos of its owner's indexes, to find them together."""

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

    def take_off(self, video: Video) -> None:
        """A tag that is on no video any more is gone, unless somebody puts it on one just now."""
        with transaction.atomic():
            self.videos.remove(video)
            Tag.objects.filter(pk=self.pk, videos__isnull=True).delete()
