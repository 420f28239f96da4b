"""Search in all transcripts that one may see, grouped by video."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from videos import search
from videos.models import Index, Segment, Video
from videos.models.video import VideoQuerySet
from videos.search import Found, Hit, QueryError, Term
from videos.views import Request

PAGE_VIDEOS = 10
SHOWN_HITS = 4  # of one video; its own page shows all
STRIP_WIDTH = 1000
TICK = 4
Texts = dict[tuple[str, int], str]  # by task and number
SORTS = (("best", "Best first"), ("newest", "Newest videos first"))


@dataclass(frozen=True, slots=True)
class Line:
    """A hit with the rows around it, as HTML with the words marked."""

    start_ms: int
    before: SafeString
    text: SafeString
    after: SafeString


@dataclass(frozen=True, slots=True)
class Result:
    """One video's hits: how many, where they lie and the first ones.

    ``ticks``: place on the strip (0..STRIP_WIDTH) and when the first line there begins, in ms.
    """

    video: Video
    count: int
    ticks: list[tuple[int, int]]
    lines: list[Line]

    @property
    def more(self) -> int:
        return self.count - len(self.lines)


@require_safe
@vary_on_headers("HX-Request")
def page(request: Request) -> HttpResponse:
    """The page; htmx asks this same URL for the results alone, while somebody types."""
    indexes = list(Index.objects.visible_to(request.user).with_role(request.user))
    query, chosen = request.GET.get("q", ""), request.GET.get("index", "")
    context = {
        "q": query,
        "indexes": indexes,
        "chosen": _chosen(indexes, chosen),
        "sorts": SORTS,
        "sort": "newest" if request.GET.get("sort") == "newest" else "best",
        "strip_width": STRIP_WIDTH,
        "tick": TICK,
    }
    if query.strip():
        videos = Video.objects.visible_to(request.user)
        context |= _answer(request, context, videos.filter(index=chosen) if chosen else videos)
    template = "videos/_found.html" if request.htmx else "videos/search.html"
    return render(request, template, context)


def _chosen(indexes: Sequence[Index], pk: str) -> str:
    """The index that was asked for; another's is 404, as everywhere."""
    if pk and pk not in {index.pk for index in indexes}:
        raise Http404
    return pk


def _answer(
    request: Request, context: dict[str, object], videos: VideoQuerySet
) -> dict[str, object]:
    try:
        terms = search.parse(str(context["q"]))
    except QueryError as error:
        return {"refusal": str(error)}
    found, capped = search.find(terms, videos)
    if context["sort"] == "newest":
        order = videos.order_by("-created_at", "-id").values_list("transcript", flat=True)
        place = {task_id: number for number, task_id in enumerate(order)}
        found.sort(key=lambda each: place.get(each.task_id, len(place)))
    part = Paginator(found, PAGE_VIDEOS).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    return {
        "searched": True,
        "part": part,
        "results": results(list(part.object_list), terms),
        "hits": sum(len(each.hits) for each in found),
        "capped": capped,
        "kept": kept.urlencode(),
    }


def results(found: Sequence[Found], terms: Sequence[Term]) -> list[Result]:
    """What the page shows of these transcripts, in their order."""
    videos = {
        video.transcript_id: video
        for video in Video.objects.filter(
            transcript__in=[each.task_id for each in found]
        ).select_related("index")
    }
    texts = _texts([hit for each in found for hit in each.hits[:SHOWN_HITS]])
    return [
        _result(videos[each.task_id], each.hits, texts, terms)
        for each in found
        if each.task_id in videos  # else it was deleted a moment ago
    ]


def _result(video: Video, hits: Sequence[Hit], texts: Texts, terms: Sequence[Term]) -> Result:
    lines = [_line(hit, texts, terms) for hit in hits[:SHOWN_HITS]]
    return Result(video, len(hits), _ticks(hits, video.duration_ms), lines)


def _texts(hits: Iterable[Hit]) -> Texts:
    """The texts of these rows and of those before and after them, by task and number."""
    wanted = Q(pk__in=[])
    for hit in hits:
        near = (hit.number - 1, hit.number, hit.number + 1)
        wanted |= Q(task=hit.task_id, number__in=near)
    rows = Segment.objects.filter(wanted).order_by().values_list("task_id", "number", "text")
    return {(task_id, number): text for task_id, number, text in rows}


def _line(hit: Hit, texts: Texts, terms: Sequence[Term]) -> Line:
    before, text, after = (
        search.marked(texts.get((hit.task_id, hit.number + step), ""), terms) for step in (-1, 0, 1)
    )
    return Line(hit.start_ms, before, text, after)


def _ticks(hits: Sequence[Hit], duration_ms: int) -> list[tuple[int, int]]:
    """As ``Result`` has them; hits that would cover each other are one."""
    reach = STRIP_WIDTH - TICK
    first: dict[int, int] = {}
    for start_ms in sorted(hit.start_ms for hit in hits):
        place = min(start_ms * reach // max(duration_ms, 1), reach) // TICK * TICK
        first.setdefault(place, start_ms)
    return list(first.items())
