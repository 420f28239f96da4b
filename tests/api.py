"""A caller of the API: Django's test client with a key, and no session."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from videos.models import ApiKey

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHe stands at the window.\n"


class Caller:
    """Speaks JSON to one version of the API; form fields go by ``send``."""

    def __init__(self, user: User, version: str = "v1.3") -> None:
        self.user = user
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self.headers = {"x-api-key": ApiKey.make(user.pk, "test")}
        self.root = f"/{version}"

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(self.root + path, query, headers=self.headers)

    def post(self, path: str, body: Any = None, method: str = "post") -> HttpResponse:
        send = getattr(self.client, method)
        return send(self.root + path, body, content_type="application/json", headers=self.headers)

    def put(self, path: str, body: Any) -> HttpResponse:
        return self.post(path, body, "put")

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self.post(path, body, "patch")

    def delete(self, path: str) -> HttpResponse:
        return self.client.delete(self.root + path, headers=self.headers)

    def send(self, path: str, **fields: Any) -> HttpResponse:
        """POST a form as multipart."""
        return self.client.post(self.root + path, fields, headers=self.headers)


def refusal(response: HttpResponse) -> tuple[int, str]:
    """The status and the code, of an answer that must be in the API's form."""
    assert response["Content-Type"] == "application/json", response.content
    body = response.json()
    assert set(body) == {"code", "message"} and body["message"], body
    return response.status_code, body["code"]
