from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.api import refusal
from tests.factories import make_index, make_transcript, make_user, make_video
from videos.api import params
from videos.models import Index, Video

MODELS = [{"model_name": "marengo3.0", "model_options": ["visual", "audio"]}]
ENGINES = [{"engine_name": "marengo2.6", "engine_options": ["visual", "conversation"]}]


def make(caller, name="Dailies", **fields) -> str:
    response = caller.post("/indexes", {"index_name": name, **(fields or {"models": MODELS})})
    assert response.status_code == 201, response.content
    return response.json()["_id"]


def names(response) -> list[str]:
    return [index["index_name"] for index in response.json()["data"]]


def test_the_oldest_guides_body_makes_an_index(caller):
    caller.root = "/v1"

    pk = make(caller, engine_id="marengo2", index_options=["visual", "conversation"])

    assert caller.get(f"/indexes/{pk}").json()["index_options"] == ["visual", "conversation"]


@pytest.mark.parametrize(
    "asked",
    [
        {"models": MODELS, "addons": ["thumbnail"]},
        {"engines": ENGINES, "addons": None},
        {"engine_id": "marengo2.6", "index_options": ["visual", "conversation"]},
    ],
)
def test_an_index_made_in_one_dialect_reads_well_in_all(caller, asked):
    pk = make(caller, **asked)

    for caller.root in ("/v1.1", "/v1.2", "/v1.3"):
        index = caller.get(f"/indexes/{pk}").json()
        assert index["models"][0]["model_options"] == ["visual", "audio"]
        assert index["engines"][0]["engine_options"] == ["visual", "conversation"]
        assert index["models"][0]["model_name"] == index["engine_id"]
        assert (index["video_count"], index["total_duration"]) == (0, 0.0)


def test_an_index_made_on_a_page_can_be_listed_by_every_sdk(caller):
    make_index(caller.user, name="From a page")

    (index,) = caller.get("/indexes").json()["data"]

    assert index["models"][0]["model_options"] == ["audio"]
    assert index["engines"][0]["engine_options"] == ["conversation"]
    assert index["created_at"].endswith("Z") and len(index["created_at"]) == 24


def test_an_engine_of_this_site_may_be_asked_for_by_its_name(caller):
    pk = make(caller, models=[{"model_name": "whisper", "model_options": ["audio"]}])

    assert Index.objects.get(pk=pk).engine == "whisper"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"models": MODELS}, "parameter_not_provided"),
        ({"index_name": " ", "models": MODELS}, "parameter_not_provided"),
        ({"index_name": 7, "models": MODELS}, "parameter_invalid"),
        ({"index_name": "x" * 201, "models": MODELS}, "parameter_invalid"),
        ({"index_name": "a\0b", "models": MODELS}, "parameter_invalid"),
        ({"index_name": "a\ud800", "models": MODELS}, "parameter_invalid"),
        ({"index_name": "a"}, "parameter_not_provided"),
        ({"index_name": "a", "models": []}, "parameter_not_provided"),
        ({"index_name": "a", "models": "marengo"}, "parameter_invalid"),
        ({"index_name": "a", "models": ["marengo"]}, "parameter_invalid"),
        ({"index_name": "a", "models": [{}]}, "parameter_not_provided"),
        ({"index_name": "a", "engines": MODELS}, "parameter_not_provided"),
        (
            {"index_name": "a", "models": [{"model_name": "m", "model_options": ["smell"]}]},
            "parameter_invalid",
        ),
        (
            {"index_name": "a", "models": [{"model_name": "m", "model_options": [["audio"]]}]},
            "parameter_invalid",
        ),
        ({"index_name": "a", "engine_id": "marengo2"}, "parameter_not_provided"),
        ({"index_name": "a", "models": MODELS, "colour": 1}, "parameter_unknown"),
        ([], "parameter_invalid"),
        ("{", "parameter_invalid"),
        ('{"index_name": NaN}', "parameter_invalid"),
        ('{"index_name": 1e309}', "parameter_invalid"),
        ("[" * 100_000, "parameter_invalid"),
        (b"\xff\xfe{", "parameter_invalid"),
    ],
)
def test_a_wrong_body_is_400_with_its_code(caller, body, code):
    assert refusal(caller.post("/indexes", body)) == (400, code)
    assert not Index.objects.exists()


def test_a_name_is_taken_once_by_each_user(caller):
    make_index(make_user(), name="Dailies")
    make(caller)

    response = caller.post("/indexes", {"index_name": "Dailies", "models": MODELS})

    assert refusal(response) == (400, "index_name_already_exists")


def test_only_the_name_can_be_changed(caller):
    pk, _ = make(caller), make(caller, "Taken")

    response = caller.put(f"/indexes/{pk}", {"index_name": "Rushes"})
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response
    assert caller.get(f"/indexes/{pk}").json()["index_name"] == "Rushes"
    assert refusal(caller.put(f"/indexes/{pk}", {"index_name": "Taken"})) == (
        400,
        "index_name_already_exists",
    )
    assert refusal(caller.put(f"/indexes/{pk}", {"models": MODELS})) == (
        400,
        "index_option_cannot_be_changed",
    )


