from __future__ import annotations

import re
import time

import pytest

from tests.factories import make_index, make_task, make_transcript, make_user
from videos import corrections
from videos.corrections import Seen
from videos.models import Correction

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
CUES = [(0, 2000, "We came down"), (2000, 4000, "to the rivver"), (5000, 8000, "before light")]
HUGE = 10**30


@pytest.fixture
def video(user):
    return make_transcript(CUES, make_index(user))


def row(video, number=1):
    return video.transcript.segments.get(number=number)


def form(video, number=1, **changes):
    """What the form of a line sends."""
    line = row(video, number)
    known = {"task": video.transcript_id, "row": line.pk, "row_start": line.start_ms}
    known |= {"version": line.version, "text": line.text, "start": line.start_ms / 1000}
    return known | {"end": line.end_ms / 1000} | changes


def post(client, video, number=1, headers=HTMX, **changes):
    data = form(video, number, **changes)
    return client.post(f"/videos/{video.pk}/rows/{number}/edit", data, headers=headers)


def texts(video):
    return list(video.transcript.segments.values_list("text", flat=True))


# --- one line ---


def test_a_line_has_a_form_as_a_page_and_as_a_part(client, video):
    url = f"/videos/{video.pk}/rows/1/edit"

    page, part = client.get(url), client.get(url, headers=HTMX)

    for answer in (page, part):
        assert ">\nto the rivver</textarea>" in answer.text and 'value="0:02"' in answer.text
    assert "<html" in page.text and "<html" not in part.text


def test_saving_answers_with_the_line_and_its_neighbours(client, video):
    part = post(client, video, text="to the river", start="1.5", deed="save")

    assert part.text.count("<li") == 3
    assert '<li data-d=2.5 data-v=1><a href="?t=1.5#now">0:01</a><span>to the river</span>' in (
        part.text.replace(" data-g=1", "")
    )
    assert 'data-first="1" data-was="1" data-now="1"' in part.text
    assert "Undo correction" in part.text and "3 lines" in part.text


def test_the_answer_says_the_number_that_a_line_has_by_now_and_what_was_there(client, video):
    stale = form(video, number=2)
    post(client, video, number=0, deed="split", at="3")
    url = f"/videos/{video.pk}/rows/2/edit"

    same = client.post(url, stale, headers=HTMX).text  # nothing was typed
    assert 'data-first="3" data-was="1" data-now="1" data-starts="5000"' in same
    page = client.post(url, stale)
    assert page["Location"].endswith("#row-3")
    saved = client.post(url, stale | {"text": "before noon"}, headers=HTMX).text
    assert 'data-first="3" data-was="1" data-now="1" data-starts="5000"' in saved
    merged = post(client, video, number=2, deed="merge").text
    assert 'data-first="2" data-was="2" data-now="1" data-starts="2000 5000"' in merged
    assert 'data-total="3"' in merged


def test_saving_in_a_range_answers_with_lines_of_the_range(client, video):
    url = f"/videos/{video.pk}/rows/1/edit?start=2&end=4"

    part = client.post(url, form(video, text="to the river"), headers=HTMX)

    assert part.text.count("<li") == 1 and "?start=2&amp;end=4&amp;t=2#now" in part.text
    assert "1 of 3 lines" in part.text


def test_saving_where_lines_are_left_out_tells_each_end_and_counts_what_is_shown(client, video):
    video.transcript.segments.exclude(number=1).update(marks="s")
    url = f"/videos/{video.pk}/rows/0/edit?doubt=1"

    part = client.post(url, form(video, 0, text="We came up"), headers=HTMX)

    assert '<li data-d=2 data-v=1><a href="?doubt=1&amp;t=0#now">' in part.text
    assert "1 of 3 lines" in part.text


def test_a_corrected_line_shows_what_the_engine_heard(client, video):
    post(client, video, text="to the river")

    part = client.get(f"/videos/{video.pk}/rows/1/edit", headers=HTMX)

    assert "The engine heard: <q><bdi>to the rivver</bdi></q>" in part.text
    assert 'value="revert"' in part.text


