"""A file by its address: the answer comes at once, the bytes later, or a sentence why not."""

from __future__ import annotations

import hashlib
import ipaddress
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone

from tests.api import SRT, refusal
from tests.factories import make_index, make_user, uploaded
from tests.faults.stack import wait_for
from tests.web import Handler, serving
from videos import admission, fetcher, fetching, ingest, search, storage, tasks
from videos.admission import Refused
from videos.engines.base import Cue
from videos.ingest import Wishes
from videos.media.sandbox import ChildDied
from videos.models import Asset, Fetch, Index, Status, Step, Task, Video

MINUTE = timedelta(seconds=60)


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.FETCH_ALLOW_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.DEFAULT_ENGINE = "sphinx"


@pytest.fixture
def index(caller) -> Index:
    return make_index(caller.user)


@pytest.fixture
def web(sample):
    """Has the sample, captions, and what is no video."""
    files = {"/a%20clip.mp4": sample.read_bytes(), "/a.srt": SRT, "/page": b"<h1>no video</h1>"}

    def play(handler: Handler) -> None:
        body = files.get(handler.path.partition("?")[0])
        handler.reply(body or b"", 200 if body else 404)

    with serving(play) as server:
        yield server


def hasten() -> None:
    """As if the time until the next try were over."""
    Fetch.objects.update(not_before=None)


def parts(settings) -> list[str]:
    return [path.name for path in settings.INCOMING_ROOT.iterdir()]


def test_a_video_is_there_at_once_and_its_bytes_when_they_were_fetched(
    caller, index, web, sample, settings
):
    url = f"{web.url}/a%20clip.mp4?signature=x"
    made = caller.send("/tasks", index_id=index.pk, video_url=url, language="en")

    assert made.status_code == 201
    assert web.asked == []
    task = caller.get(f"/tasks/{made.json()['_id']}").json()
    assert (task["status"], task["video_id"]) == ("validating", made.json()["video_id"])
    assert task["system_metadata"]["filename"] == "a clip.mp4"
    assert task["system_metadata"]["size"] == 0

    tasks.fetch()

    video = Video.objects.get()
    digest = hashlib.sha256(sample.read_bytes()).hexdigest()
    assert (video.sha256, video.size_bytes) == (digest, sample.stat().st_size)
    assert (video.width, video.height, video.has_sound) == (640, 360, True)
    assert storage.media_path(video.media_name).read_bytes() == sample.read_bytes()
    task = Task.objects.get()
    assert (task.step, task.status, task.doing) == (Step.PREPARE, Status.VALIDATING, "")
    assert not Fetch.objects.exists() and parts(settings) == []
    tasks.advance(task.pk)
    assert Task.objects.get().step == Step.TRANSCRIBE


def test_the_address_wins_over_a_file_and_may_come_twice(caller, index, web, sample):
    """py 0.2.10 to 0.4 send the field, and a file part of the same name."""
    file = SimpleUploadedFile("other.mp4", sample.read_bytes())
    twin = SimpleUploadedFile("upload", b"")
    url = f"{web.url}/a%20clip.mp4"
    part = {"index_id": index.pk, "video_file": file, "video_url": [url, twin]}

    assert caller.send("/tasks", **part).status_code == 201

    assert Video.objects.get().filename == "a clip.mp4"
    assert Fetch.objects.get().media_url == url


def test_a_url_without_a_file_may_come_urlencoded(caller, index, web):
    response = caller.client.post(
        "/v1.2/tasks",
        f"index_id={index.pk}&video_url={web.url}/a%2520clip.mp4",
        content_type="application/x-www-form-urlencoded",
        headers=caller.headers,
    )

    assert response.status_code == 201
    tasks.fetch()
    assert Video.objects.get().sha256


@pytest.mark.parametrize("by_url", [True, False])
def test_captions_may_lie_elsewhere_too(caller, index, web, sample, by_url):
    clip = {"video_url": f"{web.url}/a%20clip.mp4"}
    if not by_url:
        clip = {"video_file": SimpleUploadedFile("a.mp4", sample.read_bytes())}

    # js 0.x sends it without provide_transcription.
    made = caller.send("/tasks", index_id=index.pk, transcription_url=f"{web.url}/a.srt", **clip)

    assert made.status_code == 201
    tasks.fetch()
    task = Task.objects.get()
    assert (task.engine, task.model, task.step) == ("captions", "a.srt", Step.PREPARE)
    assert [row.text for row in task.segments.all()] == ["He stands at the window."]
    tasks.advance(task.pk)
    assert Task.objects.get().status == Status.READY
    (found,), _ = search.find(search.parse("stands window"), Video.objects.all())
    assert [hit.number for hit in found.hits] == [0]


