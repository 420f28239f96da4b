"""Rules of the whole site, walked over its addresses so that a new page is held to them too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.factories import make_user
from tests.test_strangers import addresses, path_of, theirs  # noqa: F401 - a fixture
from videos.models import Index

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    route for route, _ in addresses(get_resolver()) if not route.startswith(("API:", "admin/"))
]
# Called by machines: what they send is checked by its own signature or key.
NO_FORMS = ("hooks/",)
OPEN_TO_ALL = ("login/", "readyz", "api/docs", "api/openapi.yaml")
FORMS = [route for route in PAGES if not route.startswith(NO_FORMS)]


@pytest.fixture
def owner(theirs):  # noqa: F811
    return Index.objects.get(pk=theirs["index_id"]).owner


@pytest.mark.django_db
@pytest.mark.parametrize("route", PAGES)
def test_every_page_forbids_foreign_and_inline_scripts_and_frames(route, theirs, owner):  # noqa: F811
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    answer = client.get(path_of(route, theirs))

    policy = answer["Content-Security-Policy"]
    assert answer.status_code < 500 or route == "readyz"
    assert "unsafe" not in policy
    assert policy.startswith(("default-src 'self';", "sandbox; default-src 'none'"))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    if "text/html" in answer["Content-Type"]:
        html = answer.text
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", html)
        assert not re.search(r"<[^>]+\s(?:style|on[a-z]+)=", html), "inline style or handler"


@pytest.mark.django_db
@pytest.mark.parametrize("route", FORMS)
def test_no_form_of_another_site_does_anything(route, theirs, owner):  # noqa: F811
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(owner)

    assert client.post(path_of(route, theirs)).status_code in (403, 405)


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route in FORMS if route not in OPEN_TO_ALL])
def test_nobody_gets_in_without_signing_in(route, theirs):  # noqa: F811
    answer = Client(raise_request_exception=False).get(path_of(route, theirs))

    assert answer.status_code in (302, 401)
    if answer.status_code == 302:
        assert answer["Location"].startswith("/login/")


@pytest.mark.parametrize(
    "name", ["mark_safe", "csrf_exempt", "shell=True", "import pickle", "|safe"]
)
def test_what_may_be_unsafe_stands_where_it_is_known_to_be_safe(name):
    allowed = {
        "mark_safe": {"videos/rows.py", "videos/replacing.py", "videos/search.py"},
        "csrf_exempt": {"videos/api/endpoint.py", "videos/views/hooks.py"},
    }.get(name, set())
    files = [*ROOT.glob("videos/**/*.py"), *ROOT.glob("templates/**/*.html")]
    found = {str(path.relative_to(ROOT)) for path in files if name in path.read_text()}

    assert found == allowed


def test_the_shipped_settings_pass_djangos_own_check(tmp_path):
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATABASE", "DJANGO"))
    }
    env |= {"DATA_DIR": str(tmp_path), "HTTPS": "1", "HOST": "0.0.0.0", "DEBUG": ""}
    env["TRUSTED_PROXY"] = "10.0.0.1"
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    checked = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stderr


def test_without_a_proxy_that_is_believed_no_page_is_redirected_for_ever(tmp_path):
    env = os.environ | {"DATA_DIR": str(tmp_path), "HTTPS": "1", "TRUSTED_PROXY": ""}
    told = "from transcribe_site import settings as s; print(s.HTTPS, s.SECURE_SSL_REDIRECT)"
    found = subprocess.run([sys.executable, "-c", told], cwd=ROOT, env=env, capture_output=True)

    assert found.stdout.split() == [b"True", b"False"], found.stderr


@pytest.mark.django_db
def test_a_sign_in_leads_back_to_this_site_only(client):
    make_user("ann")
    form = {"username": "ann", "password": "correct horse battery"}
    for target in ("//evil.example", "/\\evil.example", "https://evil.example/", "javascript:x"):
        answer = client.post(f"/login/?next={target}", form)
        assert answer["Location"] == "/"
