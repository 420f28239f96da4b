"""/search and /search-v2: what is said in an index's videos. Pictures are not searched."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.db.models import Q, Sum
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
TEXTS = (
    "index_id",
    "query",
    "query_text",
    "query_media_type",
    "query_media_url",
    "group_by",
    "threshold",
    "operator",
    "sort_option",
    "conversation_option",
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
        "by_video": _group(given),
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
    options = given.get("search_options")
    if not options:
        raise errors.required("search_options")
    options = options if isinstance(options, list) else [options]
    if not all(isinstance(option, str) and option in dialects.OPTIONS for option in options):
        raise errors.invalid("search_options")
    if "audio" not in {dialects.OPTIONS[option] for option in options}:
        raise _unsupported("Only what is said is searched here: conversation or transcription.")


def _unsupported(message: str) -> errors.ApiError:
    return errors.ApiError(400, "search_option_not_supported", message)


def _is_exact(given: Json) -> bool:
    """The words in this order, and not anywhere in the segment."""
    exact = given.get("conversation_option") == "exact_match"
    return exact or given.get("transcription_options") == ["lexical"]


def _group(given: Json) -> bool:
    group = given.get("group_by", "clip")
    if group not in ("clip", "video"):
        raise errors.invalid("group_by", "It must be clip or video.")
    return bool(group == "video")


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
    hits = _hits(pool, wanted)
    group = _by_video if wanted["by_video"] else _by_clip
    total, data = group(hits, start, wanted["limit"])
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


def _by_clip(hits: SegmentQuerySet, start: int, limit: int) -> tuple[int, list[Json]]:
    shown = hits.select_related("task")[start : start + limit]
    return hits.count(), [
        dialects.hit(segment, rank) for rank, segment in enumerate(shown, start + 1)
    ]


def _by_video(hits: SegmentQuerySet, start: int, limit: int) -> tuple[int, list[Json]]:
    found = list(dict.fromkeys(hits.values_list("task__video_id", flat=True)))
    groups = []
    for video_id in found[start : start + limit]:
        clips = hits.filter(task__video_id=video_id).select_related("task")[:MAX_CLIPS]
        ranked = [dialects.hit(segment, rank) for rank, segment in enumerate(clips, 1)]
        groups.append({"id": video_id, "clips": ranked})
    return len(found), groups


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
