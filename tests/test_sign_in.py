from __future__ import annotations

import pytest

from tests.factories import PASSWORD, make_transcript, make_user

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