@pytest.mark.parametrize(
    ("deed", "changes", "expected"),
    [
        ("split", {"at": "6"}, ["We came down", "to the", "rivver", "before light"]),
        ("split", {"text": "to the |river"}, ["We came down", "to the", "river", "before light"]),
        ("merge", {}, ["We came down", "to the rivver before light"]),
    ],
)
def test_without_javascript_each_deed_leads_back_to_the_lines(
    client, video, deed, changes, expected
):
    answer = post(client, video, headers={}, deed=deed, **changes)

    assert (answer.status_code, answer["Location"]) == (
        303,
        f"/videos/{video.pk}/rows/?from=0#row-1",
    )
    assert texts(video) == expected


def test_who_comes_second_gets_both_texts_and_keeps_the_typed_one(client, video):
    stale = form(video, text="my words")
    post(client, video, text="their words")

    part = client.post(f"/videos/{video.pk}/rows/1/edit", stale, headers=HTMX)

    assert part.status_code == 409
    assert "Somebody changed this line." in part.text and "<bdi>their words</bdi>" in part.text
    assert ">\nmy words</textarea>" in part.text and 'name="version" value="1"' in part.text
    assert texts(video)[1] == "their words"


def test_the_last_line_is_not_offered_to_be_merged_and_who_tries_gets_a_sentence(client, video):
    for headers in (HTMX, {}):
        for number in range(3):
            part = client.get(f"/videos/{video.pk}/rows/{number}/edit", headers=headers)
            assert ("Merge with next" in part.text) == (number < 2)

    answer = post(client, video, number=2, deed="merge")
    assert answer.status_code == 400 and "This is the last line" in answer.text
    assert "Merge with next" not in answer.text


def test_what_is_refused_on_a_page_that_is_behind_speaks_of_its_own_line(client, video):
    stale = form(video, number=2, text="")
    post(client, video, number=0, deed="split", at="3")

    part = client.post(f"/videos/{video.pk}/rows/2/edit", stale, headers=HTMX)

    assert part.status_code == 400 and "Correct the line at 0:05" in part.text
    assert 'data-number="3"' in part.text and "Merge with next" not in part.text


def test_a_line_that_is_gone_is_said_and_the_typed_text_stays(client, video):
    stale = form(video, number=2, text="my words")
    post(client, video, deed="merge")

    for headers in (HTMX, {}):
        answer = client.post(f"/videos/{video.pk}/rows/2/edit", stale, headers=headers)
        assert answer.status_code == 409 and "merged this line" in answer.text
        assert ">\nmy words</textarea>" in answer.text


def test_a_form_of_a_transcript_that_is_not_shown_any_more_writes_nothing(client, video):
    stale = form(video, text="my words")
    old, new = video.transcript, make_task(video, status="ready")
    video.transcript = new
    video.save()

    part = client.post(f"/videos/{video.pk}/rows/1/edit", stale, headers=HTMX)

    assert part.status_code == 409 and "Another transcript took the place" in part.text
    assert old.segments.get(number=1).text == "to the rivver"


def test_a_page_that_is_behind_is_told_so(client, video):
    url = f"/videos/{video.pk}/rows/1/edit"

    assert client.get(url, {"row_start": "2000"}, headers=HTMX).status_code == 200
    assert client.get(url, {"row_start": "1999"}, headers=HTMX).status_code == 409


def test_a_page_that_is_behind_is_told_so_at_its_last_line_too(client, video):
    post(client, video, deed="merge")
    url = f"/videos/{video.pk}/rows/2/edit"

    assert client.get(url, {"row_start": "5000"}, headers=HTMX).status_code == 409
    assert client.get(url, headers=HTMX).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"text": ""},
        {"text": "x" * 20_001},
        {"start": "soon"},
        {"start": "-1"},
        {"end": ""},
        {"end": "1"},
        {"end": "nan"},
        {"version": "x"},
        {"version": HUGE},
        {"row": HUGE},
        {"row": ""},
        {"row_start": -1},
        {"deed": "split", "at": HUGE},
        {"deed": "split", "at": "0"},
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_and_writes_nothing(client, video, changes):
    for headers in (HTMX, {}):
        answer = post(client, video, headers=headers, **changes)
        assert answer.status_code == 400
        assert '<p class="error">' in answer.text
    assert texts(video) == [text for _, _, text in CUES]


