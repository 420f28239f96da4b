from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from tests.factories import make_index, make_task, make_transcript, make_user, make_video
from videos.forms import IndexForm
from videos.media.sandbox import ChildDied
from videos.models import Index, Pulse, Task, Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_known_engine")]


@pytest.fixture
def _known_engine(settings):
    settings.DEFAULT_ENGINE = "sphinx"  # or the form asks the network for a better one


def many_videos(index: Index, number: int) -> list[Video]:
    """Rows without files, each a minute younger than the one before, each with a ready task."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    videos = [
        Video(
            index=index,
            filename=f"clip {n:05}.mp4",
            sha256=f"{n:064x}",
            size_bytes=1,
            container="mp4",
            content_type="video/mp4",
            duration_ms=60_000,
        )
        for n in range(number)
    ]
    tasks = [Task(video=video, engine="sphinx", status="ready", step="done") for video in videos]
    for n, (video, task) in enumerate(zip(videos, tasks, strict=True)):
        video.created_at = first + timedelta(minutes=n)
        video.transcript = task
    with mock.patch.object(Video._meta.get_field("created_at"), "auto_now_add", new=False):
        Video.objects.bulk_create(videos, batch_size=500)
    Task.objects.bulk_create(tasks, batch_size=500)
    return videos


def test_the_first_page_offers_the_sample_and_the_form(client, user):
    page = client.get("/").text

    assert 'action="/sample"' in page and 'id="upload"' in page


def test_videos_come_newest_first_with_length_and_state(client, user):
    index = make_index(user)
    make_transcript(2, index, filename="older.mp4", duration_ms=4_000_000)
    make_task(make_video(index, filename="newer.mp4"))

    page = client.get("/").text

    assert page.index("newer.mp4") < page.index("older.mp4")
    assert "1:06:40" in page and "Ready" in page and "Waiting for its turn" in page


def test_only_your_own_are_listed(client, user):
    other = make_transcript(1, filename="secret.mp4")

    assert "secret.mp4" not in client.get("/").text
    assert client.get(f"/indexes/{other.index_id}/").status_code == 404
    assert "secret" not in client.get("/videos/states", {"id": other.pk}).text


def test_pages_lead_from_the_newest_to_the_oldest_and_miss_none(client, user):
    many_videos(make_index(user), 120)

    seen, url = [], "/"
    while url:
        page = client.get(url)
        seen += [item.video.filename for item in page.context["items"]]
        url = (
            f"/?before={page.context['older']}".replace("+", "%2B") if page.context["older"] else ""
        )

    assert seen == [f"clip {n:05}.mp4" for n in reversed(range(120))]


@pytest.mark.parametrize(
    "before",
    [
        "x",
        "~",
        "2024-13-45~abc",
        "2024-01-01~",
        "\0",
        "9" * 500,
        "0001-01-01T00:00:00+14:00~abc",
        "9999-12-31T23:59:59-14:00~abc",
    ],
)
def test_a_cursor_that_cannot_be_read_gives_the_newest(client, user, before):
    make_transcript(1, make_index(user), filename="here.mp4")

    assert "here.mp4" in client.get("/", {"before": before}).text


def test_a_list_takes_the_same_queries_whatever_its_length(client, user, django_assert_num_queries):
    index = make_index(user)
    for number in (1, 30):
        many_videos(index, number)
        with django_assert_num_queries(10):
            # session, user, indexes with totals, videos, their transcripts, tasks and tags,
            # all tags, the form's indexes, unfinished uploads
            client.get("/")


def quickest(client, url: str) -> float:
    """Seconds for a page: the first one warms up, and a busy machine may spoil one or two."""
    took = []
    for _ in range(4):
        started = time.perf_counter()
        client.get(url)
        took.append(time.perf_counter() - started)
    return min(took)


def miscounted() -> None:
    """Leave Postgres believing that lists are empty, as after a clearing-out: it plans by that
    until it counts again, a minute or more after the rows came.
    """
    if connection.vendor == "postgresql":
        many_videos(make_index(make_user()), 100)
        for model in (Task, Video):
            model.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE videos_task, videos_video")


def ten_thousand(client, user) -> float:
    """Make so many videos; how quick a page was when they were hardly more than it holds."""
    miscounted()
    index = make_index(user)
    many_videos(index, 51)
    a_page = quickest(client, "/")
    many_videos(index, 10_000)
    return a_page


def test_ten_thousand_videos_are_listed_at_once(client, user):
    a_page = ten_thousand(client, user)

    assert quickest(client, "/") < 4 * a_page
    assert len(client.get("/").context["items"]) == 50


def test_days_are_those_of_the_sites_own_time_zone(client, user, settings):
    """At 20:30 in London it is the next day in Tokyo."""
    settings.TIME_ZONE = "Asia/Tokyo"
    video = make_video(make_index(user))
    Video.objects.filter(pk=video.pk).update(created_at=datetime(2024, 1, 3, 20, 30, tzinfo=UTC))

    assert "<span>4 Jan 2024</span>" in client.get("/").text

    Video.objects.filter(pk=video.pk).update(created_at=timezone.now())
    assert f"<span>Today {timezone.localtime():%H:}" in client.get("/").text


def test_a_list_asks_for_states_while_something_is_unfinished(client, user):
    video = make_video(make_index(user))
    task = make_task(video)
    asking = 'hx-trigger="every 3s"'

    assert asking in client.get("/").text
    assert asking in client.get("/videos/states", {"id": video.pk}).text

    Task.objects.filter(pk=task.pk).finish("failed", "The sound is broken.")

    states = client.get("/videos/states", {"id": video.pk}).text
    assert asking not in client.get("/").text and asking not in states
    assert (
        f'id="state-{video.pk}" hx-swap-oob="true"' in states and "The sound is broken." in states
    )


def test_htmx_gets_the_list_and_the_counts_alone(client, user):
    video = make_transcript(1, make_index(user), filename="here.mp4")

    for url in ("/", f"/indexes/{video.index_id}/"):
        page = client.get(url, headers={"HX-Request": "true"})
        assert 'id="listing"' in page.text and "here.mp4" in page.text
        assert 'id="index-list" hx-swap-oob="true"' in page.text and "1 video" in page.text
        assert "<html" not in page.text and "HX-Request" in page["Vary"]
        assert 'hx-swap-oob="true"' not in client.get(url).text


def test_deleting_takes_the_video_and_its_transcript(client, user):
    video = make_transcript(2, make_index(user), filename="old <b>.mp4")

    page = client.post(f"/videos/{video.pk}/delete", follow=True).text

    assert "Deleted old &lt;b&gt;.mp4." in page
    assert not Video.objects.exists() and not Task.objects.exists()


def test_deleting_leads_back_to_the_list_it_was_asked_in(client, user):
    index = make_index(user)
    for url in ("/?before=x", f"/indexes/{index.pk}/"):
        video = make_video(index)
        page = client.get(url).text
        assert f'name="next" value="{url}"' in page

        answer = client.post(f"/videos/{video.pk}/delete", {"next": url})
        assert (answer.status_code, answer["Location"]) == (303, url)


@pytest.mark.parametrize(
    "back",
    ["", "https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"],
)
def test_deleting_leads_to_no_other_site(client, user, back):
    video = make_video(make_index(user))

    answer = client.post(f"/videos/{video.pk}/delete", {"next": back})

    assert answer["Location"] == f"/indexes/{video.index_id}/"


def test_an_index_is_made_renamed_and_deleted(client, user):
    client.post("/indexes/", {"name": "Dailies"})
    index = Index.objects.get(owner=user)
    make_transcript(1, index)

    client.post(f"/indexes/{index.pk}/rename", {"name": "Rushes"})
    again = client.post("/indexes/", {"name": "Rushes"}, follow=True)
    empty = client.post(f"/indexes/{index.pk}/rename", {"name": " "}, follow=True)

    index.refresh_from_db()
    assert index.name == "Rushes"
    assert "You have an index of this name already." in again.text
    assert empty.redirect_chain[-1][0] == f"/indexes/{index.pk}/"

    client.post(f"/indexes/{index.pk}/delete")
    assert not Index.objects.exists() and not Video.objects.exists()


def test_an_index_that_is_deleted_while_it_is_renamed_stays_deleted(client, user, monkeypatch):
    index = make_index(user)
    check = IndexForm.clean_name

    def delete_and_check(form):
        Index.objects.all().delete()
        return check(form)

    monkeypatch.setattr(IndexForm, "clean_name", delete_and_check)

    assert client.post(f"/indexes/{index.pk}/rename", {"name": "Rushes"}).status_code == 404
    assert not Index.objects.exists()


@pytest.mark.parametrize("path", ["rename", "delete"])
def test_a_strangers_index_stays(client, user, path):
    index = make_index()

    assert client.post(f"/indexes/{index.pk}/{path}", {"name": "mine"}).status_code == 404
    assert client.get(f"/indexes/{index.pk}/{path}").status_code == 405


def test_the_sample_leads_to_its_page(client, user, monkeypatch):
    video = make_video(make_index(user))
    monkeypatch.setattr("videos.views.library.ingest.accept_sample", lambda user: video)

    response = client.post("/sample")

    assert (response.status_code, response["Location"]) == (303, f"/videos/{video.pk}/")
    assert client.get("/sample").status_code == 405


@pytest.mark.parametrize("why", ["not enough room", "took too long"])
def test_a_sample_that_cannot_be_had_is_a_sentence_and_leaves_nothing(
    client, user, settings, monkeypatch, why
):
    if why == "not enough room":
        settings.MIN_FREE_BYTES = 2**60
    else:
        monkeypatch.setattr("videos.admission.probe", too_slow)

    assert why in client.post("/sample", follow=True).text
    assert list(settings.INCOMING_ROOT.iterdir()) == [] and not Video.objects.exists()


def too_slow(path):
    raise ChildDied("it slept", limit="time")


# --- doors and signs ---


@pytest.mark.parametrize(
    "url", ["/", "/upload/", "/upload/check", "/videos/states", f"/videos/{'0' * 24}/"]
)
def test_without_signing_in_there_is_only_the_login(client, url):
    make_user()  # somebody has a password, so nobody is signed in by himself

    response = client.get(url)

    assert response.status_code == 302 and response["Location"].startswith("/login/")


def test_signing_in_and_out(client):
    user = make_user("editor")

    client.post("/login/", {"username": "editor", "password": "correct horse battery"})
    assert "editor" in client.get("/").text
    client.post("/logout/")

    assert client.get("/").status_code == 302
    assert User.objects.get() == user


def test_healthz_asks_no_database_no_host_and_no_https(client, settings, django_assert_num_queries):
    settings.REQUIRE_LOGIN = True
    settings.ALLOWED_HOSTS = ["desk.example.org"]
    settings.SECURE_SSL_REDIRECT = True

    with django_assert_num_queries(0):
        response = client.get("/healthz")

    assert (response.status_code, response.text) == (200, "ok")


def test_readyz_names_what_is_missing(client, monkeypatch):
    monkeypatch.setattr("videos.tasks.broker_answers", lambda: "The broker does not answer.")

    before = client.get("/readyz")
    Pulse.objects.beat("worker")
    monkeypatch.setattr("videos.tasks.broker_answers", lambda: "")
    after = client.get("/readyz")

    assert before.status_code == 503
    assert before.json()["broker"] == {"ok": False, "detail": "The broker does not answer."}
    assert not before.json()["worker"]["ok"] and before.json()["database"]["ok"]
    assert after.status_code == 200


def test_errors_have_a_page_with_a_sentence(client, user):
    missing = client.get("/nowhere")
    client.raise_request_exception = False
    old_form = type(client)(enforce_csrf_checks=True)
    old_form.force_login(user)

    assert missing.status_code == 404 and "This page does not exist" in missing.text
    refused = old_form.post("/sample")
    assert refused.status_code == 403 and "This form is too old" in refused.text


def test_every_page_allows_no_inline_script(client, user):
    video = make_transcript(1, make_index(user))

    for url in ("/", "/upload/", f"/videos/{video.pk}/", "/nowhere", "/login/"):
        page = client.get(url)
        assert "unsafe" not in page["Content-Security-Policy"]
        assert " style=" not in page.text and "<script>" not in page.text
        assert " onclick" not in page.text


@pytest.mark.parametrize("name", ["%00", "..", "a" * 300, "%2e%2e%2fetc", "6B04", "'"])
def test_what_is_no_id_is_404(client, user, name):
    for url in (f"/videos/{name}/", f"/videos/{name}/media", f"/indexes/{name}/"):
        assert client.get(url).status_code == 404
    assert client.get(f"/videos/states?id={name}").status_code == 200


def test_of_two_indexes_of_one_name_at_once_the_second_is_told(client, user, monkeypatch):
    make_index(user, name="Films")
    monkeypatch.setattr("videos.forms.IndexForm.clean_name", lambda form: form.cleaned_data["name"])

    page = client.post("/indexes/", {"name": "Films"}, follow=True)

    assert "You have an index of this name already." in page.text
