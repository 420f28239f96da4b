"""The transcripts of a video: which there are, which one is shown, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from videos import comparing, corrections, derive, ingest, rows
from videos.comparing import Line, Piece, Stretch
from videos.corrections import Refused
from videos.forms import lines_seen, whole_number, whole_numbers
from videos.models import Role, Status, Task, Video
from videos.views import Request, SeeOther, back, opening
from videos.views.derived import played_url
from videos.views.finding import find_video
from videos.views.state import origin

PAGE_STRETCHES = 100


@dataclass(frozen=True, slots=True)
class Item:
    """A transcript as the list shows it."""

    task: Task
    origin: str
    is_shown: bool


def _ready(video: Video) -> list[Task]:
    """The finished tasks, the newest first."""
    found = list(video.tasks.filter(status=Status.READY))
    for task in found:
        task.video = video
    return found


def _transcript(video: Video, task_id: str) -> Task:
    found = next((task for task in _ready(video) if task.pk == task_id), None)
    if found is None:
        raise Http404
    return found


def _back(video: Video) -> SeeOther:
    return SeeOther(reverse("transcripts", args=[video.pk]))


@require_safe
def transcripts(request: Request, video_id: str) -> HttpResponse:
    video = find_video(request, video_id)
    corrected = Count("segments", filter=Q(segments__heard__isnull=False))
    tasks = video.tasks.filter(status=Status.READY)
    tasks = tasks.annotate(lines=Count("segments"), corrected=corrected)
    tasks = tasks.order_by("-created_at", "-id")  # counting forgets the model's own order
    items = [Item(task, origin(task), task.pk == video.transcript_id) for task in tasks]
    return render(request, "videos/transcripts.html", {"video": video, "items": items})


@require_safe
@gzip_page
def show(request: Request, video_id: str, task_id: str) -> HttpResponse:
    """One transcript to read, whether or not it is the one that the video's page shows."""
    video = find_video(request, video_id)
    task = _transcript(video, task_id)
    if task.pk == video.transcript_id:
        return SeeOther(reverse("viewer", args=[video.pk]))
    at_ms, _ = opening.read(request.GET, video)
    found = rows.fetch(task.segments.all())
    html = rows.render(found, at_ms=at_ms)
    context = {"video": video, "task": task, "origin": origin(task), "html": html}
    context["lines"] = len(found)
    context |= {
        "src": played_url(video, derive.copies([video.pk])),
        "fragment": opening.fragment(at_ms, video),
    }
    return render(request, "videos/transcript.html", context)


@require_POST
def use(request: Request, video_id: str, task_id: str) -> HttpResponse:
    """Show this transcript from now on; the other one is kept."""
    video = find_video(request, video_id, Role.EDITOR)
    video.transcript = _transcript(video, task_id)
    video.save(update_fields=["transcript", "updated_at"])
    messages.success(request, f"Shown now: the transcript by {origin(video.transcript)}.")
    return SeeOther(reverse("viewer", args=[video.pk]))


@require_POST
def delete(request: Request, video_id: str, task_id: str) -> HttpResponse:
    video = find_video(request, video_id, Role.OWNER)
    task = _transcript(video, task_id)
    with transaction.atomic():
        shown = Video.objects.select_for_update().get(pk=video.pk).transcript_id
        if shown != task.pk:
            ingest.delete_task(task)
    if shown == task.pk:
        messages.error(request, "This transcript is shown. Use another one first.")
    else:
        messages.success(request, f"Deleted the transcript by {origin(task)}.")
    return _back(video)


# --- compare ---


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two transcripts, with the keys by which its lines are known."""

    task: Task
    lines: list[Line]
    keys: list[tuple[int, int, int]]  # key, start, version

    @property
    def origin(self) -> str:
        return origin(self.task)

    @property
    def is_shown(self) -> bool:
        return bool(self.task.pk == self.task.video.transcript_id)


def _side(task: Task) -> Side:
    fields = ("start_ms", "end_ms", "text", "pk", "version")
    found = list(task.segments.order_by("start_ms", "number").values_list(*fields))
    lines = [Line(*row[:3]) for row in found]
    return Side(task, lines, [(row[3], row[0], row[4]) for row in found])


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of both transcripts as the page shows it."""

    start_ms: int
    end_ms: int
    a: list[Piece]
    b: list[Piece]
    same: bool
    rows: list[str]  # of the shown transcript: given to ``take`` with the others' keys
    others: list[int]
    number: int  # among those that can be taken: the one behind it has its focus when it is gone

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


