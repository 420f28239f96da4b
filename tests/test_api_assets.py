from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api import refusal
from tests.factories import (
    make_index,
    make_member,
    make_segments,
    make_task,
    make_user,
    make_video,
)
from videos import admission, storage, tasks
from videos.api import assets, speech
from videos.media.probe import probe
from videos.models import Asset, Status, Video


@pytest.fixture
def index(caller):
    return make_index(caller.user)


@pytest.fixture
def asset(caller, sample) -> Asset:
    file = SimpleUploadedFile("clip.mp4", sample.read_bytes())
    response = caller.send("/assets", method="direct", file=file, user_metadata='{"take": 3}')
    assert response.status_code == 201, response.content
    return Asset.objects.get(pk=response.json()["_id"])


def put_in(caller, index, asset, **more):
    return caller.post(f"/indexes/{index.pk}/indexed-assets", {"asset_id": asset.pk, **more})


def test_an_asset_is_looked_into_once_however_often_it_is_put_in(caller, asset, index, monkeypatch):
    looks = []
    monkeypatch.setattr(admission, "probe", lambda path: looks.append(path) or probe(path))

    made = [put_in(caller, index, asset).status_code for _ in range(3)]

    assert made == [202] * 3 and len(looks) == 1


def test_a_file_becomes_an_asset_that_is_ready_at_once(caller, asset, sample):
    found = caller.get(f"/assets/{asset.pk}").json()

    assert found["created_at"].endswith("Z")
    assert {**found, "created_at": ""} == {
        "_id": asset.pk,
        "method": "direct",
        "status": "ready",
        "filename": "clip.mp4",
        "file_type": "video/mp4",
        "size": sample.stat().st_size,
        "duration": asset.duration_ms / 1000,
        "user_metadata": {"take": 3},
        "created_at": "",
    }
    assert storage.media_path(asset.media_name).exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"method": "direct"}, "parameter_not_provided"),
        ({"file": b"just words"}, "video_file_broken"),
        ({"file": b"x", "filename": "x" * 256}, "parameter_invalid"),
        ({"file": b"x", "user_metadata": "[]"}, "parameter_invalid"),
    ],
)
def test_a_wrong_asset_is_400_with_its_code(caller, fields, code, settings):
    if "file" in fields:
        fields = fields | {"file": SimpleUploadedFile("a.mp4", fields["file"])}

    assert refusal(caller.send("/assets", **fields)) == (400, code)
    assert not Asset.objects.exists() and not list(settings.INCOMING_ROOT.iterdir())


def test_an_asset_in_an_index_is_a_video_with_a_task(caller, index, asset):
    response = put_in(caller, index, asset, user_metadata={"scene": "1a"})

    assert response.status_code == 202
    pk = response.json()["_id"]
    assert response["Location"] == f"/v1.3/indexes/{index.pk}/indexed-assets/{pk}"
    found = caller.get(f"/indexes/{index.pk}/indexed-assets/{pk}").json()
    assert (found["status"], found["asset_id"]) == ("validating", asset.pk)
    assert found["user_metadata"] == {"take": 3, "scene": "1a"}
    assert found["system_metadata"]["filename"] == "clip.mp4"
    assert caller.get(f"/indexes/{index.pk}/videos/{pk}").status_code == 200
    uses = caller.get(f"/assets/{asset.pk}/indexed-assets").json()["data"]
    assert uses == [{"_id": pk, "index": {"_id": index.pk, "name": index.name}}]


def test_indexed_assets_are_listed_whatever_became_of_them(caller, index, asset):
    ready = make_video(index)
    ready.transcript = make_task(ready, status=Status.READY)
    ready.save()
    waiting = put_in(caller, index, asset).json()["_id"]

    def listed(**query):
        rows = caller.get(f"/indexes/{index.pk}/indexed-assets", **query).json()["data"]
        return [row["_id"] for row in rows]

    assert sorted(listed()) == sorted([ready.pk, waiting])
    assert listed(status=["ready", "failed"]) == [ready.pk]
    assert listed(asset_id=asset.pk) == [waiting]


def test_indexed_assets_are_listed_by_the_status_that_they_show(caller, index):
    """One transcript and newest tasks of each kind, with older tasks that ended otherwise."""
    ready, again, waiting = (make_video(index) for _ in range(3))
    bare = make_video(index)
    ready.transcript = make_task(ready, status=Status.READY)
    ready.save()
    for video, older, newest in [
        (ready, Status.FAILED, Status.FAILED),
        (again, Status.PENDING, Status.FAILED),
        (waiting, Status.FAILED, Status.PENDING),
    ]:
        make_task(video, status=older)
        make_task(video, status=newest)

    rows = caller.get(f"/indexes/{index.pk}/indexed-assets").json()["data"]
    shown = {row["_id"]: row["status"] for row in rows}

    assert shown == {
        ready.pk: "ready",
        again.pk: "failed",
        waiting.pk: "pending",
        bare.pk: "failed",
    }
    for status in Status.values:
        found = caller.get(f"/indexes/{index.pk}/indexed-assets", status=status).json()
        assert {row["_id"] for row in found["data"]} == {
            pk for pk, its in shown.items() if its == status
        }
        assert found["page_info"]["total_results"] == list(shown.values()).count(status)


