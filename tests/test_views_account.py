from __future__ import annotations

import re

import pytest

from tests.factories import make_user
from videos.models import ApiKey
from videos.models.api_key import hash_key

pytestmark = pytest.mark.django_db


def test_a_new_key_is_shown_once_and_kept_as_a_hash(client, user):
    page = client.post("/account/keys/", {"name": "Editing bay"})

    shown = re.search(r'id="new-key">(tlk_\w+)<', page.text)[1]
    key = ApiKey.objects.get()
    assert (key.user, key.name, key.hash) == (user, "Editing bay", hash_key(shown))
    assert "no-store" in page["Cache-Control"]
    again = client.get("/account/keys/").text
    assert shown not in again and key.prefix in again and "never" in again
    assert client.get("/v1.3/indexes", headers={"x-api-key": shown}).status_code == 200
    assert "never" not in client.get("/account/keys/").text


def test_a_key_needs_a_name(client, user):
    page = client.post("/account/keys/", {"name": " "})

    assert page.status_code == 400 and "This field is required." in page.text
    assert not ApiKey.objects.exists()


def test_a_revoked_key_stays_in_the_list_and_opens_nothing(client, user):
    shown = ApiKey.make(user.pk, "old")

    page = client.post(f"/account/keys/{ApiKey.objects.get().pk}/revoke", follow=True)

    assert page.redirect_chain == [("/account/keys/", 303)]
    assert "The key old does not work any more." in page.text and "Revoked" in page.text
    assert client.get("/v1.3/indexes", headers={"x-api-key": shown}).status_code == 401


def test_another_users_key_is_neither_seen_nor_revoked(client, user):
    ApiKey.make(make_user().pk, "theirs")
    key = ApiKey.objects.get()

    assert "theirs" not in client.get("/account/keys/").text
    assert client.post(f"/account/keys/{key.pk}/revoke").status_code == 404
    assert ApiKey.objects.working().exists()


def test_every_page_leads_to_the_keys(client, user, settings):
    settings.DEFAULT_ENGINE = "sphinx"
    assert 'href="/account/keys/"' in client.get("/").text
