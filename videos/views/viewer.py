"""One video beside its transcript, from the first second of its task to the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db.models import Max
from django.db.models.functions import Length
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from videos import doubt, drawn, fetcher, rows
from videos.forms import AgainForm, FilterForm, RangeForm, whole_number
from videos.models import Correction, Fetch, Index, Place, Segment, Status, Task, Video
from videos.views import Request, SeeOther, opening
from videos.views.derived import Extras
from videos.views.finding import find_video
from videos.views.selects import panel_context
from videos.views.state import State, count_ahead, describe, origin

ROWS = SafeString("<!-- rows -->")  # no text of a user's gets so far: they are escaped
NEAR_MS = 5000  # so near to the beginning or the end there is nothing to resume


class Switch(NamedTuple):
    """A link that shows some lines alone, or all of them again."""

    name: str
    label: str
    found: int
    query: str
    is_on: bool


@dataclass
class Page:
    """What the viewer's templates ask for; each part is fetched when one first asks."""

    video: Video
    query: QueryDict
    user: User

    @cached_property
    def extras(self) -> Extras:
        return Extras(self.video)

    @cached_property
    def indexes(self) -> list[Index]:
        """Where the video may be moved to: its owner moves it among its own indexes."""
        return list(Index.objects.owned_by(self.user)) if self.video.is_own else []

    @cached_property
    def form(self) -> RangeForm:
        return RangeForm(self.query, base=self.video.timebase, length_ms=self.video.duration_ms)

    @cached_property
    def tasks(self) -> list[Task]:
        """All of the video's tasks, the newest first."""
        found = list(self.video.tasks.all())
        for task in found:
            task.video = self.video  # its duration gives the percentage, without another query
        return found

    @property
    def task(self) -> Task | None:
        """The newest task: the one that may be running."""
        return self.tasks[0] if self.tasks else None

    @property
    def transcripts(self) -> int:
        return sum(task.status == Status.READY for task in self.tasks)

    @property
    def beside(self) -> Task | None:
        """The newest task, when it is ready and another one's transcript is shown."""
        task = self.task
        ready = task is not None and task.status == Status.READY
        return task if ready and task != self.shown else None

    @property
    def beside_origin(self) -> str:
        return origin(self.beside) if self.beside else ""

    @cached_property
    def is_finished(self) -> bool:
        """Lines are shown that nobody writes any more, but for corrections."""
        return self.shown is not None and self.shown.pk == self.video.transcript_id

    @property
    def can_edit(self) -> bool:
        return self.is_finished and self.video.may_edit

    @cached_property
    def _at_hand(self) -> list[Correction]:
        if self.shown is None or not self.can_edit:
            return []
        return list(self.shown.corrections.at_hand_of(self.user))

    @property
    def last_correction(self) -> Correction | None:
        """What "Undo" would take back."""
        return next((each for each in self._at_hand if not each.undone), None)

    @property
    def next_correction(self) -> Correction | None:
        """What "Redo" would do once more."""
        return next((each for each in self._at_hand if each.undone), None)

    @cached_property
    def shown(self) -> Task | None:
        """The task whose rows are read: the finished one, else the newest with what it has."""
        return self.video.transcript or self.task

    @cached_property
    def state(self) -> State:
        waits = self.task is not None and not self.task.is_final and not self.task.is_running
        return describe(self.task, ahead=count_ahead(self.task) if waits and self.task else 0)

    @cached_property
    def origin(self) -> str:
        return origin(self.shown) if self.shown else ""

    @cached_property
    def again_form(self) -> AgainForm:
        """Asks for the language that was asked for last, until something else is chosen."""
        language = self.task.language if self.task else ""
        data = self.query if "engine" in self.query else None
        return AgainForm(self.video.index, data, initial={"language": language})

    @property
    def task_origin(self) -> str:
        return origin(self.task) if self.task else ""

    @cached_property
    def filter(self) -> FilterForm:
        return FilterForm(self.query)

    @cached_property
    def late(self) -> int:
        """How many of its lines begin after the end of the video: captions may be another's."""
        if self.shown is None or not self.is_finished or not self.video.duration_ms:
            return 0
        return self.shown.segments.filter(start_ms__gte=self.video.duration_ms).count()

    @cached_property
    def rows(self) -> list[rows.Row]:
        """Those in the range; all of them when the range cannot be understood."""
        if self.shown is None:
            return []
        span = self.shown.segments.overlapping(self.form.start_ms, self.form.end_ms)
        return rows.fetch(span)

    @cached_property
    def whole(self) -> drawn.Drawn | None:
        """All rows as they are kept for such pages; None where the page asks for others."""
        plain = self.form.is_open and self.filter.is_open and self.at_ms is None
        return drawn.whole(self.shown) if plain and self.shown else None

    @cached_property
    def worth_a_look(self) -> tuple[int, int]:
        """How many doubtful lines and how many gaps are in the range."""
        if self.whole:
            return self.whole.doubtful, self.whole.gaps
        return doubt.worth_a_look(self.rows)

    @cached_property
    def switches(self) -> list[Switch]:
        """What there is to show alone, with how much of it is in the range."""
        doubtful, gaps = self.worth_a_look
        found = {"doubt": ("Doubtful lines", doubtful), "gaps": ("Gaps", gaps)}
        return [
            Switch(name, label, count, self._switched(name), self.filter.switches[name])
            for name, (label, count) in found.items()
            if count or self.filter.switches[name]
        ]

    def _switched(self, name: str) -> str:
        """The query of this page with a switch on, or off if it is on."""
        return rows.range_query(
            self.form.start_ms, self.form.end_ms, more=self.filter.query(turned=name)
        )

    @cached_property
    def wanted(self) -> list[bool] | None:
        """Which rows are shown; None for all."""
        if self.filter.is_open:
            return None
        case = self.filter.match_case
        return doubt.wanted(self.rows, self.filter.terms, match_case=case, **self.filter.switches)

    @cached_property
    def html(self) -> SafeString:
        """The rows, or the place where ``_answer`` puts those that are kept."""
        if self.whole:
            return ROWS
        start_ms, end_ms, keep = self.form.start_ms, self.form.end_ms, self.filter.query()
        if self.wanted is None:
            return rows.render(self.rows, start_ms, end_ms, self.at_ms, keep)
        return rows.render_some(self.rows, self.wanted, start_ms, end_ms, keep)

    @cached_property
    def total(self) -> int:
        if self.whole:
            return self.whole.count
        if self.form.is_open:
            return len(self.rows)
        return self.shown.segments.count() if self.shown else 0

    @property
    def count(self) -> int:
        if self.whole:
            return self.whole.count
        return len(self.rows) if self.wanted is None else sum(self.wanted)

    @cached_property
    def selects(self) -> dict[str, Any]:
        """What was kept of the video, for its panel."""
        return panel_context(self.video)

    @cached_property
    def at_ms(self) -> int | None:
        """The moment ``?t=`` to open at; what cannot be read is no moment."""
        return self._opening[0]

    @property
    def at_error(self) -> str:
        """Why what somebody typed into "go to" is no moment."""
        return self._opening[1]

    @cached_property
    def _opening(self) -> tuple[int | None, str]:
        return opening.read(self.query, self.video)

    @property
    def fragment(self) -> str:
        """Opens the player at that moment, with or without JavaScript."""
        return opening.fragment(self.at_ms, self.video)

    @cached_property
    def place(self) -> Place | None:
        return Place.objects.filter(user=self.user, video=self.video).first()

    @property
    def resume_ms(self) -> int | None:
        """Where to go on, when it is neither the beginning nor the end nor said otherwise."""
        if self.place is None or self.at_ms is not None:
            return None
        inside = NEAR_MS < self.place.at_ms < self.video.duration_ms - NEAR_MS
        return self.place.at_ms if inside else None

    @property
    def range_query(self) -> str:
        """The address of what is shown; empty when that is all of it."""
        more = "" if self.filter.is_open else self.filter.query()
        return rows.range_query(self.form.start_ms, self.form.end_ms, more=more)


