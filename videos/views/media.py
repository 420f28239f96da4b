"""The bytes of videos and their posters, for those who may see them."""

from __future__ import annotations

from hashlib import sha256

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from videos import storage, streaming
from videos.exports import Line, subtitles
from videos.models import Segment, Video
from videos.views import errors

DAY, ASK_AGAIN = "private, max-age=86400", "private, no-cache"
# Whatever lies in the file, it runs nothing on this site's origin.
SANDBOX = "sandbox; default-src 'none'"
AWAY = "The file of this video is not here yet."
GONE = "The file of this video is missing on this server. Its transcript is still here."


@require_safe
def media(request: HttpRequest, video_id: str) -> HttpResponseBase:
    """Send the video as it was uploaded, any stretch of it; ``?download`` saves it."""
    video = get_object_or_404(Video.objects.visible_to(request.user), pk=video_id)
    if not video.sha256:
        return errors.page(request, 404, AWAY)
    path = storage.media_path(video.media_name)
    try:
        response = streaming.serve(request, path, video.content_type, video.sha256)
    except FileNotFoundError:
        return errors.page(request, 410, GONE)  # the video itself is there
    attachment = "download" in request.GET
    response["Content-Disposition"] = streaming.disposition(video.filename, attachment=attachment)
    return guarded(response)


@require_safe
def poster(request: HttpRequest, video_id: str) -> HttpResponseBase:
    video = get_object_or_404(
        Video.objects.visible_to(request.user).only("id", "index_id"), pk=video_id
    )
    try:
        picture = video.poster_path.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(picture, content_type="image/jpeg")
    return guarded(response)


@require_safe
@gzip_page
def captions(request: HttpRequest, video_id: str) -> HttpResponseBase:
    """The transcript that is shown, for the player; asked for again after each correction."""
    videos = Video.objects.visible_to(request.user).select_related("transcript")
    video = get_object_or_404(videos, pk=video_id)
    segments = Segment.objects.filter(task=video.transcript or video.tasks.first())
    said = segments.order_by("number").values_list("start_ms", "end_ms", "text")
    body = subtitles.captions(Line(*row) for row in said).encode()
    response = HttpResponse(body, content_type="text/vtt; charset=utf-8")
    return guarded(tagged(request, response, sha256(body).hexdigest()[:32]), cache=ASK_AGAIN)


def tagged(request: HttpRequest, response: HttpResponse, etag: str) -> HttpResponseBase:
    """The answer, or 304 for who has it already."""
    response["ETag"] = f'"{etag}"'
    return get_conditional_response(request, response["ETag"], None, response) or response


def guarded(response: HttpResponseBase, cache: str = DAY) -> HttpResponseBase:
    """Bytes that somebody sent, or that were made of them."""
    response["Content-Security-Policy"] = SANDBOX
    response["Cache-Control"] = cache
    return response
