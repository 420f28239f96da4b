"""/tasks: hand a video in, see how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from django.db import IntegrityError
from django.db.models import Count
from django.http import HttpResponse

from videos import admission, fetcher, ingest
from videos.admission import NoRoom, Refused
from videos.api import ApiRequest, dialects, errors, indexes, limits, paging, params
from videos.api.endpoint import answer, done
from videos.api.paging import Filter
from videos.engines.base import Cue
from videos.forms import LANGUAGE_NAMES
from videos.ingest import Wishes
from videos.models import Asset, Index, Role, Status, Task, Video
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
BROKEN = (400, "video_file_broken")
REFUSALS: dict[type[Refused], tuple[int, str]] = {
    admission.Passing: (503, "upload_busy"),
    admission.Crowded: (503, "upload_busy"),
    admission.NoRoom: (507, "insufficient_storage"),
    admission.TooLarge: (400, "video_filesize_too_large"),
    admission.TooLong: (400, "video_duration_too_long"),
    ingest.UnknownLanguage: (400, "parameter_invalid"),
}


def find(request: ApiRequest, task_id: object) -> Task:
    """The task with its video and the caller's role. Raises ApiError 404."""
    tasks = Task.objects.visible_to(request.user).with_role(request.user).select_related("video")
    return params.find(tasks, task_id, "tasks")


@limits.counts_as_upload
def create(request: ApiRequest) -> HttpResponse:
    """Take a video, or the address of one, which is fetched later: clients wait a minute at most.

    Parts that are not known are passed over: some SDKs send spare ones, and a file named
    ``video_url`` beside the field of that name. Of a file and an address the address wins.
    """
    index = _index(request)
    url = address(request, "video_url")
    wishes = _wishes(request)
    if url:
        video = kept(index, partial(ingest.accept_url, index, url, wishes))
    else:
        file = _file(request, "video_file")
        video = kept(index, partial(ingest.accept, index, file, wishes))
    return answer({"_id": video.tasks.get().pk, "video_id": video.pk}, status=201)


def kept(index: Index, keep: Callable[[], Video], asset: Asset | None = None) -> Video:
    """What ``keep`` puts into the index, which may be deleted meanwhile; so may the asset."""
    try:
        return keep()
    except Refused as refusal:
        raise in_words(refusal) from refusal
    except IntegrityError as error:
        if asset and Index.objects.filter(pk=index.pk).exists():
            raise errors.no_such(asset.pk, "assets") from error
        raise errors.no_such(index.pk, "indexes") from error


def in_words(refusal: Refused) -> errors.ApiError:
    status, code = REFUSALS.get(type(refusal), BROKEN)
    return errors.ApiError(status, code, str(refusal))


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
    task.require(Role.OWNER)
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
    return indexes.find(request, index_id, Role.EDITOR)


def address(request: ApiRequest, name: str) -> str:
    """A field with a web address that may be called, or an empty string."""
    url = request.POST.get(name, "").strip()
    if url and (why := fetcher.refusal(url)):
        raise errors.invalid(name, why)
    return url


def _wishes(request: ApiRequest) -> Wishes:
    """Some clients send ``transcription_url`` without saying that they provide one."""
    provided = request.POST.get("provide_transcription", "")
    wanted = params.flag("provide_transcription", provided)
    url = address(request, "transcription_url")
    file = cast("PartFile | None", request.FILES.get("transcription_file"))
    if wanted and not url and file is None:
        raise errors.required("transcription_file")
    if provided and not wanted:
        url, file = "", None
    if url:
        file = None
    return Wishes(
        language=_language(request),
        captions=captions(file) if file else (),
        captions_name=fetcher.file_name(url) if url else (file.name or "") if file else "",
        captions_url=url,
        user_metadata=user_metadata(request),
    )


def _language(request: ApiRequest) -> str:
    language = request.POST.get("language", "").strip().lower()
    if language and language not in LANGUAGE_NAMES:
        raise errors.invalid("language", "It must be an ISO 639-1 code such as en.")
    return language


def captions(file: PartFile) -> Sequence[Cue]:
    try:
        return admission.read_captions(file)
    except NoRoom as refusal:
        raise in_words(refusal) from refusal
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
