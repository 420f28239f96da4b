"""Stop a task, take it up again, or ask for another."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from videos import ingest
from videos.admission import Refused
from videos.forms import AgainForm, all_faults
from videos.models import Role, Task, Video
from videos.views import Request, SeeOther
from videos.views.finding import find_video
from videos.views.state import latest_task
from videos.views.viewer import progress_partial


@require_POST
def cancel(request: Request, video_id: str) -> HttpResponse:
    return _change(request, video_id, ingest.cancel)


@require_POST
def retry(request: Request, video_id: str) -> HttpResponse:
    return _change(request, video_id, ingest.try_again)


@require_POST
def again(request: Request, video_id: str) -> HttpResponse:
    """Transcribe the video once more; its transcript stays until the new one is ready."""
    video = find_video(request, video_id, Role.EDITOR)
    refusal = _transcribe(video, AgainForm(video.index, request.POST))
    if refusal and not request.htmx:
        messages.error(request, refusal)
    return _show(request, video, refusal)


def _transcribe(video: Video, form: AgainForm) -> str:
    """Why it cannot be done, or an empty string."""
    if not form.is_valid():
        return all_faults(form)
    try:
        ingest.transcribe_again(video, form.cleaned_data["engine"], form.cleaned_data["language"])
    except Refused as refusal:
        return str(refusal)
    return ""


def _change(request: Request, video_id: str, change: Callable[[Task], bool]) -> HttpResponse:
    """Do it to the video's newest task. Coming too late is no fault: the page shows what is."""
    video = find_video(request, video_id, Role.EDITOR)
    if task := latest_task(video):
        change(task)
    return _show(request, video)


def _show(request: Request, video: Video, refusal: str = "") -> HttpResponse:
    if not request.htmx:
        return SeeOther(reverse("viewer", args=[video.pk]))
    return progress_partial(request, find_video(request, video.pk), request.POST, refusal)
