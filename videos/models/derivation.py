from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from videos.models.index import Index
from videos.models.lease import INTERRUPTIONS, Leased, LeasedQuerySet, LostLease
from videos.models.video import Video

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser


class Kind(models.TextChoices):
    PEAKS = "peaks", "Waveform"
    SPRITE = "sprite", "Thumbnails"
    PROXY = "proxy", "Playable copy"


ENDINGS = {Kind.PEAKS: "bin", Kind.SPRITE: "jpg", Kind.PROXY: "mp4"}


class DerivationQuerySet(LeasedQuerySet["Derivation"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> DerivationQuerySet:
        return self.filter(video__index__in=Index.objects.visible_to(user).values("pk"))

    def unfinished(self) -> DerivationQuerySet:
        return self.filter(state=Derivation.WAITING)

    def next_id(self, kinds: tuple[Kind, ...]) -> int | None:
        """What somebody looks at comes first, then what was asked for first."""
        due = self.due().filter(kind__in=kinds)
        order = (F("seen_at").desc(nulls_last=True), "created_at", "pk")
        return due.order_by(*order).values_list("pk", flat=True).first()

    def claim(self, pk: int, lease: timedelta) -> Derivation | None:
        """Give it to the caller alone for ``lease``; None if it is not due."""
        with transaction.atomic():
            claimed = self.take(pk, lease, interruptions=INTERRUPTIONS, fraction=None)
            return self.select_related("video").get(pk=pk) if claimed else None

    def end(self, state: str, error: str = "", **fields: Any) -> int:
        """End those that are unfinished; whoever works on one is fenced off."""
        ended: dict[str, Any] = {"state": state, "error": error[:500], "lease_until": None}
        ended |= {"fraction": None, "not_before": None, "finished_at": Now()}
        return self.unfinished().update(**ended | fields)

    def start_again(self) -> int:
        """Have those that ended made anew; how many there were."""
        again = self.exclude(state=Derivation.WAITING)
        return again.update(
            state=Derivation.WAITING, error="", error_detail="", interruptions=0, finished_at=None
        )


class Derivation(Leased):
    """A file that is made of a video and can be made again; a worker claims it as it does a task.

    No transcript waits for it, and its failure is no failure of the video.
    """

    WAITING, READY, FAILED = "waiting", "ready", "failed"

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="derivations")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, default=WAITING)
    fraction = models.FloatField(null=True, blank=True)  # done, 0..1, of the run under way
    facts = models.JSONField(default=dict, blank=True)  # how the file is to be read
    # Of the file: it holds the claim's number, so a worker believed dead writes another file.
    name = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)  # for people
    error_detail = models.TextField(blank=True)  # for developers

    interruptions = models.PositiveIntegerField(default=0)

    seen_at = models.DateTimeField(null=True, blank=True)  # when somebody last waited for it
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = DerivationQuerySet.as_manager()

    class Meta:
        ordering = ["video", "kind"]
        indexes = [
            models.Index(
                fields=["created_at", "id"],
                name="derivation_unfinished",
                condition=Q(state="waiting"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["video", "kind"], name="derivation_kind_once"),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""), name="derivation_failed_says_why"
            ),
        ]

    if TYPE_CHECKING:
        video_id: str

    def __str__(self) -> str:
        return f"{self.video_id} {self.kind} {self.state}"

    @property
    def folder(self) -> Path:
        return Path(settings.DERIVED_ROOT, self.video_id)

    @property
    def path(self) -> Path:
        """The finished file's."""
        return self.folder / self.name

    @property
    def next_name(self) -> str:
        """What this claim's file is called."""
        return f"{self.kind}-{self.lease_no}.{ENDINGS[Kind(self.kind)]}"

    @property
    def is_ready(self) -> bool:
        return self.state == self.READY

    @property
    def is_failed(self) -> bool:
        return self.state == self.FAILED

    @property
    def is_waiting(self) -> bool:
        return self.state == self.WAITING

    @property
    def is_running(self) -> bool:
        return self.is_waiting and self.lease_until is not None

    @property
    def percent(self) -> int | None:
        return None if self.fraction is None else min(99, int(self.fraction * 100))

    # --- for whoever holds the lease ---

    def release(self, *, after_seconds: float = 0, **fields: Any) -> None:
        super().release(after_seconds=after_seconds, fraction=None, **fields)

    def finish(self, state: str, error: str = "", **fields: Any) -> None:
        """End it while its lease is ours; raises LostLease otherwise."""
        if not Derivation.objects.held_as(self).end(state, error, **fields):
            raise LostLease(self.pk)
