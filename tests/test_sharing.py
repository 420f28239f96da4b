"""Who may do what in an index: one table, walked for every role, by page and by API.

``docs/sharing.md`` says the same to people; a test compares.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from tests.api import SRT, Caller, refusal
from tests.factories import (
    make_index,
    make_member,
    make_task,
    make_transcript,
    make_user,
    make_video,
)
from tests.test_strangers import addresses
from videos import sharing, upkeep
from videos.models import Asset, Derivation, Index, Kind, Member, Tag, Video
from videos.models.select import keep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_known_engine")]

DOCS = Path(__file__).parents[1] / "docs" / "sharing.md"
RANKS = [None, "reader", "editor", "owner"]

SEE, EXPORT, PLACE, ASK, LEAVE, UPLOAD, CORRECT, SELECTS, TASKS, CANCEL_COPY, TAG, DELETE, MOVE, \
    INDEX, MEMBERS = range(15)  # the rows of the table in docs/sharing.md  # fmt: skip


class Deed(NamedTuple):
    """``route`` as urls.py has it, with API: in front of the API's."""

    row: int
    method: str
    route: str
    form: dict[str, Any] = {}  # noqa: RUF012


X, V, T = "indexes/<id:index_id>/", "videos/<id:video_id>/", "<id:task_id>/"
AI, AV = "API:indexes/<str:index_id>", "API:indexes/<str:index_id>/videos/<str:video_id>"
LINE = {
    "task": "{task_id}",
    "row": "{row}",
    "row_start": "0",
    "version": "0",
    "start": "0",
    "end": "1",
}
PARTS = {"name": "a.mov", "size": "9", "modified": "0"}
SEARCH = {"index_id": "{index_id}", "query_text": "said", "search_options": "audio"}
TAKE = {"other_task": "{task_id}", "row": "{row}-0-0", "other": "{row}"}

