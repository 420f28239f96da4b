"""A large file from a page in parts: it goes on where it broke off, and becomes a video."""

from __future__ import annotations

import fcntl
import os
import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from tests.api import Caller
from tests.factories import make_index
from tests.test_views_uploads import JSON, SRT
from videos import admission, ingest, multipart, storage, tasks, upkeep
from videos.media.sandbox import ChildDied
from videos.models import Asset, Chunk, Index, Upload, Video

pytestmark = pytest.mark.django_db
PART = 50_000


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch, settings):
    monkeypatch.setattr(multipart, "CHUNK_BYTES", PART)
    settings.DEFAULT_ENGINE = "sphinx"


@pytest.fixture
def data(sample) -> bytes:
    return sample.read_bytes()


def begin(client, size, **more):
    return client.post(
        "/upload/parts/", {"name": "day one.mov", "size": size, "modified": 5} | more
    ).json()


def put(client, begun, data, number):
    part = data[(number - 1) * PART : number * PART]
    return client.put(f"{begun['url']}{number}", part, content_type="application/octet-stream")


def send(client, begun, data, numbers=None) -> None:
    for number in numbers or begun["missing"]:
        assert put(client, begun, data, number).json() == {"ok": True}


def finish(client, begun, **fields):
    return client.post(f"{begun['url']}finish", fields, headers=JSON)


def stumble(path):
    raise ChildDied("killed", limit="time")


def left_behind(settings) -> list:
    return [*settings.INCOMING_ROOT.iterdir(), *Asset.objects.all(), *Upload.objects.all()]


def test_parts_become_the_video_that_the_form_would_make(client, user, data, settings):
    index = make_index(user)
    begun = begin(client, len(data), index=index.pk, language="en")
    assert (begun["part_bytes"], begun["missing"]) == (PART, [1, 2, 3, 4, 5])
    send(client, begun, data, [5, 2, 1, 4, 3, 2])
    captions = SimpleUploadedFile("any.srt", SRT)

    answer = finish(client, begun, index=index.pk, captions=captions)

    video = Video.objects.get()
    assert answer.status_code == 201
    assert answer.json()["url"] == f"/videos/{video.pk}/"
    assert (video.filename, video.index, video.size_bytes) == ("day one.mov", index, len(data))
    assert storage.media_path(video.media_name).read_bytes() == data
    assert video.tasks.get().engine == "captions"
    assert left_behind(settings) == []


def test_the_same_file_chosen_again_goes_on_and_another_begins(client, user, data):
    begun = begin(client, len(data))
    send(client, begun, data, [1, 3])
    Upload.objects.update(expires_at=timezone.now() + timedelta(minutes=1))

    again = begin(client, len(data))

    assert (again["id"], again["missing"]) == (begun["id"], [2, 4, 5])
    assert Upload.objects.get().expires_at > timezone.now() + timedelta(hours=1)
    for other in ({"name": "b.mov"}, {"modified": 6}, {"size": len(data) + 1}):
        assert begin(client, **{"size": len(data)} | other)["missing"][0] == 1


def test_a_file_whose_parts_are_gone_begins_anew(client, user, data):
    begun = begin(client, len(data))
    send(client, begun, data, [1])
    multipart.path_of(Upload.objects.get()).unlink()

    assert begin(client, len(data))["missing"] == [1, 2, 3, 4, 5]


def test_finishing_twice_makes_one_video(client, user, data):
    begun = begin(client, len(data))
    send(client, begun, data)

    first, second = finish(client, begun), finish(client, begun)

    assert first.json() == second.json()
    assert Video.objects.count() == 1