class Comparison:
    """What the page of two transcripts shows: their differences, or all of them."""

    def __init__(self, a: Task, b: Task, query: QueryDict) -> None:
        self.a, self.b = _side(a), _side(b)
        self.everything = "all" in query
        self.strict = "strict" in query
        self.number = whole_number(query.get("page", "")) or 0

    @cached_property
    def stretches(self) -> list[tuple[Stretch, bool]]:
        found = comparing.align(self.a.lines, self.b.lines)
        return [(stretch, self._same(stretch)) for stretch in found]

    def _same(self, at: Stretch) -> bool:
        a, b = self.a.lines[at.a0 : at.a1], self.b.lines[at.b0 : at.b1]
        return comparing.same(a, b, strict=self.strict)

    @cached_property
    def wanted(self) -> list[tuple[Stretch, bool]]:
        return [each for each in self.stretches if self.everything or not each[1]]

    @property
    def differing(self) -> int:
        return sum(not same for _, same in self.stretches)

    @property
    def places(self) -> list[Place]:
        first, numbers = self.number * PAGE_STRETCHES, count(1)
        wanted = self.wanted[first : first + PAGE_STRETCHES]
        return [self._place(*each, numbers) for each in wanted]

    def _place(self, at: Stretch, same: bool, numbers: Iterator[int]) -> Place:
        a, b = self.a.lines[at.a0 : at.a1], self.b.lines[at.b0 : at.b1]
        both = [*a, *b]
        left, right = comparing.differences(a, b, strict=self.strict)
        start, end = min(line.start_ms for line in both), max(line.end_ms for line in both)
        keys, others = self._takeable(at, same)
        number = next(numbers) if keys else 0
        return Place(start, end, left, right, same, keys, others, number)

    def _takeable(self, at: Stretch, same: bool) -> tuple[list[str], list[int]]:
        """The keys with which the shown transcript can take the other's words, if it can."""
        mine, others = self.a.keys[at.a0 : at.a1], self.b.keys[at.b0 : at.b1]
        if self.b.is_shown:
            mine, others = others, mine
        elif not self.a.is_shown:
            return [], []
        if same or not others or len(mine) not in (1, len(others)):
            return [], []
        return ["-".join(map(str, key)) for key in mine], [key[0] for key in others]

    @property
    def other(self) -> Side:
        return self.a if self.b.is_shown else self.b

    @property
    def earlier(self) -> str:
        return self.address(page=self.number - 1) if self.number else ""

    @property
    def later(self) -> str:
        more = len(self.wanted) > (self.number + 1) * PAGE_STRETCHES
        return self.address(page=self.number + 1) if more else ""

    @property
    def here(self) -> str:
        return self.address(page=self.number)

    @property
    def with_all(self) -> str:
        return self.address(everything=not self.everything)

    @property
    def with_strict(self) -> str:
        return self.address(strict=not self.strict)

    def address(
        self, *, everything: bool | None = None, strict: bool | None = None, page: int = 0
    ) -> str:
        query = {"a": self.a.task.pk, "b": self.b.task.pk}
        query |= {"all": "1"} if (self.everything if everything is None else everything) else {}
        query |= {"strict": "1"} if (self.strict if strict is None else strict) else {}
        return f"?{urlencode(query | ({'page': str(page)} if page else {}))}"


@require_safe
@gzip_page
@vary_on_headers("HX-Request")
def compare(request: Request, video_id: str) -> HttpResponse:
    """Two transcripts aligned by time, their differences alone unless ``?all``."""
    video = find_video(request, video_id)
    chosen = _pair(video, request.GET)
    if chosen is None:
        messages.info(request, "This video has one transcript: there is nothing to compare.")
        return _back(video)
    context = {"video": video, "compared": Comparison(*chosen, request.GET)}
    if request.htmx:
        return render(request, "videos/_compared.html", context)
    context["src"] = played_url(video, derive.copies([video.pk]))
    context["fragment"] = opening.fragment(opening.read(request.GET, video)[0], video)
    return render(request, "videos/compare.html", context)


def _pair(video: Video, query: QueryDict) -> tuple[Task, Task] | None:
    """Those that were asked for; by themselves the shown one and the newest of the others."""
    ready = {task.pk: task for task in _ready(video)}
    for name in ("a", "b"):
        if name in query and query[name] not in ready:
            raise Http404
    a = ready.get(query.get("a", video.transcript_id or ""))
    others = [task for task in ready.values() if task != a]
    b = ready.get(query.get("b", ""), others[0] if others else None)
    return (a, b) if a and b else None


@require_POST
def take(request: Request, video_id: str) -> HttpResponse:
    """Copy the other transcript's words of a stretch into the shown one, as a correction."""
    video = find_video(request, video_id, Role.EDITOR)
    other = _transcript(video, request.POST.get("other_task", ""))
    shown = video.transcript
    if shown is None:
        raise Http404
    shown.video = video
    lines = other.segments.filter(pk__in=whole_numbers(request.POST.getlist("other")))
    seen = lines_seen(request.POST.getlist("row"))
    try:
        corrections.take(request.user, shown, seen, list(lines.order_by("start_ms", "number")))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return back(request, reverse("compare", args=[video.pk]))
