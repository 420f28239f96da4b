"""The bytes of videos and their posters, for those who may see them."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from videos import storage, streaming
from videos.models import Video
from videos.views import errors

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
        return errors.page(request, 404, GONE)
    attachment = "download" in request.GET
    response["Content-Disposition"] = streaming.disposition(video.filename, attachment=attachment)
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=86400"
    return response


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
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=86400"
    return response
