"""Headers that every answer carries, and static files in fewer bytes."""

import gzip
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",  # the stylesheet's small drawn icons
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def say_alive(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer /healthz before anything can refuse: a probe knows no host name and speaks no TLS.

    It asks nothing of the database, so that its trouble does not restart the web.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz" and request.method in ("GET", "HEAD"):
            headers = {"Cache-Control": "no-store"}
            return HttpResponse("ok", content_type="text/plain", headers=headers)
        return get_response(request)

    return middleware


def security_headers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Allow what comes from here and nothing else; no inline script or style anywhere."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


TEXTS = ("text/css", "text/javascript", "image/svg+xml", "application/json")


def compress_static(
    get_response: Callable[[HttpRequest], FileResponse],
) -> Callable[[HttpRequest], FileResponse]:
    """Send static text gzipped to whom understands it. It stands around WhiteNoise.

    A file below a version never changes, so it is compressed once, when it is first asked for.
    DEBUG has no version.
    """
    if settings.DEBUG:
        raise MiddlewareNotUsed
    kept: dict[str, bytes] = {}

    def middleware(request: HttpRequest) -> FileResponse:
        response, path = get_response(request), request.path_info
        if not path.startswith(settings.STATIC_URL):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if not _is_text(response) or not _wants_gzip(request):
            return response
        if path not in kept:
            kept[path] = gzip.compress(response.getvalue(), mtime=0)
        response.streaming_content = [kept[path]]  # the file is closed with the response
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(kept[path]))
        return response

    return middleware


def _is_text(response: FileResponse) -> bool:
    """All of a file whose bytes are worth it."""
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    return response.status_code == 200 and kind in TEXTS


def _wants_gzip(request: HttpRequest) -> bool:
    return request.method == "GET" and "gzip" in request.headers.get("Accept-Encoding", "")