DEEDS = [
    Deed(SEE, "get", X),
    Deed(SEE, "get", f"{X}selects/"),
    Deed(SEE, "get", V),
    Deed(SEE, "get", f"{V}progress"),
    Deed(SEE, "get", f"{V}speech"),
    Deed(SEE, "get", f"{V}media"),
    Deed(SEE, "get", f"{V}poster"),
    Deed(SEE, "get", f"{V}captions.vtt"),
    Deed(SEE, "get", f"{V}peaks"),
    Deed(SEE, "get", f"{V}sprite"),
    Deed(SEE, "get", f"{V}sprite.json"),
    Deed(SEE, "get", f"{V}proxy"),
    Deed(SEE, "get", f"{V}derived"),
    Deed(SEE, "get", f"{V}rows/"),
    Deed(SEE, "get", f"{V}transcripts/"),
    Deed(SEE, "get", f"{V}transcripts/{T}"),
    Deed(SEE, "get", f"{V}compare"),
    Deed(SEE, "get", AI),
    Deed(SEE, "get", f"{AI}/videos"),
    Deed(SEE, "get", AV),
    Deed(SEE, "get", f"{AV}/transcription"),
    Deed(SEE, "get", f"{AI}/selects"),
    Deed(SEE, "get", f"{AI}/selects/<str:select_id>"),
    Deed(SEE, "get", f"{AI}/indexed-assets"),
    Deed(SEE, "get", f"{AI}/indexed-assets/<str:video_id>"),
    Deed(SEE, "get", "API:tasks/<str:task_id>"),
    Deed(SEE, "get", "API:tasks/<str:task_id>/video-id"),
    Deed(SEE, "get", "API:tasks/status?index_id={index_id}"),
    Deed(SEE, "post", "API:search", SEARCH),
    Deed(SEE, "get", f"{AV}/segments"),
    Deed(SEE, "get", f"{AV}/segments/<str:segment_id>"),
    Deed(SEE, "get", f"{AV}/transcripts"),
    Deed(SEE, "get", f"{AV}/tags"),
    Deed(EXPORT, "get", f"{V}export/<slug:name>"),
    Deed(EXPORT, "get", f"{V}copy/<slug:kind>"),
    Deed(EXPORT, "get", f"{X}selects/export/<slug:name>"),
    Deed(EXPORT, "get", f"{AV}/export/<str:format>"),
    Deed(EXPORT, "get", f"{AI}/selects/export/<str:format>"),
    Deed(PLACE, "post", f"{V}place", {"at": "500", "played": "0-500"}),
    Deed(PLACE, "post", f"{V}forget"),
    Deed(ASK, "post", f"{V}proxy/make"),
    Deed(ASK, "post", f"{V}derived/retry"),
    Deed(UPLOAD, "post", "API:tasks", {"index_id": "{index_id}", "video_file": "FILE"}),
    Deed(UPLOAD, "post", f"{AI}/indexed-assets", {"asset_id": "{asset_id}"}),
    Deed(CORRECT, "get", f"{V}rows/<int:number>/edit"),
    Deed(CORRECT, "post", f"{V}rows/<int:number>/edit", LINE | {"text": "Other words"}),
    Deed(CORRECT, "get", f"{V}replace"),
    Deed(CORRECT, "post", f"{V}replace", {"find": "said", "replace": "sung", "row": "{row}-0-0"}),
    Deed(CORRECT, "post", f"{V}take", TAKE),
    Deed(CORRECT, "post", f"{V}undo"),
    Deed(CORRECT, "post", f"{V}redo"),
    Deed(CORRECT, "patch", f"{AV}/segments/<str:segment_id>", {"version": 0, "value": "x"}),
    Deed(CORRECT, "post", f"{AV}/segments/<str:segment_id>/split", {"version": 0, "at": 3}),
    Deed(CORRECT, "post", f"{AV}/segments/<str:segment_id>/merge", {"version": 0}),
    Deed(CORRECT, "post", f"{AV}/segments/<str:segment_id>/revert", {"version": 0}),
    Deed(CORRECT, "post", f"{AV}/segments/<str:segment_id>/confirm", {"version": 0}),
    Deed(CORRECT, "post", f"{AV}/undo"),
    Deed(CORRECT, "post", f"{AV}/redo"),
    Deed(SELECTS, "post", f"{V}selects", {"start": "0", "end": "1"}),
    Deed(SELECTS, "post", f"{X}selects/order", {"id": "{select_id}"}),
    Deed(SELECTS, "post", "selects/<id:select_id>/change", {"start": "0", "end": "0.5"}),
    Deed(SELECTS, "post", "selects/<id:select_id>/move", {"by": "1"}),
    Deed(SELECTS, "post", "selects/<id:select_id>/delete"),
    Deed(SELECTS, "post", f"{AI}/selects", {"video_id": "{video_id}", "start": 0, "end": 1}),
    Deed(SELECTS, "put", f"{AI}/selects", {"order": []}),
    Deed(SELECTS, "patch", f"{AI}/selects/<str:select_id>", {"note": "x"}),
    Deed(SELECTS, "delete", f"{AI}/selects/<str:select_id>"),
    Deed(TASKS, "post", f"{V}cancel"),
    Deed(TASKS, "post", f"{V}retry"),
    Deed(TASKS, "post", f"{V}again"),
    Deed(TASKS, "post", f"{V}captions", {"captions": "SRT"}),
    Deed(TASKS, "post", f"{V}transcripts/{T}use"),
    Deed(TASKS, "post", f"{AV}/transcripts", {}),
    Deed(TASKS, "post", f"{AV}/transcripts/<str:task_id>/use"),
    Deed(TASKS, "post", f"{AV}/captions", {"transcription_file": "SRT"}),
    Deed(CANCEL_COPY, "post", f"{V}proxy/cancel"),
    Deed(TAG, "post", f"{V}name", {"title": "Harbour"}),
    Deed(TAG, "post", f"{V}tags/<int:tag_id>/remove"),
    Deed(TAG, "put", f"{AV}/tags", {"tags": ["sea"]}),
    Deed(TAG, "put", AV, {"video_title": "Harbour"}),
    Deed(TAG, "patch", AV, {"video_title": "Harbour"}),
    Deed(TAG, "put", f"{AI}/indexed-assets/<str:video_id>", {"video_title": "Harbour"}),
    Deed(TAG, "patch", f"{AI}/indexed-assets/<str:video_id>", {"video_title": "Harbour"}),
    Deed(DELETE, "post", f"{V}delete"),
    Deed(DELETE, "post", f"{V}transcripts/{T}delete"),
    Deed(DELETE, "delete", AV),
    Deed(DELETE, "delete", f"{AI}/indexed-assets/<str:video_id>"),
    Deed(DELETE, "delete", "API:tasks/<str:failed_id>"),
    Deed(INDEX, "post", f"{X}rename", {"name": "Other"}),
    Deed(INDEX, "post", f"{X}delete"),
    Deed(INDEX, "put", AI, {"index_name": "Other"}),
    Deed(INDEX, "delete", AI),
    Deed(MEMBERS, "post", f"{X}members", {"name": "{user_name}", "role": "editor"}),
    Deed(MEMBERS, "post", f"{X}members/<int:member_id>/remove"),
    Deed(MEMBERS, "get", f"{AI}/members"),
    Deed(MEMBERS, "put", f"{AI}/members/<str:user_name>", {"role": "editor"}),
    Deed(MEMBERS, "delete", f"{AI}/members/<str:user_name>"),
]  # fmt: skip
# Deeds whose rows are named in the form, not in the path: strangers' are passed over or refused.
BY_FORM = [
    Deed(UPLOAD, "post", "upload/", {"index": "{index_id}", "file": "FILE"}),
    Deed(UPLOAD, "post", "upload/url", {"index": "{index_id}", "url": "http://example.org/a.mp4"}),
    Deed(UPLOAD, "post", "upload/parts/", {"index": "{index_id}", **PARTS}),
    Deed(UPLOAD, "get", "upload/check?size=1&language=en&index={index_id}"),
    Deed(TAG, "post", "videos/many", {"video": "{video_id}", "do": "tag", "tag": "sea"}),
    Deed(EXPORT, "post", "videos/many", {"video": "{video_id}", "do": "export", "format": "srt"}),
    Deed(DELETE, "post", "videos/many", {"video": "{video_id}", "do": "delete"}),
    Deed(MOVE, "post", "videos/many", {"video": "{video_id}", "do": "move", "index": "{index_id}"}),
]
# Personal: an asset, an upload, a key. And LEAVE, which has a test of its own.
ELSEWHERE = re.compile(
    r"API:(assets|search|engines)|account/|upload/parts/|indexes/<id:index_id>/leave"
)


