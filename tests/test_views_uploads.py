from __future__ import annotations

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import make_index, make_video
from videos import admission, engines
from videos.media.probe import probe
from videos.models import Index, Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_known_engine")]
JSON = {"Accept": "application/json"}
SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHe stands at the window.\n"


@pytest.fixture
def _known_engine(settings):
    settings.DEFAULT_ENGINE = "sphinx"  # or the form asks the network for a better one


def clip(sample, name="clip.mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, sample.read_bytes(), "video/mp4")


def no_clip(name="notes.mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"just words", "video/mp4")


def test_the_form_says_its_limits_and_who_will_listen(client, user, settings):
    settings.MAX_UPLOAD_BYTES, settings.MAX_VIDEO_MS = 5 * 1024**3, 2 * 3_600_000

    page = client.get("/upload/").text

    assert "Up to 5.0\xa0GB and 2 hours a file, 50 files at once." in page
    assert "free on this server" in page
    assert "Will be transcribed by <b>CMU Sphinx" in page


def test_the_form_says_why_no_better_engine_listens(client, user, settings, monkeypatch):
    settings.DEFAULT_ENGINE = ""
    monkeypatch.setattr(
        engines, "default", lambda config: ("sphinx", "No model is here. Fetch one.")
    )

    assert "No model is here. Fetch one." in client.get("/upload/").text


def test_one_file_leads_to_its_page(client, user, sample):
    response = client.post("/upload/", {"file": clip(sample), "language": "en"})

    video = Video.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/videos/{video.pk}/")
    assert video.tasks.get().language == "en"
    assert video.index.name == "My videos"


def test_one_bad_file_does_not_cost_the_others(client, user, sample):
    files = [clip(sample, "one.mp4"), no_clip("two.mp4"), clip(sample, "three.mp4")]

    page = client.post("/upload/", {"file": files, "new_index": "Dailies"}, follow=True)

    index = Index.objects.get(name="Dailies")
    assert page.redirect_chain == [(f"/indexes/{index.pk}/", 303)]
    assert "one.mp4 was taken." in page.text and "three.mp4 was taken." in page.text
    assert "two.mp4 was refused: " in page.text
    assert {video.filename for video in index.videos.all()} == {"one.mp4", "three.mp4"}


def test_a_refused_file_is_said_beside_the_field(client, user):
    page = client.post("/upload/", {"file": no_clip()})

    assert page.status_code == 400
    assert "notes.mp4: " in page.text
    assert not Video.objects.exists()


@pytest.mark.parametrize("names", [["a.mp4"], ["a.mp4", "b.mp4"]])
@pytest.mark.parametrize("headers", [{}, JSON])
def test_refused_files_leave_no_index_behind(client, user, names, headers):
    files = [no_clip(name) for name in names]

    client.post("/upload/", {"file": files, "new_index": "Dailies"}, headers=headers)

    assert not Index.objects.exists()


def test_an_index_that_another_upload_makes_meanwhile_is_shared(client, user, sample, monkeypatch):
    look = admission.look_at
    monkeypatch.setattr(
        admission,
        "look_at",
        lambda path: Index.objects.get_or_create(owner=user, name="Dailies") and look(path),
    )

    response = client.post("/upload/", {"file": clip(sample), "new_index": "Dailies"})

    assert response.status_code == 303
    assert Video.objects.get().index == Index.objects.get()


def test_a_form_that_is_sent_twice_makes_one_video(client, user, sample):
    index = make_index(user)
    for _ in range(2):
        data = {"file": clip(sample), "upload_key": "abc", "index": index.pk}
        response = client.post("/upload/", data)

    assert response["Location"] == f"/videos/{Video.objects.get().pk}/"


def test_a_script_gets_json_for_each_file(client, user, sample):
    good = client.post("/upload/", {"file": clip(sample)}, headers=JSON)
    bad = client.post("/upload/", {"file": no_clip()}, headers=JSON)
    none = client.post("/upload/", {}, headers=JSON)

    video = Video.objects.get()
    assert good.status_code == 201
    assert good.json()["results"][0] == {
        "name": "clip.mp4",
        "ok": True,
        "message": "",
        "again": False,
        "id": video.pk,
        "url": f"/videos/{video.pk}/",
    }
    assert bad.status_code == 200 and bad.json()["results"][0]["message"]
    assert none.json()["results"][0]["message"] == "Choose at least one file."


def test_a_first_file_is_looked_into_once(client, user, sample, monkeypatch):
    looks = []
    monkeypatch.setattr(admission, "probe", lambda path: looks.append(path) or probe(path))

    client.post("/upload/", {"file": clip(sample), "new_index": "Dailies"})

    assert Video.objects.get().index.name == "Dailies" and len(looks) == 1


def test_a_script_hears_that_a_crowded_server_may_take_the_file_later(
    client, user, sample, monkeypatch
):
    monkeypatch.setattr(admission, "_senders", threading.BoundedSemaphore(1))
    with admission._senders:
        answer = client.post("/upload/", {"file": clip(sample)}, headers=JSON).json()

    assert [(each["ok"], each["again"]) for each in answer["results"]] == [(False, True)]
    assert answer["results"][0]["message"] == admission.CROWDED


def test_captions_are_used_instead_of_listening(client, user, sample):
    captions = SimpleUploadedFile("clip.srt", SRT)

    client.post("/upload/", {"file": clip(sample), "captions": captions})

    task = Video.objects.get().tasks.get()
    assert (task.engine, task.model) == ("captions", "clip.srt")
    assert [row.text for row in task.segments.all()] == ["He stands at the window."]


def test_bad_captions_refuse_their_file_with_the_line(client, user, sample):
    captions = SimpleUploadedFile("clip.srt", b"1\n00:00:05,000 --> never\nwords\n")

    page = client.post("/upload/", {"file": clip(sample), "captions": captions})

    assert page.status_code == 400
    assert "clip.srt: " in page.text and "line" in page.text.lower()
    assert not Video.objects.exists()


def test_captions_that_belong_to_no_file_are_refused(client, user, sample):
    data = {
        "file": [clip(sample, "one.mp4"), clip(sample, "two.mp4")],
        "captions": SimpleUploadedFile("three.srt", SRT),
    }

    page = client.post("/upload/", data, follow=True).text

    assert "three.srt was refused: These captions belong to none of the files" in page


@pytest.mark.parametrize(
    ("size", "ok", "word"),
    [("1000", True, ""), ("0", False, "empty"), ("99999999", False, "too large")],
)
def test_the_check_answers_before_bytes_are_sent(client, user, settings, size, ok, word):
    settings.MAX_UPLOAD_BYTES = 1_000_000

    answer = client.get("/upload/check", {"size": size, "name": "x.mp4"}).json()

    assert answer["ok"] is ok and word in answer["message"]


@pytest.mark.parametrize("place", ["chosen", "named", "new", "first"])
def test_the_check_refuses_a_language_in_the_words_of_the_upload(client, user, sample, place):
    wish = {"language": "de"}
    if place != "first":
        index = make_index(user, name="Films", engine="sphinx")
        wish |= {"chosen": {"index": index.pk}, "named": {"new_index": "Films"}}.get(
            place, {"new_index": "Other"}
        )

    check = client.get("/upload/check", {"size": "1000"} | wish).json()
    sent = client.post("/upload/", {"file": clip(sample)} | wish, headers=JSON).json()

    assert check["message"] == sent["results"][0]["message"] != ""
    assert not check["ok"] and not Video.objects.exists()
    assert client.get("/upload/check", {"size": "1000"} | wish | {"language": "en"}).json()["ok"]


def test_the_check_refuses_an_index_of_somebody_else(client, user):
    wish = {"size": "1000", "index": make_index().pk}

    assert not client.get("/upload/check", wish).json()["ok"]


def test_captions_have_one_limit(client, user, sample, monkeypatch):
    monkeypatch.setattr("videos.captions.MAX_BYTES", 20)
    captions = SimpleUploadedFile("clip.srt", SRT)

    page = client.post("/upload/", {"file": clip(sample), "captions": captions})

    assert "clip.srt is too large for captions" in page.text
    assert not Video.objects.exists()


@pytest.mark.parametrize("size", ["", "-1", "many", "9" * 40])
def test_the_check_needs_a_size(client, user, size):
    assert client.get("/upload/check", {"size": size}).status_code == 400


def test_names_are_shown_and_never_paths(client, user, sample):
    client.post("/upload/", {"file": clip(sample, "..\\..\\\u202e<b>‮evil.mp4")})

    page = client.get("/").text
    assert (
        "<b>"
        not in page.replace("<b>Upload videos</b>", "").replace("<b><bdi>", "").split("<ul")[1]
    )
    assert Video.objects.get().media_name.count("/") == 2


def test_an_index_whose_engine_is_not_known_can_be_opened_to_choose_another(client, user, sample):
    index = make_index(user, engine="parakeet")
    video = make_video(index)

    page = client.get(f"/indexes/{index.pk}/")
    assert page.status_code == 200 and "This engine is not known here" in page.text
    sent = client.post("/upload/", {"file": clip(sample), "index": index.pk}, headers=JSON).json()
    assert "parakeet, is not known here" in sent["results"][0]["message"]
    assert not client.get("/upload/check", {"size": "9", "index": index.pk}).json()["ok"]
    again = client.post(f"/videos/{video.pk}/again", {"engine": "", "language": ""}, follow=True)
    assert again.status_code in (200, 400) and "parakeet, is not known here" in again.text
