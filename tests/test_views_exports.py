"""Files and words that leave the desk: what is in them, and who may have them."""

from __future__ import annotations

import json
import os
import time
from urllib.parse import unquote

import pytest

from tests.api import refusal
from tests.factories import (
    make_index,
    make_segments,
    make_task,
    make_transcript,
    make_video,
)
from videos.exports import FORMATS
from videos.exports.snippets import COPIES
from videos.models import Segment, Video

pytestmark = pytest.mark.django_db
CUES = [
    (0, 2000, "before the café"),
    (1500, 4000, "across"),
    (4000, 5000, "inside the CAFE"),
    (6000, 7000, "after"),
]


@pytest.fixture
def video(user):
    return make_transcript(
        CUES, make_index(user), filename="a film.mov", start_timecode="10:00:00:00"
    )


def export(client, video, name="txt", **query):
    return client.get(f"/videos/{video.pk}/export/{name}", query)


def lines(response) -> list[str]:
    return [line.split("  ")[1] for line in response.text.splitlines() if "  " in line]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"start": "2000", "end": "3000"}, "The video ends before this range begins."),
        ({"start": "60"}, "The video ends before this range begins."),
        ({"q": "zebra"}, "No line of this range holds these words."),
        ({"doubt": "1"}, "This range has no such line."),
    ],
)
def test_a_range_that_is_none_is_no_clip(client, video, query, sentence):
    response = export(client, video, "edl", **{"as": "range"} | query)

    assert response.status_code == 404 and sentence in response.text


def test_what_begins_after_the_end_of_the_video_is_no_clip(client, video):
    Video.objects.filter(pk=video.pk).update(duration_ms=5500)

    edl = export(client, video, "edl").text
    assert edl.count("FROM CLIP NAME") == 3 and "after" not in edl
    assert lines(export(client, video))[-1] == "after"


def test_a_silent_range_is_a_clip(client, video):
    response = export(client, video, "edl", **{"as": "range", "start": "5.2", "end": "5.8"})

    assert response.status_code == 200 and "10:00:05:05 10:00:05:20" in response.text


def test_no_word_is_left_out_however_many_there_are(client, video):
    assert lines(export(client, video, q="b e f o r the")) == ["before the café"]
    assert export(client, video, q="b e f o r nonsense").status_code == 404


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_a_private_file_with_a_name(client, video, name):
    response = export(client, video, name)

    assert response.status_code == 200 and response.content
    assert response["Content-Type"] == FORMATS[name].content_type
    assert response["Content-Disposition"].startswith('attachment; filename="a film')
    assert f'.{FORMATS[name].extension}"' in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["before the café", "across", "inside the CAFE", "after"]),
        ({"start": "2", "end": "4"}, ["across"]),
        ({"start": "0:01.9", "end": "0:04.001"}, ["before the café", "across", "inside the CAFE"]),
        ({"q": "cafe"}, ["before the café", "inside the CAFE"]),
        ({"q": "CAFÉ inside"}, ["inside the CAFE"]),
        ({"q": "cafe", "end": "3"}, ["before the café"]),
        ({"start": "", "end": "", "q": "", "handles": "", "as": ""}, 4),
    ],
)
def test_the_whole_the_range_or_the_matching_lines(client, video, query, found):
    said = lines(export(client, video, **query))

    assert said == found or len(said) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"doubt": "1"}, ["again", "again, sadly"]),
        ({"doubt": "1", "q": "sadly"}, ["again, sadly"]),
        ({"gaps": "1"}, ["before a gap"]),
        ({"gaps": "1", "end": "5"}, []),  # within the range nothing comes behind it
        ({"doubt": "1", "gaps": "1", "end": "12"}, ["before a gap", "again"]),
    ],
)
def test_what_the_pages_switches_leave_is_handed_over(client, caller, query, found):
    cues = [
        (0, 2000, "before a gap"),
        (6000, 7000, "plain"),
        (8000, 9000, "again"),
        (10_000, 11_000, "confirmed"),
        (12_000, 13_000, "again, sadly"),
    ]
    client.force_login(caller.user)
    video = make_transcript(cues, make_index(caller.user))
    Segment.objects.filter(text__startswith="again").update(marks="r")
    Segment.objects.filter(text="confirmed").update(marks="y")

    answers = [export(client, video, **query), caller.get(path(video, "txt"), **query)]

    for answer in answers:
        assert answer.status_code == (200 if found else 404)
        assert not found or lines(answer) == found
    narrowed = client.get(f"/videos/{video.pk}/copy/text", query)
    assert narrowed.status_code == (200 if found else 404)
    assert not found or narrowed.text.split("\n")[0].startswith(found[0])


