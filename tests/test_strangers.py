"""What is yours is seen by you and whom you share it with: walked over every address there is.

A new page without a rule, or with an id that this file does not know, fails here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.api import Caller
from tests.factories import make_index, make_member, make_task, make_transcript, make_user
from videos.models import ApiKey, Asset, Index, Tag, Upload
from videos.models.select import keep

pytestmark = pytest.mark.django_db

SECRET = "xyzzyplugh"  # in all of the owner's names and texts
# Django's own pages, and those of ours that name no row.
NOT_OURS = ("admin/",)
NO_ROWS = {
    "engines/<str:name>": "names an engine of the site",
    "search/<str:token>": "a signed token carries its own key's owner",
    "search-v2/<str:token>": "the same",
    "assets/multipart-uploads/<str:upload_id>/chunks/<int:number>": "the address itself is signed",
}


def addresses(resolver: URLResolver, root: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = root + str(getattr(entry.pattern, "_route", ""))
        if isinstance(entry, URLResolver):
            is_api = "v1" in str(entry.pattern)
            yield from addresses(entry, "API:" if is_api else route)
        else:
            yield route, entry


def with_ids() -> list[str]:
    found = [route for route, _ in addresses(get_resolver()) if "<" in route]
    ours = [route for route in found if not route.startswith(NOT_OURS)]
    return [route for route in ours if route.removeprefix("API:") not in NO_ROWS]


@pytest.fixture
def theirs(settings) -> dict[str, object]:
    settings.DEFAULT_ENGINE = "sphinx"
    cache.clear()
    owner = make_user()
    index = make_index(owner, name=f"index {SECRET}")
    asset = Asset.objects.create(owner=owner, filename=f"{SECRET}.mp4", sha256="0" * 64)
    upload = Upload.objects.create(
        asset=Asset.objects.create(owner=owner, filename=f"{SECRET}.mov"),
        total_bytes=9,
        chunk_bytes=9,
        expires_at="2100-01-01T00:00Z",
    )
    parts = Upload.objects.create(
        asset=Asset.objects.create(owner=owner, filename=f"{SECRET}.mxf", method=Asset.PAGE),
        total_bytes=9,
        chunk_bytes=9,
        expires_at="2100-01-01T00:00Z",
    )
    cues = [(0, 1000, SECRET), (1000, 2000, f"{SECRET} again")]
    video = make_transcript(cues, index, filename=f"{SECRET}.mp4", content=SECRET.encode())
    make_task(video, status="failed", error=SECRET)
    ApiKey.make(owner.pk, SECRET)
    tag = Tag.objects.create(owner=owner, name=SECRET)
    video.tags.add(tag)
    return {
        "index_id": index.pk,
        "video_id": video.pk,
        "task_id": video.transcript_id,
        "asset_id": asset.pk,
        "upload_id": upload.pk,
        "parts_id": parts.pk,
        "segment_id": video.transcript.segments.all()[0].pk,
        "select_id": keep(video, 0, 1000, owner, note=SECRET).pk,
        "key_id": ApiKey.objects.get().pk,
        "tag_id": tag.pk,
        "member_id": make_member(index, make_user(SECRET)).pk,
        "user_name": SECRET,
        "number": 0,
        "name": "srt",
        "format": "srt",
        "kind": "text",
    }


def path_of(route: str, ids: dict[str, object]) -> str:
    path = route.removeprefix("API:")
    for name, value in ids.items():
        for kind in ("id", "str", "int", "slug"):
            path = path.replace(f"<{kind}:{name}>", str(value))
    assert "<" not in path, f"{route}: say in this file what its parts are, or why it needs none"
    return f"/v1.3/{path}" if route.startswith("API:") else f"/{path}"


@pytest.mark.parametrize("route", with_ids())
def test_a_stranger_finds_nothing_at_any_address(route, theirs, rung_nobody):
    path = path_of(route, theirs)
    stranger = make_user()
    if route.startswith("API:"):
        caller = Caller(stranger)
        client, headers = caller.client, caller.headers
    else:
        client, headers = Client(raise_request_exception=False), {}
        client.force_login(stranger)
    for method in ("get", "post", "put", "patch", "delete"):
        for more in ({}, {"HX-Request": "true"}):
            answer = getattr(client, method)(path, headers=headers | more)
            body = answer.getvalue() if answer.streaming else answer.content
            assert answer.status_code in (404, 405), f"{method} {path}: {answer.status_code}"
            assert SECRET.encode() not in body, f"{method} {path}"


@pytest.fixture
def rung_nobody(monkeypatch):
    monkeypatch.setattr("videos.tasks.ring", lambda task_id: None)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/upload/",
        "/account/keys/",
        "/videos/states?id={video_id}",
        "/search/?q=again",
        "/?tag={tag_id}",
    ],
)
def test_no_list_of_a_stranger_holds_it(path, theirs, client):
    client.force_login(make_user())

    assert SECRET not in client.get(path.format(**theirs)).text


@pytest.mark.parametrize("path", ["/indexes", "/tasks", "/assets", "/assets/multipart-uploads"])
def test_no_list_of_the_api_holds_it(path, theirs):
    answer = Caller(make_user()).get(path)

    assert answer.status_code == 200 and SECRET not in answer.text


def test_a_video_is_not_found_below_another_index_of_its_owner(theirs):
    owner = Index.objects.get(pk=theirs["index_id"]).owner
    other = make_index(owner)
    caller = Caller(owner)
    assert (
        caller.get(f"/indexes/{theirs['index_id']}/videos/{theirs['video_id']}").status_code == 200
    )
    assert caller.get(f"/indexes/{other.pk}/videos/{theirs['video_id']}").status_code == 404
