from __future__ import annotations

import json
import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api import SRT, refusal
from tests.factories import make_index, make_task, make_transcript, make_user, make_video
from videos import admission, ingest, storage
from videos.media.sandbox import ChildDied
from videos.models import Status, Task, Video


@pytest.fixture
def index(caller):
    return make_index(caller.user)


@pytest.fixture
def clip(sample):
    return SimpleUploadedFile("clip é.mp4", sample.read_bytes(), "application/octet-stream")


@pytest.mark.parametrize("path", ["/v1/indexes/tasks", "/v1.1/tasks", "/v1.2/tasks", "/v1.3/tasks"])
def test_a_file_becomes_a_task_with_its_video(caller, index, clip, path):
    caller.root, _, path = path.rpartition("/")
    response = caller.send(f"/{path}", index_id=index.pk, video_file=clip, language="en")

    assert response.status_code == 201
    made = response.json()
    video = Video.objects.get()
    assert made == {"_id": video.tasks.get().pk, "video_id": video.pk}
    assert (video.index, video.filename) == (index, "clip é.mp4")
    assert storage.media_path(video.media_name).exists()

    task = caller.get(f"/{path}/{made['_id']}").json()
    assert (task["status"], task["video_id"], task["index_id"]) == (
        "validating",
        video.pk,
        index.pk,
    )
    assert task["metadata"]["filename"] == task["system_metadata"]["filename"] == "clip é.mp4"
    assert isinstance(task["process"]["remain_seconds"], int)
    assert caller.get(f"/{path}/{made['_id']}/video-id").json()["_id"] == video.pk


def test_captions_that_come_along_are_the_transcript(caller, index, clip):
    caller.send(
        "/tasks",
        index_id=index.pk,
        video_file=clip,
        provide_transcription="True",
        transcription_file=SimpleUploadedFile("clip.srt", SRT),
    )

    task = Task.objects.get()
    assert (task.engine, task.model) == ("captions", "clip.srt")
    assert [row.text for row in task.segments.all()] == ["He stands at the window."]


def test_captions_that_are_declined_are_not_used(caller, index, clip):
    caller.send(
        "/tasks",
        index_id=index.pk,
        video_file=clip,
        provide_transcription="false",
        transcription_file=SimpleUploadedFile("clip.srt", SRT),
    )

    assert Task.objects.get().engine == "sphinx"


def test_what_sdks_send_besides_is_passed_over(caller, index, clip):
    response = caller.send(
        "/tasks",
        index_id=index.pk,
        video_file=clip,
        disable_video_stream="false",
        enable_video_stream="true",
        dummy=SimpleUploadedFile("upload", b"x"),
        user_metadata=json.dumps({"take": 3, "good": True, "scenes": ["1a"]}),
    )

    assert response.status_code == 201
    assert Video.objects.get().user_metadata == {"take": 3, "good": True, "scenes": ["1a"]}


def test_only_the_named_part_is_the_video(caller, index, clip):
    response = caller.send("/tasks", index_id=index.pk, file=clip)

    assert refusal(response) == (400, "parameter_not_provided")
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"index_id": ""}, "parameter_not_provided"),
        ({"language": "klingon"}, "parameter_invalid"),
        ({"language": "cy"}, "parameter_invalid"),  # sphinx knows English only
        ({"provide_transcription": "true"}, "parameter_not_provided"),
        ({"provide_transcription": "maybe"}, "parameter_invalid"),
        ({"user_metadata": "{"}, "parameter_invalid"),
        ({"user_metadata": '{"a": NaN}'}, "parameter_invalid"),
        ({"user_metadata": '{"a": {"b": 1}}'}, "parameter_invalid"),
        ({"user_metadata": '{"duration": 1}'}, "parameter_invalid"),
        ({"user_metadata": '{"a": "' + "x" * 16_000 + '"}'}, "parameter_invalid"),
    ],
)
def test_a_wrong_form_is_400_with_its_code(caller, index, clip, fields, code):
    response = caller.send("/tasks", **({"index_id": index.pk, "video_file": clip} | fields))

    assert refusal(response) == (400, code)
    assert not Video.objects.exists()


def test_an_unknown_index_is_404(caller, clip):
    theirs = make_index(make_user())

    for pk in (theirs.pk, "0" * 24, "x"):
        response = caller.send("/tasks", index_id=pk, video_file=clip)
        assert refusal(response) == (404, "resource_not_exists")


def test_a_file_that_cannot_be_transcribed_is_refused_with_its_code(caller, index, clip, settings):
    words = SimpleUploadedFile("clip.mp4", b"just words")
    send = caller.send
    assert refusal(send("/tasks", index_id=index.pk, video_file=words)) == (
        400,
        "video_file_broken",
    )
    settings.MAX_VIDEO_MS = 1000
    assert refusal(send("/tasks", index_id=index.pk, video_file=clip)) == (
        400,
        "video_duration_too_long",
    )
    settings.MAX_UPLOAD_BYTES = 1000
    clip.seek(0)
    assert refusal(send("/tasks", index_id=index.pk, video_file=clip)) == (
        400,
        "video_filesize_too_large",
    )
    assert not list(settings.INCOMING_ROOT.iterdir())


