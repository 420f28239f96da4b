"""What went wrong, in one sentence, with the site around it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.shortcuts import render
from django.urls import reverse

from videos.gone import is_gone
from videos.models import NotAllowed
from videos.timecode import spoken
from videos.views import SeeOther
from videos.web import DISK_FULL, REFUSED_HEADER

SENTENCES = {
    400: "This address or form cannot be understood.",
    403: "You do not have permission to do this.",
    404: "This page does not exist, or you have no access to it.",
    413: "What was sent is too large.",
    507: "The disk of this server is full. Nothing was kept; make room and send it again.",
    500: "Something went wrong on this server. Trying again may help; the error was logged.",
}


def page(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """The page for an error. (htmx shows no error pages: static/js/page.js says a sentence.)"""
    sentence = sentence or SENTENCES[status]
    title = HTTPStatus(status).phrase.capitalize()
    context = {"status": status, "title": title, "sentence": sentence}
    return render(request, "errors/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not isinstance(exception, NotAllowed):
        return page(request, 403)
    return _refusal(request, 403, str(exception))


def _refusal(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    response = page(request, status, sentence)
    response["X-Refusal"] = sentence  # for scripts, which show no page of an error
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return page(request, 403, "This form is too old. Go back, reload the page and send it again.")


def say_refusal(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: answer for a body that the web server could not keep (see ``videos.web``).

    It stands before whatever would read the body, which is empty now.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        refusal = request.META.get(f"HTTP_{REFUSED_HEADER}")
        if refusal is None:
            return get_response(request)
        status = 507 if refusal == DISK_FULL else 413
        if request.accepts("text/html"):
            return _refusal(request, status, SENTENCES[status])
        results = [{"ok": False, "message": SENTENCES[status]}]
        return JsonResponse({"results": results}, status=status)

    return middleware


def say_gone(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: a video that is deleted while it is changed is gone; nothing went wrong here."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return page(request, 404, "This was deleted meanwhile.") if is_gone(exception) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


NOT_DONE = "Your last action was not carried out. If you had to sign in, please do it again."


def say_not_done(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: who comes by GET to where forms are sent is led to a page, with a sentence.

    So comes whoever had to sign in before the form was taken, or goes once more to the address of
    an answer. Programs, which ask for no HTML, hear 405.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or not _is_visit(request):
            return response
        messages.error(request, NOT_DONE)
        return SeeOther(_page_near(request))

    return middleware


def _is_visit(request: HttpRequest) -> bool:
    wants_html = "text/html" in request.headers.get("Accept", "")
    return request.method == "GET" and wants_html and request.user.is_authenticated


def _page_near(request: HttpRequest) -> str:
    """Of the video or the index that the address names."""
    named = request.resolver_match.kwargs if request.resolver_match else {}
    for name, page_name in (("video_id", "viewer"), ("index_id", "index")):
        if name in named:
            return reverse(page_name, args=[named[name]])
    return reverse("upload" if request.path_info.startswith(reverse("upload")) else "library")


def too_many_tries(request: HttpRequest, *about: object) -> HttpResponse:
    """For django-axes: this name gave too many wrong passwords from this address."""
    minutes = spoken(settings.AXES_COOLOFF_TIME.total_seconds())
    sentence = f"Too many wrong passwords. Wait {minutes}, then try again."
    response = page(request, 429, sentence)
    response.headers["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return response