def test_an_index_that_is_deleted_while_it_is_renamed_stays_deleted(caller, monkeypatch):
    index_id = make(caller)
    read = params.body

    def delete_and_read(*args):
        Index.objects.all().delete()
        return read(*args)

    monkeypatch.setattr(params, "body", delete_and_read)
    response = caller.put(f"/indexes/{index_id}", {"index_name": "Rushes"})

    assert refusal(response) == (404, "resource_not_exists")
    assert not Index.objects.exists()


def test_renaming_keeps_what_a_worker_wrote_meanwhile(caller, monkeypatch):
    index_id = make(caller)
    read = params.body

    def mirror_and_read(*args):
        Index.objects.update(remote_id="e" * 24)
        return read(*args)

    monkeypatch.setattr(params, "body", mirror_and_read)

    assert caller.put(f"/indexes/{index_id}", {"index_name": "Rushes"}).status_code == 204
    index = Index.objects.get()
    assert (index.name, index.remote_id) == ("Rushes", "e" * 24)
    assert index.updated_at > index.created_at


def test_deleting_an_index_deletes_its_videos(caller):
    video = make_transcript(1, make_index(caller.user))

    assert caller.delete(f"/indexes/{video.index_id}").status_code == 204
    assert not Video.objects.exists()
    assert refusal(caller.get(f"/indexes/{video.index_id}")) == (404, "resource_not_exists")


def test_an_index_counts_its_videos_and_their_length(caller):
    index = make_index(caller.user)
    make_video(index, duration_ms=1500), make_video(index, duration_ms=2000)

    found = caller.get(f"/indexes/{index.pk}").json()

    assert (found["video_count"], found["total_duration"]) == (2, 3.5)


def test_lists_have_pages_and_one_past_the_last_is_empty(caller):
    for number in range(5):
        make(caller, f"Index {number}")

    pages = [caller.get("/indexes", page=n, page_limit=2).json() for n in (1, 2, 3, 4)]

    found = [index["index_name"] for page in pages for index in page["data"]]
    assert sorted(found) == [f"Index {n}" for n in range(5)]
    assert pages[3]["data"] == []
    assert pages[0]["page_info"] == {
        "limit_per_page": 2,
        "page": 1,
        "total_page": 3,
        "total_results": 5,
    }


def test_newest_come_first_unless_asked_otherwise(caller):
    for number in range(3):
        pk = make(caller, str(number))
        Index.objects.filter(pk=pk).update(created_at=datetime(2026, 1, 1 + number, tzinfo=UTC))

    assert names(caller.get("/indexes")) == ["2", "1", "0"]
    assert names(caller.get("/indexes", sort_option="asc", sort_by="created_at")) == ["0", "1", "2"]


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"},
        {"page": "-1"},
        {"page": "1.5"},
        {"page": "٣"},
        {"page": "9" * 30},
        {"page_limit": "51"},
        {"page_limit": ""},
        {"sort_by": "owner__password"},
        {"sort_option": "up"},
        {"created_at": "yesterday"},
        {"created_at": "2026-02-30"},
        {"created_at": "0001-01-01T00:00:00+23:00"},
        {"index_name": "a\0b"},
    ],
)
def test_a_wrong_query_is_400(caller, query):
    assert refusal(caller.get("/indexes", **query)) == (400, "parameter_invalid")


def test_an_unknown_filter_is_400(caller):
    assert refusal(caller.get("/indexes", colour="red")) == (400, "parameter_unknown")
    assert refusal(caller.get("/indexes", **{"created_at[in]": "2026-01-01"}))[0] == 400
    assert refusal(caller.get("/indexes", **{"index_name[gte]": "a"}))[0] == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"created_at": "2026-01-02"}, "b"),
        ({"created_at": "2026-01-02T12:00:00Z"}, "b"),
        ({"created_at": "2026-01-02T12:00:00.001Z"}, ""),
        ({"created_at[gte]": "2026-01-02"}, "bc"),
        ({"created_at[lte]": "2026-01-02"}, "ab"),
        ({"created_at[lte]": "2026-01-02T12:00:00Z"}, "ab"),
        ({"created_at[gte]": "2026-01-02T13:30:00+01:00"}, "c"),
        ({"createdAt[gte]": "2026-01-02", "updatedAt[gte]": "2000-01-01"}, "bc"),
        ({"index_name": ["a", "c"]}, "ac"),
        ({"model_options": "visual,audio"}, "a"),
        ({"engine_options": ["visual", "conversation"]}, "a"),
        ({"model_family": "pegasus"}, "b"),
        ({"engine_family": "marengo"}, "ac"),
    ],
)
def test_filters_of_all_dialects(caller, query, found):
    make(caller, "a")
    make(caller, "b", models=[{"model_name": "pegasus1.2", "model_options": ["audio"]}])
    make(caller, "c", models=[{"model_name": "marengo3.0", "model_options": ["visual"]}])
    for day, name in enumerate("abc", 1):
        at = datetime(2026, 1, day, 12, tzinfo=UTC)
        Index.objects.filter(name=name).update(created_at=at)

    assert "".join(sorted(names(caller.get("/indexes", **query)))) == found


def test_a_list_costs_the_same_however_long_it_is(caller, django_assert_max_num_queries):
    for number in range(12):
        make_video(make_index(caller.user, name=str(number)))

    with django_assert_max_num_queries(5):
        assert len(caller.get("/indexes", page_limit=50).json()["data"]) == 12