def test_captions_that_are_declined_are_not_fetched(caller, index, sample):
    clip = SimpleUploadedFile("a.mp4", sample.read_bytes())
    fields = {"provide_transcription": "false", "transcription_url": "http://example.org/a.srt"}

    assert caller.send("/tasks", index_id=index.pk, video_file=clip, **fields).status_code == 201
    assert Task.objects.get().engine == "sphinx"
    assert not Fetch.objects.exists()


@pytest.mark.parametrize("name", ["video_url", "transcription_url"])
@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/a", "file:///etc/passwd", "http://u:p@example.org/", "x"]
)
def test_an_address_that_is_never_called_is_refused_at_once(caller, index, sample, name, url):
    clip = SimpleUploadedFile("a.mp4", sample.read_bytes())

    response = caller.send("/tasks", **{"index_id": index.pk, "video_file": clip, name: url})

    assert refusal(response) == (400, "parameter_invalid")
    assert not Video.objects.exists()


def test_fetching_can_be_switched_off(caller, index, web, settings, client):
    caller.send("/tasks", index_id=index.pk, video_url=f"{web.url}/a%20clip.mp4")
    settings.FETCH_URLS = False

    response = caller.send("/tasks", index_id=index.pk, video_url=f"{web.url}/a%20clip.mp4")
    assert refusal(response) == (400, "parameter_invalid")
    tasks.fetch()
    assert Task.objects.get().error == fetcher.OFF
    assert web.asked == []
    client.force_login(caller.user)
    assert "web address" not in client.get("/upload/").text


@pytest.mark.parametrize(("path", "words"), [("/page", "video"), ("/missing", "404")])
def test_what_is_no_video_ends_the_task_with_a_sentence(
    caller, index, web, settings, client, path, words
):
    made = caller.send("/tasks", index_id=index.pk, video_url=f"{web.url}{path}").json()
    tasks.fetch()

    task = caller.get(f"/tasks/{made['_id']}").json()
    assert task["status"] == "failed" and words in task["error"]["message"]
    assert parts(settings) == []
    client.force_login(caller.user)
    page = client.get(f"/videos/{made['video_id']}/")
    assert page.status_code == 200 and "Try again" in page.text and "<video" not in page.text
    assert client.get(f"/videos/{made['video_id']}/media").status_code == 404
    assert client.get("/").status_code == 200
    assert caller.delete(f"/tasks/{made['_id']}").status_code == 204
    assert not Video.objects.exists() and not Fetch.objects.exists()


def test_a_file_that_could_not_be_read_just_now_is_fetched_again(caller, index, web, monkeypatch):
    caller.send("/tasks", index_id=index.pk, video_url=f"{web.url}/a%20clip.mp4")

    def die(path):
        raise ChildDied("killed", limit="time")

    with monkeypatch.context() as patch:
        patch.setattr(admission, "probe", die)
        tasks.fetch()
    assert Task.objects.get().status == Status.VALIDATING
    hasten()
    tasks.fetch()

    assert Task.objects.get().step == Step.PREPARE


def test_a_failed_one_may_be_tried_again(caller, index, web, sample):
    video = ingest.accept_url(index, f"{web.url}/missing", Wishes())
    tasks.fetch()
    task = Task.objects.get()
    assert task.status == Status.FAILED
    Fetch.objects.update(media_url=f"{web.url}/a%20clip.mp4")

    assert ingest.try_again(task)

    assert Task.objects.get().step == Step.FETCH
    tasks.fetch()
    video.refresh_from_db()
    assert video.sha256 and Task.objects.get().step == Step.PREPARE


def test_a_server_that_is_away_is_asked_four_times_and_no_more(caller, index):
    with serving(lambda handler: handler.reply(status=503)) as server:
        ingest.accept_url(index, f"{server.url}/a.mp4", Wishes())
        for attempt in range(1, 6):
            tasks.fetch()
            assert len(server.asked) == min(attempt, 4)
            if attempt < 4:
                fetch = Fetch.objects.get()
                assert fetch.not_before > timezone.now() and fetch.lease_until is None
                assert Task.objects.get().status == Status.VALIDATING
            hasten()

    task = Task.objects.get()
    assert task.status == Status.FAILED and "503" in task.error


def test_a_worker_that_dies_each_time_is_not_asked_for_ever(caller, index, web):
    ingest.accept_url(index, f"{web.url}/a%20clip.mp4", Wishes())
    for _ in range(fetching.MAX_ATTEMPTS):
        Fetch.objects.claim(Fetch.objects.get().pk, timedelta(seconds=-1))

    tasks.fetch()

    assert Task.objects.get().error == fetching.GIVEN_UP


