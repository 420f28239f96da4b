from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import models, transaction
from django.db.models import F, Max, Q, Sum

from videos.models.ids import IdField, new_id
from videos.models.index import Index
from videos.models.member import WithRole, role_of
from videos.models.segment import Lines, Row
from videos.models.video import Video

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser, User

    from videos.models.task import Task

MOST_IN_A_BIN = 2000
MAX_WORDS = 4000  # characters
MOST_ROWS = 500  # whose words a select repeats


class SelectQuerySet(models.QuerySet["Select"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> SelectQuerySet:
        return self.filter(video__index__in=Index.objects.visible_to(user).values("pk"))

    def with_role(self, user: AbstractBaseUser | AnonymousUser) -> SelectQuerySet:
        """Add the user's ``role`` in the index of its video."""
        return self.annotate(**role_of(user, "video__index__"))

    def in_bin(self, index: Index) -> SelectQuerySet:
        """Those of the index's videos, in the order in which they are cut together."""
        return self.filter(video__index=index).order_by("position", "id")

    def bring_to(self, index: Index, videos: Iterable[str]) -> None:
        """Put the selects of videos that come into the index behind its own, in their order."""
        last = self.in_bin(index).last_position()
        coming = self.filter(video__in=videos).order_by("video__index", "position", "id")
        for position, each in enumerate(selects := list(coming), last + 1):
            each.position = position
        self.bulk_update(selects, ["position"], batch_size=500)

    def has_room(self, index: Index, coming: int = 1) -> bool:
        """Whether so many more fit into the index's bin."""
        return not coming or self.in_bin(index).count() + coming <= MOST_IN_A_BIN

    def last_position(self) -> int:
        return int(self.aggregate(last=Max("position"))["last"] or 0)

    def total_ms(self) -> int:
        """The running time of all of them in a row."""
        found = self.aggregate(total=Sum(F("end_ms") - F("start_ms")))["total"]
        return int(found or 0)

    def arrange(self, index: Index, ids: Iterable[str]) -> None:
        """Put the bin in this order; those that are not named keep theirs behind the others."""
        places = {pk: place for place, pk in enumerate(dict.fromkeys(ids))}
        with ordering(index) as selects:
            selects.sort(key=lambda each: places.get(each.pk, len(places)))

    def put_before(self, index: Index, pk: str, other: str) -> None:
        """Put one before another, or last when that is empty; the order of all others stays.

        Raises ``NotInBin``.
        """
        with ordering(index) as selects:
            known = {each.pk: each for each in selects}
            if pk not in known or other not in {"", *known} - {pk}:
                raise NotInBin
            selects.remove(known[pk])
            selects.insert(selects.index(known[other]) if other else len(selects), known[pk])


class NotInBin(Exception):
    """A select that is named was taken out of the bin meanwhile."""


class Select(WithRole, models.Model):
    """A range of a video that an editor kept, with a note: a clip of the bin of its index."""

    class Colour(models.TextChoices):
        """Those that editing programs have for markers."""

        GREEN = "green", "Green"
        RED = "red", "Red"
        ORANGE = "orange", "Orange"
        YELLOW = "yellow", "Yellow"
        BLUE = "blue", "Blue"
        PURPLE = "purple", "Purple"

    id = IdField()
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="selects")
    start_ms = models.PositiveBigIntegerField()
    end_ms = models.PositiveBigIntegerField()
    # What was said there when it was kept, and as it was corrected since: a record that outlives
    # a new transcript.
    words = models.TextField(blank=True)
    note = models.CharField(max_length=500, blank=True)
    colour = models.CharField(max_length=10, choices=Colour.choices, default=Colour.GREEN)
    position = models.BigIntegerField(default=0)
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SelectQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["video", "start_ms"], name="select_of_video")]
        constraints = [
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="select_has_length"),
        ]

    if TYPE_CHECKING:
        video_id: str

    def __str__(self) -> str:
        return f"{self.start_ms}-{self.end_ms} {self.note}"

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    def change(self, **asked: Any) -> None:
        """Trim it, or say something else of it: ``start_ms``, ``end_ms``, ``note``, ``colour``.
        What is as it was is not written: others may have changed it meanwhile, as they may its
        place, and its words by a correction.
        """
        fresh = {name: value for name, value in asked.items() if value != getattr(self, name)}
        for name, value in fresh.items():
            setattr(self, name, value)
        names = {"updated_at", *fresh}
        with transaction.atomic():
            if names & {"start_ms", "end_ms"}:
                # Both: one end by one writer and one by another may make no range.
                names |= {"start_ms", "end_ms", "words"}
                _hold_lines(self.video)
                self.words = words(self.video, self.start_ms, self.end_ms)
            self.save(update_fields=names)

    @property
    def stands(self) -> str:
        """What an editor may change of it, as it is now: what a form was made from."""
        return f"{self.start_ms} {self.end_ms} {self.colour} {self.note}"


@contextmanager
def ordering(index: Index) -> Iterator[list[Select]]:
    """The bin as it is now: however the list is left, so it is ordered from then on."""
    with transaction.atomic():
        # Sorted here: what a database sorted before it waited for a lock is in the old order.
        locked = Select.objects.in_bin(index).order_by("pk").select_for_update(of=("self",))
        selects = sorted(locked, key=lambda each: (each.position, each.pk))
        yield selects
        for position, each in enumerate(selects):
            each.position = position
        Select.objects.bulk_update(selects, ["position"], batch_size=500)


