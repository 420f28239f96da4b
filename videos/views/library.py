"""What there is: indexes and their videos, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from videos import ingest
from videos.forms import IndexForm
from videos.models import Index, Video
from videos.models.video import VideoQuerySet
from videos.views import Request, SeeOther
from videos.views.state import State, describe, latest_task
from videos.views.uploads import upload_context

PAGE_ROWS = 50
MAX_POLLED = 200


@dataclass(frozen=True, slots=True)
class Item:
    """A video as a list shows it."""

    video: Video
    state: State


def items(videos: VideoQuerySet) -> list[Item]:
    return [Item(video, describe(latest_task(video))) for video in videos.with_latest_task()]


@require_safe
@vary_on_headers("HX-Request")
def library(request: Request) -> HttpResponse:
    return _list(request, "videos/library.html", None)


@require_safe
@vary_on_headers("HX-Request")
def index(request: Request, index_id: str) -> HttpResponse:
    chosen = get_object_or_404(Index.objects.visible_to(request.user), pk=index_id)
    return _list(request, "videos/index.html", chosen)


def _list(request: Request, template: str, chosen: Index | None) -> HttpResponse:
    indexes = list(Index.objects.visible_to(request.user).with_totals())
    wanted = [chosen] if chosen else indexes
    videos = Video.objects.filter(index__in=[index.pk for index in wanted])
    page, older = _page(videos, request.GET.get("before", ""))
    context = {
        "index": next((index for index in indexes if chosen and index.pk == chosen.pk), None),
        "indexes": indexes,
        "index_form": IndexForm() if chosen else None,
        "items": page,
        "older": older,
        "paged": "before" in request.GET,
        "unfinished": any(not item.state.is_final for item in page),
    }
    if request.htmx:
        return render(request, "videos/_listing.html", context)
    return render(request, template, context | upload_context(request, chosen))


def _page(videos: VideoQuerySet, before: str) -> tuple[list[Item], str]:
    """Rows older than the cursor ``before``, and the next cursor, "" on the last page.

    A cursor is the last row's place in the order, so that a page costs the same wherever it
    lies and rows that come or go meanwhile shift nothing.
    """
    if place := _read_cursor(before):
        when, pk = place
        videos = videos.filter(Q(created_at__lt=when) | Q(created_at=when, id__lt=pk))
    page = items(videos.order_by("-created_at", "-id")[: PAGE_ROWS + 1])
    if len(page) <= PAGE_ROWS:
        return page, ""
    last = page[PAGE_ROWS - 1].video
    return page[:PAGE_ROWS], f"{last.created_at.isoformat()}~{last.pk}"


def _read_cursor(text: str) -> tuple[datetime, str] | None:
    """A cursor that cannot be read is none: the newest page is as good an answer as any."""
    when, _, pk = text.partition("~")
    try:
        moment = parse_datetime(when)
        moment = moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):  # in UTC some moments lie outside the calendar
        return None
    return (moment, pk[:24]) if moment and pk.isalnum() else None


@require_safe
def states(request: Request) -> HttpResponse:
    """The states of the videos ``?id=…&id=…``, for lists that are open while tasks run."""
    wanted = Video.objects.visible_to(request.user).filter(
        pk__in=[pk for pk in request.GET.getlist("id")[:MAX_POLLED] if pk.isalnum()]
    )
    page = items(wanted)
    unfinished = any(not item.state.is_final for item in page)
    return render(request, "videos/_states.html", {"items": page, "unfinished": unfinished})


@require_POST
def sample(request: Request) -> HttpResponse:
    """Give the user the clip that ships with the site, to look around with."""
    video = ingest.accept_sample(request.user)
    return SeeOther(reverse("viewer", args=[video.pk]))


@require_POST
def delete(request: Request, video_id: str) -> HttpResponse:
    video = get_object_or_404(Video.objects.visible_to(request.user), pk=video_id)
    ingest.delete_video(video)
    messages.success(request, f"Deleted {video.filename}.")
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return SeeOther(back if ours else reverse("index", args=[video.index_id]))


@require_POST
def index_create(request: Request) -> HttpResponse:
    return _save_index(request, Index(owner=request.user))


@require_POST
def index_rename(request: Request, index_id: str) -> HttpResponse:
    return _save_index(
        request, get_object_or_404(Index.objects.visible_to(request.user), pk=index_id)
    )


def _save_index(request: Request, index: Index) -> HttpResponse:
    known = bool(index.created_at)
    form = IndexForm(request.POST, instance=index)
    if form.is_valid():
        form.save()
        return SeeOther(reverse("index", args=[index.pk]))
    messages.error(request, " ".join(str(e) for errors in form.errors.values() for e in errors))
    return SeeOther(reverse("index", args=[index.pk]) if known else reverse("library"))


@require_POST
def index_delete(request: Request, index_id: str) -> HttpResponse:
    index = get_object_or_404(Index.objects.visible_to(request.user), pk=index_id)
    ingest.delete_index(index)
    messages.success(request, f"Deleted the index {index.name} with its videos.")
    return SeeOther(reverse("library"))