@require_safe
@gzip_page
@vary_on_headers("HX-Request")
def viewer(request: Request, video_id: str) -> HttpResponse:
    """The page; htmx asks this same URL for the transcript alone, in a range."""
    page = Page(find_video(request, video_id), request.GET, request.user)
    context = {"page": page, "video": page.video}
    if not page.video.sha256:
        return render(request, "videos/fetching.html", context | {"source": _source(page)})
    if not request.htmx:
        response = _answer(request, "videos/viewer.html", context)
        # Nothing is painted without it: a browser fetches it before it looks at the page.
        response["Link"] = f"<{static('css/site.css')}>; rel=preload; as=style"
        return response
    if page.form.is_valid():
        return _answer(request, "videos/_transcript.html", context)
    # Say what is wrong beside the fields; leave the rows, whichever they are, and their count.
    part = render(request, "videos/_range.html", context | {"kept": True})
    return HttpResponse(
        part.content, headers={"HX-Retarget": "#range", "HX-Reswap": "outerHTML"}, status=200
    )


def _answer(request: Request, template: str, context: dict[str, Any]) -> HttpResponse:
    """The template, with the rows that are kept put to their place."""
    text, whole = render_to_string(template, context, request), context["page"].whole
    head, place, tail = (part.encode() for part in text.partition(ROWS))
    if not place or whole is None:
        return HttpResponse(text)
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return HttpResponse(head + whole.html + tail)
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return HttpResponse(drawn.gzipped(head, whole, tail), headers=headers)


