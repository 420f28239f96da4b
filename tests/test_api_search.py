from __future__ import annotations

import pytest

from tests.api import Caller, refusal
from tests.factories import make_index, make_segments, make_task, make_transcript, make_user
from videos import engines
from videos.api import search

CUES = [
    (0, 1000, "The boats could not go out."),
    (1000, 2000, "Nobody went OUT that winter, no boats."),
    (2000, 3000, "100% right."),
]


@pytest.fixture
def index(caller):
    return make_index(caller.user)


@pytest.fixture
def video(index):
    return make_transcript(CUES, index)


def form(caller, index, text="boats", **fields):
    fields = {"search_options": ["audio"], **fields}
    return caller.send("/search", index_id=index.pk, query_text=text, **fields)


def starts(response) -> list[float]:
    return [hit["start"] for hit in response.json()["data"]]


def test_a_hit_is_a_segment_with_what_every_sdk_needs(caller, index, video):
    found = form(caller, index, "not boats").json()

    assert found["data"] == [
        {
            "video_id": video.pk,
            "start": 0.0,
            "end": 1.0,
            "rank": 1,
            "score": 100.0,
            "confidence": "high",
            "transcription": "The boats could not go out.",
            "metadata": [{"type": "conversation", "text": "The boats could not go out."}],
            "modules": [{"type": "conversation", "confidence": "high"}],
        }
    ]
    assert found["search_pool"] == {
        "total_count": 1,
        "total_duration": 60.0,
        "index_id": index.pk,
    }
    assert found["page_info"]["total_results"] == 1
    assert "next_page_token" not in found["page_info"]


@pytest.mark.parametrize("path", ["/search", "/search-v2"])
def test_json_and_forms_ask_the_same(caller, index, video, path):
    body = {"index_id": index.pk, "query": "boats", "search_options": ["conversation"]}

    assert starts(caller.post(path, body | {"threshold": "low"})) == [0, 1]
    body |= {"query_text": body.pop("query"), "threshold": "low"}
    assert starts(caller.send(path, **body)) == [0, 1]


@pytest.mark.parametrize(
    ("text", "more", "found"),
    [
        ("out boats", {}, [0, 1]),
        ("go out", {"transcription_options": ["lexical"]}, [0]),
        ("go out", {"conversation_option": "exact_match"}, [0]),
        ("100%", {}, [2]),
        ("%", {}, [2]),
        ("_", {}, []),
        ("boats", {"filter": '{"duration": {"gte": 61}}'}, []),
        ("boats", {"filter": '{"duration": {"lte": 60}}'}, [0, 1]),
        ("boats", {"filter": '{"duration": {"gte": 1e308}}'}, []),
        ("boats", {"filter": '{"duration": {"gte": -1e308, "lte": 9000000000000000000}}'}, [0, 1]),
        ("boats", {"filter": '{"id": ["none"]}'}, []),
        ("boats", {"filter": '{"id": []}'}, []),
    ],
)
def test_all_words_are_looked_for_anywhere_unless_asked_otherwise(
    caller, index, video, text, more, found
):
    assert starts(form(caller, index, text, **more)) == found


def test_only_the_transcript_that_is_shown_is_searched(caller, index, video):
    make_segments(CUES, make_task(video, status="failed"))
    make_segments(CUES, make_task(make_transcript([], make_index()), status="ready"))

    assert starts(form(caller, index)) == [0, 1]


def test_pages_lead_on_and_back(caller, index):
    make_transcript([(n * 1000, n * 1000 + 900, "boats") for n in range(5)], index)

    first = form(caller, index, page_limit=2).json()["page_info"]
    second = caller.get(f"/search/{first['next_page_token']}")
    third = caller.get(f"/search-v2/{second.json()['page_info']['next_page_token']}")

    assert (starts(second), starts(third)) == ([2, 3], [4])
    assert [hit["rank"] for hit in second.json()["data"]] == [3, 4]
    assert "next_page_token" not in third.json()["page_info"]
    back = caller.get(f"/search/{second.json()['page_info']['prev_page_token']}")
    assert starts(back) == [0, 1]


def test_a_page_token_is_worth_nothing_to_others_or_when_it_is_old(caller, index, monkeypatch):
    make_transcript([(n * 1000, n * 1000 + 900, "boats") for n in range(5)], index)
    token = form(caller, index, page_limit=2).json()["page_info"]["next_page_token"]

    assert refusal(Caller(make_user()).get(f"/search/{token}")) == (404, "resource_not_exists")
    for bad in (token[:-1], "x", "%00"):
        assert refusal(caller.get(f"/search/{bad}")) == (400, "search_page_token_expired")
    monkeypatch.setattr(search, "PAGE_SECONDS", -1)
    assert refusal(caller.get(f"/search/{token}")) == (400, "search_page_token_expired")


