"""/assets/multipart-uploads: a file in chunks, for what one request is too small for."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from videos import multipart
from videos.admission import NoRoom, Passing, Refused
from videos.api import ApiRequest, dialects, errors, limits, paging, params, tasks, version_of
from videos.api.endpoint import answer
from videos.models import Upload

SALT = "videos.api.multipart"
URL_SECONDS = 3600
FIRST_URLS = 10
MAX_URLS = 50
KEYS = ("filename", "type", "total_size", "enable_hls", "enable_thumbnail", "user_metadata")


def find(request: ApiRequest, upload_id: object) -> Upload:
    uploads = Upload.objects.visible_to(request.user).select_related("asset")
    return params.find(uploads, upload_id, "multipart-uploads")


@limits.counts_as_upload
def create(request: ApiRequest) -> HttpResponse:
    body = params.body(request, KEYS)
    filename = params.text("filename", body.get("filename", ""), 255)
    if not filename:
        raise errors.required("filename")
    size = _whole(body, "total_size", 10**15)
    own = params.merged({}, params.metadata("user_metadata", body.get("user_metadata", {})))
    try:
        upload = multipart.begin(request.user, filename, size, own)
    except Refused as refusal:
        raise tasks.in_words(refusal) from refusal
    urls = _urls(request, upload, 1, FIRST_URLS)
    return answer(dialects.upload_begun(upload, urls), status=201)


def list_all(request: ApiRequest) -> HttpResponse:
    """Those that may still be finished."""
    uploads = Upload.objects.visible_to(request.user).active().select_related("asset")
    reported = Count("chunks", filter=Q(chunks__reported=True))
    found = paging.narrow(uploads.annotate(reported=reported), request.GET, {})
    return answer(
        paging.page(
            request.GET, found, lambda row: dialects.upload(row, getattr(row, "reported", 0))
        )
    )


def show(request: ApiRequest, upload_id: str) -> HttpResponse:
    """With all its chunks, those that are not here too: clients take them for the whole."""
    upload = find(request, upload_id)
    here = dict(upload.chunks.values_list("number", "reported"))
    reported = sum(here.values())
    part, info = paging.cut(request.GET, upload.total_chunks)
    return answer(
        {
            **dialects.upload(upload, reported),
            "uploaded_size": sum(map(upload.bytes_of, here)),
            "uploaded_chunks": _chunks(upload, range(1, upload.total_chunks + 1)[part]),
            "chunks_completed": reported,
            "chunks_failed": 0,
            "chunks_pending": upload.total_chunks - reported,
            "page_info": info,
        }
    )


def _chunks(upload: Upload, numbers: range) -> list[dialects.Json]:
    here = {chunk.number: chunk for chunk in upload.chunks.filter(number__in=numbers)}
    return [dialects.chunk(n, upload.bytes_of(n), here.get(n)) for n in numbers]


def more_urls(request: ApiRequest, upload_id: str) -> HttpResponse:
    upload = _active(find(request, upload_id))
    body = params.body(request, ("start", "count"))
    start = _whole(body, "start", upload.total_chunks)
    urls = _urls(request, upload, start, _whole(body, "count", MAX_URLS))
    found = {"upload_id": upload.pk, "start_index": start, "count": len(urls), "upload_urls": urls}
    now = timezone.now()
    return answer(found | {"generated_at": dialects.moment(now), "expires_at": _expiry()})


def write(request: HttpRequest, upload_id: str, number: int) -> HttpResponse:
    """Take the bytes of a chunk from whoever was given its address."""
    token = request.GET.get("signature", "")
    try:
        if signing.loads(token, salt=SALT, max_age=URL_SECONDS) != [upload_id, number]:
            raise signing.BadSignature
    except signing.BadSignature:
        raise errors.ApiError(403, "url_not_valid", "This address is wrong or too old.") from None
    upload = _active(params.find(Upload.objects.all(), upload_id, "multipart-uploads"))
    try:
        etag = multipart.write(upload, number, request)
    except NoRoom as refusal:
        raise tasks.in_words(refusal) from refusal
    except Refused as refusal:
        raise errors.ApiError(400, "chunk_refused", str(refusal)) from refusal
    response = HttpResponse(status=200, content_type="text/plain")
    response["ETag"] = f'"{etag}"'
    return response


def report(request: ApiRequest, upload_id: str) -> HttpResponse:
    """Hear which chunks arrived. With the last of them the asset is checked and ready."""
    upload = find(request, upload_id)
    proofs = _proofs(params.body(request, ["completed_chunks"]).get("completed_chunks"), upload)
    if upload.status == Upload.ACTIVE:
        _active(upload)
    try:
        new, known = multipart.report(upload, proofs)
    except Refused as refusal:
        raise errors.invalid("completed_chunks", str(refusal)) from refusal
    if upload.status == Upload.ACTIVE:
        _complete(upload)
    upload = find(request, upload_id)  # its asset may have been deleted meanwhile
    found = {
        "processed_chunks": new,
        "duplicate_chunks": known,
        "total_completed": upload.chunks.filter(reported=True).count(),
        "asset_id": upload.asset_id,
    }
    if upload.status == Upload.COMPLETED:
        path = f"/{version_of(request.path_info)}/assets/{upload.asset_id}"
        found["url"] = request.build_absolute_uri(path)
    return answer(found)


def _complete(upload: Upload) -> None:
    try:
        multipart.complete(upload)
    except multipart.Busy:
        raise errors.ApiError(503, "upload_busy", "The file is in use: report again.") from None
    except Passing as refusal:
        raise errors.ApiError(503, "upload_busy", f"{refusal} Report again.") from refusal
    except OSError as error:
        message = "The file could not be kept just now: report again."
        raise errors.ApiError(503, "upload_busy", message) from error


def _active(upload: Upload) -> Upload:
    if dialects.upload_status(upload) != Upload.ACTIVE:
        message = f"The upload {upload.pk} is {dialects.upload_status(upload)}."
        raise errors.ApiError(400, "upload_not_active", message)
    return upload


def _urls(request: ApiRequest, upload: Upload, start: int, count: int) -> list[dialects.Json]:
    numbers = range(start, min(start + count, upload.total_chunks + 1))
    return [
        {"chunk_index": n, "url": _url(request, upload, n), "expires_at": _expiry()}
        for n in numbers
    ]


def _url(request: ApiRequest, upload: Upload, number: int) -> str:
    signature = signing.dumps([upload.pk, number], salt=SALT)
    root = f"/{version_of(request.path_info)}/assets/multipart-uploads/{upload.pk}"
    return request.build_absolute_uri(f"{root}/chunks/{number}?signature={signature}")


def _expiry() -> str | None:
    return dialects.moment(timezone.now() + timedelta(seconds=URL_SECONDS))


def _whole(body: dialects.Json, name: str, most: int) -> int:
    if name not in body:
        raise errors.required(name)
    value: object = body[name]
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return value
    raise errors.invalid(name, f"It must be a whole number from 1 to {most}.")


def _proofs(given: object, upload: Upload) -> list[tuple[int, str]]:
    if not isinstance(given, list) or not given or len(given) > multipart.MAX_CHUNKS:
        raise errors.invalid("completed_chunks", "It must be a list of chunks.")
    proofs = []
    for item in given:
        if not isinstance(item, dict) or not isinstance(item.get("proof"), str):
            raise errors.invalid("completed_chunks", "Each needs a chunk_index and a proof.")
        number = _whole(item, "chunk_index", upload.total_chunks)
        proofs.append((number, item["proof"].strip('"')))
    return proofs
