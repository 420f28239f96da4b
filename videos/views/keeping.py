"""Names, tags and homes of videos, one or many at once."""

from __future__ import annotations

import tempfile
import zipfile

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from videos import exports, handover, ingest
from videos.models import Index, Tag, Video
from videos.models.tag import MAX_NAME
from videos.models.video import VideoQuerySet
from videos.views import Request, back

MAX_AT_ONCE = 500


class Refused(Exception):
    """It cannot be done; the message is a sentence."""


@require_POST
def rename(request: Request, video_id: str) -> HttpResponse:
    """Give the video a title; an empty one shows its file's name again."""
    video = get_object_or_404(Video.objects.visible_to(request.user), pk=video_id)
    title = _clean(request.POST.get("title", ""))[:255]
    video.title = "" if title == video.filename else title
    video.save(update_fields=["title", "updated_at"])
    return back(request, reverse("viewer", args=[video.pk]))


@require_POST
def untag(request: Request, video_id: str, tag_id: int) -> HttpResponse:
    """Take the tag off the video; a tag that is on no video any more is gone."""
    video = get_object_or_404(Video.objects.visible_to(request.user), pk=video_id)
    tag = get_object_or_404(Tag.objects.visible_to(request.user), pk=tag_id)
    tag.videos.remove(video)
    if not tag.videos.exists():
        tag.delete()
    return back(request, reverse("viewer", args=[video.pk]))


@require_POST
def many(request: Request) -> HttpResponseBase:
    """Delete, move, tag or export the videos ``video=…&video=…``, as the button ``do`` says."""
    try:
        videos = _chosen(request)
        if request.POST.get("do") == "export":
            return _export(request.POST.get("format", ""), videos)
        messages.success(request, _do(request, videos))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return back(request, reverse("library"))


def _chosen(request: Request) -> VideoQuerySet:
    ids = [pk for pk in request.POST.getlist("video") if pk.isalnum()]
    if not ids:
        raise Refused("Choose at least one video.")
    if len(ids) > MAX_AT_ONCE:
        raise Refused(f"Choose at most {MAX_AT_ONCE} videos at once.")
    return Video.objects.visible_to(request.user).filter(pk__in=ids)


def _do(request: Request, videos: VideoQuerySet) -> str:
    deed = request.POST.get("do", "")
    if deed == "move":
        return _move(request, videos)
    if deed == "tag":
        return _tag(request, videos)
    if deed == "delete":
        return _delete(videos)
    raise Refused("Say what to do with them.")


def _move(request: Request, videos: VideoQuerySet) -> str:
    pk = request.POST.get("index", "")
    index = Index.objects.visible_to(request.user).filter(pk=pk).first() if pk.isalnum() else None
    if index is None:
        raise Refused("Choose the index to move them to.")
    # The key belongs to an upload into the old index; in the new one it might be another's.
    moved = videos.exclude(index=index).update(index=index, upload_key=None)
    return f"Moved {_videos(moved)} to {index.name}."


def _tag(request: Request, videos: VideoQuerySet) -> str:
    name = _clean(request.POST.get("tag", ""))
    if not name or len(name) > MAX_NAME:
        raise Refused(f"Give the tag a name of at most {MAX_NAME} characters.")
    found = list(videos)
    tag = Tag.objects.named(request.user, name)
    tag.videos.add(*found)
    return f"Tagged {_videos(len(found))} with {tag.name}."


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
    found = list(videos)
    for video in found:
        ingest.delete_video(video)
    return f"Deleted {_videos(len(found))}."


def _videos(number: int) -> str:
    return f"{number:,} video{'' if number == 1 else 's'}"


def _clean(text: str) -> str:
    """On one line, without control characters: Postgres takes no NUL."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
