from __future__ import annotations

import pytest

from tests.api import refusal
from tests.factories import make_index, make_transcript
from videos import handover
from videos.api import selects
from videos.models import Select
from videos.models.select import keep

CUES = [(0, 2000, "before"), (2000, 4000, "one"), (4000, 6000, "two")]


@pytest.fixture
def video(caller):
    return make_transcript(CUES, make_index(caller.user))


def bin_of(video) -> str:
    return f"/indexes/{video.index_id}/selects"


def test_a_range_is_kept_listed_trimmed_and_taken_out(caller, video):
    body = {"video_id": video.pk, "start": 2.5, "end": 5, "note": "good", "colour": "red"}
    made = caller.post(bin_of(video), body)
    assert made.status_code == 201 and made.json()["value"] == "one two"
    path = f"{bin_of(video)}/{made.json()['_id']}"

    listed = caller.get(bin_of(video)).json()
    assert (listed["data"], listed["total_duration"]) == ([made.json()], 2.5)

    trimmed = caller.patch(path, {"end": 4}).json()
    assert (trimmed["start"], trimmed["end"], trimmed["note"]) == (2.5, 4, "good")
    assert caller.get(path).json()["value"] == "one"

    assert caller.delete(path).status_code == 204
    assert refusal(caller.get(path)) == (404, "resource_not_exists")


@pytest.mark.parametrize("seconds", [80 / 24, 1.1 + 2.2, 1e-7, 4])
def test_seconds_may_come_out_of_a_division(caller, video, seconds):
    body = {"video_id": video.pk, "start": seconds, "end": 5}

    assert caller.post(bin_of(video), body).json()["start"] == round(seconds, 3)


def test_the_bin_is_put_in_order(caller, video):
    a, b = (keep(video, n, n + 10, caller.user).pk for n in (0, 100))

    assert caller.put(bin_of(video), {"order": [b, a]}).status_code == 204
    assert [each["_id"] for each in caller.get(bin_of(video)).json()["data"]] == [b, a]
    assert refusal(caller.put(bin_of(video), {"order": "x"})) == (400, "parameter_invalid")


@pytest.mark.parametrize(
    "wrong",
    [{"start": 9}, {"start": -1}, {"start": True}, {"end": "NaN"}, {"colour": "pink"},
     {"note": "n" * 501}, {"start": [1]}, {"end": None}],
)  # fmt: skip
def test_what_is_no_range_is_refused(caller, video, wrong):
    body = {"video_id": video.pk, "start": 1, "end": 2} | wrong

    assert refusal(caller.post(bin_of(video), body)) == (400, "parameter_invalid")
    assert not Select.objects.exists()


def test_a_video_must_be_named_and_in_the_index(caller, video):
    other = make_transcript(CUES, make_index(caller.user))
    body = {"start": 1, "end": 2}

    assert refusal(caller.post(bin_of(video), body)) == (400, "parameter_not_provided")
    body["video_id"] = other.pk
    assert refusal(caller.post(bin_of(video), body)) == (404, "resource_not_exists")


def test_another_bin_is_not_there(caller, video):
    theirs = make_transcript(CUES)
    select = keep(theirs, 0, 1000, theirs.index.owner)

    assert refusal(caller.get(bin_of(theirs)))[0] == 404
    assert refusal(caller.delete(f"{bin_of(theirs)}/{select.pk}"))[0] == 404
    assert refusal(caller.delete(f"{bin_of(video)}/{select.pk}"))[0] == 404


def test_a_change_takes_nothing_back_that_others_changed_meanwhile(caller, video, monkeypatch):
    made = keep(video, 2000, 4000, caller.user)
    found = selects.find

    def slow(*args):
        known = found(*args)
        Select.objects.update(position=7, words="corrected", colour="red")
        return known

    monkeypatch.setattr(selects, "find", slow)
    caller.patch(f"{bin_of(video)}/{made.pk}", {"note": "good"})
    now = Select.objects.get()
    assert (now.position, now.words, now.note, now.colour) == (7, "corrected", "good", "red")


def test_the_bin_is_exported(caller, video, monkeypatch):
    keep(video, 2000, 4000, caller.user, note="good")
    answer = caller.get(f"{bin_of(video)}/export/edl", handles=2)

    assert answer.status_code == 200 and "FCM:" in answer.text
    srt = caller.get(f"{bin_of(video)}/export/srt", **{"as": "rows"})
    assert srt.text.startswith("1\n00:00:00,000 -->")  # in the time of the cut
    assert refusal(caller.get(f"{bin_of(video)}/export/edl", **{"as": "x"}))[0] == 400
    assert refusal(caller.get(f"{bin_of(video)}/export/edl", handles=-1))[0] == 400
    assert refusal(caller.get(f"{bin_of(video)}/export/pdf"))[0] == 404
    monkeypatch.setattr(handover, "MOST_LINES", 0)
    assert refusal(caller.get(f"{bin_of(video)}/export/srt")) == (400, "parameter_invalid")