def test_what_is_not_all_here_or_busy_is_no_video_yet(client, user, data):
    begun = begin(client, len(data))
    send(client, begun, data, [1, 2, 3, 4])
    assert finish(client, begun).json()["message"] == "1 parts of this file are not here."
    send(client, begun, data, [5])

    with open(multipart.path_of(Upload.objects.get()), "rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_SH)
        assert finish(client, begun).status_code == 503
    assert finish(client, begun).status_code == 201


def test_what_finds_no_place_to_be_checked_is_kept_and_asked_for_again(
    client, user, data, monkeypatch
):
    begun = begin(client, len(data))
    send(client, begun, data)

    with monkeypatch.context() as crowded:
        crowded.setattr(admission, "_senders", threading.BoundedSemaphore(1))
        with admission._senders:
            assert finish(client, begun).status_code == 503
    assert finish(client, begun).status_code == 201


def test_wrong_captions_cost_no_byte_that_was_sent(client, user, data):
    begun = begin(client, len(data))
    send(client, begun, data)

    refused = finish(client, begun, captions=SimpleUploadedFile("a.srt", b"no captions"))
    language = finish(client, begun, language="de")

    assert "a.srt" in refused.json()["message"]
    assert "does not understand this language" in language.json()["message"]
    assert begin(client, len(data))["missing"] == []
    assert finish(client, begun).status_code == 201


def test_a_file_that_is_no_video_leaves_nothing_behind(client, user, settings):
    data = b"just words " * 10_000
    begun = begin(client, len(data), new_index="Dailies")
    send(client, begun, data)

    answer = finish(client, begun, new_index="Dailies")

    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert left_behind(settings) == [] and not Index.objects.exists()


def test_a_fault_while_the_file_is_looked_at_costs_no_byte_that_was_sent(
    client, user, data, monkeypatch
):
    begun = begin(client, len(data))
    send(client, begun, data)
    with monkeypatch.context() as patch:
        patch.setattr(admission, "probe", stumble)
        refused = finish(client, begun)

    assert "too long" in refused.json()["message"]
    assert begin(client, len(data))["missing"] == []
    assert finish(client, begun).status_code == 201


def test_bytes_that_were_stored_without_their_rows_are_still_the_upload_s(
    client, user, data, monkeypatch, settings
):
    begun = begin(client, len(data))
    send(client, begun, data)
    break_at(monkeypatch, ingest, "_store", client, begun)
    assert len(list(storage.stored_names())) == 1

    again = begin(client, len(data))
    assert (again["id"], again["missing"]) == (begun["id"], [])
    monkeypatch.setattr(storage, "ADOPTION_SECONDS", 0)
    tasks.clean_up_after("", *storage.stored_names())  # as when its only twin is deleted
    assert finish(client, again).status_code == 201
    assert storage.media_path(Video.objects.get().media_name).read_bytes() == data
    assert left_behind(settings) == []


def break_at(monkeypatch, module, name, client, begun) -> None:
    """The database fails there while an upload is finished."""

    def fail_to_commit(*given, **more):
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(module, name, fail_to_commit)
        with pytest.raises(OperationalError):
            finish(client, begun)


def test_of_two_uploads_of_the_same_bytes_one_may_fail_and_each_becomes_a_video(
    client, user, data, monkeypatch, settings
):
    one, two = begin(client, len(data)), begin(client, len(data), name="copy.mov")
    send(client, one, data), send(client, two, data)
    break_at(monkeypatch, ingest, "_store", client, one)

    assert [finish(client, begun).status_code for begun in (two, one)] == [201, 201]
    first, second = Video.objects.all()
    assert first.media_name == second.media_name
    assert storage.media_path(first.media_name).read_bytes() == data
    assert left_behind(settings) == []


def test_a_video_whose_upload_was_not_discarded_is_found_and_the_rest_goes(
    client, user, data, monkeypatch, settings
):
    begun = begin(client, len(data))
    send(client, begun, data)
    break_at(monkeypatch, multipart, "discard", client, begun)

    assert finish(client, begun).json()["id"] == Video.objects.get().pk
    assert left_behind(settings) == []


def test_a_file_that_is_gone_is_said_to_be_and_not_to_be_busy(client, user, data):
    begun = begin(client, len(data))
    send(client, begun, data)
    multipart.path_of(Upload.objects.get()).unlink()

    assert finish(client, begun).json()["message"] == multipart.EXPIRED


def test_what_is_discarded_while_it_is_looked_at_becomes_no_video(
    client, user, data, monkeypatch, settings
):
    begun = begin(client, len(data))
    send(client, begun, data)
    look_at = admission.look_at

    def discard_meanwhile(path):
        found = look_at(path)
        client.post(f"{begun['url']}discard", headers=JSON)
        return found

    monkeypatch.setattr(admission, "look_at", discard_meanwhile)

    assert [finish(client, begun).status_code for _ in range(2)] == [503, 404]
    assert not Video.objects.exists()
    assert left_behind(settings) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"size": 10**12}, "too large"),
        ({"language": "de"}, "does not understand this language"),
        ({"index": "0" * 24}, "This index was deleted, or is no longer shared with you."),
        ({"size": 0}, "greater than or equal to 1"),
        ({"modified": "yesterday"}, "whole number"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_a_byte_is_sent(client, user, fields, words):
    begun = begin(client, **{"size": 1000} | fields)

    assert not begun["ok"] and words in begun["message"]
    assert not Upload.objects.exists()


def test_what_the_disk_cannot_hold_is_refused_before_a_byte_is_sent(client, user, monkeypatch):
    monkeypatch.setattr(storage, "free_bytes", lambda: 5000)

    assert begin(client, 4000)["ok"]
    assert "not enough room" in begin(client, 6000)["message"]


def test_nobody_begins_without_end(client, user, monkeypatch):
    monkeypatch.setattr(multipart, "MOST_UNFINISHED", 2)
    for number in range(2):
        assert begin(client, 1000 + number)["ok"]

    assert "You have 2 unfinished uploads" in begin(client, 2000)["message"]
    assert begin(client, 1001)["ok"]  # it is there


@pytest.mark.parametrize("size", [PART - 1, PART + 1])
def test_a_part_of_another_length_is_refused(client, user, data, size):
    begun = begin(client, len(data))
    answer = client.put(f"{begun['url']}1", b"x" * size, content_type="application/octet-stream")

    assert answer.json()["message"] == f"Chunk 1 must have {PART} bytes."
    assert not Chunk.objects.exists()
    assert put(client, begun, data, 6).json()["message"] == "This file has 5 parts."


def test_unfinished_ones_are_listed_and_discarded_by_a_plain_form(client, user, data, settings):
    begun = begin(client, len(data))
    send(client, begun, data, [1, 2])
    page = client.get("/upload/").text
    assert "day one.mov" in page and "97.7\xa0KB of 198.1\xa0KB" in page

    page = client.post(f"{begun['url']}discard", follow=True)

    assert page.redirect_chain == [("/upload/", 303)]
    assert "Discarded what was sent of day one.mov." in page.text
    assert left_behind(settings) == []


def test_the_api_knows_nothing_of_them(client, user, data):
    begin(client, len(data))
    caller = Caller(user)

    assert caller.get("/assets").json()["data"] == []
    assert caller.get("/assets/multipart-uploads").json()["data"] == []
    assert caller.get(f"/assets/{Asset.objects.get().pk}").status_code == 404


def test_what_nobody_goes_on_with_is_swept_and_fsck_tells_if_not(client, user, data, settings):
    begin(client, len(data))
    Upload.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    assert "a broken upload that was not swept" in " ".join(upkeep.faults())
    settings.PART_FILE_HOURS = -1

    tasks.clean_up()

    assert left_behind(settings) == []
    assert list(upkeep.faults()) == []


def test_an_upload_that_was_taken_up_again_outlives_the_sweep_however_old_its_parts_are(
    client, user, data, settings
):
    begun = begin(client, len(data))
    send(client, begun, data, [1, 2])
    os.utime(multipart.path_of(Upload.objects.get()), (0, 0))

    again = begin(client, len(data))
    tasks.clean_up()
    assert list(upkeep.faults()) == []

    send(client, again, data)
    assert finish(client, again).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_part_that_comes_while_the_rest_is_discarded_is_refused(client, user, data, monkeypatch):
    begun = begin(client, len(data))
    write = multipart._write

    def discard_meanwhile(*given) -> str:
        etag = write(*given)
        Asset.objects.all().delete()
        return etag

    monkeypatch.setattr(multipart, "_write", discard_meanwhile)

    assert put(client, begun, data, 1).json()["message"] == "This upload has expired."


def test_no_other_site_writes_a_part(client, user, data):
    begun = begin(client, len(data))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert put(strict, begun, data, 1).status_code == 403
    assert not Chunk.objects.exists()