def test_a_worker_that_died_left_nothing_and_cannot_write_any_more(caller, index, web, settings):
    ingest.accept_url(index, f"{web.url}/a%20clip.mp4", Wishes())
    dead = Fetch.objects.claim(Fetch.objects.get().pk, timedelta(seconds=-1))
    storage.part_path(f"fetch-{dead.pk}-{dead.lease_no}").write_bytes(b"half")
    living = Fetch.objects.claim(dead.pk, MINUTE)

    fetching.run(dead, lambda: False)
    assert Task.objects.get().step == Step.FETCH and not Video.objects.get().sha256

    fetching.run(living, lambda: False)
    assert Task.objects.get().step == Step.PREPARE
    assert parts(settings) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_claims_at_once_one_gets_the_fetch(caller, index):
    ingest.accept_url(index, "http://example.org/a.mp4", Wishes())
    pk, late = Fetch.objects.get().pk, []
    other = threading.Thread(
        target=in_thread, args=(lambda: late.append(Fetch.objects.claim(pk, MINUTE)),)
    )
    with transaction.atomic():
        assert Fetch.objects.claim(pk, MINUTE) is not None
        other.start()
        time.sleep(0.5)  # it waits for the row now, which is committed under its eyes
    other.join()

    assert late == [None] and Fetch.objects.get().attempts == 1


def slowly(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000000")
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(20_000))
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_a_fetch_shows_its_bytes_and_ends_when_it_is_cancelled(caller, index, settings, client):
    client.force_login(caller.user)
    with serving(slowly) as server:
        video = ingest.accept_url(index, f"{server.url}/a.mp4", Wishes())
        worker = threading.Thread(target=in_thread, args=(tasks.fetch,))
        worker.start()
        try:
            deadline = time.monotonic() + 20
            while not Task.objects.get().doing:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            page = client.get(f"/videos/{video.pk}/").text
            assert "Fetching the file" in page and "Cancel" in page
            client.post(f"/videos/{video.pk}/cancel")
        finally:
            Task.objects.all().cancel()
            worker.join(10)
        assert not worker.is_alive()
    assert parts(settings) == []
    assert Task.objects.get().cancelled


def in_thread(work) -> None:
    try:
        work()
    finally:
        connection.close()


def test_a_fetch_keeps_its_lease_while_bytes_come(caller, index, settings):
    ingest.accept_url(index, "http://example.org/a.mp4", Wishes())
    fetch = Fetch.objects.claim(Fetch.objects.get().pk, timedelta(seconds=1))
    before = fetch.lease_until
    settings.HEARTBEAT_SECONDS = 0

    fetching._Hold(fetch, lambda: False).look(fetcher.Line(received=2_000_000, total=8_000_000))

    fetch.refresh_from_db()
    assert (fetch.lease_until - before).total_seconds() > settings.LEASE_SECONDS - 10
    task = Task.objects.get()
    assert task.fraction == 0.25 and "1.9" in task.doing and "7.6" in task.doing


def test_a_file_that_the_disk_cannot_hold_is_not_fetched_to_its_end(
    caller, index, settings, monkeypatch
):
    monkeypatch.setattr(storage, "free_bytes", lambda: 50_000_000)
    with serving(slowly) as server:
        ingest.accept_url(index, f"{server.url}/a.mp4", Wishes())
        tasks.fetch()

    assert "not enough room" in Task.objects.get().error
    assert parts(settings) == []


def test_a_fetch_that_takes_too_long_ends_with_its_task(caller, index, settings):
    ingest.accept_url(index, "http://example.org/a.mp4", Wishes())
    tasks.sweep()
    assert Task.objects.get().status == Status.VALIDATING  # it only waited so far

    looks = itertools.count()

    def sweep_later() -> bool:
        begun = Task.objects.filter(begun_at__lte=timezone.now())
        begun.update(begun_at=timezone.now() - timedelta(hours=73))
        tasks.look_around()
        return next(looks) > 3  # or it would go on for ever

    with serving(slowly) as server:
        Fetch.objects.update(media_url=f"{server.url}/a.mp4")
        fetch = Fetch.objects.claim(Fetch.objects.get().pk, MINUTE)
        fetching.run(fetch, stopping=sweep_later)

    assert parts(settings) == []
    assert Task.objects.get().error == "Not finished within 72 h 0 min of its start."
    assert not Fetch.objects.unfinished().exists()  # nobody takes it up again