def test_an_asset_of_another_user_cannot_be_put_into_an_index(caller, index):
    theirs = Asset.objects.create(owner=make_user(), filename="a.mp4", sha256="0" * 64)

    assert refusal(put_in(caller, index, theirs)) == (404, "resource_not_exists")


@pytest.mark.django_db(transaction=True)  # foreign keys are checked at the commit
@pytest.mark.parametrize("gone", ["assets", "indexes"])
def test_what_is_deleted_while_an_asset_is_put_in_is_404_by_its_name(
    caller, index, asset, monkeypatch, gone
):
    look_at, row = admission.look_at, {"assets": asset, "indexes": index}[gone]

    def look_and_delete(path):
        found = look_at(path)
        type(row).objects.filter(pk=row.pk).delete()
        return found

    monkeypatch.setattr(admission, "look_at", look_and_delete)
    response = put_in(caller, index, asset)

    assert refusal(response) == (404, "resource_not_exists")
    assert f"{row.pk} does not exist in {gone}" in response.json()["message"]


def test_an_asset_without_bytes_cannot_be_put_into_an_index(caller, index):
    empty = Asset.objects.create(owner=caller.user, filename="a.mp4")

    assert caller.get(f"/assets/{empty.pk}").json()["status"] == "processing"
    assert refusal(put_in(caller, index, empty)) == (400, "asset_not_ready")


def test_an_asset_in_use_is_deleted_only_by_force_and_its_video_stays(caller, index, asset):
    put_in(caller, index, asset)

    assert refusal(caller.delete(f"/assets/{asset.pk}")) == (409, "asset_in_use")
    assert caller.delete(f"/assets/{asset.pk}?force=true").status_code == 204
    assert Video.objects.get().asset is None


def test_a_video_in_an_index_that_is_shared_no_more_does_not_hold_an_asset(caller, asset):
    """The caller could neither see nor delete it."""
    lent = make_index(make_user())
    member = make_member(lent, caller.user, "editor")
    put_in(caller, lent, asset)
    member.delete()

    assert caller.get(f"/assets/{asset.pk}/indexed-assets").json()["data"] == []
    assert caller.delete(f"/assets/{asset.pk}").status_code == 204
    assert Video.objects.get().index == lent


def test_an_assets_bytes_outlive_the_sweep_and_go_with_it(caller, asset, settings, monkeypatch):
    monkeypatch.setattr(tasks, "ORPHAN_SECONDS", 0.0)
    monkeypatch.setattr(storage, "ADOPTION_SECONDS", 0)
    path = storage.media_path(asset.media_name)
    tasks.clean_up()
    assert path.exists()

    assert caller.delete(f"/assets/{asset.pk}").status_code == 204
    tasks.clean_up()
    assert not path.exists()


def test_assets_are_listed_by_type_name_and_id(caller, asset):
    sound = Asset.objects.create(owner=caller.user, filename="B.wav", content_type="audio/wav")
    Asset.objects.create(owner=make_user(), filename="theirs")

    def listed(**query):
        return [row["_id"] for row in caller.get("/assets", **query).json()["data"]]

    assert listed() == [sound.pk, asset.pk]
    assert listed(filename="b.W") == [sound.pk]
    assert listed(asset_types=["audio", "image"]) == [sound.pk]
    assert listed(asset_ids=[asset.pk, "0" * 24]) == [asset.pk]
    assert refusal(caller.get("/assets", asset_types="smell")) == (400, "parameter_invalid")


def test_metadata_is_replaced_merged_and_deleted(caller, asset):
    path = f"/assets/{asset.pk}/user-metadata"

    def kept():
        return caller.get(f"/assets/{asset.pk}").json().get("user_metadata")

    assert caller.patch(path, {"user_metadata": {"a": 1}}).status_code == 204
    assert kept() == {"take": 3, "a": 1}
    caller.put(path, {"user_metadata": {"b": 2}})
    assert kept() == {"b": 2}
    caller.delete(path)
    assert kept() is None
    assert refusal(caller.put(path, {})) == (400, "parameter_not_provided")


def test_what_is_kept_with_an_asset_cannot_grow_for_ever(caller, index, asset):
    path = f"/assets/{asset.pk}/user-metadata"
    assert caller.patch(path, {"user_metadata": {"a": "x" * 15_000}}).status_code == 204

    last = caller.patch(path, {"user_metadata": {"b": "x" * 15_000}})
    put = put_in(caller, index, asset, user_metadata={"b": "x" * 15_000})

    assert refusal(last) == refusal(put) == (400, "parameter_invalid")
    assert set(Asset.objects.get().user_metadata) == {"take", "a"}
    assert caller.patch(path, {"user_metadata": {"a": None, "b": "x" * 15_000}}).status_code == 204