@pytest.mark.parametrize(
    "text", ["<script>x</script>", "</textarea><b>", "\0 nul", "\ud800x", "🎬🎬"]
)
def test_hostile_words_stay_words(client, video, text):
    data = form(video, text=text.encode("utf-8", "surrogatepass"))
    client.post(f"/videos/{video.pk}/rows/1/edit", data, headers=HTMX)

    for path in ("", "rows/", "rows/1/edit", "replace?find=x&replace=%3Cb%3E"):
        page = client.get(f"/videos/{video.pk}/{path}")
        assert page.status_code == 200
        assert "<script>x" not in page.text and "</textarea><b>" not in page.text
        assert "<b></ins>" not in page.text and "<ins><b>" not in page.text


@pytest.mark.parametrize("number", [3, 2**31, HUGE])
def test_a_number_that_no_line_has_is_404(client, video, number):
    assert client.get(f"/videos/{video.pk}/rows/{number}/edit").status_code == 404


def test_a_video_without_a_transcript_has_no_lines_to_correct(client, user):
    video = make_task().video
    video.index.owner = user
    video.index.save()

    for path in ("rows/", "replace"):
        assert client.get(f"/videos/{video.pk}/{path}").status_code == 404
    refused = client.get(f"/videos/{video.pk}/rows/0/edit", headers=HTMX)
    assert refused.status_code == 403
    assert refused["X-Refusal"] == "Lines can be corrected when the transcript is ready."
    assert client.post(f"/videos/{video.pk}/undo").status_code == 404


def test_the_lines_come_in_pages(client, user, django_assert_num_queries):
    for count in (3, 250):
        video = make_transcript(count, make_index(user))
        with django_assert_num_queries(7):  # session, user, video, count, lines, last, tasks
            page = client.get(f"/videos/{video.pk}/rows/")
    assert "Lines 1–100 of 250" in page.text and page.text.count('id="row-') == 100
    last = client.get(f"/videos/{video.pk}/rows/", {"from": "200"}).text
    assert "Lines 201–250 of 250" in last and "Later lines" not in last
    for nonsense in ("x", "-1", HUGE, 5000):
        assert client.get(f"/videos/{video.pk}/rows/", {"from": nonsense}).status_code == 200


def test_a_page_behind_a_split_gets_no_line_twice_while_another_task_runs(client, video):
    make_task(video, status="indexing")
    query = {"task": video.transcript_id, "after": "2"}
    post(client, video, deed="split", at="6")

    part = client.get(f"/videos/{video.pk}/progress", query, headers=HTMX)

    assert "<li" not in part.text and "4 lines" in part.text


def test_a_doubtful_line_can_be_said_to_be_right(client, video):
    video.transcript.segments.filter(number=1).update(marks="f", unsure="7+6")
    form_url = f"/videos/{video.pk}/rows/1/edit"
    said = "The engine was not sure of: <q><bdi>rivver</bdi></q>"
    assert (
        said in client.get(form_url).text and said in client.get(f"/videos/{video.pk}/rows/").text
    )
    assert "Worth a second look: faster than anybody speaks." in client.get(form_url).text

    part = post(client, video, deed="confirm")

    assert "data-m=y" in part.text and "Undo confirmation" in part.text
    assert "Doubtful lines" not in part.text
    assert "Doubtful lines" not in client.get(f"/videos/{video.pk}/").text
    for page in (client.get(form_url).text, client.get(f"/videos/{video.pk}/rows/").text):
        assert "An editor confirmed this line." in page and "Mark as correct" not in page


# --- undo ---


