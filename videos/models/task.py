from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Case, F, Max, Q, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from videos.models import webhook
from videos.models.ids import IdField
from videos.models.index import Index
from videos.models.lease import INTERRUPTIONS, Leased, LeasedQuerySet, LostLease
from videos.models.member import WithRole, role_of
from videos.models.video import Video

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    from videos.models.correction import CorrectionQuerySet
    from videos.models.segment import SegmentQuerySet

MAX_INTERRUPTIONS = 3


class Status(models.TextChoices):
    """Twelve Labs' words, in their order, and ours for the page."""

    VALIDATING = "validating", "Checking the file"
    PENDING = "pending", "Waiting for its turn"
    QUEUED = "queued", "About to start"
    INDEXING = "indexing", "Transcribing"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class Step(models.TextChoices):
    """What a worker does next with the task."""

    FETCH = "fetch", "Fetching the file"  # its Fetch does it; the task itself is not due
    PREPARE = "prepare", "Preparing the picture"
    TRANSCRIBE = "transcribe", "Listening"
    SUBMIT = "submit", "Uploading"
    POLL = "poll", "Waiting for the cloud"
    RECEIVE = "receive", "Fetching the transcript"
    DONE = "done", "Done"


FINAL = (Status.READY, Status.FAILED)
ELSEWHERE = (Step.SUBMIT, Step.POLL, Step.RECEIVE)
HEAVY = (Step.TRANSCRIBE, Step.SUBMIT)  # owners take turns at these; the others are small


