from __future__ import annotations

import pytest

from tests.api import Caller, refusal
from tests.factories import make_index, make_task, make_transcript
from videos import corrections
from videos.corrections import Seen

CUES = [(0, 2000, "We came down"), (2000, 4000, "to the rivver"), (5000, 8000, "before light")]


@pytest.fixture
def video(caller):
    return make_transcript(CUES, make_index(caller.user))


def root(video) -> str:
    return f"/indexes/{video.index_id}/videos/{video.pk}"


def lines(caller, video, **query):
    return caller.get(f"{root(video)}/segments", **query).json()["data"]


def path(video, line) -> str:
    return f"{root(video)}/segments/{line['_id']}"


def texts(video) -> list[str]:
    return list(video.transcript.segments.values_list("text", flat=True))


def test_segments_come_with_what_a_correction_has_to_name(caller, video):
    video.transcript.segments.filter(number=1).update(marks="fo")

    answer = caller.get(f"{root(video)}/segments", start=1.5, end=3).json()

    assert answer["transcript_id"] == video.transcript_id
    first, second = answer["data"]
    assert (first["start"], first["end"], first["value"]) == (0, 2, "We came down")
    assert (second["number"], second["version"], second["heard"]) == (1, 0, None)
    assert second["doubts"][0] == "faster than anybody speaks" and len(second["doubts"]) == 2
    assert caller.get(path(video, second)).json() == second


def test_text_and_times_are_corrected_and_what_is_not_sent_stays(caller, video):
    line = lines(caller, video)[1]

    fixed = caller.patch(path(video, line), {"version": 0, "value": "to the river"}).json()
    moved = caller.patch(path(video, line), {"version": 1, "end": 4.25}).json()

    assert (fixed["value"], fixed["heard"], fixed["version"]) == (
        "to the river",
        "to the rivver",
        1,
    )
    assert (moved["value"], moved["start"], moved["end"]) == ("to the river", 2, 4.25)
    assert caller.get(path(video, line)).json() == moved
    assert caller.patch(path(video, line), {"version": 2}).json() == moved  # nothing to write


def test_times_are_taken_as_everywhere_from_a_division_and_as_timecode(caller):
    cues = [(0, 2000, "We came down"), (2000, 4000, "to the rivver")]
    video = make_transcript(
        cues, make_index(caller.user), fps_numerator=25, start_timecode="01:00:00:00"
    )
    first = lines(caller, video)[0]

    changed = caller.patch(path(video, first), {"version": 0, "end": 80 / 48}).json()
    assert changed["end"] == 1.667
    body = {"version": changed["version"], "end": "01:00:01:05"}
    assert caller.patch(path(video, first), body).json()["end"] == 1.2


def test_the_second_of_two_editors_is_told_and_nothing_is_written(caller, video):
    line = lines(caller, video)[1]
    for deed, body in (
        ("", {"value": "x"}),
        ("/split", {"at": 6}),
        ("/merge", {}),
        ("/revert", {}),
    ):
        page = video.transcript.segments.get(number=1)
        seen = Seen(page.pk, page.start_ms, page.version)
        times = (page.start_ms, page.end_ms)
        corrections.save(caller.user, video.transcript, seen, f"{page.text} again", times)
        before = texts(video)
        send = caller.post if deed else caller.patch

        answer = send(path(video, line) + deed, {"version": page.version} | body)

        assert refusal(answer) == (409, "correction_conflict")
        assert answer.json()["message"].startswith("Somebody changed this line. Read it again")
        assert texts(video) == before


def test_a_segment_that_was_merged_away_is_404(caller, video):
    _, second, third = lines(caller, video)
    caller.post(path(video, second) + "/merge", {"version": 0})

    answer = caller.patch(path(video, third), {"version": 0, "value": "x"})

    assert refusal(answer) == (404, "resource_not_exists")


