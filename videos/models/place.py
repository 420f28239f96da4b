from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction

from videos import played
from videos.models.video import Video

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class PlaceQuerySet(models.QuerySet["Place"]):
    def keep(self, user: User, video: Video, at_ms: int, more: list[played.Stretch]) -> None:
        """Where the user stopped, and what was played since: added to what was before."""
        with transaction.atomic():
            self.get_or_create(user=user, video=video)
            place = self.select_for_update().get(user=user, video=video)
            place.at_ms = at_ms
            place.played = played.union([*map(tuple, place.played), *more])
            place.save()


class Place(models.Model):
    """Where a user stopped in a video, and what of it that user has played."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="places")
    at_ms = models.PositiveBigIntegerField(default=0)
    played = models.JSONField(default=list)  # [[start_ms, end_ms], …] as played.union() gives it
    updated_at = models.DateTimeField(auto_now=True)

    objects = PlaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "video"], name="place_once_for_each_user")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.video_id} {self.at_ms}"
