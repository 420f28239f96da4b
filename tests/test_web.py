"""Who may have a large body kept before the application sees the request."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import DatabaseError
from django.test import RequestFactory

from tests.factories import make_user
from videos import web
from videos.models import ApiKey

pytestmark = pytest.mark.django_db
PIECE = bytes(2**20)


@pytest.fixture(autouse=True)
def _exposed(settings, monkeypatch):
    settings.REQUIRE_LOGIN = True
    monkeypatch.setattr(web, "most_of_a_stranger", lambda: 2 * len(PIECE))
    monkeypatch.setattr(web.connection, "close", lambda: None)  # the test's own, in this thread


def filled(headers: dict[str, str], pieces: int = 5) -> web.Spool:
    spool = web.Spool(1000, 2**30, 0, headers)
    for _ in range(pieces):
        spool.append(PIECE)
    return spool


@pytest.mark.parametrize(
    "headers",
    [{}, {"X_API_KEY": "tlk_WRONG"}, {"COOKIE": "sessionid=wrong; a=b"}, {"COOKIE": "%00;="}],
)
def test_of_a_stranger_a_little_is_kept_and_the_rest_is_dropped(headers):
    assert len(filled(headers, 2)) == 2 * len(PIECE)
    spool = filled(headers)
    assert (spool.refusal, len(spool)) == (web.STRANGER, 0)


def test_who_has_a_key_or_is_signed_in_may_send_all(client):
    user = make_user()
    client.force_login(user)
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    key = ApiKey.make(user.pk, "any")
    for headers in ({"X_API_KEY": key}, {"COOKIE": f"a=b; sessionid={session}"}):
        assert len(filled(headers)) == 5 * len(PIECE)
    ApiKey.objects.revoke()
    assert filled({"X_API_KEY": key}).refusal == web.STRANGER


def test_a_session_of_nobody_is_a_strangers(client):
    client.session.save()
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert filled({"COOKIE": f"sessionid={session}"}).refusal == web.STRANGER


def test_nobody_is_a_stranger_on_ones_own_machine_or_while_the_database_is_down(
    settings, monkeypatch
):
    def fail(headers):
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(web, "_has_key", fail)
        assert not filled({}).refusal
    settings.REQUIRE_LOGIN = False
    assert not filled({}).refusal


@pytest.mark.parametrize("charset", ["hex", '"rot13"', "punycode", "idna", "undefined", "utf-16"])
@pytest.mark.parametrize("name", ["charset", "CharSet*", "charset "])
def test_a_request_is_read_as_utf8_whatever_charset_it_names(charset, name):
    """As the web server asks the application; Django's test client goes another way."""
    form = RequestFactory().post("/login/?q=%C3%A9", {"username": "é"}).environ
    form["CONTENT_TYPE"] += f"; {name}={charset}"
    said = []

    list(get_internal_wsgi_application()(form, lambda status, headers: said.append(status)))

    assert said in (["200 OK"], ["403 Forbidden"])  # it has no token of a form
    assert "charset" not in form["CONTENT_TYPE"].lower()
