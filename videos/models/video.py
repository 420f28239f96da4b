from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from videos.models.ids import IdField
from videos.models.index import Index
from videos.models.member import WithRole, role_of
from videos.timecode import Timebase, frame_at, source, timebase

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    from videos.models.task import TaskQuerySet


def media_name(sha256: str) -> str:
    """A file's name under the media root: by its content, never by what a user typed.

    Empty for what has no bytes yet.
    """
    if not sha256:
        return ""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


class VideoQuerySet(models.QuerySet["Video"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> VideoQuerySet:
        # By ids and not by a join: there are few indexes, and each leads to its videos.
        return self.filter(index__in=Index.objects.visible_to(user).values("pk"))

    def with_role(self, user: AbstractBaseUser | AnonymousUser) -> VideoQuerySet:
        """Add the user's ``role`` in the video's index."""
        return self.annotate(**role_of(user, "index__"))

    def lock(self) -> list[Video]:
        """Hold them till the transaction ends; those that are gone by then are left out.

        Whoever changes or deletes what hangs on a video (tasks, lines, selects) does this first:
        taken in another order, two who change the same rows would each wait for the other.
        """
        return list(self.order_by("pk").select_for_update(of=("self",)))

    def uncorrected(self) -> VideoQuerySet:
        """Those whose transcript no editor has changed, so that another one may take its place."""
        return self.exclude(transcript__corrections__undone=False)

    def with_latest_task(self) -> VideoQuerySet:
        """Fetch what a list shows, the newest task with it, in a fixed number of queries."""
        # Transcripts by a query of their own: joined, and sorted after it, each of ten thousand
        # videos went through all tasks where Postgres had counted the table while it was empty.
        return self.select_related("index").prefetch_related("transcript", "tasks", "tags")


class Video(WithRole, models.Model):
    """One stored file, what was probed from it, and the transcript that is shown beside it."""

    id = IdField()
    index = models.ForeignKey(Index, on_delete=models.CASCADE, related_name="videos")
    filename = models.CharField(max_length=255)  # as the user named it: shown, never opened
    # Twins share one file. Empty while a file from a web address is not here.
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.PositiveBigIntegerField()
    # Given by the page with each file, so that a form sent twice makes one video.
    upload_key = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - unique

    container = models.CharField(max_length=20)
    content_type = models.CharField(max_length=50)
    duration_ms = models.PositiveBigIntegerField()
    # Where the picture ends, which may be before the sound does; 0 where that is not known.
    picture_ms = models.PositiveBigIntegerField(default=0)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    fps_numerator = models.PositiveIntegerField(default=0)
    fps_denominator = models.PositiveIntegerField(default=1)
    # Its frames do not keep to that rate, so timecodes are approximate.
    rate_varies = models.BooleanField(default=False)
    start_timecode = models.CharField(max_length=12, blank=True)
    reel_name = models.CharField(max_length=80, blank=True)
    # When sound alone begins by its recorder's clock, after midnight (Broadcast WAV).
    sound_start_ms = models.PositiveIntegerField(default=0)
    video_codec = models.CharField(max_length=40, blank=True)
    audio_codec = models.CharField(max_length=40, blank=True)
    # Of all its tracks together; 0 also where nobody counted.
    audio_channels = models.PositiveSmallIntegerField(default=0)
    # The file ends too early, or its frame rate varies or is an odd one.
    warning = models.CharField(max_length=300, blank=True)
    has_poster = models.BooleanField(default=False)

    title = models.CharField(max_length=255, blank=True)  # shown instead of the file's name
    user_metadata = models.JSONField(default=dict, blank=True)

    # The upload that this video was made from, if it came through the API in two steps.
    asset = models.ForeignKey(
        "Asset", null=True, blank=True, on_delete=models.SET_NULL, related_name="videos"
    )

    # The finished task whose segments are the video's transcript; null until one is ready.
    transcript = models.ForeignKey(
        "Task", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VideoQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["index", "-created_at", "-id"], name="video_newest_in_index"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["index", "upload_key", "sha256"], name="video_upload_once"
            ),
            models.CheckConstraint(
                condition=Q(fps_denominator__gt=0), name="video_fps_has_a_denominator"
            ),
        ]

    if TYPE_CHECKING:
        index_id: str
        asset_id: str | None
        transcript_id: str | None
        tags: Any
        tasks: TaskQuerySet

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What pages call it: the title that somebody gave it, or else its file's name."""
        return self.title or self.filename

    @property
    def media_name(self) -> str:
        return media_name(self.sha256)

    @property
    def poster_path(self) -> Path:
        return Path(settings.DERIVED_ROOT, self.id, "poster.jpg")

    @property
    def fps(self) -> Fraction:
        """Frames a second, exactly (30000/1001); 0 for sound alone."""
        return Fraction(self.fps_numerator, self.fps_denominator)

    @property
    def timebase(self) -> Timebase:
        """How this file's frames are counted and named."""
        base = timebase(self.fps, self.start_timecode)
        if self.has_picture or base.start:
            return base
        return replace(base, start=frame_at(self.sound_start_ms, base.rate))

    @property
    def first_timecode(self) -> str:
        """The file's own name for its first frame, as files are written; empty when it has none."""
        return source(0, self.timebase) if self.start_timecode or self.sound_start_ms else ""

    @property
    def has_picture(self) -> bool:
        return bool(self.video_codec)

    @property
    def has_sound(self) -> bool:
        return bool(self.audio_codec)
