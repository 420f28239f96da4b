"""A large file from a page, part by part: what breaks off goes on when the file is chosen again.

The API's chunks are the same thing (``videos.multipart``). Here the session says who sends, and
what is whole becomes a video as the form makes one.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from videos import ingest, multipart
from videos.admission import Crowded, Refused
from videos.forms import CaptionedForm, PartsForm
from videos.models import Upload, Video
from videos.models.upload import UploadQuerySet
from videos.views import Request, back
from videos.views.uploads import Result, refuse_place, take, wishes_of


@require_POST
def begin(request: Request) -> JsonResponse:
    """Where to send the parts of a file, how long each is, and which of them are here already."""
    form = PartsForm(request.user, request.POST)
    try:
        if sentence := refuse_place(form):
            raise Refused(sentence)
        given = form.cleaned_data
        upload = multipart.go_on(request.user, given["name"], given["size"], given["modified"])
    except Refused as refusal:
        return _refused(str(refusal))
    return JsonResponse(
        {
            "ok": True,
            "id": upload.pk,
            "url": f"{reverse('parts')}{upload.pk}/",
            "part_bytes": upload.chunk_bytes,
            "missing": multipart.missing(upload),
        },
        status=201,
    )


def _refused(sentence: str) -> JsonResponse:
    """With 200, since a browser logs anything else as a fault of the page."""
    return JsonResponse({"ok": False, "message": sentence})


def _find(request: Request, parts_id: str) -> Upload:
    return get_object_or_404(_mine(request), pk=parts_id)


def _mine(request: Request) -> UploadQuerySet:
    return Upload.objects.of_page(request.user).active().select_related("asset")


@require_http_methods(["PUT"])
def write(request: Request, parts_id: str, number: int) -> HttpResponse:
    """Take one part; it may come again."""
    upload = _find(request, parts_id)
    if not 1 <= number <= upload.total_chunks:
        return _refused(f"This file has {upload.total_chunks} parts.")
    try:
        multipart.write(upload, number, request)
    except Refused as refusal:
        return _refused(str(refusal))
    multipart.prolong(upload)
    return JsonResponse({"ok": True})


@require_POST
def finish(request: Request, parts_id: str) -> HttpResponse:
    """Make a video of a file all of whose parts are here; asked again it gives the same one.

    503 while the file is busy, or the server with those of others. What is refused for its
    captions or its place is kept: it need not be sent again.
    """
    upload = _mine(request).filter(pk=parts_id).first()  # before the video that ends it
    done = Video.objects.visible_to(request.user).filter(upload_key=parts_id).first()
    if done:
        if upload:  # whoever made the video was killed before it could discard what was sent
            multipart.discard(upload)
        return _answer(Result(done.filename, done))
    if upload is None:
        raise Http404
    form = CaptionedForm(request.user, request.POST, request.FILES)
    if not form.is_valid():
        return _refused(refuse_place(form))
    if absent := multipart.missing(upload):
        return _refused(f"{len(absent)} parts of this file are not here.")
    try:
        return _answer(_make(upload, form))
    except (Crowded, multipart.Busy, FileNotFoundError):
        # Discarded meanwhile, perhaps: there is no upload next time.
        return HttpResponse(status=503, headers={"Retry-After": "1"})
    except Refused as refusal:
        return _refused(str(refusal))


def _make(upload: Upload, form: CaptionedForm) -> Result:
    captions = next(iter(form.cleaned_data["captions"]), None)
    wishes = wishes_of(captions, form.cleaned_data["language"], upload.pk)
    ingest.first_task(form.target(), wishes)  # refused before the file is looked at, and dropped
    with multipart.whole(upload) as file:
        result = take(form.target(), file, wishes)
        multipart.discard(upload)
    return result


def _answer(result: Result) -> JsonResponse:
    return JsonResponse(result.as_json(), status=201 if result.video else 200)


@require_POST
def discard(request: Request, parts_id: str) -> HttpResponse:
    """Forget what was sent so far."""
    upload = _find(request, parts_id)
    multipart.discard(upload)
    if not request.accepts("text/html"):
        return JsonResponse({"ok": True})
    messages.success(request, f"Discarded what was sent of {upload.filename}.")
    return back(request, reverse("upload"))
