"""Names, tags and homes of videos, one or many at once."""

from __future__ import annotations

import tempfile
import zipfile

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from videos import exports, handover, ingest, wording
from videos.models import Index, NotAllowed, Role, Select, Tag, Video
from videos.models.select import MOST_IN_A_BIN
from videos.models.tag import MAX_NAME
from videos.models.video import VideoQuerySet
from videos.views import Request, back
from videos.views.finding import find_video

MAX_AT_ONCE = 500


class Refused(Exception):
    """It cannot be done; the message is a sentence."""


@require_POST
def rename(request: Request, video_id: str) -> HttpResponse:
    """Give the video a title; an empty one shows its file's name again."""
    video = find_video(request, video_id, Role.EDITOR)
    title = _clean(request.POST.get("title", ""))[:255]
    video.title = "" if title == video.filename else title
    video.save(update_fields=["title", "updated_at"])
    return back(request, reverse("viewer", args=[video.pk]))


@require_POST
def untag(request: Request, video_id: str, tag_id: int) -> HttpResponse:
    """Take the tag off the video; a tag that is on no video any more is gone."""
    video = find_video(request, video_id, Role.EDITOR)
    tag = get_object_or_404(Tag.objects.visible_to(request.user), pk=tag_id)
    tag.take_off(video)
    return back(request, reverse("viewer", args=[video.pk]))


@require_POST
def many(request: Request) -> HttpResponseBase:
    """Delete, move, tag or export the videos ``video=…&video=…``, as the button ``do`` says."""
    try:
        videos = _chosen(request)
        if request.POST.get("do") == "export":
            return _export(request.POST.get("format", ""), videos)
        messages.success(request, _do(request, videos))
    except (Refused, NotAllowed) as refusal:
        messages.error(request, str(refusal))
    return back(request, reverse("library"))


def _chosen(request: Request) -> VideoQuerySet:
    ids = [pk for pk in request.POST.getlist("video") if pk.isalnum()]
    if not ids:
        raise Refused("Choose at least one video.")
    if len(ids) > MAX_AT_ONCE:
        raise Refused(f"Choose at most {MAX_AT_ONCE} videos at once.")
    visible = Video.objects.visible_to(request.user).with_role(request.user)
    return visible.select_related("index__owner").filter(pk__in=ids)


def _do(request: Request, videos: VideoQuerySet) -> str:
    deed = request.POST.get("do", "")
    if deed == "move":
        return _move(request, videos)
    if deed == "tag":
        return _tag(request, videos)
    if deed == "delete":
        return _delete(videos)
    raise Refused("Choose what to do with them.")


def _move(request: Request, videos: VideoQuerySet) -> str:
    pk = request.POST.get("index", "")
    visible = Index.objects.visible_to(request.user).with_role(request.user)
    index = visible.filter(pk=pk).first() if pk.isalnum() else None
    if index is None:
        raise Refused("Choose the index to move them to.")
    _require(videos, Role.OWNER)
    index.require(Role.OWNER)
    # The key belongs to an upload into the old index; in the new one it might be another's.
    ids = [video.pk for video in videos if video.index_id != index.pk]
    with transaction.atomic():
        Video.objects.filter(pk__in=ids).lock()
        _require_room(index, ids)
        Select.objects.bring_to(index, ids)
        moved = Video.objects.filter(pk__in=ids).update(index=index, upload_key=None)
    return f"Moved {_videos(moved)} to {index.name}."


def _require_room(index: Index, ids: list[str]) -> None:
    coming = Select.objects.filter(video__in=ids).count()
    if not Select.objects.has_room(index, coming):
        raise Refused(
            f"Their {coming:,} selects have no room in the bin of {index.name}, "
            f"which holds {MOST_IN_A_BIN:,}."
        )


def _tag(request: Request, videos: VideoQuerySet) -> str:
    name = _clean(request.POST.get("tag", ""))
    if not name or len(name) > MAX_NAME:
        raise Refused(f"Give the tag a name of at most {MAX_NAME} characters.")
    found = _require(videos, Role.EDITOR)
    by_owner: dict[User, list[Video]] = {}
    for video in found:
        by_owner.setdefault(video.index.owner, []).append(video)
    for owner, theirs in by_owner.items():  # a tag is of the owner of the index that it is used in
        with transaction.atomic():  # or a new one is dropped for being on no video yet
            Tag.objects.named(owner, name).videos.add(*theirs)
    return f"Tagged {_videos(len(found))} with {name}."


def _export(name: str, videos: VideoQuerySet) -> HttpResponseBase:
    """A zip with a file for each video that has a transcript, named after it."""
    if name not in exports.FORMATS:
        raise Refused("Choose the format to export them in.")
    archive = tempfile.TemporaryFile(dir=settings.TEMP_ROOT)  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for title, body in handover.write_all(name, videos):
            out.writestr(title, body)
        written = len(out.namelist())
    if not written:
        archive.close()
        raise Refused("None of these videos has a line to export.")
    archive.seek(0)
    return FileResponse(archive, as_attachment=True, filename="transcripts.zip")


def _delete(videos: VideoQuerySet) -> str:
    found = _require(videos, Role.OWNER)
    for video in found:
        ingest.delete_video(video)
    return f"Deleted {_videos(len(found))}."


def _videos(number: int) -> str:
    return f"{number:,} video{'' if number == 1 else 's'}"


def _require(videos: VideoQuerySet, role: Role) -> list[Video]:
    """The videos, if the user has that role for each: all of it is done, or nothing.

    Raises ``NotAllowed``, which names the first for which it is not so.
    """
    found = list(videos)
    for video in found:
        try:
            video.require(role)
        except NotAllowed as refusal:
            raise NotAllowed(f"Nothing was changed: {video.name}: {refusal}") from refusal
    return found


def _clean(text: str) -> str:
    """On one line, without control characters: Postgres takes no NUL."""
    return " ".join(wording.printable(text, " ").split())
