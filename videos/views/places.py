"""Where a user stopped in a video, and what was played."""

from __future__ import annotations

from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from videos.forms import StopForm, first_fault
from videos.models import Place
from videos.views import Request, SeeOther
from videos.views.finding import find_video


@require_POST
def place(request: Request, video_id: str) -> HttpResponse:
    """The page says it now and then while it plays; nobody looks at the answer."""
    video = find_video(request, video_id)
    form = StopForm(video.duration_ms, request.POST)
    if not form.is_valid():
        return HttpResponse(first_fault(form)[1], status=400, content_type="text/plain")
    at, played = form.cleaned_data["at"], form.cleaned_data["played"]
    try:
        Place.objects.keep(request.user, video, at, played)
    except IntegrityError:  # deleted meanwhile: the page plays what it has loaded
        raise Http404 from None
    return HttpResponse(status=204)


@require_POST
def forget(request: Request, video_id: str) -> HttpResponse:
    video = find_video(request, video_id)
    Place.objects.filter(user=request.user, video=video).delete()
    return SeeOther(reverse("viewer", args=[video.pk]))