def test_a_timecode_after_midnight_is_known_by_the_length_of_the_video(client, user):
    cues = [(299_000, 301_000, "at five minutes"), (899_000, 901_000, "at a quarter")]
    late = make_transcript(cues, make_index(user), start_timecode="23:50:00:00")
    late.duration_ms = 3_600_000
    late.save()

    assert lines(export(client, late, start="00:04:59:00")) == ["at a quarter"]
    page = client.get(f"/videos/{late.pk}/", {"t": "00:05:00:00"}).text
    assert f"/videos/{late.pk}/media#t=900" in page


def test_another_transcript_is_handed_over_when_it_is_asked_for(client, video):
    other = make_task(video, status="ready")
    make_segments([(0, 1000, "heard otherwise")], other)
    page = client.get(f"/videos/{video.pk}/transcripts/{other.pk}/").text
    assert f'name="transcript" value="{other.pk}"' in page and f"{video.pk}/export/srt" in page

    assert lines(export(client, video, transcript=other.pk)) == ["heard otherwise"]
    assert len(lines(export(client, video, transcript=video.transcript_id))) == 4
    foreign = make_transcript(1)
    growing = make_task(video)
    for wanted in (foreign.transcript_id, growing.pk, "x", "a b"):
        assert export(client, video, transcript=wanted).status_code == 404
    assert export(client, video, transcript="\0").status_code == 400


def test_beside_the_formats_with_frames_is_said_what_to_look_out_for(client, user):
    index = make_index(user)
    plain, odd = make_transcript(3, index), make_transcript(1000, index, rate_varies=True)

    said = [client.get(f"/videos/{each.pk}/").text for each in (plain, odd)]

    for sentence in ("convert it to a constant standard rate", "An EDL of more than 999 lines"):
        assert [sentence in page for page in said] == [False, True]


def test_a_broadcast_wav_is_named_by_its_recorders_clock(client, user):
    """Half past ten and half a frame: sound alone counts 25."""
    sound = {"video_codec": "", "fps_numerator": 0, "width": 0, "height": 0}
    wav = make_transcript(
        [(1000, 2000, "wild")], make_index(user), filename="T01.WAV", sound_start_ms=37_800_020,
        audio_channels=2, **sound,
    )  # fmt: skip

    assert "10:30:01:00  wild" in export(client, wav).text
    assert "T01      AA    C        10:30:01:00 10:30:02:00" in export(client, wav, "edl").text
    assert "<dd>10:30:00:00</dd>" in client.get(f"/videos/{wav.pk}/").text


def test_page_and_files_name_the_same_start_where_a_timecode_counts_more_frames(client, user):
    film = make_transcript(CUES, make_index(user), start_timecode="10:00:00:80", fps_numerator=50)

    assert "10:00:00:00  before the café" in export(client, film).text
    assert "<dd>10:00:00:00</dd>" in client.get(f"/videos/{film.pk}/").text


def test_the_corrected_text_is_handed_over(client, video):
    Segment.objects.filter(number=1).update(text="A cross.", heard="across", version=1)

    assert "A cross." in lines(export(client, video))


