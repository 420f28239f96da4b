from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import PASSWORD, make_transcript, make_user
from videos.models import ApiKey

pytestmark = pytest.mark.django_db


def sign_in(client, username: str, password: str = "wrong", address: str = "192.0.2.1"):
    data = {"username": username, "password": password}
    return client.post("/login/", data, REMOTE_ADDR=address)


@pytest.mark.parametrize("known", [True, False])
def test_too_many_wrong_passwords_make_a_name_wait_at_that_address(client, settings, known):
    settings.AXES_FAILURE_LIMIT = 3
    name = make_user().username if known else "nobody"
    tries = [sign_in(client, name).status_code for _ in range(3)]
    assert tries == [200, 200, 429]
    locked = sign_in(client, name, PASSWORD)
    assert locked.status_code == 429
    assert "Too many wrong passwords. Wait 15 min, then try again." in locked.text
    assert locked.headers["Retry-After"] == "900"


def test_nobody_is_locked_out_by_somebody_else(client, settings):
    settings.AXES_FAILURE_LIMIT = 3
    ann, bob = make_user(), make_user()
    for _ in range(4):
        sign_in(client, ann.username)
    assert sign_in(client, ann.username, PASSWORD, "192.0.2.2").status_code == 302
    assert sign_in(client, bob.username, PASSWORD).status_code == 302


def test_a_right_password_forgets_the_wrong_ones(client, settings):
    settings.AXES_FAILURE_LIMIT = 3
    ann = make_user()
    for _ in range(2):
        for _ in range(2):
            sign_in(client, ann.username)
        assert sign_in(client, ann.username, PASSWORD).status_code == 302
        client.logout()


HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}  # as browsers ask for a page


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/videos/{video.pk}/name", "/videos/{video.pk}/"),
        ("/indexes/{video.index_id}/rename", "/indexes/{video.index_id}/"),
        ("/videos/many", "/"),
        ("/upload/url", "/upload/"),
    ],
)
def test_who_signs_in_after_sending_a_form_is_told_that_it_was_not_done(
    client, settings, path, page
):
    settings.DEFAULT_ENGINE = "sphinx"
    video = make_transcript(1)
    owner, path, page = video.index.owner, path.format(video=video), page.format(video=video)
    asked = client.post(path, {"title": "x", "name": "x"}, headers=HTML)
    data = {"username": owner.username, "password": PASSWORD}
    back = client.post(asked["Location"], data | {"next": path}, headers=HTML)

    answer = client.get(back["Location"], headers=HTML)

    assert (answer.status_code, answer["Location"]) == (303, page)
    assert "Your last action was not carried out." in client.get(page, headers=HTML).text


def test_programs_hear_that_an_address_takes_forms_only(client, user):
    for headers in ({}, {"Accept": "application/json"}):
        assert client.get("/videos/many", headers=headers).status_code == 405
    assert client.head("/videos/many", headers=HTML).status_code == 405
    assert client.delete("/videos/many", headers=HTML).status_code == 405
    client.logout()
    assert client.get("/hooks/twelvelabs", headers=HTML).status_code == 405


def test_signing_in_leads_nowhere_else(client):
    ann = make_user()
    data = {"username": ann.username, "password": PASSWORD}
    for there in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = client.post("/login/", data | {"next": there})
        assert answer.headers["Location"] == "/"
        client.logout()


@pytest.mark.parametrize(
    ("addresses", "locked"),
    [
        ([f"2001:db8::{n:x}" for n in range(3)], True),  # one connection has them all
        ([f"2001:db8:{n}::1" for n in range(3)], False),
        (["::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"], True),
        (["fe80::1%eth0", "fe80::2%eth0", "fe80::3"], True),
    ],
)
def test_an_address_of_ipv6_is_a_whole_network(client, settings, addresses, locked):
    settings.AXES_FAILURE_LIMIT = 3
    name = make_user().username

    tries = [sign_in(client, name, address=address).status_code for address in addresses]

    assert tries == [200, 200, 429 if locked else 200]


# --- another password ---

NEW = "a harbour at dawn"


def change_password(client, old=PASSWORD, **more):
    data = {"old_password": old, "new_password1": NEW, "new_password2": NEW, **more}
    return client.post("/account/password/", data)


def test_another_password_ends_other_sessions_and_keys(client, user):
    elsewhere, key = Client(), ApiKey.make(user.pk, "any")
    elsewhere.force_login(user)
    assert "Revoke my API keys too" in client.get("/account/password/").text

    answer = change_password(client, revoke_keys="on")

    assert answer.status_code == 303
    page = client.get("/").text
    assert "Your password is changed. Your API keys do not work any more." in page
    assert elsewhere.get("/").status_code == 302
    assert client.get("/v1.3/indexes", headers={"x-api-key": key}).status_code == 401
    assert sign_in(Client(), user.username, NEW).status_code == 302


def test_keys_outlive_another_password_if_one_wishes(client, user):
    key = ApiKey.make(user.pk, "any")

    change_password(client)

    assert client.get("/v1.3/indexes", headers={"x-api-key": key}).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"old": "wrong"}, "Your old password was entered incorrectly."),
        ({"new_password2": "other"}, "The two password fields didn"),
        ({"new_password1": "1234", "new_password2": "1234"}, "This password is too"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(client, user, wrong, why):
    answer = change_password(client, **wrong)

    assert answer.status_code == 400 and why in answer.text
    assert sign_in(Client(), user.username, PASSWORD).status_code == 302


def test_who_has_no_password_has_none_to_change(client, settings):
    settings.REQUIRE_LOGIN = False

    assert client.get("/account/password/").status_code == 404
