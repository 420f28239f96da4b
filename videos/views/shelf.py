"""Which videos a list shows, in which order, and from which place on: all of it from the URL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import DateTimeField, F, OuterRef, Q, Subquery
from django.db.models.expressions import Combinable, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.db.models.lookups import IsNull
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from videos.forms import whole_number
from videos.models import Place, Task
from videos.models.video import VideoQuerySet

PAGE_ROWS = 50
STATES = (("ready", "with a transcript"), ("unfinished", "under way"), ("failed", "without one"))
KEPT = ("q", "tag", "state", "sort")
MAX_TEXT = 200


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):  # in UTC some moments lie outside the calendar
        return None


def _text(text: str) -> str | None:
    return text if len(text) <= 255 and "\0" not in text else None


@dataclass(frozen=True, slots=True)
class Order:
    """``key`` gives a video's place for a user; ``read`` takes it back from a cursor, None if it
    cannot.
    """

    label: str
    key: Callable[[User], Combinable]
    read: Callable[[str], Any]
    falls: bool = True


NEVER = Value(datetime(1970, 1, 1, tzinfo=UTC))
NAME = Lower(Coalesce(NullIf("title", Value("")), "filename"))


def _played(user: User) -> Combinable:
    """When this user was last there; what was never played comes last."""
    place = Place.objects.filter(video=OuterRef("pk"), user=user).values("updated_at")
    return Coalesce(Subquery(place), NEVER, output_field=DateTimeField())


ORDERS = {
    "newest": Order("Newest first", lambda _: F("created_at"), _moment),
    "played": Order("Last played first", _played, _moment),
    "name": Order("By name", lambda _: NAME, _text, falls=False),
    "length": Order("Longest first", lambda _: F("duration_ms"), whole_number),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the URL asks for. What it cannot mean is passed over."""

    q: str
    tag: str
    state: str
    sort: str
    before: str

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.tag or self.state)

    @property
    def kept(self) -> str:
        """The filters and the order as a query, for links to other pages of the list."""
        query = QueryDict(mutable=True)
        query.update({name: value for name in KEPT if (value := getattr(self, name))})
        return query.urlencode()


def read(query: QueryDict) -> Wanted:
    state, sort, tag = (query.get(name, "") for name in ("state", "sort", "tag"))
    return Wanted(
        q=query.get("q", "").replace("\0", "").strip()[:MAX_TEXT],
        tag=tag if whole_number(tag) is not None else "",
        state=state if state in dict(STATES) else "",
        sort=sort if sort in ORDERS and sort != "newest" else "",
        before=query.get("before", ""),
    )


def narrow(videos: VideoQuerySet, wanted: Wanted) -> VideoQuerySet:
    for word in wanted.q.split():
        videos = videos.filter(Q(title__icontains=word) | Q(filename__icontains=word))
    if wanted.tag:
        videos = videos.filter(tags=int(wanted.tag))
    if wanted.state:
        videos = _in_state(videos, wanted.state)
    return videos


def _in_state(videos: VideoQuerySet, state: str) -> VideoQuerySet:
    if state == "ready":
        return videos.filter(transcript__isnull=False)
    # Not Exists, of which Postgres makes a join: while it does not know yet that many tasks came,
    # it looks through all of them for each video (a minute for ten thousand). This it looks up.
    unfinished = Task.objects.unfinished().filter(video=OuterRef("pk"))
    under_way = Subquery(unfinished.values("pk")[:1])
    if state == "unfinished":
        return videos.filter(IsNull(under_way, False))
    return videos.filter(IsNull(under_way, True), transcript__isnull=True)


def page(videos: VideoQuerySet, wanted: Wanted, user: User) -> VideoQuerySet:
    """One row more than a page holds, from the cursor on.

    A cursor is the last row's place in the order, so that a page costs the same wherever it
    lies and rows that come or go meanwhile shift nothing.
    """
    order = ORDERS[wanted.sort or "newest"]
    videos = videos.annotate(place=order.key(user))
    step, sign = ("lt", "-") if order.falls else ("gt", "")
    if place := _read_cursor(wanted.before, order):
        value, pk = place
        further = Q(**{f"place__{step}": value}) | Q(**{"place": value, f"id__{step}": pk})
        videos = videos.filter(further)
    return videos.order_by(f"{sign}place", f"{sign}id")[: PAGE_ROWS + 1]


def cursor(video: Any) -> str:
    """The place of a video that came with a page."""
    place = video.place
    return f"{place.isoformat() if isinstance(place, datetime) else place}~{video.pk}"


def _read_cursor(text: str, order: Order) -> tuple[Any, str] | None:
    """A cursor that cannot be read is none: the first page is as good an answer as any."""
    value, _, pk = text.rpartition("~")
    place = order.read(value) if value else None
    return (place, pk[:24]) if place is not None and pk.isalnum() else None
