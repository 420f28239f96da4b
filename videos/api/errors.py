"""What goes wrong, as ``{"code", "message"}`` in JSON, whoever refuses: a view, Django or a bug."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from videos.api import version_of
from videos.gone import is_gone
from videos.models import NotAllowed

logger = logging.getLogger(__name__)

CODES = {
    401: ("api_key_invalid", "The API key is missing, wrong or revoked."),
    404: ("endpoint_not_exists", "There is no such endpoint."),
    405: ("method_not_allowed", "This endpoint does not take this method."),
    413: ("request_too_large", "The request's body is too large."),
    500: ("internal_server_error", "Something went wrong on this server."),
    507: ("insufficient_storage", "The disk of this server is full. Nothing was kept."),
}
UNREADABLE = ("parameter_invalid", "The request cannot be understood.")


class ApiError(Exception):
    """A refusal: HTTP status, Twelve Labs' code for it, and a sentence for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}


def invalid(name: str, why: str = "") -> ApiError:
    return ApiError(400, "parameter_invalid", f"The `{name}` parameter is invalid. {why}".strip())


def required(name: str) -> ApiError:
    message = f"The `{name}` parameter is required but was not provided."
    return ApiError(400, "parameter_not_provided", message)


def unknown(names: Iterable[str]) -> ApiError:
    listed = ", ".join(f"`{name[:50]}`" for name in sorted(names))
    return ApiError(400, "parameter_unknown", f"Unknown: {listed}. These are not parameters here.")


def no_such(pk: object, collection: str) -> ApiError:
    message = f"Resource with id {str(pk)[:50]} does not exist in {collection}."
    return ApiError(404, "resource_not_exists", message)


def of_status(status: int, headers: Mapping[str, str] | None = None) -> ApiError:
    return ApiError(status, *CODES.get(status, UNREADABLE), headers)


class Refusal(JsonResponse):
    """An answer that ``answer`` made: ``in_json`` leaves it as it is."""


def answer(error: Exception) -> Refusal:
    """The response for whatever was raised; what nobody foresaw is logged and told to nobody."""
    known = _known(error)
    if not isinstance(error, ApiError) and known.status >= 500:
        logger.error("api: %r", error, exc_info=error)
    body = {"code": known.code, "message": known.message}
    return Refusal(body, status=known.status, headers=dict(known.headers))


def _known(error: Exception) -> ApiError:
    match error:
        case ApiError():
            return error
        case NotAllowed():
            return ApiError(403, "permission_denied", str(error))
        case Http404():
            return of_status(404)
        case RequestDataTooBig():
            return of_status(413)
        case SuspiciousOperation() | BadRequest() | MultiPartParserError() | UnreadablePostError():
            return of_status(400)
    if is_gone(error):  # somebody deleted it between two questions
        return ApiError(404, "resource_not_exists", "This does not exist any more.")
    return of_status(500)


def in_json(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what is refused under the API's paths before a view is reached is JSON too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        version = version_of(request.path_info)
        if not version:
            return response
        if response.status_code >= 400 and not isinstance(response, Refusal):
            response = answer(of_status(response.status_code))
        response["X-Api-Version"] = version
        return response

    return middleware
