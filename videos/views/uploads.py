"""The upload form: with JavaScript one file a request, without it all of them in one."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from videos import admission, engines, ingest, multipart, pipeline, storage
from videos.admission import Passing, Refused
from videos.forms import AddressForm, PlaceForm, UploadForm, pair
from videos.ingest import Wishes
from videos.models import Index, Upload, Video
from videos.uploads import PartFile, refuse_size
from videos.views import Request, SeeOther

ENGINE_SECONDS = 60  # whether a model can be fetched is asked of the network: not on every page


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file: a video, or a sentence that says why not."""

    name: str
    video: Video | None = None
    sentence: str = ""
    may_pass: bool = False  # the same file may be taken a little later

    def as_json(self) -> dict[str, object]:
        url = reverse("viewer", args=[self.video.pk]) if self.video else ""
        return {
            "name": self.name,
            "ok": self.video is not None,
            "message": self.sentence,
            "again": self.may_pass,
            "id": self.video.pk if self.video else "",
            "url": url,
        }


@dataclass(frozen=True, slots=True)
class EngineNotice:
    """Which engine will listen, and why it is not a better one."""

    label: str
    model: str
    notice: str


def engine_notice(chosen: str = "") -> EngineNotice:
    """About the engine ``chosen`` by an index, or the one that is taken when none was."""
    config = pipeline.engine_config()
    name, notice = chosen or settings.DEFAULT_ENGINE, ""
    if not name:
        name, notice = cache.get_or_set(  # type: ignore[misc]
            "default-engine", lambda: engines.default(config), ENGINE_SECONDS
        )
    if not engines.is_known(name):
        return EngineNotice(name, "", "This engine is not known here: choose another one.")
    engine = engines.get(name)
    if name in engines.CLOUD:
        notice = "Your videos are sent to this service."
    return EngineNotice(engine.label, engine.model(config), notice)


def upload_context(
    request: Request, index: Index | None = None, form: UploadForm | None = None
) -> dict[str, Any]:
    """What _upload.html needs, on whichever page it stands."""
    chosen = index.pk if index else None
    key = secrets.token_urlsafe(24)
    return {
        "upload_form": form
        or UploadForm(request.user, initial={"index": chosen, "upload_key": key}),
        "engine": engine_notice(index.engine if index else ""),
        "max_bytes": settings.MAX_UPLOAD_BYTES,
        "max_files": settings.MAX_FILES_AT_ONCE,
        "max_length": _length(settings.MAX_VIDEO_MS / 3_600_000),
        "free_bytes": max(0, storage.free_bytes()),
        "parts_from": multipart.PARTS_FROM_BYTES,
        "interrupted": Upload.objects.of_page(request.user).active().with_sent_bytes(),
    }


def _length(hours: float) -> str:
    return f"{hours:g} hour{'' if hours == 1 else 's'}"


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: Request) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    form = UploadForm(request.user, request.POST, request.FILES)
    if not form.is_valid():
        return _refuse(request, form)
    results = _take_all(form, form.target())
    if request.accepts("text/html"):
        return _answer_page(request, form, results)
    # 200 for refused files too: each has its own answer, and a browser logs others as faults.
    status = 201 if any(result.video for result in results) else 200
    return JsonResponse({"results": [result.as_json() for result in results]}, status=status)


def _page(
    request: Request, form: UploadForm | None = None, url_form: AddressForm | None = None
) -> HttpResponse:
    """The page with both forms; one that is given holds what is wrong with it."""
    context = upload_context(request, form=form)
    if settings.FETCH_URLS:
        fresh = AddressForm(request.user, initial={"upload_key": secrets.token_urlsafe(24)})
        context["url_form"] = url_form or fresh
    return render(request, "videos/upload.html", context, status=400 if form or url_form else 200)


@require_POST
def upload_url(request: Request) -> HttpResponse:
    """Start a task for a file that lies elsewhere; it is fetched after this answer."""
    form = AddressForm(request.user, request.POST)
    if form.is_valid():
        try:
            video = _accept_url(form)
            return SeeOther(reverse("viewer", args=[video.pk]))
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return _page(request, url_form=form)


def _accept_url(form: AddressForm) -> Video:
    given = form.cleaned_data
    # Whoever goes back and corrects the address sends the same form with another one.
    address = hashlib.sha256(given["url"].encode()).hexdigest()[:12]
    key = given["upload_key"] and f"{given['upload_key']}-{address}"
    wishes = Wishes(language=given["language"], upload_key=key or None)
    index = form.target()
    if not index.created_at:
        ingest.first_task(index, wishes)  # refused before an index is made for it
        index = Index.objects.get_or_create(owner=index.owner, name=index.name)[0]
    return ingest.accept_url(index, given["url"], wishes)