def keep(
    video: Video, start_ms: int, end_ms: int, by: User, pk: str = "", **fields: object
) -> Select:
    """Keep a range at the end of its index's bin. ``fields`` may be ``note`` and ``colour``.

    Who may ask again, not knowing whether the first time was heard, names it by a ``pk`` of
    their own: it is kept once.
    """
    taken = Select.objects.filter(pk=pk).exclude(video=video).exists()
    said = {"kept_by": by, "start_ms": start_ms, "end_ms": end_ms} | fields
    with transaction.atomic():
        _hold_lines(video)
        in_bin = Select.objects.filter(video__index_id=video.index_id)
        said["position"] = in_bin.last_position() + 1
        said["words"] = words(video, start_ms, end_ms)
        name = pk if pk and not taken else new_id()
        return Select.objects.get_or_create(pk=name, video=video, defaults=said)[0]


class NotPutBack(Exception):
    """What should be put back is of another video, or nothing that was taken out here."""


REMEMBERED = [
    "id",
    "video_id",
    "start_ms",
    "end_ms",
    "words",
    "note",
    "colour",
    "position",
    "kept_by_id",
]


def remember(select: Select) -> str:
    """All of a select, signed: what ``put_back`` takes."""
    values = {name: getattr(select, name) for name in REMEMBERED}
    values["created_at"] = select.created_at.isoformat()
    if select.words == words(select.video, select.start_ms, select.end_ms):
        values["said_by"] = select.video.transcript_id
    return signing.dumps(values, salt=__name__, compress=True)


def put_back(video: Video, remembered: str) -> Select:
    """Make the select again that was taken out, in its place; once, however often one asks.

    Its words follow what was corrected meanwhile, as they would have done in the bin.
    Raises ``NotPutBack``.
    """
    try:
        values = signing.loads(remembered, salt=__name__)
    except signing.BadSignature as error:
        raise NotPutBack from error
    if values["video_id"] != video.pk:
        raise NotPutBack
    if not get_user_model().objects.filter(pk=values["kept_by_id"]).exists():
        values["kept_by_id"] = None
    pk, created_at = values.pop("id"), values.pop("created_at")
    said_by = values.pop("said_by", None)
    with transaction.atomic():
        _hold_lines(video)
        if said_by and said_by == video.transcript_id:
            values["words"] = words(video, values["start_ms"], values["end_ms"])
        _make_room(Select.objects.in_bin(video.index).exclude(pk=pk), values["position"])
        select, _ = Select.objects.get_or_create(pk=pk, defaults=values)
        Select.objects.filter(pk=pk).update(created_at=created_at)  # a new row has its own
    return select


def _make_room(others: SelectQuerySet, position: int) -> None:
    if others.filter(position=position).exists():
        others.filter(position__gte=position).order_by().update(position=F("position") + 1)


def _hold_lines(video: Video) -> None:
    """Till the transaction ends no line is corrected: a select that is not in the bin yet, or not
    with these ends, would not follow.
    """
    Video.objects.filter(pk=video.pk).lock()


def words(video: Video, start_ms: int, end_ms: int) -> str:
    """What is said in the range, as the transcript has it now.

    A line that reaches less than a frame into it is not: times that count frames are seldom those
    of lines, and nobody hears its words.
    """
    if video.transcript is None:
        return ""
    rows = video.transcript.segments.lines(start_ms, end_ms, MOST_ROWS)
    return _heard(rows, _frame_ms(video), start_ms, end_ms)


def _frame_ms(video: Video) -> int:
    return int(1000 / video.timebase.rate)


def _heard(rows: Iterable[Row], frame_ms: int, start_ms: int, end_ms: int) -> str:
    heard = ""
    for begins, ends, text in rows:
        if len(heard) > MAX_WORDS:
            break
        whole = start_ms <= begins and ends <= end_ms
        if whole or min(ends, end_ms) - max(begins, start_ms) >= min(
            frame_ms, ends - begins, end_ms - start_ms
        ):
            heard += f" {text}"
    return heard[1 : MAX_WORDS + 1].strip()


@contextmanager
def following(task: Task, start_ms: int, end_ms: int) -> Iterator[None]:
    """What is done to the transcript's lines in [start_ms, end_ms) is done to the words of selects
    there too, if they are what the lines said before. The words of another transcript stay.
    """
    near = Select.objects.filter(video=task.video_id, start_ms__lt=end_ms, end_ms__gt=start_ms)
    shown = near.filter(video__transcript=task.pk)
    found = [each for each, said in _said(task, list(shown)) if each.words == said]
    yield
    changed = []
    for each, said in _said(task, found):
        if each.words != said:
            each.words = said
            changed.append(each)
    Select.objects.bulk_update(changed, ["words"], batch_size=500)


def _said(task: Task, selects: list[Select]) -> Iterator[tuple[Select, str]]:
    """Each with its ``words``, in one query: a bin may have two thousand over one line."""
    if not selects:
        return
    start_ms, end_ms = min(s.start_ms for s in selects), max(s.end_ms for s in selects)
    lines, frame_ms = Lines(task.segments.lines(start_ms, end_ms)), _frame_ms(task.video)
    for each in selects:
        rows = islice(lines.within(each.start_ms, each.end_ms), MOST_ROWS)
        yield each, _heard(rows, frame_ms, each.start_ms, each.end_ms)
