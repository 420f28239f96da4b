"""Captions that somebody brings to a video that is here already."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from videos import ingest
from videos.models import Role
from videos.uploads import PartFile
from videos.views import Request, SeeOther
from videos.views.finding import find_video


@require_POST
def give(request: Request, video_id: str) -> HttpResponse:
    """An SRT, WebVTT or JSON file becomes the transcript that is shown; the earlier one is kept."""
    video = find_video(request, video_id, Role.EDITOR)
    file = request.FILES.get("captions")
    try:
        if not isinstance(file, PartFile):
            raise ingest.Refused("Choose an SRT, VTT or JSON file.")
        ingest.caption(video, ingest.read_captions(file), file.name or "")
    except ingest.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "These captions are the transcript now.")
    return SeeOther(reverse("viewer", args=[video.pk]))