@require_safe
def upload_check(request: Request) -> JsonResponse:
    """Would a file of ``?size=`` bytes be taken now, in ``?language=`` into that index?

    Asked before its bytes are sent.
    """
    size = request.GET.get("size", "")
    if not (size.isascii() and size.isdigit() and len(size) < 20):
        return JsonResponse({"ok": False, "message": "Say the file's size in bytes."}, status=400)
    message = "This file is empty." if int(size) == 0 else refuse_size(int(size), copies=2)
    message = message or refuse_place(PlaceForm(request.user, request.GET))
    return JsonResponse({"ok": not message, "message": message})


def refuse_place(form: PlaceForm) -> str:
    """What is wrong with the form, or why the index's engine cannot listen; or nothing."""
    if not form.is_valid():
        return _words(form)
    language = form.cleaned_data["language"]
    try:
        index = form.target()
        if language or index.engine:  # else it is the default one, which refuses nothing
            ingest.first_task(index, Wishes(language=language))
    except Refused as refusal:
        return str(refusal)
    return ""


def _take_all(form: UploadForm, index: Index) -> list[Result]:
    """Each file by itself: one that is refused does not cost the others."""
    given = form.cleaned_data
    pairs, strangers = pair(given["file"], given["captions"])
    results = []
    for number, (file, captions) in enumerate(pairs):
        key = given["upload_key"] and f"{given['upload_key']}-{number}"
        result = _take(index, file, captions, given["language"], key)
        index = result.video.index if result.video else index
        results.append(result)
    for file in strangers:
        sentence = "These captions belong to none of the files: give both the same name."
        results.append(Result(file.name or "captions", sentence=sentence))
    return results


def _words(form: PlaceForm) -> str:
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


def _take(
    index: Index, file: PartFile, captions: PartFile | None, language: str, key: str
) -> Result:
    try:
        return take(index, file, wishes_of(captions, language, key))
    except Refused as refusal:
        passing = isinstance(refusal, Passing)
        return Result(file.name or "video", sentence=str(refusal), may_pass=passing)


def wishes_of(captions: PartFile | None, language: str, key: str) -> Wishes:
    """What was said with a file. Raises Refused for captions that are none."""
    return Wishes(
        language=language,
        captions=admission.read_captions(captions) if captions else (),
        captions_name=(captions.name or "") if captions else "",
        upload_key=key or None,
    )


def take(index: Index, file: PartFile, wishes: Wishes) -> Result:
    """Make a video of it, and its index if that is new. Raises Passing: it may be asked again."""
    name = file.name or "video"
    try:
        return Result(name, ingest.accept(_home(index, file, wishes), file, wishes))
    except Passing:
        raise
    except Refused as refusal:
        return Result(name, sentence=str(refusal))


def _home(index: Index, file: PartFile, wishes: Wishes) -> Index:
    """The index, which is made now if it is new: only for a file that will be taken.

    Raises Refused. The file is looked at first, and once: an empty index that had to be taken
    back could be another upload's home by then.
    """
    if index.created_at:
        return index
    admission.require_bytes(file)
    ingest.first_task(index, wishes)
    admission.look_at(file.path)
    return Index.objects.get_or_create(owner=index.owner, name=index.name)[0]


def _refuse(request: Request, form: UploadForm) -> HttpResponse:
    if not request.accepts("text/html"):
        return JsonResponse({"results": [{"ok": False, "message": _words(form)}]}, status=400)
    return _page(request, form)


def _answer_page(request: Request, form: UploadForm, results: list[Result]) -> HttpResponse:
    """To the video when there is one; else to the index, with a word about each file."""
    if len(results) == 1:
        video = results[0].video
        if video:
            return SeeOther(reverse("viewer", args=[video.pk]))
        form.add_error("file", f"{results[0].name}: {results[0].sentence}")
        return _refuse(request, form)
    for result in results:
        if result.video:
            messages.success(request, f"{result.name} was taken.")
        else:
            messages.error(request, f"{result.name} was refused: {result.sentence}")
    homes = [result.video.index_id for result in results if result.video]
    return SeeOther(reverse("index", args=homes[:1]) if homes else reverse("upload"))
