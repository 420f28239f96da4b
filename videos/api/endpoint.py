"""The one door of all API views: key, method, errors. No session, no CSRF, no redirect."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt

from videos.api import ApiRequest, View, auth, errors, limits
from videos.models.segment import Edition


def endpoint(*, needs_key: bool = True, **views: View) -> View:
    """A Django view that gives each method to its view: ``endpoint(GET=show, DELETE=delete)``.

    Without ``needs_key`` the view itself must ask who calls.
    """

    # Exempt: a browser sends no x-api-key by itself, so there is no ride to take on a session.
    @csrf_exempt
    @login_not_required
    def view(request: HttpRequest, **ids: str) -> HttpResponse:
        try:
            if needs_key:
                return _answer(cast("ApiRequest", request), views, ids)
            return _view_for(request, views)(request, **ids)
        except Exception as error:
            return errors.answer(error)

    view.methods = tuple(views)  # type: ignore[attr-defined]
    return cast("View", view)


def _answer(request: ApiRequest, views: dict[str, View], ids: dict[str, str]) -> HttpResponse:
    request.key = auth.key_of(request)
    request.user = request.key.user
    view = _view_for(request, views)
    headers = limits.count(request.key, view)
    try:
        response = view(request, **ids)
    except Exception as error:
        response = errors.answer(error)
    for name, value in headers.items():
        response[name] = value
    return response


def _view_for(request: HttpRequest, views: dict[str, View]) -> View:
    method = "GET" if request.method == "HEAD" else str(request.method)
    if method not in views:
        raise errors.of_status(405, {"Allow": ", ".join(views)})
    return views[method]


@csrf_exempt
@login_not_required
def nothing_here(request: HttpRequest) -> HttpResponse:
    """For every other path below a version."""
    return errors.answer(errors.of_status(404))


def answer(data: object, status: int = 200) -> HttpResponse:
    """Strict JSON: a NaN would be a bug here, not a number there."""
    form = {"allow_nan": False, "ensure_ascii": False, "separators": (",", ":")}
    return JsonResponse(data, status=status, safe=False, json_dumps_params=form)


def done() -> HttpResponse:
    """204 without a type: some clients read JSON wherever one is declared."""
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response


def tag(edition: Edition) -> str:
    """The ETag of what is read of a transcript, whatever part of it is asked for."""
    task_id, number = edition
    return f'"{task_id}-{number}"'


def unchanged(request: HttpRequest, etag: str) -> HttpResponse | None:
    """304 for who has this already, else None."""
    response = get_conditional_response(request, etag=etag)
    if response is None or response.status_code != 304:
        return None
    return tagged(response, etag)


def tagged(response: HttpResponse, etag: str) -> HttpResponse:
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"  # may be kept, and is asked for again
    return response