def test_a_file_that_came_waits_for_its_turn_without_limit(caller, index, web):
    ingest.accept_url(index, f"{web.url}/a%20clip.mp4", Wishes())

    tasks.fetch()

    task = Task.objects.get()
    assert (task.step, task.begun_at) == (Step.PREPARE, None)


def test_a_worker_that_stops_hands_the_fetch_back(caller, index, settings):
    with serving(slowly) as server:
        ingest.accept_url(index, f"{server.url}/a.mp4", Wishes())
        fetch = Fetch.objects.claim(Fetch.objects.get().pk, MINUTE)
        fetching.run(fetch, lambda: True)

    fetch.refresh_from_db()
    assert (fetch.attempts, fetch.lease_until) == (0, None)
    assert Task.objects.get().status == Status.VALIDATING
    assert parts(settings) == []


def test_a_video_that_is_deleted_meanwhile_leaves_nothing(caller, index, web, settings):
    video = ingest.accept_url(index, f"{web.url}/a%20clip.mp4", Wishes())
    fetch = Fetch.objects.claim(Fetch.objects.get().pk, MINUTE)
    ingest.delete_video(video)

    fetching.run(fetch, lambda: False)

    assert not Video.objects.exists() and parts(settings) == []


def test_a_task_that_is_fetched_is_nobody_elses(caller, index):
    ingest.accept_url(index, "http://example.org/a.mp4", Wishes())

    assert not Task.objects.due().exists()
    tasks.advance(Task.objects.get().pk)
    assert Task.objects.get().claims == 0


def test_a_video_without_bytes_is_not_transcribed_again(caller, index):
    video = ingest.accept_url(index, "http://example.org/a.mp4", Wishes())
    Task.objects.all().cancel()

    with pytest.raises(Refused, match="not here yet"):
        ingest.transcribe_again(video, "", "")


def test_no_owner_waits_behind_anothers_thousand(caller, index):
    other = make_index(make_user())
    for number in range(20):
        ingest.accept_url(index, f"http://example.org/{number}.mp4", Wishes())
    last = ingest.accept_url(other, "http://example.org/a.mp4", Wishes())

    turns = {Fetch.objects.due().next_turn() for _ in range(64)}

    assert Fetch.objects.get(task__video=last).pk in turns and len(turns) == 2


@pytest.mark.django_db(transaction=True)
def test_one_owners_slow_addresses_never_hold_all_slots(caller, index, monkeypatch):
    """Nor where the others come later."""
    monkeypatch.setattr(tasks, "_fetch_slots", threading.BoundedSemaphore(2))
    other, holders, done = make_index(make_user()), [], threading.Event()

    def run(fetch, stopping):
        holders.append(fetch.owner_id)
        done.wait(20)

    monkeypatch.setattr(fetching, "run", run)
    for number in range(3):
        ingest.accept_url(index, f"http://example.org/{number}.mp4", Wishes())
    with ThreadPoolExecutor(3) as worker:
        first = worker.submit(in_thread, tasks.fetch)
        wait_for(lambda: holders, 10)
        worker.submit(in_thread, tasks.fetch).result(10)  # and takes none
        ingest.accept_url(other, "http://example.org/a.mp4", Wishes())
        worker.submit(in_thread, tasks.fetch)
        wait_for(lambda: len(holders) == 2, 10)
        was_held = not first.done()
        done.set()

    assert was_held and holders == [index.owner_id, other.owner_id]


@pytest.mark.parametrize(("waiting", "most", "turn"), [(2, 2, "other"), (1, 2, "own"), (1, 1, "")])
def test_who_holds_a_slot_takes_another_when_nobody_else_waits(caller, index, waiting, most, turn):
    other = make_index(make_user())
    for each in [index, other][:waiting]:
        ingest.accept_url(each, "http://example.org/a.mp4", Wishes())

    pk = Fetch.objects.due().next_turn([caller.user.pk], most)

    owners = {"other": other.owner, "own": caller.user, "": None}
    assert (Fetch.objects.get(pk=pk).owner if pk else None) == owners[turn]


@pytest.mark.parametrize(("others", "slots", "most"), [(0, 2, 2), (1, 2, 1), (1, 1, 1), (1, 4, 3)])
def test_the_last_slot_is_for_others_where_there_are_any(caller, settings, others, slots, most):
    settings.FETCH_SLOTS = slots
    for _ in range(others):
        make_user()

    assert tasks._most_of_one() == most


# --- assets ---