def test_split_merge_and_revert_answer_with_what_is_there_now(caller, video):
    line = lines(caller, video)[1]
    sent = {"version": 0, "value": "to the river", "at": 7}

    halves = caller.post(path(video, line) + "/split", sent).json()["data"]
    assert [half["value"] for half in halves] == ["to the", "river"]
    assert [half["number"] for half in halves] == [1, 2] and halves[0]["end"] == halves[1]["start"]

    version = {"version": halves[0]["version"]}
    (whole,) = caller.post(path(video, halves[0]) + "/merge", version).json()["data"]
    assert (whole["value"], whole["end"], whole["heard"]) == ("to the river", 4, "to the rivver")

    version = {"version": whole["version"]}
    (heard,) = caller.post(path(video, whole) + "/revert", version).json()["data"]
    assert (heard["value"], heard["heard"]) == ("to the rivver", None)


def test_a_doubtful_segment_is_confirmed(caller, video):
    video.transcript.segments.filter(number=1).update(marks="f")
    line = lines(caller, video)[1]
    assert (bool(line["doubts"]), line["confirmed"]) == (True, False)

    (now,) = caller.post(path(video, line) + "/confirm", {"version": 0}).json()["data"]

    assert (now["doubts"], now["confirmed"], now["version"]) == ([], True, 1)


def test_undo_takes_the_callers_last_correction_back_and_redo_does_it_again(caller, video):
    line = lines(caller, video)[1]
    caller.post(path(video, line) + "/split", {"version": 0, "at": 7})

    (back,) = caller.post(f"{root(video)}/undo").json()["data"]

    assert (back["value"], back["version"]) == ("to the rivver", 2)
    assert refusal(caller.post(f"{root(video)}/undo")) == (409, "correction_conflict")

    halves = caller.post(f"{root(video)}/redo").json()["data"]
    assert [half["value"] for half in halves] == ["to the", "rivver"]
    assert refusal(caller.post(f"{root(video)}/redo")) == (409, "correction_conflict")


@pytest.mark.parametrize(
    ("deed", "wrong"),
    [
        ("", {"version": None}), ("", {"version": -1}), ("", {"version": True}),
        ("", {"version": 2**40}), ("", {"value": ""}), ("", {"value": 5}),
        ("", {"value": "x" * 20_001}), ("", {"start": 3, "end": 3}), ("", {"end": 9}),
        ("", {"start": -1}), ("", {"start": [1]}), ("", {"number": 4}),
        ("/split", {}), ("/split", {"at": 0}), ("/split", {"at": 1.5}), ("/split", {"at": 10**9}),
        ("/merge", {"at": 3}), ("/revert", {"value": "x"}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_writes_nothing(caller, video, deed, wrong):
    send = caller.post if deed else caller.patch

    answer = send(path(video, lines(caller, video)[1]) + deed, {"version": 0} | wrong)

    assert refusal(answer)[0] == 400
    assert texts(video) == [text for _, _, text in CUES]


@pytest.mark.parametrize("pk", ["0", "x", "9" * 18, "9" * 40, "١"])
def test_a_segment_that_is_none_is_404(caller, video, pk):
    assert refusal(caller.get(f"{root(video)}/segments/{pk}"))[0] == 404
    assert refusal(caller.patch(f"{root(video)}/segments/{pk}", {"version": 0}))[0] == 404


def test_a_video_without_a_transcript_has_no_segments(caller):
    video = make_task().video
    mine = Caller(video.index.owner)

    assert refusal(mine.get(f"{root(video)}/segments")) == (404, "resource_not_exists")
    assert refusal(mine.post(f"{root(video)}/undo")) == (404, "resource_not_exists")


def test_a_segment_of_another_transcript_is_not_reached(caller, video):
    other = make_transcript(CUES, video.index)
    theirs = lines(caller, other)[1]

    answer = caller.patch(path(video, theirs), {"version": 0, "value": "x"})

    assert refusal(answer)[0] == 404 and texts(other)[1] == "to the rivver"
