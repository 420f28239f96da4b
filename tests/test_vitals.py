"""Numbers for who watches the service: on a page for staff, and for Prometheus."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories import make_index, make_task, make_user, make_video
from videos import vitals
from videos.local_user import local_user
from videos.models import Asset, Derivation, Kind, Pulse, Task, Upload, Webhook

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def staff(client):
    user = make_user(is_staff=True)
    client.force_login(user)
    return user


@pytest.fixture
def busy():
    """One of each thing that may wait."""
    user = make_user()
    video = make_video(make_index(user))
    for status in ("pending", "queued", "indexing", "ready", "ready"):
        make_task(video, status=status)
    make_task(video, status="failed", error="No.")
    oldest = Task.objects.filter(status="pending")
    oldest.update(asked_at=timezone.now() - timedelta(minutes=10))
    Derivation.objects.create(video=video, kind=Kind.PROXY)
    Derivation.objects.create(video=video, kind=Kind.PEAKS, state="ready")
    Webhook.objects.create(user=user, url="https://example.org/").send("webhook.test", {})
    asset = Asset.objects.create(owner=user, filename="a.mov")
    later = timezone.now() + timedelta(hours=1)
    Upload.objects.create(asset=asset, total_bytes=9, chunk_bytes=9, expires_at=later)
    Pulse.objects.beat("worker")


def samples(text: str) -> dict[str, float]:
    """As a scraper reads them: each line is a comment or a name with a number."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = [
        re.fullmatch(r'(desk_[a-z_]+(?:\{[a-z]+="[a-z]+"\})?) (-?[0-9.e+]+)', line)
        for line in lines
    ]
    assert text.endswith("\n") and all(found), text
    return {match[1]: float(match[2]) for match in found if match}


def test_what_waits_is_counted_in_the_format_of_prometheus(client, staff, busy):
    answer = client.get("/metrics")
    found = samples(answer.text)

    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE desk_tasks gauge\n" in answer.text
    assert found['desk_tasks{status="ready"}'] == 2
    assert found['desk_tasks{status="validating"}'] == 0
    assert found["desk_task_oldest_waiting_seconds"] == pytest.approx(600, abs=5)
    assert found['desk_derivations_unfinished{kind="proxy"}'] == 1
    assert found['desk_derivations_unfinished{kind="peaks"}'] == 0
    assert found["desk_webhook_deliveries_unfinished"] == found["desk_uploads_active"] == 1
    assert found['desk_pulse_age_seconds{name="worker"}'] == pytest.approx(0, abs=5)
    assert found["desk_disk_free_bytes"] > 0


def test_a_new_site_has_numbers_too(client, staff):
    found = samples(client.get("/metrics").text)

    assert found["desk_task_oldest_waiting_seconds"] == 0
    assert "never heard" in client.get("/health/").text


def test_the_page_says_the_same_in_words_and_looks_again(client, staff, busy):
    page = re.sub(r"<[^>]+>", " ", client.get("/health/").text)

    assert re.search(r"Videos that wait\s+2, the oldest for 10 min", page)
    assert re.search(r"Playable copies to be made\s+1\s", page)
    assert "beyond the reserve" in page and re.search(r"Worker\s+heard \d s ago", page)
    part = client.get("/health/", headers={"HX-Request": "true"}).text.strip()
    assert part.startswith("<section") and 'hx-trigger="every 10s"' in part


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BEARER, 200),
        ({}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": TOKEN}, 401),
    ],
)
def test_the_token_opens_the_numbers_and_nothing_else_does(client, settings, headers, status):
    settings.METRICS_TOKEN, settings.REQUIRE_LOGIN = TOKEN, True
    answer = client.get("/metrics", headers=headers)

    assert answer.status_code == status
    assert (answer.get("WWW-Authenticate") is None) == (status == 200)


def test_without_a_token_set_none_is_right(client, settings):
    settings.REQUIRE_LOGIN = True
    for given in ("", "Bearer", "Bearer "):
        assert client.get("/metrics", headers={"Authorization": given}).status_code == 401


def test_they_are_for_staff_and_for_the_local_user_of_a_private_site(client):
    client.force_login(make_user())
    assert client.get("/metrics").status_code == 401
    assert client.get("/health/").status_code == 404
    assert "/health/" not in client.get("/upload/").text

    client.force_login(local_user())
    assert client.get("/metrics").status_code == client.get("/health/").status_code == 200
    assert "/health/" in client.get("/upload/").text


def test_who_is_in_without_signing_in_may_follow_the_link_to_the_numbers(client, settings):
    settings.REQUIRE_LOGIN = False
    assert client.get("/metrics").status_code == 200

    make_user()
    assert client.get("/metrics").status_code == 401


def test_the_numbers_take_the_same_few_queries_from_indexes(django_assert_num_queries, busy):
    with django_assert_num_queries(8):
        vitals.take()

    if connection.vendor == "sqlite":
        counted = Task.objects.order_by().values_list("status").annotate(n=vitals.Count("*"))
        assert "COVERING INDEX task_status" in counted.explain()