def test_an_asset_by_address_is_ready_when_it_was_fetched(caller, index, web):
    made = caller.send("/assets", method="url", url=f"{web.url}/a%20clip.mp4").json()
    assert (made["method"], made["status"], made["filename"]) == ("url", "processing", "a clip.mp4")
    body = {"asset_id": made["_id"]}
    too_early = caller.post(f"/indexes/{index.pk}/indexed-assets", body)
    assert refusal(too_early) == (400, "asset_not_ready")

    tasks.fetch()

    found = caller.get(f"/assets/{made['_id']}").json()
    assert (found["status"], found["file_type"]) == ("ready", "video/mp4")
    assert caller.post(f"/indexes/{index.pk}/indexed-assets", body).status_code == 202
    assert not Fetch.objects.exists()


def test_an_asset_that_cannot_be_fetched_says_why(caller, web):
    made = caller.send("/assets", method="url", url=f"{web.url}/page", filename="a.mp4").json()
    tasks.fetch()

    found = caller.get(f"/assets/{made['_id']}").json()
    assert found["status"] == "failed" and found["error"]["message"]
    assert caller.delete(f"/assets/{made['_id']}").status_code == 204
    assert not Asset.objects.exists() and not Fetch.objects.exists()


def test_an_asset_by_address_needs_one(caller):
    assert refusal(caller.send("/assets", method="url")) == (400, "parameter_not_provided")
    private = caller.send("/assets", method="url", url="http://192.168.0.1/a.mp4")
    assert refusal(private) == (400, "parameter_invalid")


# --- the form ---


def test_a_person_gives_an_address_on_the_upload_page(client, caller, web):
    client.force_login(caller.user)
    page = client.get("/upload/").text
    assert "From a web address" in page
    form = {"url": f"{web.url}/a%20clip.mp4", "new_index": "From afar", "upload_key": "k"}

    first = client.post("/upload/url", form)
    again = client.post("/upload/url", form)

    other = client.post("/upload/url", form | {"url": f"{web.url}/b.mp4"})
    assert other["Location"] != first["Location"]  # back, and the address corrected
    Video.objects.order_by("-created_at")[0].delete()
    video = Video.objects.get()
    assert (first.status_code, first["Location"]) == (303, f"/videos/{video.pk}/")
    assert again["Location"] == first["Location"]
    assert video.index.name == "From afar"
    assert "Waiting to be fetched" in client.get(f"/videos/{video.pk}/").text
    poll = {"fetching": "1"}
    htmx = {"HX-Request": "true"}
    assert "data-poll" in client.get(f"/videos/{video.pk}/progress", poll, headers=htmx).text
    tasks.fetch()
    news = client.get(f"/videos/{video.pk}/progress", poll, headers=htmx)
    assert news["HX-Refresh"] == "true"
    assert "<video" in client.get(f"/videos/{video.pk}/").text


def test_of_two_clicks_at_once_one_makes_the_video(user, web, monkeypatch):
    index, wishes = make_index(user), Wishes(upload_key="k", language="en")
    first_task, twins = ingest.first_task, []

    def slow(*args):
        if not twins:
            twins.append(None)
            twins[0] = ingest.accept_url(index, f"{web.url}/a.mp4", wishes)
        return first_task(*args)

    monkeypatch.setattr(ingest, "first_task", slow)
    assert ingest.accept_url(index, f"{web.url}/a.mp4", wishes) == twins[0]
    assert Video.objects.count() == 1


@pytest.mark.parametrize("url", ["", "ftp://example.org/", "http://127.1/", "http://[::1]/"])
def test_the_form_says_what_is_wrong_with_an_address(client, caller, settings, url):
    settings.FETCH_ALLOW_NETWORKS = []
    client.force_login(caller.user)

    page = client.post("/upload/url", {"url": url}, follow=True)

    if url == "http://127.1/":  # a name like others until it is looked up
        tasks.fetch()
        assert Task.objects.get().error == fetcher.NOT_PUBLIC
    else:
        assert page.status_code == 400 and 'role="alert"' in page.text
        assert not Index.objects.exists()


def test_captions_that_came_with_an_address_are_judged_by_the_length_of_its_file(sample, index):
    cues = [Cue(0, 2000, "Said."), Cue(90_000, 92_000, "After the end.")]
    video = ingest.accept_url(index, "https://example.org/a.mp4", Wishes(captions=cues))

    with uploaded(sample.read_bytes()) as part:
        found = admission.look_at(part.path)
        fetching._keep_for_task(video.tasks.get().pk, part, found, [])

    assert list(video.tasks.get().segments.values_list("marks", flat=True)) == ["", "e"]
