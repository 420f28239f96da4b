"""/search and /search-v2: what is said in an index's videos. Pictures are not searched."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.core import signing
from django.db.models import Q, Sum, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse
from django.utils import timezone

from videos import search
from videos.api import ApiRequest, dialects, errors, indexes, params
from videos.api.endpoint import answer
from videos.models import Index, Segment, Video
from videos.models.segment import SegmentQuerySet
from videos.models.video import VideoQuerySet
from videos.timecode import MAX_MS

SALT = "videos.api.search"
PAGE_SECONDS = 3600
MAX_CLIPS = 50
LISTS = ("search_options", "transcription_options")
TRANSCRIPTION = ("semantic", "lexical")
WORDS = {
    "group_by": ("clip", "video"),
    "threshold": ("medium", "high", "low", "none"),
    "operator": ("or", "and"),
    "sort_option": ("score", "clip_count"),
    "conversation_option": ("semantic", "exact_match", "transcription"),  # the last is v1.0's
}
TEXTS = (
    "index_id",
    "query",
    "query_text",
    "query_media_type",
    "query_media_url",
    *WORDS,
    "adjust_confidence_level",
    "page_limit",
    "filter",
    "include_user_metadata",
)
Json = dialects.Json


def create(request: ApiRequest) -> HttpResponse:
    """The first page; its token leads to the next one, without the question."""
    given = _given(request)
    index = indexes.find(request, _needed(given, "index_id"))
    _check_options(given)
    wanted = {
        "index": index.pk,
        "text": _query(given),
        "exact": _is_exact(given),
        "by_video": _one_of(given, "group_by") == "video",
        "metadata": _flag(given, "include_user_metadata"),
        "limit": params.whole("page_limit", str(given.get("page_limit", 10)), 1, 50),
        **_filter(given.get("filter")),
    }
    return answer(_page(index, wanted, 0))


def show_page(request: ApiRequest, token: str) -> HttpResponse:
    try:
        wanted, start = signing.loads(token, salt=SALT, max_age=PAGE_SECONDS)
    except signing.BadSignature:
        message = "The page token is unknown or has expired. Search again."
        raise errors.ApiError(400, "search_page_token_expired", message) from None
    return answer(_page(indexes.find(request, wanted["index"]), wanted, start))


# --- what was asked ---


def _given(request: ApiRequest) -> Json:
    """From JSON (v1.1, v1.2) or from a form (/search-v2, v1.3), where lists repeat their name."""
    if request.content_type == "application/json":
        return params.body(request, (*LISTS, *TEXTS))
    # Other parts are passed over: an SDK sends a spare one to make its form multipart.
    if any(name.startswith("query_media") for name in (*request.FILES, *request.POST)):
        raise _unsupported("Only text can be searched for: `query_text`.")
    lists = {name: request.POST.getlist(name) for name in LISTS if name in request.POST}
    return {name: request.POST[name] for name in request.POST if name in TEXTS} | lists


def _needed(given: Json, *names: str) -> str:
    for name in names:
        if given.get(name):
            return params.text(name, given[name])
    raise errors.required(names[-1])


def _query(given: Json) -> str:
    text = _needed(given, "query_text", "query")
    if not text.strip():
        raise errors.required("query_text")
    return text


def _check_options(given: Json) -> None:
    options = _list_of(given, "search_options", dialects.OPTIONS)
    if not options:
        raise errors.required("search_options")
    for name in WORDS:  # those that change nothing here too: a wrong word is somebody's mistake
        _one_of(given, name)
    level = given.get("adjust_confidence_level", 0)
    if not 0 <= params.number("adjust_confidence_level", str(level)) <= 1:
        raise errors.invalid("adjust_confidence_level", "It must be from 0 to 1.")
    if "audio" not in {dialects.OPTIONS[option] for option in options}:
        raise _unsupported("Only what is said is searched here: conversation or transcription.")


def _unsupported(message: str) -> errors.ApiError:
    return errors.ApiError(400, "search_option_not_supported", message)


def _is_exact(given: Json) -> bool:
    """The words in this order, and not anywhere in the segment."""
    exact = _one_of(given, "conversation_option") == "exact_match"
    return exact or _list_of(given, "transcription_options", TRANSCRIPTION) == ["lexical"]


def _one_of(given: Json, name: str) -> str:
    """The first of the words is meant where none is given."""
    known = WORDS[name]
    word = given.get(name, known[0])
    if word not in known:
        raise errors.invalid(name, f"It must be {', '.join(known[:-1])} or {known[-1]}.")
    return str(word)


def _list_of(given: Json, name: str, known: Collection[str]) -> list[str]:
    """One word alone is a list of it, as clients without lists send it."""
    found = given.get(name) or []
    found = found if isinstance(found, list) else [found]
    if not all(isinstance(word, str) and word in known for word in found):
        raise errors.invalid(name, f"These are known: {', '.join(known)}.")
    return found


def _flag(given: Json, name: str) -> bool:
    return params.flag(name, str(given.get(name, "")))


def _filter(value: object) -> Json:
    """``id`` and ``duration`` of v1.2 and v1.3; others are not known here."""
    found = params.json_object("filter", value) if value else {}
    if strange := found.keys() - {"id", "duration"}:
        message = f"The filter {sorted(strange)[0][:50]} is not known here."
        raise errors.ApiError(400, "search_filter_invalid", message)
    ids, sides = found.get("id"), found.get("duration", {})
    sides = sides if isinstance(sides, dict) else {"gte": sides, "lte": sides}
    good_ids = "id" not in found or (
        isinstance(ids, list) and all(isinstance(pk, str) for pk in ids)
    )
    good_sides = sides.keys() <= {"gte", "lte"} and all(map(_is_number, sides.values()))
    if not good_ids or not good_sides:
        raise errors.ApiError(400, "search_filter_invalid", "The filter cannot be understood.")
    return {"ids": ids, "duration": {side: _milliseconds(n) for side, n in sides.items()}}


def _milliseconds(seconds: float) -> int:
    """What lies beyond any video is as good as its end."""
    return round(min(max(seconds, -1), MAX_MS / 1000) * 1000)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- what was found ---


def _page(index: Index, wanted: Json, start: int) -> Json:
    pool = _pool(index, wanted)
    group = _by_video if wanted["by_video"] else _by_clip
    total, data = group(pool, wanted, start)
    return {
        "search_pool": {
            "total_count": pool.count(),
            "total_duration": (pool.aggregate(ms=Sum("duration_ms"))["ms"] or 0) / 1000,
            "index_id": index.pk,
        },
        "data": data,
        "page_info": _page_info(wanted, start, total),
    }


def _pool(index: Index, wanted: Json) -> VideoQuerySet:
    sides = {f"duration_ms__{side}": ms for side, ms in wanted["duration"].items()}
    pool = Video.objects.filter(index=index, transcript__isnull=False, **sides)
    return pool if wanted["ids"] is None else pool.filter(pk__in=wanted["ids"])


def _hits(pool: VideoQuerySet, wanted: Json) -> SegmentQuerySet:
    hits = _said(pool, wanted["text"].strip(), exact=wanted["exact"])
    hits = hits.select_related("task__video")
    return hits.order_by("-task__video__created_at", "task__video_id", "number")


def _said(pool: VideoQuerySet, text: str, *, exact: bool) -> SegmentQuerySet:
    """All the words, or what they begin; asked to be exact, these words side by side.

    What holds no word, such as ``%``, is looked for as it stands.
    """
    runs = [text] if exact else text.split()
    terms = [search.Term(tuple(found), not exact) for run in runs if (found := search.words(run))]
    if terms:
        return search.hits(terms, pool)
    said = Q(task__in=pool.values("transcript"))
    for run in runs:
        said &= Q(text__icontains=run)
    return Segment.objects.filter(said)


def _by_clip(pool: VideoQuerySet, wanted: Json, start: int) -> tuple[int, list[Json]]:
    hits = _hits(pool, wanted)
    shown = hits[start : start + wanted["limit"]]
    return hits.count(), [_hit(each, rank, wanted) for rank, each in enumerate(shown, start + 1)]


def _hit(segment: Segment, rank: int, wanted: Json) -> Json:
    hit = dialects.hit(segment, rank)
    if wanted.get("metadata"):  # a token of an earlier version has no such wish
        hit["user_metadata"] = segment.task.video.user_metadata
    return hit


def _by_video(pool: VideoQuerySet, wanted: Json, start: int) -> tuple[int, list[Json]]:
    """The text is looked up three times, however many videos are shown and lines found."""
    holding = _hits(pool, wanted).order_by().values("task__video_id")
    found = pool.filter(pk__in=holding).order_by("-created_at", "id")
    shown = list(found.values_list("pk", flat=True)[start : start + wanted["limit"]])
    clips: dict[str, list[Json]] = {pk: [] for pk in shown}
    for segment in _first_of_each(_hits(pool.filter(pk__in=shown), wanted)):
        ranked = clips[segment.task.video_id]
        ranked.append(_hit(segment, len(ranked) + 1, wanted))
    return found.count(), [_group_of(pk, ranked) for pk, ranked in clips.items()]


def _first_of_each(hits: SegmentQuerySet) -> SegmentQuerySet:
    """At most MAX_CLIPS of each video."""
    place = Window(RowNumber(), partition_by="task__video_id", order_by="number")
    return hits.annotate(place=place).filter(place__lte=MAX_CLIPS)


def _group_of(video_id: str, clips: list[Json]) -> Json:
    """The video's own metadata stand on each of its clips, if they are wanted."""
    group = {"id": video_id, "clips": clips}
    if clips and "user_metadata" in clips[0]:
        group["user_metadata"] = clips[0]["user_metadata"]
    return group


def _page_info(wanted: Json, start: int, total: int) -> Json:
    limit = wanted["limit"]
    expires = dialects.moment(timezone.now() + timedelta(seconds=PAGE_SECONDS))
    info = {
        "limit_per_page": limit,
        "total_results": total,
        "page_expired_at": expires,
        "page_expires_at": expires,
    }
    if start + limit < total:
        info["next_page_token"] = _token(wanted, start + limit)
    if start:
        info["prev_page_token"] = _token(wanted, max(0, start - limit))
    return info


def _token(wanted: Json, start: int) -> str:
    return signing.dumps([wanted, start], salt=SALT, compress=True)
