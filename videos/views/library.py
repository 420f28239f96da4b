"""What there is: indexes and their videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from videos import ingest
from videos.admission import Refused
from videos.forms import IndexForm, all_faults
from videos.models import Index, Member, Role, Tag, Video
from videos.models.member import GIVEN
from videos.models.video import VideoQuerySet
from videos.views import Request, SeeOther, back, shelf
from videos.views.finding import find_index, find_video
from videos.views.state import State, describe, latest_task
from videos.views.uploads import upload_context

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
    return _list(request, "videos/library.html")


@require_safe
@vary_on_headers("HX-Request")
def index(request: Request, index_id: str) -> HttpResponse:
    return _list(request, "videos/index.html", index_id)


def _list(request: Request, template: str, index_id: str = "") -> HttpResponse:
    """The page of all indexes that may be seen, or of one of them."""
    indexes = list(Index.objects.visible_to(request.user).with_role(request.user).with_totals())
    here = next((each for each in indexes if each.pk == index_id), None)
    if index_id and here is None:
        raise Http404
    wanted, listed = shelf.read(request.GET), [here] if here else indexes
    found, more = _page(request, listed, wanted)
    context: dict[str, Any] = {
        "index": here,
        "indexes": indexes,
        "own_indexes": [each for each in indexes if each.is_own],
        "may_edit": any(each.may_edit for each in listed),
        "may_delete": any(each.is_own for each in listed),
        "index_form": IndexForm(instance=here) if here else None,
        "tags": Tag.objects.visible_to(request.user),
        "items": found,
        "older": shelf.cursor(found[-1].video) if more else "",
        "paged": "before" in request.GET,
        "wanted": wanted,
        "orders": [(name, order.label) for name, order in shelf.ORDERS.items()],
        "states": shelf.STATES,
        "unfinished": any(not item.state.is_final for item in found),
    }
    if request.htmx:
        return render(request, "videos/_listing.html", context)
    context |= {"members": _members(request, here), "given": GIVEN}
    return render(request, template, context | upload_context(request, here))


def _members(request: Request, index: Index | None) -> list[Member] | None:
    """With whom the index is shared; None where there is nobody to share it with, or to ask."""
    # Who has no password is the one user of a private installation: see videos.local_user.
    if index is None or not index.is_own or not request.user.has_usable_password():
        return None
    return list(index.members.select_related("user"))


def _page(
    request: Request, indexes: Sequence[Index], wanted: shelf.Wanted
) -> tuple[list[Item], bool]:
    """The page's rows, and whether there are more after them."""
    videos = Video.objects.filter(index__in=[index.pk for index in indexes])
    found = items(shelf.page(shelf.narrow(videos, wanted), wanted, request.user))
    roles = {index.pk: index.role for index in indexes}
    for item in found:
        item.video.role = roles[item.video.index_id]
    return found[: shelf.PAGE_ROWS], len(found) > shelf.PAGE_ROWS


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
    try:
        video = ingest.accept_sample(request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return back(request, reverse("library"))
    return SeeOther(reverse("viewer", args=[video.pk]))


@require_POST
def delete(request: Request, video_id: str) -> HttpResponse:
    video = find_video(request, video_id, Role.OWNER)
    ingest.delete_video(video)
    messages.success(request, f"Deleted {video.name}.")
    return back(request, reverse("index", args=[video.index_id]))


@require_POST
def index_create(request: Request) -> HttpResponse:
    return _save_index(request, Index(owner=request.user))


@require_POST
def index_rename(request: Request, index_id: str) -> HttpResponse:
    return _save_index(request, find_index(request, index_id, Role.OWNER))


def _save_index(request: Request, index: Index) -> HttpResponse:
    known = bool(index.created_at)
    form = IndexForm(request.POST, instance=index)
    if form.is_valid():
        try:
            form.save()
            return SeeOther(reverse("index", args=[index.pk]))
        except Index.DoesNotExist:
            raise Http404 from None
        except ValidationError as taken:
            form.add_error("name", taken)
    messages.error(request, all_faults(form))
    return SeeOther(reverse("index", args=[index.pk]) if known else reverse("library"))


@require_POST
def index_delete(request: Request, index_id: str) -> HttpResponse:
    index = find_index(request, index_id, Role.OWNER)
    ingest.delete_index(index)
    messages.success(request, f"Deleted the index {index.name} with its videos.")
    return SeeOther(reverse("library"))
