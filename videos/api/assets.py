"""/assets and /indexes/{id}/indexed-assets: upload once, then put into indexes."""

from __future__ import annotations

from functools import partial
from typing import cast

from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpResponse

from videos import ingest
from videos.admission import Refused
from videos.api import ApiRequest, dialects, errors, indexes, limits, paging, params, tasks, videos
from videos.api.endpoint import answer, done
from videos.api.paging import Filter
from videos.ingest import Wishes
from videos.models import Asset, Role, Status, Task, Video
from videos.models.video import VideoQuerySet
from videos.uploads import PartFile

TYPES = ("image", "video", "audio", "document")
INCLUDES = ("words", "sentences", "utterances")


def of_type(field: str, side: str, name: str, value: str) -> Q:
    if value not in TYPES:
        raise errors.invalid(name, f"It may be {', '.join(TYPES)}.")
    return Q(**{f"{field}__startswith": f"{value}/"})


FILTERS = {
    "asset_ids": Filter("pk", paging.equal),
    "asset_types": Filter("content_type", of_type),
    "filename": Filter("filename", paging.containing),
}
INDEXED_FILTERS = {
    **videos.FILTERS,
    "status": Filter("shown_status", paging.state),
    "asset_id": Filter("asset_id", paging.equal),
}


def find(request: ApiRequest, asset_id: object) -> Asset:
    return params.find(Asset.objects.visible_to(request.user), asset_id, "assets")


@limits.counts_as_upload
def create(request: ApiRequest) -> HttpResponse:
    name = params.text("filename", request.POST.get("filename", ""), 255)
    own = tasks.user_metadata(request)
    url = tasks.address(request, "url")
    if not url and request.POST.get("method") == "url":
        raise errors.required("url")
    if url:
        asset = ingest.accept_asset_url(request.user, url, name, own)
    else:
        asset = _take(request, name, own)
    return answer(dialects.asset(asset), status=201)


def _take(request: ApiRequest, name: str, user_metadata: dialects.Json) -> Asset:
    file = cast("PartFile | None", request.FILES.get("file"))
    if file is None:
        raise errors.required("file")
    try:
        return ingest.accept_asset(request.user, file, name, user_metadata)
    except Refused as refusal:
        raise tasks.in_words(refusal) from refusal


def list_all(request: ApiRequest) -> HttpResponse:
    assets = Asset.objects.visible_to(request.user)
    found = paging.narrow(assets, request.GET, FILTERS)
    return answer(paging.page(request.GET, found, dialects.asset))


def show(request: ApiRequest, asset_id: str) -> HttpResponse:
    return answer(dialects.asset(find(request, asset_id)))


def delete(request: ApiRequest, asset_id: str) -> HttpResponse:
    """Videos that were made of it stay; they keep the bytes. Those in an index that is shared no
    more hold nothing up: the caller could not delete them.
    """
    asset = find(request, asset_id)
    force = params.flag("force", request.GET.get("force", ""))
    if not force and Video.objects.visible_to(request.user).filter(asset=asset).exists():
        message = "The asset is used in an index. Delete it there first, or use force=true."
        raise errors.ApiError(409, "asset_in_use", message)
    ingest.delete_asset(asset)
    return done()


def replace_metadata(request: ApiRequest, asset_id: str) -> HttpResponse:
    return _keep_metadata(request, asset_id, _metadata(request, asset_id))


def update_metadata(request: ApiRequest, asset_id: str) -> HttpResponse:
    return _keep_metadata(request, asset_id, _metadata(request, asset_id), merge=True)


def delete_metadata(request: ApiRequest, asset_id: str) -> HttpResponse:
    return _keep_metadata(request, asset_id, {})


def _metadata(request: ApiRequest, asset_id: str) -> dialects.Json:
    find(request, asset_id)  # what is wrong with the words is for who may see what they are for
    body = params.body(request, ["user_metadata"])
    if "user_metadata" not in body:
        raise errors.required("user_metadata")
    return params.metadata("user_metadata", body["user_metadata"])