def test_a_full_disk_is_507_and_no_fault_of_the_file(
    caller, index, clip, sample, monkeypatch, settings
):
    video = make_transcript(index=index)
    monkeypatch.setattr(storage, "free_bytes", lambda: 0)
    begin = {"filename": "a.mp4", "total_size": 5}
    full = (507, "insufficient_storage")

    assert refusal(caller.send("/tasks", index_id=index.pk, video_file=clip)) == full
    again = SimpleUploadedFile("clip.mp4", sample.read_bytes())
    assert refusal(caller.send("/assets", method="direct", file=again)) == full
    assert refusal(caller.post("/assets/multipart-uploads", begin)) == full
    captions = f"/indexes/{index.pk}/videos/{video.pk}/captions"
    srt = SimpleUploadedFile("a.srt", SRT)
    assert refusal(caller.send(captions, transcription_file=srt)) == full
    assert not list(settings.INCOMING_ROOT.iterdir())


def test_a_file_that_could_not_be_read_just_now_may_be_sent_again(
    caller, index, clip, sample, monkeypatch
):
    body = {"asset_id": caller.send("/assets", method="direct", file=clip).json()["_id"]}

    def die(path):
        raise ChildDied("killed", limit="time")

    monkeypatch.setattr(admission, "probe", die)
    busy = (503, "upload_busy")
    for path, name in (("/tasks", "video_file"), ("/assets", "file")):
        again = SimpleUploadedFile("clip.mp4", sample.read_bytes())
        assert refusal(caller.send(path, index_id=index.pk, **{name: again})) == busy
    assert refusal(caller.post(f"/indexes/{index.pk}/indexed-assets", body)) == busy


def test_a_file_that_finds_no_place_to_be_checked_may_be_sent_again(
    caller, index, clip, monkeypatch
):
    monkeypatch.setattr(admission, "_senders", threading.BoundedSemaphore(1))
    with admission._senders:
        answer = caller.send("/tasks", index_id=index.pk, video_file=clip)

    assert refusal(answer) == (503, "upload_busy")


@pytest.mark.parametrize("status", Status.values)
def test_each_status_is_its_own_word_on_the_wire(caller, index, status):
    task = make_task(make_video(index), status=status)

    assert caller.get(f"/tasks/{task.pk}").json()["status"] == status


def test_a_cancelled_task_is_failed_and_says_so(caller, index):
    task = make_task(make_video(index))
    ingest.cancel(task)

    found = caller.get(f"/tasks/{task.pk}").json()

    assert found["status"] == "failed"
    assert found["error"] == {"code": "task_cancelled", "message": "Cancelled."}


def test_tasks_are_listed_by_index_and_by_any_of_several_statuses(caller, index):
    ready = make_task(make_video(index), status="ready")
    failed = make_task(make_video(index, width=1920), status="failed")
    make_task(make_video(index))
    make_task(make_video(make_index(caller.user)), status="ready")
    make_task(status="ready")  # another user's

    def listed(**query):
        return {task["_id"] for task in caller.get("/tasks", **query).json()["data"]}

    assert listed(index_id=index.pk, status=["ready", "failed"]) == {ready.pk, failed.pk}
    assert listed(width=1920) == {failed.pk}
    assert listed(**{"duration[gte]": "60.001"}) == set()
    assert len(listed()) == 4
    assert refusal(caller.get("/tasks", status="done")) == (400, "parameter_invalid")


def test_the_counts_of_an_index_by_status(caller, index):
    make_task(make_video(index), status="ready")
    make_task(make_video(index))

    assert caller.get("/tasks/status", index_id=index.pk).json() == {
        "index_id": index.pk,
        "validating": 1,
        "pending": 0,
        "queued": 0,
        "indexing": 0,
        "ready": 1,
        "failed": 0,
        "total_result": 2,
    }
    assert refusal(caller.get("/tasks/status")) == (400, "parameter_not_provided")
    assert refusal(caller.get("/tasks/status", index_id="0" * 24))[0] == 404


def test_a_task_is_deleted_only_when_it_failed(caller, index):
    running, failed = make_task(make_video(index)), make_task(make_video(index), status="failed")
    ready = make_transcript(1, index).transcript

    for task in (running, ready):
        assert refusal(caller.delete(f"/tasks/{task.pk}")) == (400, "task_cannot_be_deleted")
    assert caller.delete(f"/tasks/{failed.pk}").status_code == 204
    assert set(Task.objects.all()) == {running, ready}
    assert not Video.objects.filter(pk=failed.video_id).exists()


def test_a_failed_task_leaves_a_video_that_has_another_one(caller, index):
    video = make_transcript(1, index)
    failed = make_task(video, status="failed")

    assert caller.delete(f"/tasks/{failed.pk}").status_code == 204
    assert caller.get(f"/indexes/{index.pk}/videos/{video.pk}").status_code == 200


def test_a_list_costs_the_same_however_long_it_is(caller, index, django_assert_max_num_queries):
    for _ in range(12):
        make_task(make_video(index))

    with django_assert_max_num_queries(5):
        assert len(caller.get("/tasks", page_limit=50).json()["data"]) == 12


@pytest.mark.django_db(transaction=True)  # foreign keys are checked at the commit
def test_an_index_that_is_deleted_while_its_file_comes_in_is_404(caller, index, clip, monkeypatch):
    look_at = admission.look_at

    def look_and_delete(path):
        index.delete()
        return look_at(path)

    monkeypatch.setattr(admission, "look_at", look_and_delete)
    response = caller.send("/tasks", index_id=index.pk, video_file=clip)

    assert refusal(response) == (404, "resource_not_exists")
