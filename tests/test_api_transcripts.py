from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api import SRT, refusal
from tests.factories import make_index, make_task, make_transcript
from videos.models import Tag, Task, Video


@pytest.fixture
def video(caller, settings):
    settings.DEFAULT_ENGINE = "sphinx"
    return make_transcript(3, make_index(caller.user))


@pytest.fixture(autouse=True)
def rung_nobody(monkeypatch):
    monkeypatch.setattr("videos.tasks.ring", lambda task_id: None)


def root(video) -> str:
    return f"/indexes/{video.index_id}/videos/{video.pk}"


def give(caller, video, data: bytes = SRT):
    file = SimpleUploadedFile("film.srt", data)
    return caller.send(f"{root(video)}/captions", transcription_file=file)


def transcripts(caller, video):
    return caller.get(f"{root(video)}/transcripts").json()["data"]


def test_captions_become_the_transcript_and_the_earlier_one_can_be_used_again(caller, video):
    video.transcript.segments.filter(number=1).update(heard="What was heard.")
    made = give(caller, video)
    assert made.status_code == 201 and made.json()["video_id"] == video.pk

    new, old = transcripts(caller, video)
    assert (new["_id"], new["engine"], new["model"]) == (made.json()["_id"], "captions", "film.srt")
    assert (new["shown"], new["segments"], new["corrected"]) == (True, 1, 0)
    assert (old["shown"], old["segments"], old["corrected"]) == (False, 3, 1)

    assert caller.post(f"{root(video)}/transcripts/{old['_id']}/use").status_code == 204
    assert [each["shown"] for each in transcripts(caller, video)] == [False, True]


def test_what_is_no_captions_file_is_refused_with_its_line(caller, video):
    assert refusal(give(caller, video, b"1\n00:00:09 --> 00:00:03,000\nNo.\n"))[0] == 400
    assert refusal(caller.send(f"{root(video)}/captions")) == (400, "parameter_not_provided")
    assert len(transcripts(caller, video)) == 1


def test_a_video_is_transcribed_again_by_another_engine_and_language(caller, video):
    body = {"engine": "sphinx", "language": "en"}
    made = caller.post(f"{root(video)}/transcripts", body)

    task = Task.objects.get(pk=made.json()["_id"])
    assert (made.status_code, task.engine, task.language) == (201, "sphinx", "en")
    assert len(transcripts(caller, video)) == 1  # until it is ready
    for again in (caller.post(f"{root(video)}/transcripts", {}), give(caller, video)):
        assert refusal(again) == (409, "video_not_free")
    used = caller.post(f"{root(video)}/transcripts/{task.pk}/use")
    assert refusal(used) == (404, "resource_not_exists")


@pytest.mark.parametrize(
    "wrong", [{"engine": "x"}, {"language": "xx"}, {"language": "de"}, {"engine": [1]}, {"x": 1}]
)
def test_what_no_engine_does_is_refused(caller, video, wrong):
    assert refusal(caller.post(f"{root(video)}/transcripts", wrong))[0] == 400
    assert Task.objects.count() == 1


def test_a_transcript_of_another_video_is_not_used(caller, video):
    other = make_transcript(1, video.index)
    path = f"{root(video)}/transcripts/{other.transcript_id}/use"

    assert refusal(caller.post(path)) == (404, "resource_not_exists")
    assert Video.objects.get(pk=video.pk).transcript_id == video.transcript_id


def test_a_video_without_a_transcript_has_none(caller):
    task = make_task()
    task.video.index.owner = caller.user
    task.video.index.save()

    assert transcripts(caller, task.video) == []


def test_tags_are_put_on_a_video_and_those_of_no_video_are_gone(caller, video):
    path = f"{root(video)}/tags"
    other = make_transcript(1, video.index)
    other.tags.add(Tag.objects.create(owner=caller.user, name="Sea"))

    put = caller.put(path, {"tags": ["می\u200cخواهم"]})
    assert put.json() == {"tags": ["می\u200cخواهم"]}
    put = caller.put(path, {"tags": ["night", " sea ", "night"]})
    assert put.json() == caller.get(path).json() == {"tags": ["Sea", "night"]}
    assert caller.put(path, {"tags": []}).json() == {"tags": []}
    assert [tag.name for tag in Tag.objects.all()] == ["Sea"] and other.tags.count() == 1


@pytest.mark.parametrize(
    "wrong", [None, "sea", [1], [""], ["x" * 51], ["a\0"], ["a\x07b"], [["a"]], ["a"] * 101]
)
def test_what_are_no_tags_is_refused(caller, video, wrong):
    video.tags.add(Tag.objects.create(owner=caller.user, name="Sea"))

    answer = caller.put(f"{root(video)}/tags", {"tags": wrong})

    assert refusal(answer) == (400, "parameter_invalid") and video.tags.count() == 1