def test_undo_answers_with_the_line_as_it_was(client, video):
    post(client, video, text="to the river")

    part = client.post(f"/videos/{video.pk}/undo", headers=HTMX)

    assert "<span>to the rivver</span>" in part.text and "Undo" not in part.text
    assert "data-v" not in part.text
    assert "Redo correction" in client.get(f"/videos/{video.pk}/").text
    again = client.post(f"/videos/{video.pk}/redo", headers=HTMX)
    assert "<span>to the river</span>" in again.text and "Redo" not in again.text


@pytest.mark.parametrize("step", ["undo", "redo"])
def test_undo_and_redo_say_why_nothing_is_done(client, video, step):
    for headers, status in ((HTMX, 409), ({}, 303)):
        answer = client.post(f"/videos/{video.pk}/{step}", headers=headers)
        assert answer.status_code == status
    assert f"There is nothing to {step}." in client.get(f"/videos/{video.pk}/").text


def test_undo_of_many_lines_lets_the_page_fetch_them_all(client, video):
    rows = [Seen(line.pk, line.start_ms, 0) for line in (row(video, 0), row(video, 2))]
    kind = Correction.Kind.REPLACE
    user = video.index.owner
    corrections.change_many(user, video.transcript, kind, rows, lambda line: line.text.upper())

    part = client.post(f"/videos/{video.pk}/undo", headers=HTMX)

    assert 'data-first=""' in part.text and "<li" not in part.text
    assert texts(video)[0] == "We came down"


# --- find and replace ---


def preview(client, video, **query):
    return client.get(f"/videos/{video.pk}/replace", query).text


@pytest.mark.parametrize(
    ("query", "changed"),
    [
        ({"find": "RIVVER"}, 1),
        ({"find": "RIVVER", "match_case": "on"}, 0),
        ({"find": "e"}, 3),
        ({"find": "the", "whole_words": "on"}, 1),
        ({"find": "came  down"}, 1),
        ({"find": "[a-z]"}, 0),
        ({"find": "down", "replace": "down"}, 0),
    ],
)
def test_a_preview_lists_what_would_change(client, video, query, changed):
    page = preview(client, video, **({"replace": "x"} | query))

    assert page.count('name="row"') == changed
    assert ("No line would be changed" in page) == (changed == 0)


def test_a_preview_shows_each_line_before_and_after_and_changes_nothing(client, video):
    page = preview(client, video, find="rivver", replace="R&D")

    assert "to the <del>rivver</del>" in page and "to the <ins>R&amp;D</ins>" in page
    assert texts(video)[1] == "to the rivver"


def test_a_line_that_would_be_empty_is_passed_over(client, video):
    page = preview(client, video, find="we came down")

    assert "1 line would be left without words and is passed over." in page


def replace(client, video, rows, **fields):
    return client.post(f"/videos/{video.pk}/replace", {"row": rows} | fields)


def keys(video, *numbers):
    lines = [row(video, number) for number in numbers]
    return [f"{line.pk}-{line.start_ms}-{line.version}" for line in lines]


def test_the_chosen_lines_are_replaced_in_one_step(client, video):
    answer = replace(client, video, keys(video, 0, 1), find="e", replace="E")

    assert answer.status_code == 303
    assert texts(video) == ["WE camE down", "to thE rivvEr", "before light"]
    client.post(f"/videos/{video.pk}/undo")
    assert texts(video) == [text for _, _, text in CUES]


def test_when_one_line_was_changed_meanwhile_none_is_replaced(client, video):
    rows = keys(video, 0, 1)
    post(client, video, text="to the see")

    answer = replace(client, video, rows, find="e", replace="E")

    assert answer.status_code == 409 and "Nothing was written" in answer.text
    assert texts(video)[0] == "We came down"
    assert "<ins>E</ins>" in answer.text  # the preview as it is now


def ticked(page: str) -> list[str]:
    return re.findall(r'name="row" value="([^"]+)" checked', page)


def test_what_is_refused_keeps_the_choice_and_a_line_that_was_changed_is_not_in_it(client, video):
    every, chosen = keys(video, 0, 1, 2), keys(video, 0, 1)
    assert ticked(preview(client, video, find="e", replace="E")) == every
    assert ticked(replace(client, video, [], find="e", replace="E").text) == []
    post(client, video, text="to the see")

    page = replace(client, video, chosen, find="e", replace="E").text

    assert ticked(page) == chosen[:1] and keys(video, 1)[0] in page