def table() -> list[tuple[str, str]]:
    """(action, the least role that may do it) as the document says."""
    found = []
    for line in DOCS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[1] in ("yes", "–"):
            found.append((cells[0], RANKS[1 + cells[1:].index("yes")]))
    return found


LEAST = [role for _, role in table()]


@pytest.fixture
def _known_engine(settings):
    settings.DEFAULT_ENGINE = "sphinx"
    settings.FETCH_ALLOW = ()
    cache.clear()


@pytest.fixture(autouse=True)
def rung_nobody(monkeypatch):
    for name in ("ring", "ring_fetch"):
        monkeypatch.setattr(f"videos.tasks.{name}", lambda *_: None)


@pytest.fixture
def world(tmp_path) -> dict[str, Any]:
    """An index with one of everything, by the names that paths have for it."""
    index = make_index(make_user("ann"))
    cues = [(0, 1000, "It is said"), (1000, 2000, "once more")]
    video = make_transcript(cues, index, content=b"film")
    old = make_task(video, status="ready")
    made = [Derivation(video=video, kind=kind, state="ready", name=kind) for kind in Kind.values]
    for row in Derivation.objects.bulk_create(made):
        row.path.parent.mkdir(parents=True, exist_ok=True)
        row.path.write_bytes(b"made")
    video.poster_path.write_bytes(b"made")
    tag = Tag.objects.create(owner=index.owner, name="sea")
    video.tags.add(tag)
    return {
        "index": index,
        "index_id": index.pk,
        "video_id": video.pk,
        "task_id": old.pk,
        "failed_id": make_task(make_video(index), status="failed").pk,
        "select_id": keep(video, 0, 1000, index.owner).pk,
        "tag_id": tag.pk,
        "number": 0,
        "name": "srt",
        "format": "srt",
        "kind": "text",
        "segment_id": video.transcript.segments.first().pk,
        "row": video.transcript.segments.first().pk,
        "member_id": make_member(index, make_user("bob")).pk,
        "user_name": "bob",
        "asset_id": "0" * 24,
    }


def somebody(index: Index, role: str | None) -> User:
    if role == "owner":
        return index.owner
    user = make_user()
    if role:
        make_member(index, user, role)
    return user