def _source(page: Page) -> str:
    """Where the file is fetched from, without what may be a signature."""
    found = Fetch.objects.filter(task=page.task).first()
    return fetcher.shown(found.media_url) if found else ""


@require_safe
@gzip_page
def progress(request: Request, video_id: str) -> HttpResponse:
    """What happened since the page last asked: the state, and rows after ``?after=``."""
    video = find_video(request, video_id)
    if not request.htmx:
        return SeeOther(reverse("viewer", args=[video.pk]))
    if "fetching" in request.GET and video.sha256:
        return HttpResponse(headers={"HX-Refresh": "true"})  # now there is something to play
    return progress_partial(request, video, request.GET)


@require_safe
@gzip_page
def speech(request: Request, video_id: str) -> JsonResponse:
    """Where something is said: ``[start_ms, end_ms, characters]`` for each row of the video.

    The strip asks for it when the page was opened with a range and so lacks the other rows.
    """
    shown = Page(find_video(request, video_id), QueryDict(), request.user).shown
    found = shown.segments.order_by("number") if shown else Segment.objects.none()
    spans = found.values_list("start_ms", "end_ms", Length("text"))
    return JsonResponse({"lines": list(spans)})


def progress_partial(
    request: Request, video: Video, query: QueryDict, refusal: str = ""
) -> HttpResponse:
    """``refusal`` says why what was asked for was not done."""
    page = Page(video, query, request.user)
    context = {"page": page, "video": video, "polled": True, "refusal": refusal}
    if not video.sha256:
        return render(request, "videos/_progress.html", context)
    if page.shown is None or query.get("task") != page.shown.pk:
        return _answer(request, "videos/_progress_and_transcript.html", context)
    return render(request, "videos/_progress_and_rows.html", context | _news(page, page.shown))


def _news(page: Page, task: Task) -> dict[str, object]:
    """The rows that the page does not have yet, and its counts with them."""
    if page.wanted is not None:
        return _filtered_news(page, task)
    after = _after(page)
    # Only the newest task grows; lines of an earlier one are numbered anew by corrections.
    fresh = task.segments.filter(number__gt=after) if task == page.task else task.segments.none()
    sides = page.form.start_ms, page.form.end_ms
    wanted = rows.fetch(fresh.overlapping(*sides))
    held = task.segments.overlapping(*sides)
    count = held.count()
    said_ms = held.filter(number__lte=after).aggregate(end=Max("end_ms"))["end"] if wanted else None
    tail, blocks = rows.render_more(wanted, count - len(wanted), *sides, said_ms)
    return {"tail": tail, "blocks": blocks, "total": task.segments.count(), "count": count}


def _filtered_news(page: Page, task: Task) -> dict[str, object]:
    """The same where only some lines are shown; what comes before them tells their gaps."""
    after, form = _after(page), page.form
    wanted = [
        row.number > after and fits for row, fits in zip(page.rows, page.wanted or [], strict=True)
    ]
    blocks = rows.render_some(page.rows, wanted, form.start_ms, form.end_ms, page.filter.query())
    return {"blocks": blocks, "total": task.segments.count(), "count": page.count}


def _after(page: Page) -> int:
    """The number of the last line that the page has; before the first one it is -1."""
    number = whole_number(page.query.get("after", ""))
    return -1 if number is None else number