def test_a_timeline_has_a_clip_for_each_line_or_one_for_the_range(client, video):
    each = export(client, video, "edl", start=1, end=5, handles=2).text
    whole = export(client, video, "edl", start=1, end=5, handles=2, **{"as": "range"}).text

    events = [line for line in each.splitlines() if line[:3].isdigit()]
    assert [event.split()[-4:-2] for event in events] == [
        ["10:00:00:00", "10:00:02:02"],
        ["10:00:01:10", "10:00:04:02"],
        ["10:00:03:23", "10:00:05:02"],
    ]
    events = [line for line in whole.splitlines() if line[:3].isdigit()]
    assert [event.split()[-4:-2] for event in events] == [["10:00:00:23", "10:00:05:02"]]
    assert whole.count("* LOC:") == 3


def test_the_file_is_named_after_what_is_in_it(client, video):
    response = export(client, video, "srt", start=1.5, end=75, q="cafe")

    assert 'filename="a film 0.01-1.15 cafe.srt"' in response["Content-Disposition"]


def test_the_name_of_a_long_named_film_still_says_which_part_of_it_is_saved(client, video):
    Video.objects.filter(pk=video.pk).update(filename="語" * 251 + ".mov")

    said = unquote(export(client, video, "srt", start="1", q="cafe")["Content-Disposition"])
    name = said.split("UTF-8''")[-1]

    assert name.endswith("語 0.01-1.00 cafe.srt") and 190 <= len(name.encode()) <= 204


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"start": "soon"}, "Write a time as"),
        ({"start": "9", "end": "3"}, "The end must come after the start."),
        ({"handles": "-1"}, "handles"),
        ({"handles": "1e9"}, "handles"),
        ({"as": "soup"}, "as"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a\x00b"}, "q"),
    ],
)
def test_what_cannot_be_understood_is_400_with_a_sentence(client, video, query, sentence):
    for path in ("export/edl", "copy/text"):
        response = client.get(f"/videos/{video.pk}/{path}", query)

        assert response.status_code == 400 and sentence in response.text


def test_where_nothing_is_said_there_is_no_file_but_a_sentence(client, video):
    assert export(client, video, "srt", start=100).status_code == 404
    assert "no line to hand over" in export(client, video, "srt", q="nobody").text
    silent = make_video(video.index)
    assert export(client, silent, "txt").status_code == 404
    assert client.get(f"/videos/{silent.pk}/copy/text").status_code == 404
    for query, sentence in (({"start": 100}, "ends before this"), ({"q": "nobody"}, "No line of")):
        answer = client.get(f"/videos/{video.pk}/copy/text", query)
        assert answer.status_code == 404 and sentence in answer.text


def test_what_is_not_yours_or_not_known_is_404(client, video):
    other = make_transcript(3)

    assert export(client, other).status_code == 404
    assert client.get(f"/videos/{other.pk}/copy/text").status_code == 404
    assert export(client, video, "pdf").status_code == 404
    assert client.get(f"/videos/{video.pk}/copy/soup").status_code == 404
    assert client.post(f"/videos/{video.pk}/export/txt").status_code == 405


def test_what_is_read_while_it_grows_can_be_handed_over(client, user):
    task = make_task(make_video(make_index(user)))
    make_segments(2, task)

    assert len(lines(export(client, task.video))) == 2


@pytest.mark.parametrize("kind", COPIES)
def test_words_for_the_clipboard_are_plain_text(client, video, kind):
    response = client.get(f"/videos/{video.pk}/copy/{kind}", {"start": 2, "end": 4})

    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert {
        "text": "across",
        "timecode": "10:00:01:12  across",
        "markdown": f"videos/{video.pk}/?start=2&end=4>) across",
        "srt": "00:00:01,500 --> 00:00:04,000\nacross",
        "ffmpeg": "ffmpeg -ss 2 -to 4 -i 'a film.mov' -c copy 'a film 0.02.mov'",
    }[kind] in response.text