def filled(value: Any, world: dict[str, Any]) -> Any:
    if value == "FILE":
        return SimpleUploadedFile("a.mp4", b"no film")
    if value == "SRT":
        return SimpleUploadedFile("a.srt", SRT)
    return value.format(**world) if isinstance(value, str) else value


def send(deed: Deed, user: User, world: dict[str, Any]) -> Any:
    path = re.sub(r"<\w+:(\w+)>", r"{\1}", deed.route).removeprefix("API:").format(**world)
    form = {name: filled(value, world) for name, value in deed.form.items()}
    if not deed.route.startswith("API:"):
        client = Client()
        client.force_login(user)
        return getattr(client, deed.method)(f"/{path}", form)
    caller = Caller(user)
    if deed.method == "get":
        return caller.get(f"/{path}")
    if path in ("tasks", "search") or path.endswith("/captions"):
        return caller.send(f"/{path}", **form)
    if deed.method == "delete":
        return caller.delete(f"/{path}")
    return caller.post(f"/{path}", form, deed.method)


def refused_and_least(deed: Deed) -> list[str | None]:
    """Those who may not, and then the first who may: the owner is who all other tests are."""
    return RANKS[: RANKS.index(LEAST[deed.row]) + 1]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: f"{deed.method} {deed.route}")
def test_each_role_may_do_what_the_table_says_and_no_more(deed, world):
    *refused, least = refused_and_least(deed)
    for role in refused:
        answer = send(deed, somebody(world["index"], role), world)
        assert answer.status_code == (403 if role else 404), role
        assert not role or "owner" in answer.text
        if role and not deed.route.startswith("API:"):
            assert answer["X-Refusal"] in unescape(answer.text)

    answer = send(deed, somebody(world["index"], least), world)

    assert answer.status_code < 500 and answer.status_code != 403
    if deed.route != f"{AI}/indexed-assets" or deed.method == "get":  # there is no such asset
        assert answer.status_code != 404


@pytest.mark.parametrize("deed", BY_FORM, ids=lambda deed: f"{deed.route} {deed.form.get('do')}")
def test_each_role_may_send_the_forms_that_the_table_says(deed, world):
    _, *refused, least = refused_and_least(deed)
    before = set(Video.objects.values_list("pk", "index_id"))
    assert send(deed, make_user(), world).status_code in (200, 303, 400)
    for role in refused:
        answer = send(deed, somebody(world["index"], role), world)
        if deed.route == "videos/many":  # it goes back to the list, which says why
            answer = answer.client.get(answer["Location"])
            assert 'class="error"' in answer.text and " owner " in answer.text
        else:
            assert answer.status_code == 403 and "owner" in answer.text
    assert set(Video.objects.values_list("pk", "index_id")) == before
    assert Tag.objects.get().videos.count() == 1

    answer = send(deed, somebody(world["index"], least), world)

    assert answer.status_code < 500 and answer.status_code != 403


def test_no_address_of_an_index_is_missing_in_the_table():
    known = {deed.route.split("?")[0] for deed in [*DEEDS, *BY_FORM]}
    known |= {route.replace("failed_id", "task_id") for route in known}
    known |= {route.replace("API:", "API:indexes/") for route in known if "API:tasks" in route}
    there = {route for route, _ in addresses(get_resolver()) if "<" in route}
    there = {route for route in there if not route.startswith("admin/")}

    missing = {route for route in there - known if not ELSEWHERE.match(route)}
    assert missing == set(), "say in DEEDS, and in docs/sharing.md, who may do it"


def test_the_document_has_a_row_for_each_kind_of_deed():
    assert len(LEAST) == MEMBERS + 1
    assert [LEAST[row] for row in (SEE, UPLOAD, DELETE, MEMBERS)] == [
        "reader",
        "editor",
        "owner",
        "owner",
    ]


# --- sharing itself ---


def test_an_owner_shares_by_name_changes_the_role_and_stops(client, world):
    index, carol = world["index"], make_user("carol")
    client.force_login(index.owner)

    page = client.post(
        f"/indexes/{index.pk}/members", {"name": " carol ", "role": "reader"}, follow=True
    )
    assert "carol is a reader now." in page.text
    assert 'aria-label="Role of carol"' in page.text

    page = client.post(
        f"/indexes/{index.pk}/members", {"name": "carol", "role": "editor"}, follow=True
    )
    assert "carol is an editor now." in page.text
    member = Member.objects.get(user=carol)
    assert member.role == "editor"

    page = client.post(f"/indexes/{index.pk}/members/{member.pk}/remove", follow=True)
    assert "carol does not see this index any more." in page.text
    client.force_login(carol)
    assert client.get(f"/videos/{world['video_id']}/").status_code == 404