class TaskQuerySet(LeasedQuerySet["Task"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> TaskQuerySet:
        return self.filter(video__index__in=Index.objects.visible_to(user).values("pk"))

    def with_role(self, user: AbstractBaseUser | AnonymousUser) -> TaskQuerySet:
        """Add the user's ``role`` in the index of its video."""
        return self.annotate(**role_of(user, "video__index__"))

    def unfinished(self) -> TaskQuerySet:
        return self.exclude(status__in=FINAL)

    def due(self) -> TaskQuerySet:
        return super().due().exclude(step=Step.FETCH)

    def at(self, step: str) -> TaskQuerySet:
        return self.filter(step=step)

    def next_turn(self) -> str | None:
        """The id of the task that comes next: of the owner served longest ago the one that was
        asked for first; None if there is none. So nobody waits behind another's thousand videos.
        """
        owners = list(self.values_list("video__index__owner", flat=True).distinct().order_by())
        if len(owners) > 1:
            owners = [_served_longest_ago(owners)]
        waiting = self.filter(video__index__owner__in=owners)
        return waiting.order_by("asked_at", "id").values_list("pk", flat=True).first()

    def claim(self, task_id: str, lease: timedelta) -> Task | None:
        """Give the task to the caller alone for ``lease``; None if it is not due."""
        with transaction.atomic():
            claimed = self.take(
                task_id,
                lease,
                interruptions=INTERRUPTIONS,
                claims=F("claims") + 1,
                begun_at=Coalesce("begun_at", Now()),
                claimed_at=Case(When(step__in=HEAVY, then=Now()), default=F("claimed_at")),
                updated_at=Now(),
            )
            return self.select_related("video__index").get(pk=task_id) if claimed else None

    def begin(self) -> None:
        """Let their limit count from now, unless it does already."""
        self.filter(begun_at=None).update(begun_at=Now())

    def hurry(self, remote_id: str) -> list[str]:
        """Make tasks due that wait for this one in a cloud; their ids."""
        waiting = self.unfinished().filter(remote_id=remote_id)
        found = list(waiting.values_list("pk", flat=True))
        waiting.update(not_before=None)
        return found

    def finish(self, status: str, error: str = "", **fields: Any) -> int:
        """End the tasks; whoever works on one is fenced off. Returns how many were not final.

        What their owners' webhooks are to be told is written in the same transaction, of the very
        tasks that end: another may meanwhile have become one of those that are asked for.
        """
        with transaction.atomic():
            ending = Task.objects.filter(pk__in=self.unfinished().locked())
            heard = list(ending.with_webhook())
            ended = ending.update(
                status=status,
                step=Step.DONE,
                error=error,
                lease_until=None,
                lease_no=F("lease_no") + 1,
                not_before=None,
                finished_at=Now(),
                updated_at=Now(),
                **fields,
            )
            webhook.tell(heard, status, error)
        return ended

    def locked(self) -> list[str]:
        """Their ids; nobody else changes these tasks until the transaction is over."""
        held = self.order_by("pk").select_for_update(of=("self",))
        return list(held.values_list("pk", flat=True))

    def with_webhook(self) -> TaskQuerySet:
        """Those whose owners want to hear of their ends."""
        theirs = self.filter(video__index__owner__webhook__isnull=False)
        return theirs.select_related("video__index")

    def cancel(self) -> int:
        """End them at the user's word. Whoever works on one finds its lease gone and stops."""
        return self.finish(Status.FAILED, "Cancelled.", cancelled=True)


def _served_longest_ago(owners: list[int]) -> int:
    """The owner who was listened to or sent for furthest back; who never was comes first."""
    claimed = Task.objects.filter(video__index__owner__in=owners, claimed_at__isnull=False)
    last = dict(claimed.values_list("video__index__owner").annotate(Max("claimed_at")).order_by())
    return min(owners, key=lambda owner: (owner in last, last.get(owner), owner))


class Task(WithRole, Leased):
    """One video's way through one engine, to a transcript or to a sentence that says why not."""

    id = IdField()
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="tasks")
    engine = models.CharField(max_length=20)
    model = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=20, blank=True)  # as asked for; empty: detect
    heard_language = models.CharField(max_length=20, blank=True)  # as the engine found it
    notice = models.CharField(max_length=500, blank=True)  # why this engine and not a better one

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.VALIDATING)
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.PREPARE)
    doing = models.CharField(max_length=200, blank=True)  # before listening: fetching a model
    fraction = models.FloatField(null=True, blank=True)  # of what ``doing`` names, 0..1
    done_ms = models.PositiveBigIntegerField(default=0)  # segments before this moment are written
    error = models.CharField(max_length=500, blank=True)  # for people
    error_detail = models.TextField(blank=True)  # for developers, never shown on a page
    cancelled = models.BooleanField(default=False)

    claimed_at = models.DateTimeField(null=True, blank=True)  # last, for a heavy step: its turn
    claims = models.PositiveIntegerField(default=0)
    # Since when it is worked on, for the limit. None while it merely waits for its turn: at first,
    # when its picture is drawn, and after a turn in which it got on.
    begun_at = models.DateTimeField(null=True, blank=True)
    interruptions = models.PositiveIntegerField(default=0)  # since it last got on
    # Goes up with each correction: what was drawn of a ready task's lines holds for one edition.
    edition = models.PositiveBigIntegerField(default=0)

    # Its way through a cloud. Written before the first call: from then on something of it may
    # be there, under the name ``remote_tag``, whatever we heard of it.
    remote_asked_at = models.DateTimeField(null=True, blank=True)
    remote_index_id = models.CharField(max_length=64, blank=True)  # where it stays if we move it
    remote_id = models.CharField(max_length=64, blank=True, db_index=True)  # their task
    remote_video_id = models.CharField(max_length=64, blank=True)
    remote_faults = models.PositiveIntegerField(default=0)  # calls in a row that failed

    run_started_at = models.DateTimeField(null=True, blank=True)  # this run's, for the time left
    run_from_ms = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField(default=timezone.now)  # made, or last tried again
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["video", "-created_at", "-id"], name="task_newest_of_video"),
            # The sweep asks every few seconds; finished tasks, the many, are not in it. By video,
            # since a list asks it for each of its videos, which may be ten thousand.
            models.Index(
                fields=["video"],
                name="task_unfinished",
                condition=~Q(status__in=("ready", "failed")),
            ),
            models.Index(fields=["status"], name="task_status"),  # to count them
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="task_status_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | ~Q(error=""), name="task_failed_says_why"
            ),
        ]

    if TYPE_CHECKING:
        video_id: str
        segments: SegmentQuerySet
        corrections: CorrectionQuerySet

    def __str__(self) -> str:
        return f"{self.id} {self.status}"

    # --- for whoever holds the lease ---

    def write(self, **fields: Any) -> None:
        """As ``Leased.write``; and the plain values stand in this object as well."""
        super().write(updated_at=Now(), **fields)
        for name, value in fields.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self, name, value)

    def end(self, status: str, error: str = "", **fields: Any) -> None:
        """Finish the task while its lease is ours; raises LostLease otherwise."""
        if not Task.objects.held_as(self).finish(status, error[:500], **fields):
            raise LostLease(self.pk)
        self.status, self.step, self.error = status, Step.DONE, error[:500]

    # --- for pages ---

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_running(self) -> bool:
        return self.lease_until is not None and not self.is_final

    @property
    def percent(self) -> int:
        """How much of the video was listened to, 0..100; 100 only when it is ready."""
        if self.status == Status.READY:
            return 100
        if not self.video.duration_ms:
            return 0
        return min(99, self.done_ms * 100 // self.video.duration_ms)

    @property
    def seconds_left(self) -> float | None:
        """From the speed of this run; None while there is too little to tell."""
        if self.run_started_at is None or not self.is_running:
            return None
        gained = self.done_ms - self.run_from_ms
        took = (timezone.now() - self.run_started_at).total_seconds()
        if gained < 5000 or took < 2:
            return None
        return max(0.0, self.video.duration_ms - self.done_ms) * took / gained

    @property
    def is_elsewhere(self) -> bool:
        """A cloud listens, so its lines come all at once."""
        return self.step in ELSEWHERE

    @property
    def remote_tag(self) -> str:
        """The name of this task's file in a cloud: always the same, and nobody else's."""
        return f"{self.pk}.{self.video.container or 'bin'}"

    def try_again(self) -> bool:
        """Put a failed task back to where it stopped; False if it is not failed."""
        missing = hasattr(self, "fetch")
        again = Task.objects.filter(pk=self.pk, status=Status.FAILED).update(
            status=Status.VALIDATING,
            step=Step.FETCH if missing else Step.PREPARE,
            error="",
            error_detail="",
            cancelled=False,
            interruptions=0,
            remote_faults=0,
            doing="",
            fraction=None,
            finished_at=None,
            not_before=None,
            begun_at=None,
            asked_at=Now(),
            updated_at=Now(),
        )
        return bool(again)