@pytest.mark.parametrize("rows", [[], ["x"], ["1-2"], [f"{HUGE}-0-0"], ["--"], ["1-1-1"]])
def test_lines_that_cannot_be_meant_are_refused(client, video, rows):
    assert replace(client, video, rows, find="e", replace="E").status_code in (400, 409)
    assert texts(video) == [text for _, _, text in CUES]


@pytest.mark.parametrize("find", ["", " ", "x" * 201, "\0"])
def test_nothing_to_find_is_said(client, video, find):
    page = client.get(f"/videos/{video.pk}/replace", {"find": find})

    assert page.status_code == 200 and 'role="alert"' in page.text


def test_lines_that_would_get_too_long_are_passed_over_and_a_preview_ends(client, user):
    """The page of one line could have twenty million letters."""
    cues = [(n * 1000, n * 1000 + 900, "a" * 20_000) for n in range(20)]
    video = make_transcript([*cues, (30_000, 31_000, "aha")], make_index(user))

    page = preview(client, video, find="a", replace="&" * 200)
    assert "20 lines would get too long and are passed over." in page
    assert "1 line</b>" in page and len(page) < 20_000

    page = preview(client, video, find="a", replace="b")
    assert "of 21; the others come after these" in page and len(page) < 10_000_000


def test_ten_thousand_lines_are_looked_through_in_a_moment(client, user):
    video = make_transcript(10_000, make_index(user))

    started = time.process_time()
    page = preview(client, video, find="the", replace="THE")
    looked = time.process_time() - started
    rows = keys(video, *range(500))
    started = time.process_time()
    replace(client, video, rows, find="the", replace="THE")
    replaced = time.process_time() - started

    assert "2,000 lines" in page and "the others come after these" in page
    assert max(looked, replaced) < 3, (looked, replaced)  # measured: 0.8 and 0.1


# --- who may ---


@pytest.mark.parametrize("path", ["rows/", "rows/1/edit", "replace", "replace?find=e"])
def test_a_stranger_sees_no_lines(client, video, path):
    client.force_login(make_user())

    assert client.get(f"/videos/{video.pk}/{path}").status_code == 404


def test_a_stranger_changes_nothing(client, video):
    data, rows = form(video, text="x"), keys(video, 0)
    client.force_login(make_user())

    assert client.post(f"/videos/{video.pk}/rows/1/edit", data).status_code == 404
    assert client.post(f"/videos/{video.pk}/undo").status_code == 404
    assert replace(client, video, rows, find="e").status_code == 404
    assert texts(video) == [text for _, _, text in CUES]


def test_a_line_of_a_strangers_video_is_not_reached_through_ones_own(client, video):
    other = make_transcript(CUES)
    theirs = row(other)

    part = post(client, video, row=theirs.pk, text="x")
    many = replace(client, video, keys(other, 1), find="e", replace="E")

    assert (part.status_code, many.status_code) == (409, 409)
    assert row(other).text == "to the rivver"


def test_the_api_serves_the_corrected_text(caller):
    video = make_transcript(CUES, make_index(caller.user))
    corrections.save(
        caller.user,
        video.transcript,
        Seen(row(video).pk, 2000, 0),
        "to the river",
        (2000, 4000),
    )

    answer = caller.get(f"/indexes/{video.index_id}/videos/{video.pk}/transcription")

    assert [each["value"] for each in answer.json()["data"]][1] == "to the river"


def test_a_corrected_line_within_a_longer_one_gets_no_gap(client, user):
    cues = [(0, 20_000, "long"), (1000, 2000, "a"), (3000, 4000, "b"), (5000, 6000, "c")]
    video = make_transcript([*cues, (9000, 9500, "d")], make_index(user))

    answer = post(client, video, 3, text="changed")

    assert "changed" in answer.text and "data-g" not in answer.text