@pytest.mark.parametrize(
    ("name", "role", "sentence"),
    [
        ("nobody", "reader", "Nobody here has an account of this name."),
        ("gone", "reader", "Nobody here has an account of this name."),
        ("bob\0", "owner", "Choose what they may do: reader or editor."),
        ("\0", "reader", "Nobody here has an account of this name."),
        ("ann", "reader", "You own this index."),
    ],
)
def test_what_cannot_be_shared_has_a_sentence(client, world, name, role, sentence):
    make_user("gone", is_active=False)
    client.force_login(world["index"].owner)

    page = client.post(
        f"/indexes/{world['index_id']}/members", {"name": name, "role": role}, follow=True
    )

    assert sentence in page.text and Member.objects.count() == 1
    answer = Caller(world["index"].owner).put(
        f"/indexes/{world['index_id']}/members/{name.strip(chr(0)) or 'x'}", {"role": role}
    )
    assert refusal(answer) == (400, "parameter_invalid")


def test_names_cannot_be_tried_one_after_the_other(world):
    index = world["index"]
    for number in range(sharing.MOST_MISSES):
        with pytest.raises(sharing.Refused, match="Nobody here"):
            sharing.share(index, f"guess{number}", "reader")
    make_user("carol")

    for name in ("carol", "guess"):
        with pytest.raises(sharing.Refused, match="Too many names"):
            sharing.share(index, name, "reader")
    assert sharing.share(index, "bob", "editor").role == "editor"  # whom it is shared with already


def test_an_index_takes_so_many_members_and_no_more(world, monkeypatch):
    monkeypatch.setattr(sharing, "MOST_MEMBERS", 1)
    make_user("carol")

    with pytest.raises(sharing.Refused, match="1 people at most"):
        sharing.share(world["index"], "carol", "reader")


def test_a_member_leaves_by_page_or_api_and_an_owner_cannot(client, world):
    index = world["index"]
    reader, editor = (somebody(index, role) for role in ("reader", "editor"))
    client.force_login(reader)
    page = client.post(f"/indexes/{index.pk}/leave", follow=True)
    assert f"You left the index {index.name}." in page.text
    assert client.post(f"/indexes/{index.pk}/leave").status_code == 404

    caller = Caller(editor)
    assert caller.delete(f"/indexes/{index.pk}/members/{editor.username}").status_code == 204
    assert caller.get(f"/indexes/{index.pk}").status_code == 404

    client.force_login(index.owner)
    page = client.post(f"/indexes/{index.pk}/leave", follow=True)
    assert "You own this index" in page.text
    mine = Caller(index.owner).delete(f"/indexes/{index.pk}/members/ann")
    assert refusal(mine) == (404, "resource_not_exists")


def test_the_api_gives_lists_and_takes_back_roles(world):
    index = world["index"]
    make_user("carol")
    caller = Caller(index.owner)
    path = f"/indexes/{index.pk}/members"

    assert caller.put(f"{path}/carol", {"role": "editor"}).json()["role"] == "editor"
    listed = caller.get(path).json()["data"]
    assert [(each["user_name"], each["role"]) for each in listed] == [
        ("bob", "reader"),
        ("carol", "editor"),
    ]
    assert (
        Caller(User.objects.get(username="carol")).get(f"/indexes/{index.pk}").json()["role"]
        == "editor"
    )
    assert caller.get("/indexes").json()["data"][0]["role"] == "owner"
    assert caller.delete(f"{path}/carol").status_code == 204
    assert refusal(caller.delete(f"{path}/carol")) == (404, "resource_not_exists")
    assert refusal(caller.put(f"{path}/carol", {})) == (400, "parameter_not_provided")


