"""/tasks: hand a video in, see how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from django.db import IntegrityError
from django.db.models import Count
from django.http import HttpResponse

from videos import ingest
from videos.api import ApiRequest, dialects, errors, indexes, limits, paging, params
from videos.api.endpoint import answer, done
from videos.api.paging import Filter
from videos.engines.base import Cue
from videos.forms import LANGUAGE_NAMES
from videos.ingest import Refused, Wishes
from videos.models import Index, Status, Task, Video
from videos.uploads import PartFile

FILTERS = {
    "_id": Filter("pk", paging.equal),
    "index_id": Filter("video__index_id", paging.equal),
    "status": Filter("status", paging.state),
    "filename": Filter("video__filename", paging.equal),
    "duration": Filter("video__duration_ms", paging.seconds),
    "width": Filter("video__width", paging.whole),
    "height": Filter("video__height", paging.whole),
    "created_at": Filter("created_at", paging.when),
    "updated_at": Filter("updated_at", paging.when),
    "estimated_time": Filter("finished_at", paging.when),
}
REFUSALS: dict[type[Refused], str] = {
    ingest.TooLong: "video_duration_too_long",
    ingest.UnknownLanguage: "parameter_invalid",
}
NO_FETCHING = "This server does not fetch URLs yet: send the file itself."


def find(request: ApiRequest, task_id: object) -> Task:
    tasks = Task.objects.visible_to(request.user).select_related("video")
    return params.find(tasks, task_id, "tasks")


@limits.counts_as_upload
def create(request: ApiRequest) -> HttpResponse:
    """Take a video. Parts that are not known are passed over: some SDKs send spare ones."""
    index = _index(request)
    _refuse_urls(request)
    wishes = _wishes(request)
    video = take(index, _file(request, "video_file"), wishes)
    return answer({"_id": video.tasks.get().pk, "video_id": video.pk}, status=201)


def take(index: Index, file: PartFile, wishes: Wishes) -> Video:
    """``ingest.accept`` with its refusals in the API's words."""
    if file.refusal:
        raise errors.ApiError(400, "video_filesize_too_large", file.refusal)
    return kept(index, partial(ingest.accept, index, file, wishes))


def kept(index: Index, keep: Callable[[], Video]) -> Video:
    """What ``keep`` puts into the index, which may be deleted meanwhile."""
    try:
        return keep()
    except Refused as refusal:
        raise in_words(refusal) from refusal
    except IntegrityError as error:
        raise errors.no_such(index.pk, "indexes") from error


def in_words(refusal: Refused) -> errors.ApiError:
    code = REFUSALS.get(type(refusal), "video_file_broken")
    return errors.ApiError(400, code, str(refusal))


def list_all(request: ApiRequest) -> HttpResponse:
    tasks = Task.objects.visible_to(request.user).select_related("video")
    found = paging.narrow(tasks, request.GET, FILTERS)
    return answer(paging.page(request.GET, found, dialects.task))


def status(request: ApiRequest) -> HttpResponse:
    if "index_id" not in request.GET:
        raise errors.required("index_id")
    index = indexes.find(request, request.GET["index_id"])
    of_index = Task.objects.filter(video__index=index).order_by()
    counts = dict(of_index.values_list("status").annotate(Count("pk")))
    return answer(dialects.task_counts(index.pk, counts))


def show(request: ApiRequest, task_id: str) -> HttpResponse:
    return answer(dialects.task(find(request, task_id)))


def video_id(request: ApiRequest, task_id: str) -> HttpResponse:
    """As the oldest guide asks."""
    return answer({"_id": find(request, task_id).video_id, "exist": True})


def delete(request: ApiRequest, task_id: str) -> HttpResponse:
    """A failed task goes with its video, unless that has another one. Others stay.

    A ready task goes when its video is deleted.
    """
    task = find(request, task_id)
    if task.status != Status.FAILED:
        why = "Delete its video first." if task.is_final else "It is still being worked on."
        message = f"The task cannot be deleted. {why}"
        raise errors.ApiError(400, "task_cannot_be_deleted", message)
    if task.video.tasks.exclude(pk=task.pk).exists():
        ingest.delete_task(task)
    else:
        ingest.delete_video(task.video)
    return done()


def _index(request: ApiRequest) -> Index:
    index_id = request.POST.get("index_id", "")
    if not index_id:
        raise errors.required("index_id")
    return indexes.find(request, index_id)


def _refuse_urls(request: ApiRequest) -> None:
    for name in ("video_url", "transcription_url"):
        if request.POST.get(name):
            raise errors.invalid(name, NO_FETCHING)


def _wishes(request: ApiRequest) -> Wishes:
    captions = request.FILES.get("transcription_file")
    return Wishes(
        language=_language(request),
        captions=_captions(request, cast("PartFile | None", captions)),
        captions_name=(captions.name or "") if captions else "",
        user_metadata=user_metadata(request),
    )


def _language(request: ApiRequest) -> str:
    language = request.POST.get("language", "").strip().lower()
    if language and language not in LANGUAGE_NAMES:
        raise errors.invalid("language", "It must be an ISO 639-1 code such as en.")
    return language


def _captions(request: ApiRequest, file: PartFile | None) -> Sequence[Cue]:
    provided = request.POST.get("provide_transcription", "")
    wanted = params.flag("provide_transcription", provided)
    if file is None:
        if wanted:
            raise errors.required("transcription_file")
        return ()
    if provided and not wanted:
        return ()
    try:
        return ingest.read_captions(file)
    except Refused as refusal:
        raise errors.invalid("transcription_file", str(refusal)) from refusal


def user_metadata(request: ApiRequest) -> dialects.Json:
    names = ("metadata", "user_metadata")
    given = {name: request.POST[name] for name in names if request.POST.get(name)}
    return params.merged({}, dialects.user_metadata(given))


def _file(request: ApiRequest, name: str) -> PartFile:
    """The part of this name and no other."""
    file = request.FILES.get(name)
    if file is None:
        raise errors.required(name)
    return cast("PartFile", file)