def test_a_line_that_is_named_is_copied_alone_whoever_speaks_over_it(client, video):
    part = {"start": "1.5", "end": "4"}
    both = client.get(f"/videos/{video.pk}/copy/text", part)
    alone = client.get(f"/videos/{video.pk}/copy/text", part | {"line": "1"})
    wrong = client.get(f"/videos/{video.pk}/copy/text", part | {"line": "-1"})

    assert (both.text, alone.text) == ("before the café across", "across")
    assert wrong.status_code == 400


def test_an_export_takes_a_fixed_number_of_queries(client, video, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        export(client, video, "edl")


@pytest.mark.skipif(os.environ["TEST_DATABASE"] == "postgres", reason="writing is the same there")
def test_ten_thousand_lines_take_no_time_to_speak_of(client, user):
    video = make_transcript(10_000, make_index(user), fps_numerator=30_000, fps_denominator=1001)

    for name in FORMATS:
        begun = time.process_time()
        assert export(client, video, name, handles=12, q="e").status_code == 200
        assert time.process_time() - begun < 8, name  # 0.2 to 1.5 s where nothing else runs


# --- by the API ---


def path(video, name) -> str:
    return f"/indexes/{video.index_id}/videos/{video.pk}/export/{name}"


@pytest.fixture
def theirs(caller):
    return make_transcript(CUES, make_index(caller.user), filename="a film.mov")


@pytest.mark.parametrize("name", FORMATS)
def test_the_api_gives_the_same_files(caller, client, theirs, name):
    client.force_login(caller.user)
    query = {"start": "1", "end": "5", "q": "cafe", "handles": "3", "as": "rows"}

    response = caller.get(path(theirs, name), **query)

    assert response.status_code == 200
    assert response["Content-Type"] == FORMATS[name].content_type
    assert response["Cache-Control"] == "private, no-store"
    assert name == "docx" or response.content == export(client, theirs, name, **query).content


def test_the_case_of_the_words_counts_where_it_is_asked_for(caller, client, theirs):
    client.force_login(caller.user)
    for case, status in (("false", 200), ("true", 404)):
        query = {"q": "Cafe", "case": case}
        assert caller.get(path(theirs, "txt"), **query).status_code == status
        assert export(client, theirs, "txt", **query).status_code == status


def test_the_api_refuses_as_it_does_elsewhere(caller, theirs):
    for query in ({"start": "x"}, {"start": "5", "end": "1"}, {"handles": "-1"}, {"as": "soup"},
                  {"handles": "9" * 20}, {"q": "x" * 300}, {"case": "soup"}):  # fmt: skip
        assert refusal(caller.get(path(theirs, "edl"), **query)) == (400, "parameter_invalid")
    for found in (
        caller.get(path(theirs, "pdf")),
        caller.get(path(theirs, "srt"), start="100"),
        caller.get(path(make_transcript(3), "srt")),
        caller.get(path(make_video(theirs.index), "srt")),
    ):
        assert refusal(found) == (404, "resource_not_exists")


def test_the_api_gives_another_transcript(caller, theirs):
    other = make_task(theirs, status="ready")
    make_segments([(0, 1000, "heard otherwise")], other)

    assert "heard otherwise" in caller.get(path(theirs, "txt"), transcript=other.pk).text
    assert "heard otherwise" not in caller.get(path(theirs, "txt")).text
    for wanted in (make_transcript(1).transcript_id, "x", "\0"):
        refused = refusal(caller.get(path(theirs, "txt"), transcript=wanted))
        assert refused == (404, "resource_not_exists")


def test_json_holds_seconds_and_source_timecode(caller, theirs):
    data = json.loads(caller.get(path(theirs, "json"), start="5.5").content)

    assert data["segments"] == [
        {
            "video": theirs.pk,
            "start": 6.0,
            "end": 7.0,
            "source_in": "00:00:06:00",
            "source_out": "00:00:07:00",
            "text": "after",
        }
    ]