def test_the_panel_is_there_for_an_owner_with_accounts_around_alone(client, world, settings):
    url = f"/indexes/{world['index_id']}/"
    client.force_login(world["index"].owner)
    assert 'id="members"' in client.get(url).text
    client.force_login(somebody(world["index"], "editor"))
    page = client.get(url).text
    assert 'id="members"' not in page and "Shared by <bdi>ann</bdi>" in page
    alone = make_index(make_user("local"))
    alone.owner.set_unusable_password()
    alone.owner.save()
    client.force_login(alone.owner)
    assert "hared with" not in client.get(f"/indexes/{alone.pk}/").text


# --- what members see ---


def test_a_members_lists_hold_what_is_shared_with_whose_it_is(client, world):
    reader = somebody(world["index"], "reader")
    make_index(reader, name=world["index"].name)  # of the same name: told apart by the owner's
    client.force_login(reader)

    assert "of <bdi>ann</bdi>, 2 videos" in client.get("/").text
    assert f"{world['index'].name} (of ann)</option>" in client.get("/search/").text
    assert "said</mark>" in client.get("/search/", {"q": "said"}).text
    assert ">sea<" in client.get("/").text  # the tag, to filter by
    assert "(of ann)" not in client.get("/upload/").text
    caller = Caller(reader)
    assert len(caller.get("/indexes").json()["data"]) == 2
    assert len(caller.get("/tasks").json()["data"]) == 3
    found = caller.send(
        "/search", index_id=world["index_id"], query_text="said", search_options="audio"
    )
    assert len(found.json()["data"]) == 1


def route_of(path: str, world: dict[str, Any]) -> str:
    """As urls.py has it."""
    for name in ("index_id", "select_id"):
        path = path.replace(world[name], f"<id:{name}>")
    path = re.sub(r"/videos/[0-9a-f]{24}/", "/videos/<id:video_id>/", path)
    path = re.sub(r"/tags/\d+/", "/tags/<int:tag_id>/", path)
    path = re.sub(r"/members/\d+/", "/members/<int:member_id>/", path)
    return re.sub(r"/[0-9a-f]{24}/", "/<id:task_id>/", path).lstrip("/")


@pytest.mark.parametrize("role", ["reader", "editor", "owner"])
def test_pages_offer_what_the_role_may_do_and_no_more(client, world, role):
    client.force_login(somebody(world["index"], role))
    video = f"/videos/{world['video_id']}/"
    mine = RANKS[: RANKS.index(role) + 1]
    allowed = {each.route for each in [*DEEDS, *BY_FORM] if LEAST[each.row] in mine}
    allowed |= {f"{X}leave", "logout/", "indexes/"}  # the last makes an index of one's own
    offered = set()
    for url in (f"/indexes/{world['index_id']}/", f"/indexes/{world['index_id']}/selects/"):
        offered |= set(re.findall(r'method="post" action="([^"]+)"', client.get(url).text))
    for part in ("", "rows/", "transcripts/", f"transcripts/{world['task_id']}/", "compare"):
        html = client.get(video + part).text
        offered |= set(re.findall(r'method="post" action="([^"]+)"', html))
        assert (f"{video}rows/0/edit" in html) == (part == "rows/" and role != "reader")
        scripts = " ".join(re.findall(r'data-modules="([^"]+)"', html)).split()
        assert ("edit" in scripts) == (part == "" and role != "reader")

    offered = {route_of(path, world) for path in offered}
    assert offered <= allowed, offered - allowed
    assert (f"{V}delete" in offered) == (role == "owner")
    assert (f"{V}undo" not in offered) and (f"{V}again" in offered) == (role != "reader")


def test_a_members_pages_take_no_more_queries_than_an_owners(client, world):
    pages = [
        f"/videos/{world['video_id']}/",
        "/",
        "/search/?q=said",
        f"/indexes/{world['index_id']}/",
    ]
    taken = {}
    for role in ("owner", "reader"):
        client.force_login(somebody(world["index"], role))
        for url in pages:
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            taken[role, url] = len(queries)

    assert all(taken["reader", url] <= taken["owner", url] for url in pages), taken


def test_the_bin_says_who_kept_what_and_the_api_as_well(client, world):
    client.force_login(somebody(world["index"], "reader"))

    for url in (f"/indexes/{world['index_id']}/selects/", f"/videos/{world['video_id']}/"):
        assert "kept by <bdi>ann</bdi>" in client.get(url).text
    client.force_login(world["index"].owner)
    assert "kept by" not in client.get(f"/indexes/{world['index_id']}/selects/").text
    path = f"/indexes/{world['index_id']}/selects"
    assert Caller(world["index"].owner).get(path).json()["data"][0]["kept_by"] == "ann"


