"""Keys, methods and errors: the same at every endpoint."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from tests.api import Caller, refusal
from tests.factories import make_index, make_transcript, make_user
from videos.api import tasks
from videos.models import ApiKey, Asset, Upload

VERSIONS = ["v1", "v1.1", "v1.2", "v1.3"]


def test_a_missing_wrong_or_revoked_key_is_401(caller):
    assert caller.get("/indexes").status_code == 200
    ApiKey.objects.update(revoked_at=timezone.now())

    assert refusal(caller.get("/indexes")) == (401, "api_key_invalid")
    caller.headers = {"x-api-key": "tlk_ÄÖ" + "0" * 60}
    assert refusal(caller.get("/indexes")) == (401, "api_key_invalid")
    caller.headers = {}
    assert refusal(caller.get("/indexes")) == (401, "api_key_invalid")


def test_the_key_of_somebody_who_may_not_sign_in_any_more_is_401(caller):
    caller.user.is_active = False
    caller.user.save()

    assert refusal(caller.get("/indexes")) == (401, "api_key_invalid")


def test_a_session_is_no_key(caller):
    client = Client()
    client.force_login(caller.user)

    assert refusal(client.get("/v1.3/indexes")) == (401, "api_key_invalid")


def test_a_key_works_without_a_session_where_everybody_signs_in(caller):
    assert Client().get("/").status_code == 302
    assert caller.post("/indexes", {"index_name": "a", "models": MODELS}).status_code == 201


MODELS = [{"model_name": "marengo3.0", "model_options": ["audio"]}]


def test_the_use_of_a_key_is_noted_once_a_minute(caller, django_assert_max_num_queries):
    caller.get("/indexes")
    key = ApiKey.objects.get()
    assert timezone.now() - key.last_used_at < timedelta(seconds=30)

    with django_assert_max_num_queries(3):  # the key, the count, and who may come in
        caller.get("/indexes")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_answer_names_the_version(caller, version):
    caller.root = f"/{version}"
    for path in ("/indexes", "/nothing"):
        assert caller.get(path)["X-Api-Version"] == version


@pytest.mark.parametrize("path", ["/", "/nothing", "/summarize", "/indexes/", "/v1.3/indexes"])
def test_an_unknown_path_is_404_in_json_and_never_a_redirect(caller, path):
    assert refusal(caller.get(path)) == (404, "endpoint_not_exists")
    assert refusal(caller.send(path)) == (404, "endpoint_not_exists")


def test_a_version_that_is_not_served_is_an_ordinary_404(caller):
    assert "text/html" in caller.client.get("/v1.4/indexes")["Content-Type"]


def test_a_wrong_method_is_405_in_json_and_says_which_are_right(caller):
    response = caller.patch("/indexes", {})

    assert refusal(response) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, POST"


def test_head_is_answered_like_get_without_a_body(caller):
    response = caller.client.head("/v1.3/indexes", headers=caller.headers)

    assert (response.status_code, response.content) == (200, b"")


def test_a_bug_is_500_in_json_and_tells_nothing(caller, monkeypatch):
    monkeypatch.setattr(tasks, "find", lambda *_: 1 / 0)

    assert refusal(caller.get("/tasks/" + "0" * 24)) == (500, "internal_server_error")


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é"],
)
def test_a_broken_form_is_400_in_json(caller, content_type):
    response = caller.client.post(
        "/v1.3/tasks", b"--x\r\n", content_type=content_type, headers=caller.headers
    )

    assert refusal(response)[0] == 400


def test_a_body_that_is_too_large_is_413_in_json(caller, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    assert refusal(caller.post("/indexes", {"index_name": "x" * 2000}))[0] == 413
    assert refusal(caller.send("/tasks", index_id="x" * 2000))[0] == 413


@pytest.mark.parametrize(("why", "status"), [("too-large", 413), ("disk-full", 507)])
def test_a_body_that_the_web_server_dropped_is_said_in_json(caller, why, status):
    caller.headers["X-Body-Refused"] = why

    assert refusal(caller.send("/tasks"))[0] == status


def test_a_wrong_host_is_400_in_json(caller):
    caller.headers["host"] = "evil.example"

    assert refusal(caller.get("/indexes"))[0] == 400


@pytest.mark.django_db
def test_what_is_another_users_is_404_everywhere():
    """Every endpoint of the URL table that names a row, with every method it takes."""
    theirs = make_transcript(3, make_index())
    stranger = Caller(make_user())
    asset = Asset.objects.create(owner=theirs.index.owner, filename="a")
    upload = Upload.objects.create(
        asset=asset, total_bytes=1, chunk_bytes=1, expires_at=timezone.now() + timedelta(hours=1)
    )
    ids = {
        "index_id": theirs.index_id,
        "video_id": theirs.pk,
        "task_id": theirs.transcript_id,
        "asset_id": asset.pk,
        "upload_id": upload.pk,
    }
    tried = 0
    for route, view in endpoints():
        if "<" not in route or "<str:token>" in route or "engines/" in route or "/chunks/" in route:
            continue
        path = route
        for name, pk in ids.items():
            path = path.replace(f"<str:{name}>", pk)
        for method in view.methods:
            send = getattr(stranger.client, method.lower())
            body = {} if method == "GET" else {"data": {}, "content_type": "application/json"}
            response = send(f"/v1.3/{path}", headers=stranger.headers, **body)
            assert refusal(response) == (404, "resource_not_exists"), (method, path)
            tried += 1
    theirs.refresh_from_db()
    assert tried >= 20


def endpoints():
    """(route below the version, view) of each endpoint."""
    for resolver in get_resolver().url_patterns[-1].url_patterns:
        if str(resolver.pattern).startswith("^v1"):
            return [
                (str(entry.pattern), entry.callback)
                for entry in resolver.url_patterns
                if hasattr(entry.callback, "methods")
            ]
    raise AssertionError("The API has no URLs.")


@pytest.mark.parametrize("pk", ["1", "x" * 300, "%00", "ÄÖÜ", "0" * 24, "..", "null"])
def test_an_id_that_is_none_is_404(caller, pk):
    for root in ("/indexes", "/tasks"):
        assert refusal(caller.get(f"{root}/{pk}")) == (404, "resource_not_exists")
