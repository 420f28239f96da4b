"""Captions that somebody brings to a video that is here already."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from videos import admission, ingest
from videos.admission import Refused
from videos.forms import label, stem_of
from videos.models import Role, Video
from videos.uploads import PartFile
from videos.views import Request, SeeOther
from videos.views.finding import find_video


@require_POST
def give(request: Request, video_id: str) -> HttpResponse:
    """An SRT, WebVTT or JSON file becomes the transcript that is shown; the earlier one is kept."""
    video = find_video(request, video_id, Role.EDITOR)
    try:
        _use(request, video)
    except Refused as refusal:
        return _said(request, video, str(refusal), ok=False)
    return _said(request, video, "These captions are the transcript now.", ok=True)


def _use(request: Request, video: Video) -> None:
    file = request.FILES.get("captions")
    if not isinstance(file, PartFile):
        raise Refused("Choose an SRT, VTT or JSON file.")
    ingest.caption(video, admission.read_captions(file), file.name or "")


def _said(request: Request, video: Video, sentence: str, *, ok: bool) -> HttpResponse:
    """For a page that sent a dropped file 200 whether it is taken or not: browsers log others."""
    if not request.accepts("text/html"):
        return JsonResponse({"ok": ok, "message": sentence})
    (messages.success if ok else messages.error)(request, sentence)
    return SeeOther(reverse("viewer", args=[video.pk]))


@never_cache
@require_safe
def owner(request: Request) -> JsonResponse:
    """Which video that this user may change a captions file ``?name=`` is for: the newest of the
    same name before the dot, first of those of the page's own ``?index=``. Null when there is none.
    """
    stem = stem_of(request.GET.get("name", "").replace("\0", ""))[:255]
    visible = Video.objects.visible_to(request.user).with_role(request.user)
    visible = visible.select_related("index__owner")
    named = visible.filter(filename__istartswith=f"{stem}.").order_by("-created_at")
    same = [each for each in named if each.may_edit and _is_named(each, stem)] if stem else []
    here = request.GET.get("index")
    video = min(same, key=lambda each: each.index_id != here, default=None)
    return JsonResponse({"video": video and _shown(video)})


def _is_named(video: Video, stem: str) -> bool:
    return stem_of(video.filename).casefold() == stem.casefold()


def _shown(video: Video) -> dict[str, str]:
    give_url, url = (reverse(name, args=[video.pk]) for name in ("give_captions", "viewer"))
    video.index.role, video.index.owner_name = video.role, video.index.owner.get_username()
    return {"name": video.name, "index": label(video.index), "url": url, "give": give_url}