def test_two_clients_that_say_something_of_an_asset_at_once_are_both_heard(
    caller, asset, monkeypatch
):
    read = assets._metadata

    def slow(*asked):
        Asset.objects.update(user_metadata={"theirs": 1})
        return read(*asked)

    monkeypatch.setattr(assets, "_metadata", slow)
    caller.patch(f"/assets/{asset.pk}/user-metadata", {"user_metadata": {"ours": 2}})

    assert Asset.objects.get().user_metadata == {"theirs": 1, "ours": 2}


# --- the transcription of an asset ---


@pytest.fixture
def heard(caller, index) -> Asset:
    asset = Asset.objects.create(owner=caller.user, filename="a.mp4", sha256="0" * 64)
    task = make_task(make_video(index, asset=asset), status=Status.READY)
    rows = make_segments([(0, 2000, "Hello there."), (2000, 4000, "I am")], task)
    for row, words in zip(rows, ([" Hello", " there."], [" I", " am"]), strict=True):
        begin = row.start_ms
        row.words = [[begin, begin + 900, words[0], 0.9], [begin + 1000, begin + 1900, words[1], 1]]
        row.save()
    return asset


def test_words_are_the_default(caller, heard):
    found = caller.get(f"/assets/{heard.pk}/transcription").json()

    assert found["status"] == "ready" and set(found) == {"status", "words"}
    assert found["words"][:2] == [
        {"start": 0.0, "end": 0.9, "value": "Hello"},
        {"start": 1.0, "end": 1.9, "value": "there."},
    ]


@pytest.mark.parametrize("include", [["sentences", "utterances"], "sentences,utterances"])
def test_other_grains_come_when_asked_for(caller, heard, include):
    found = caller.get(f"/assets/{heard.pk}/transcription", include=include).json()

    assert [row["value"] for row in found["sentences"]] == ["Hello there.", "I am"]
    assert [row["value"] for row in found["utterances"]] == ["Hello there.", "I am"]
    assert "words" not in found


def test_an_asset_says_what_its_video_shows_not_what_was_heard_last(caller, heard):
    video = heard.videos.get()
    video.transcript = video.tasks.get()
    video.save()
    later = make_task(video, status=Status.READY)
    make_segments([(0, 2000, "Yellow hair.")], later)
    path = f"/assets/{heard.pk}/transcription"

    found = caller.get(path, include="utterances").json()

    assert [row["value"] for row in found["utterances"]] == ["Hello there.", "I am"]
    used = f"/indexes/{video.index_id}/videos/{video.pk}/transcripts/{later.pk}/use"
    assert caller.post(used).status_code == 204
    found = caller.get(path, include="utterances").json()
    assert [row["value"] for row in found["utterances"]] == ["Yellow hair."]


def test_a_transcription_says_how_far_it_is_and_why_it_failed(caller, index):
    asset = Asset.objects.create(owner=caller.user, filename="a.mp4", sha256="0" * 64)
    path = f"/assets/{asset.pk}/transcription"
    assert refusal(caller.get(path)) == (404, "resource_not_exists")
    task = make_task(make_video(index, asset=asset))
    assert caller.get(path).json() == {"status": "pending"}
    type(task).objects.update(status="indexing")
    assert caller.get(path).json() == {"status": "processing"}
    type(task).objects.update(status="failed", error="No sound.")
    assert caller.get(path).json() == {"status": "failed", "error": {"message": "No sound."}}
    assert refusal(caller.get(path, include="smells")) == (400, "parameter_invalid")


def test_a_sentence_ends_at_its_mark_or_at_a_long_pause():
    words = [
        [0, 400, " So", None],
        [400, 800, " it", None],
        [800, 1200, " goes.”", None],
        [1300, 1500, " Then", None],
        [4000, 4400, " nothing", None],
    ]
    made = speech.layers([(0, 1500, "So it goes.” Then", words[:4]), (4000, 4400, "x", words[4:])])

    assert made["sentences"] == [
        (0, 1200, "So it goes.”"),
        (1300, 1500, "Then"),
        (4000, 4400, "nothing"),
    ]


def test_a_line_without_words_among_others_is_not_left_out_of_the_words():
    words = [[0, 400, " So", 0.9], [400, 800, " it", 0.8]]
    made = speech.layers([(0, 800, "So it", words), (1000, 2000, "goes on", None)])

    assert made["words"] == [
        (0, 400, "So"),
        (400, 800, "it"),
        (1000, 1666, "goes"),
        (1666, 2000, "on"),
    ]


def test_without_words_sentences_are_made_of_whole_segments():
    made = speech.layers([(0, 1000, "And so", None), (1000, 2000, "it went.", None)])

    assert made["words"] is None
    assert made["sentences"] == [(0, 2000, "And so it went.")]