def test_two_editors_undo_their_own_deeds_alone(client, world):
    index, video = world["index"], Video.objects.get(pk=world["video_id"])
    one, two = (somebody(index, "editor") for _ in range(2))
    for number, user in enumerate((one, two)):
        row = video.transcript.segments.get(number=number)
        line = {"task": video.transcript_id, "row": row.pk, "row_start": row.start_ms, "version": 0}
        client.force_login(user)
        form = line | {"text": f"by {number}", "start": number, "end": number + 1, "deed": "save"}
        client.post(f"/videos/{video.pk}/rows/{number}/edit", form)

    client.force_login(one)
    client.post(f"/videos/{video.pk}/undo")

    said = video.transcript.segments.order_by("number").values_list("text", flat=True)
    assert list(said) == ["It is said", "by 1"]


def test_a_tag_in_a_shared_index_is_a_word_of_its_owner(client, world):
    editor = somebody(world["index"], "editor")
    own = make_transcript(1, make_index(editor))
    client.force_login(editor)
    form = {"video": [world["video_id"], own.pk], "do": "tag", "tag": "Sea"}

    client.post("/videos/many", form)

    owners = Tag.objects.values_list("owner__username", "name").order_by("pk")
    assert list(owners) == [("ann", "sea"), (editor.username, "Sea")]
    client.force_login(world["index"].owner)
    assert ">Sea<" not in client.get("/").text


def test_many_are_done_for_all_or_for_none(client, world):
    editor = somebody(world["index"], "editor")
    own = make_transcript(1, make_index(editor))
    client.force_login(editor)

    answer = client.post("/videos/many", {"video": [own.pk, world["video_id"]], "do": "delete"})

    assert answer.status_code == 303 and "Only the owner" in client.get("/").text
    assert Video.objects.filter(pk=own.pk).exists()


def test_an_upload_without_a_choice_goes_home_and_not_to_somebody_else(client, world, sample):
    editor = somebody(world["index"], "editor")
    client.force_login(editor)
    name = world["index"].name

    first = re.search(r'<select name="index".*?</option>', client.get("/upload/").text, re.DOTALL)
    assert first and "My videos (new)" in first[0]
    for fields in ({}, {"new_index": name}):
        with sample.open("rb") as file:
            client.post("/upload/", {"file": file} | fields)
    with sample.open("rb") as file:
        client.post("/upload/", {"file": file, "index": world["index_id"]})

    homes = Video.objects.filter(filename="sample.mp4").values_list(
        "index__owner__username", "index__name"
    )
    me = editor.username
    assert set(homes) == {(me, "My videos"), (me, name), ("ann", name)}


def test_what_was_made_of_an_asset_is_not_seen_after_its_index_is_shared_no_more(world):
    editor = somebody(world["index"], "editor")
    asset = Asset.objects.create(owner=editor, filename="a.mp4", sha256="0" * 64)
    Video.objects.filter(pk=world["video_id"]).update(asset=asset)
    caller = Caller(editor)
    uses, said = f"/assets/{asset.pk}/indexed-assets", f"/assets/{asset.pk}/transcription"
    assert len(caller.get(uses).json()["data"]) == 1 and caller.get(said).status_code == 200

    Member.objects.filter(user=editor).delete()

    assert caller.get(uses).json()["data"] == []
    assert refusal(caller.get(said)) == (404, "resource_not_exists")


# --- rows ---


def test_roles_go_with_their_index_and_with_their_user(world):
    User.objects.get(username="bob").delete()
    assert not Member.objects.exists()
    make_member(world["index"])
    world["index"].delete()
    assert not Member.objects.exists()


def test_the_database_keeps_a_role_once_and_knows_which_there_are(world):
    bob = User.objects.get(username="bob")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_member(world["index"], bob, "editor")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_member(world["index"], role="owner")


def test_fsck_tells_of_an_owner_who_is_a_member(world):
    make_member(world["index"], world["index"].owner)

    found = [fault for fault in upkeep.faults() if "member" in fault]

    assert found == [f"index {world['index_id']}: its owner ann is a member of it as well."]
