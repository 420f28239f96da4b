"""Lists: which rows, in what order, which page of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from videos.api import errors, params
from videos.models import Status

Row = TypeVar("Row", bound=Model)

MAX_LIMIT = 50
MOST_FILTERS = 100  # and values of each: a database takes no condition of any depth
DAY = timedelta(days=1)
SHOWN = timedelta(milliseconds=1)  # times are shown in milliseconds and kept more exactly
PAGE_KEYS = ("page", "page_limit", "sort_by", "sort_option")
# As two official SDKs send them.
MISSPELT = {"createdAt": "created_at", "updatedAt": "updated_at"}
SIDES = {"[gte]": "gte", "[lte]": "lte"}

# (the model's field, "", "gte" or "lte", the parameter's name, its text) -> a condition
Read = Callable[[str, str, str, str], Q]


@dataclass(frozen=True, slots=True)
class Filter:
    """How a query parameter narrows a list."""

    field: str
    read: Read


def narrow(
    rows: QuerySet[Row],
    query: QueryDict,
    filters: Mapping[str, Filter],
    stranger: Callable[[QuerySet[Row], str, list[str]], QuerySet[Row]] | None = None,
) -> QuerySet[Row]:
    """Keep the rows that match every parameter; a repeated one matches any of its values.

    ``stranger`` takes what is no filter here; without it that is refused.
    """
    if len(query) > MOST_FILTERS:
        raise errors.unknown(list(query)[MOST_FILTERS:])
    for key in query:
        name, side = _split(key)
        values = query.getlist(key)
        if len(values) > MOST_FILTERS:
            raise errors.invalid(key[:50], f"It may have {MOST_FILTERS} values.")
        if name in filters:
            filter_ = filters[name]
            rows = rows.filter(
                Q.create([filter_.read(filter_.field, side, key, text) for text in values], Q.OR)
            )
        elif key not in PAGE_KEYS:
            if stranger is None:
                raise errors.unknown([key])
            rows = stranger(rows, key, values)
    return rows


def page(
    query: QueryDict,
    rows: QuerySet[Row],
    render: Callable[[Row], dict[str, Any]],
) -> dict[str, Any]:
    """One page on the wire, in the order that is asked for."""
    ordered = rows.order_by(*_order(query))
    part, info = cut(query, rows.count())
    return {"data": [render(row) for row in ordered[part]], "page_info": info}


def cut(query: QueryDict, total: int) -> tuple[slice, dict[str, int]]:
    """Which of so many are on the page that is asked for, and what is said of it.

    A page past the last is empty: clients find the end that way.
    """
    number = params.whole("page", query.get("page", "1"), 1, 10**9)
    limit = params.whole("page_limit", query.get("page_limit", "10"), 1, MAX_LIMIT)
    start = min((number - 1) * limit, total)
    info = {
        "limit_per_page": limit,
        "page": number,
        "total_page": -(-total // limit),
        "total_results": total,
    }
    return slice(start, min(start + limit, total)), info


def _order(query: QueryDict) -> tuple[str, str]:
    """By time and then by id, so that no row comes twice or not at all."""
    by, option = query.get("sort_by", "created_at"), query.get("sort_option", "desc")
    if by not in ("created_at", "updated_at"):
        raise errors.invalid("sort_by", "It must be created_at or updated_at.")
    if option not in ("asc", "desc"):
        raise errors.invalid("sort_option", "It must be asc or desc.")
    sign = "-" if option == "desc" else ""
    return f"{sign}{by}", f"{sign}id"


def _split(key: str) -> tuple[str, str]:
    name, bracket, _ = key.partition("[")
    side = SIDES.get(key[len(name) :], "unknown") if bracket else ""
    return ("", "") if side == "unknown" else (MISSPELT.get(name, name), side)


# --- how filters read their values ---


def equal(field: str, side: str, name: str, value: str) -> Q:
    if side:
        raise errors.unknown([name])
    return Q(**{field: params.text(name, value)})


def containing(field: str, side: str, name: str, value: str) -> Q:
    return equal(f"{field}__icontains", side, name, value)


def state(field: str, side: str, name: str, value: str) -> Q:
    if value not in (*Status.values, "uploading"):
        raise errors.invalid(name)
    return equal(field, side, name, value)


def whole(field: str, side: str, name: str, value: str) -> Q:
    return _compared(field, side, params.whole(name, value))


def decimal(field: str, side: str, name: str, value: str) -> Q:
    return _compared(field, side, params.number(name, value))


def seconds(field: str, side: str, name: str, value: str) -> Q:
    return _compared(field, side, params.milliseconds(name, value))


def when(field: str, side: str, name: str, value: str) -> Q:
    """A date is that whole day; a time alone is the rest of its day from then on."""
    found = params.moment(name, value)
    if isinstance(found, datetime):
        first, after = found, found + SHOWN
        if not side:
            after = datetime.combine(found.date() + DAY, time(), UTC)
    else:
        first = datetime.combine(found, time(), UTC)
        after = first + DAY
    from_first, before_after = Q(**{f"{field}__gte": first}), Q(**{f"{field}__lt": after})
    return {"gte": from_first, "lte": before_after}.get(side, from_first & before_after)


def _compared(field: str, side: str, value: float) -> Q:
    return Q(**{f"{field}__{side or 'exact'}": value})