def _keep_metadata(
    request: ApiRequest, asset_id: str, new: dialects.Json, *, merge: bool = False
) -> HttpResponse:
    """Merging two clients' words at once, the second waits here and loses none of the first's."""
    with transaction.atomic():
        mine = Asset.objects.visible_to(request.user).select_for_update()
        asset = params.find(mine, asset_id, "assets")
        asset.user_metadata = params.merged(asset.user_metadata if merge else {}, new)
        asset.save(update_fields=["user_metadata", "updated_at"])
    return done()


def transcription(request: ApiRequest, asset_id: str) -> HttpResponse:
    """What the newest video that was made of the asset shows, or how far it is."""
    asset = find(request, asset_id)
    wanted = _includes(request)
    visible = Task.objects.visible_to(request.user).filter(video__asset=asset)
    made = visible.order_by("-video__created_at", "-created_at")
    shown, ready = made.filter(pk=F("video__transcript_id")), made.filter(status=Status.READY)
    task = shown.first() or ready.first() or made.first()
    if task is None:
        message = f"The asset {asset.pk} has no transcription: no index holds it."
        raise errors.ApiError(404, "resource_not_exists", message)
    return answer(dialects.asset_transcription(task, wanted))


def _includes(request: ApiRequest) -> list[str]:
    given = [name for text in request.GET.getlist("include") for name in text.split(",") if name]
    if strange := set(given) - set(INCLUDES):
        raise errors.invalid("include", f"Unknown: {sorted(strange)[0][:50]}.")
    return given or ["words"]


def uses(request: ApiRequest, asset_id: str) -> HttpResponse:
    """Where the caller may see it: not in another's index that is shared no more."""
    visible = Video.objects.visible_to(request.user).select_related("index")
    made = visible.filter(asset=find(request, asset_id))
    found = paging.narrow(made, request.GET, {})
    return answer(paging.page(request.GET, found, dialects.asset_use))


# --- in an index ---


@limits.counts_as_upload
def index_create(request: ApiRequest, index_id: str) -> HttpResponse:
    index = indexes.find(request, index_id, Role.EDITOR)
    body = params.body(request, ("asset_id", "enable_video_stream", "user_metadata"))
    if "asset_id" not in body:
        raise errors.required("asset_id")
    asset = find(request, body["asset_id"])
    if not asset.sha256:
        raise errors.ApiError(400, "asset_not_ready", "The asset has no bytes yet, or is broken.")
    own = params.merged(asset.user_metadata, dialects.user_metadata(_only_metadata(body)))
    wishes = Wishes(user_metadata=own)
    video = tasks.kept(index, partial(ingest.index_asset, index, asset, wishes), asset)
    response = answer({"_id": video.pk, "asset_id": asset.pk}, status=202)
    response["Location"] = f"{request.path}/{video.pk}"
    return response


def _only_metadata(body: dialects.Json) -> dialects.Json:
    return {"user_metadata": body["user_metadata"]} if "user_metadata" in body else {}


def index_list(request: ApiRequest, index_id: str) -> HttpResponse:
    """All that were put in, whatever became of them."""
    inside = with_status(with_tasks(videos.with_fps(videos.all_in(request, index_id))))
    found = paging.narrow(inside, request.GET, INDEXED_FILTERS, videos.by_user_metadata)
    return answer(paging.page(request.GET, found, dialects.indexed_asset))


def index_show(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    inside = with_tasks(videos.all_in(request, index_id))
    video = params.find(inside, video_id, "indexed-assets")
    return answer(videos.shown(request, video) | {"status": dialects.indexed_status(video)})


def with_status(found: VideoQuerySet) -> VideoQuerySet:
    """As ``dialects.indexed_status`` tells it."""
    newest = Task.objects.filter(video=OuterRef("pk")).values("status")[:1]
    otherwise = Coalesce(newest, Value(Status.FAILED))
    ready = When(transcript__isnull=False, then=Value(Status.READY))
    return found.annotate(shown_status=Case(ready, default=otherwise))


def with_tasks(found: VideoQuerySet) -> VideoQuerySet:
    return found.prefetch_related("tasks")