def test_hits_may_be_grouped_by_video(caller, index, video):
    other = make_transcript(CUES[:1], index)

    found = form(caller, index, group_by="video").json()

    assert [(group["id"], len(group["clips"])) for group in found["data"]] == [
        (other.pk, 1),
        (video.pk, 2),
    ]
    assert found["page_info"]["total_results"] == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"query_text": " "}, "parameter_not_provided"),
        ({"search_options": []}, "parameter_not_provided"),
        ({"search_options": ["visual"]}, "search_option_not_supported"),
        ({"search_options": ["smell"]}, "parameter_invalid"),
        ({"query_media_url": "http://example.org/a.jpg"}, "search_option_not_supported"),
        ({"group_by": "day"}, "parameter_invalid"),
        ({"page_limit": "0"}, "parameter_invalid"),
        ({"filter": "{"}, "parameter_invalid"),
        ({"filter": '{"width": 3}'}, "search_filter_invalid"),
        ({"filter": '{"id": [1]}'}, "search_filter_invalid"),
        ({"filter": '{"id": null}'}, "search_filter_invalid"),
        ({"filter": '{"duration": {"gt": 1}}'}, "search_filter_invalid"),
        ({"filter": '{"duration": true}'}, "search_filter_invalid"),
    ],
)
def test_a_wrong_search_is_400_with_its_code(caller, index, fields, code):
    fields = {"query_text": "boats", "search_options": ["audio"]} | fields

    assert refusal(caller.send("/search", index_id=index.pk, **fields)) == (400, code)


def test_an_unknown_index_is_404(caller, index):
    theirs = make_index()

    assert refusal(form(caller, theirs)) == (404, "resource_not_exists")


def test_the_engines_of_this_machine_are_listed(caller):
    found = caller.get("/engines").json()["data"]

    assert [engine["_id"] for engine in found] == list(engines.ENGINES)
    assert caller.get("/engines/sphinx").json()["ready"] is True
    assert refusal(caller.get("/engines/marengo2")) == (404, "resource_not_exists")


def test_a_search_by_video_asks_as_much_for_any_number_of_videos(
    caller, index, django_assert_num_queries
):
    form(caller, index)  # what a key's first call of a minute asks
    for number in (3, 30):
        for _ in range(number):
            make_transcript(CUES, index)
        with django_assert_num_queries(7):
            # key, index, videos on the page, their lines, how many; the pool and its length
            found = form(caller, index, group_by="video", page_limit=50).json()
    assert len(found["data"]) == 33
    assert [len(group["clips"]) for group in found["data"]] == [2] * 33


def test_a_video_gives_its_first_fifty_hits_with_their_ranks(caller, index):
    make_transcript([(n * 1000, n * 1000 + 500, "a boat") for n in range(60)], index)
    make_transcript([(0, 500, "a boat")], index)

    groups = form(caller, index, "boat", group_by="video").json()["data"]

    assert [len(group["clips"]) for group in groups] == [1, 50]  # the newest video first
    assert [clip["rank"] for clip in groups[1]["clips"]] == list(range(1, 51))
    assert [clip["start"] for clip in groups[1]["clips"]] == list(range(50))


@pytest.mark.parametrize("group_by", ["clip", "video"])
def test_a_videos_own_metadata_come_with_hits_where_they_are_wanted(caller, index, group_by):
    make_transcript(CUES, index, user_metadata={"scene": "1a"})
    make_transcript(CUES, index, user_metadata={"scene": "1b"})
    asked = {"group_by": group_by, "include_user_metadata": "true", "page_limit": 1}

    first = form(caller, index, **asked).json()
    second = caller.get(f"/search/{first['page_info']['next_page_token']}").json()
    without = form(caller, index, group_by=group_by).json()["data"][0]

    for page in (first, second):
        assert all("scene" in item["user_metadata"] for item in page["data"])
    assert "user_metadata" not in without


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": "banana"},
        {"operator": "xor"},
        {"sort_option": "asc"},
        {"conversation_option": "banana"},
        {"transcription_options": ["lexical", "banana"]},
        {"transcription_options": "banana"},
        {"adjust_confidence_level": "banana"},
        {"adjust_confidence_level": "2"},
        {"include_user_metadata": "banana"},
    ],
)
def test_a_wish_that_cannot_be_is_refused_also_where_it_would_change_nothing(
    caller, index, video, wrong
):
    answer = form(caller, index, **wrong)

    assert refusal(answer) == (400, "parameter_invalid")
    assert next(iter(wrong)) in answer.json()["message"]


def test_one_word_alone_is_a_list_of_it(caller, index, video):
    body = {"index_id": index.pk, "query": "not boats", "search_options": "conversation"}

    assert len(caller.post("/search", body).json()["data"]) == 1
    body["transcription_options"] = "lexical"
    assert caller.post("/search", body).json()["data"] == []
