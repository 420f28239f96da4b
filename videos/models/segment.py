from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain, compress
from typing import TYPE_CHECKING

from django.db import connection, models
from django.db.models import F, Q

from videos.doubt import CONFIRMED, REASONS, at_places
from videos.models.task import Task

_FOREVER = 2**63 - 1
_BLOCK = 64  # rows that ``Lines`` passes over at once

# By hand, because nothing is asked more often: building this with querysets takes four times as
# long as the database needs for a narrow window. Who may see it is ``Video.visible_to``'s rule.
_SHOWN = """(
    SELECT transcript_id FROM videos_video
    JOIN videos_index ON videos_index.id = videos_video.index_id
    WHERE videos_video.id = %s AND videos_index.id = %s AND (
        videos_index.owner_id = %s OR EXISTS (
            SELECT 1 FROM videos_member
            WHERE videos_member.index_id = videos_index.id AND videos_member.user_id = %s
        )
    )
)"""
_SPOKEN = f"""
SELECT start_ms, end_ms, text, task_id, edition FROM videos_segment
JOIN videos_task ON videos_task.id = task_id
WHERE task_id = {_SHOWN} AND end_ms > %s AND start_ms < %s
ORDER BY start_ms, number
"""  # noqa: S608 - made of constants
_EDITION = f"SELECT id, edition FROM videos_task WHERE id = {_SHOWN}"  # noqa: S608 - the same

Row = tuple[int, int, str]  # start and end in ms, text
Spoken = tuple[int, int, str, str, int]  # start and end in ms, text, and its task's id and edition
Edition = tuple[str, int]  # a task's id and edition: the same as long as its lines are the same


def spoken(
    user_id: int, index_id: str, video_id: str, start_ms: int | None, end_ms: int | None
) -> list[Spoken]:
    """What is said in [start_ms, end_ms) of a video that the user may see; None: an open side.

    Empty as well when there is no such video or no transcript yet: the caller finds out which.
    """
    since = 0 if start_ms is None else start_ms
    until = _FOREVER if end_ms is None else end_ms
    with connection.cursor() as cursor:
        cursor.execute(_SPOKEN, [video_id, index_id, user_id, user_id, since, until])
        found: list[Spoken] = cursor.fetchall()
    return found


def shown_edition(user_id: int, index_id: str, video_id: str) -> Edition | None:
    """That of the transcript that is shown of a video; None where ``spoken`` has no rows either."""
    with connection.cursor() as cursor:
        cursor.execute(_EDITION, [video_id, index_id, user_id, user_id])
        found: Edition | None = cursor.fetchone()
    return found


class SegmentQuerySet(models.QuerySet["Segment"]):
    def overlapping(
        self, start_ms: int | None = None, end_ms: int | None = None
    ) -> SegmentQuerySet:
        """Keep segments any part of which lies in [start_ms, end_ms); None leaves a side open."""
        segments = self
        if start_ms is not None:
            segments = segments.filter(end_ms__gt=start_ms)
        if end_ms is not None:
            segments = segments.filter(start_ms__lt=end_ms)
        return segments

    def lines(self, start_ms: int, end_ms: int, most: int | None = None) -> list[Row]:
        """What is said in the range, in the order of time."""
        said = self.overlapping(start_ms, end_ms).order_by("start_ms", "number")
        return list(said.values_list("start_ms", "end_ms", "text")[:most])


class Lines:
    """Rows in the order of time that were fetched once, to be asked for many ranges."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._blocks = [rows[at : at + _BLOCK] for at in range(0, len(rows), _BLOCK)]
        # Of each block when the last of its rows ends: a very long one is in the way of no others.
        self._ends = [max(end for _, end, _ in block) for block in self._blocks]
        self._begins = [block[0][0] for block in self._blocks]

    def within(self, start_ms: int, end_ms: int) -> Iterator[Row]:
        """Those of the range, looked for only as long as somebody takes them."""
        until = bisect_left(self._begins, end_ms)
        near = compress(self._blocks, (end > start_ms for end in self._ends[:until]))
        rows = chain.from_iterable(near)
        return (row for row in rows if row[1] > start_ms and row[0] < end_ms)


class Segment(models.Model):
    """A cue as a row of the transcript that one task made. Times are milliseconds of the video."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="segments")
    number = models.PositiveIntegerField()  # 0, 1, 2 … in the order of time
    start_ms = models.PositiveBigIntegerField()
    end_ms = models.PositiveBigIntegerField()
    text = models.TextField()
    # [[start_ms, end_ms, "word", probability or null], …] where the engine hears words.
    words = models.JSONField(null=True)

    # What the engine heard, kept once an editor changes the text; null while it is untouched.
    heard = models.TextField(null=True)  # noqa: DJ001 - empty text is a text
    version = models.PositiveIntegerField(default=0)  # goes up with each correction
    # Reasons to doubt the row, one letter each; sorted, so that equal sets are equal text. Or
    # the one letter that says that an editor confirmed it.
    marks = models.CharField(max_length=8, blank=True)
    # Where its text has words that the engine was not sure of, as doubt.unsure_places() gives it:
    # ``words`` of all rows are too many to be read for a page.
    unsure = models.TextField(blank=True, default="")

    objects = SegmentQuerySet.as_manager()

    class Meta:
        ordering = ["task", "number"]
        indexes = [models.Index(fields=["task", "start_ms"], name="segment_by_start")]
        constraints = [
            models.UniqueConstraint(fields=["task", "number"], name="segment_number_once"),
            models.CheckConstraint(
                condition=Q(end_ms__gt=F("start_ms")), name="segment_has_length"
            ),
        ]

    if TYPE_CHECKING:
        task_id: str

    def __str__(self) -> str:
        return f"{self.start_ms}-{self.end_ms} {self.text}"

    @property
    def doubts(self) -> list[str]:
        """The reasons in words."""
        return [REASONS[mark] for mark in self.marks if mark in REASONS]

    @property
    def unsure_words(self) -> list[str]:
        return at_places(self.text, self.unsure)

    @property
    def is_confirmed(self) -> bool:
        return self.marks == CONFIRMED
