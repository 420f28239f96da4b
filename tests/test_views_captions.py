from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import make_index, make_member, make_task, make_transcript, make_video
from videos import search
from videos.models import Task, Video

pytestmark = pytest.mark.django_db
GOOD = b"1\n00:00:01,000 --> 00:00:02,000\nFrom elsewhere.\n"
BAD = b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:09 --> 00:00:03,000\nNo.\n"


def give(client, video, data: bytes, name: str = "film.srt"):
    file = SimpleUploadedFile(name, data)
    return client.post(f"/videos/{video.pk}/captions", {"captions": file}, follow=True)


def test_captions_become_the_transcript_and_the_earlier_one_is_kept(client, user):
    video = make_transcript(3, make_index(user))

    page = give(client, video, GOOD).text

    assert "These captions are the transcript now." in page and "From elsewhere." in page
    assert "Captions file, film.srt" in page
    assert Task.objects.get(pk=video.transcript_id).segments.count() == 3
    assert search.find(search.parse("elsewhere"), Video.objects.all())[0]


def test_a_transcript_as_json_keeps_its_words_and_their_doubts(client, user):
    video = make_transcript(3, make_index(user))
    said = [{"word": " From", "start": 1, "end": 1.2, "probability": 0.9},
            {"word": " Elsinore.", "start": 1.2, "end": 2, "probability": 0.1}]  # fmt: skip
    data = {"segments": [{"start": 1, "end": 2, "text": " From Elsinore.", "words": said}]}

    page = give(client, video, json.dumps(data).encode(), "film.json").text

    assert "From Elsinore." in page and "data-w=5+9" in page
    row = Video.objects.get(pk=video.pk).transcript.segments.get()
    assert row.words == [[1000, 1200, "From", 0.9], [1200, 2000, "Elsinore.", 0.1]]


def test_bad_captions_are_refused_with_the_line(client, user):
    video = make_transcript(3, make_index(user))

    page = give(client, video, BAD).text

    assert "film.srt: Line 6: " in page
    assert Video.objects.get(pk=video.pk).transcript_id == video.transcript_id


def test_captions_wait_for_a_task_that_is_under_way(client, user):
    video = make_video(make_index(user))
    make_task(video)

    assert "This video is being transcribed: wait" in give(client, video, GOOD).text
    assert Task.objects.count() == 1


def test_a_form_without_a_file_has_a_sentence(client, user):
    video = make_transcript(1, make_index(user))

    page = client.post(f"/videos/{video.pk}/captions", {"captions": "x"}, follow=True)

    assert "Choose an SRT, VTT or JSON file." in page.text


def test_a_strangers_video_takes_none(client, user):
    video = make_transcript(1)

    assert give(client, video, GOOD).status_code == 404
    assert Task.objects.count() == 1


def owner_of(client, name: str, index: str = ""):
    return client.get("/upload/captions", {"name": name, "index": index}).json()["video"]


def test_captions_are_for_the_newest_video_of_their_name(client, user):
    index = make_index(user)
    make_transcript(1, index, filename="Film.A.mov")
    newer = make_transcript(1, index, filename="film.a.MP4", title="The film")
    make_transcript(1, index, filename="film.mp4")
    shared = make_transcript(1, filename="strangers.mp4").index
    make_member(shared, user, "reader")

    found = owner_of(client, "FILM.a.srt")

    assert found == {
        "name": "The film",
        "index": index.name,
        "url": f"/videos/{newer.pk}/",
        "give": f"/videos/{newer.pk}/captions",
    }
    for none in ("strangers.srt", ".srt", "", "x" * 9999, "\0", "film.a.de.srt"):
        assert owner_of(client, none) is None, none
    shared.members.update(role="editor")
    found = owner_of(client, "strangers.srt")
    assert found["name"] == "strangers.mp4"
    assert found["index"] == f"{shared.name} (of {shared.owner})"


def test_captions_are_for_the_video_of_the_page_they_are_dropped_on_first(client, user):
    here, elsewhere = make_index(user), make_index(user)
    older = make_transcript(1, here, filename="film.mp4")
    newer = make_transcript(1, elsewhere, filename="film.mp4")

    assert owner_of(client, "film.srt", here.pk)["url"] == f"/videos/{older.pk}/"
    for index in ("", "\0", make_index(user).pk, elsewhere.pk):
        assert owner_of(client, "film.srt", index)["url"] == f"/videos/{newer.pk}/"
    assert f'data-index="{here.pk}"' in client.get(f"/indexes/{here.pk}/").text
    assert 'data-index=""' in client.get("/").text


def test_a_page_that_gives_dropped_captions_hears_in_json_what_became_of_them(client, user):
    video = make_transcript(1, make_index(user))
    url, accept = f"/videos/{video.pk}/captions", {"Accept": "application/json"}

    for data, ok, sentence in ((BAD, False, "a.srt: Line 6: "), (GOOD, True, "These captions are")):
        file = SimpleUploadedFile("a.srt", data)
        answer = client.post(url, {"captions": file}, headers=accept).json()
        assert answer["ok"] == ok and answer["message"].startswith(sentence)
