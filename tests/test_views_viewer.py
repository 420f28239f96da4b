from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from tests.factories import (
    make_index,
    make_segments,
    make_task,
    make_transcript,
    make_user,
    make_video,
)
from videos.models import Task, Video

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
CUES = [(0, 2000, "before"), (1500, 4000, "across"), (4000, 5000, "inside"), (6000, 7000, "after")]


@pytest.fixture
def video(user):
    return make_transcript(CUES, make_index(user))


def lines(response) -> list[str]:
    words = ("before", "across", "inside", "after")
    return [word for word in words if f"<span>{word}</span>" in response.text]


def unfinished(user, rows=0, **fields) -> Task:
    task = make_task(make_video(make_index(user), duration_ms=100_000), **fields)
    make_segments(rows, task)
    return task


def running(user, rows=0, **fields) -> Task:
    lease = timezone.now() + timedelta(minutes=1)
    fields = {"status": "indexing", "step": "transcribe", "lease_until": lease} | fields
    return unfinished(user, rows, **fields)


def page_of(client, task) -> str:
    return client.get(f"/videos/{task.video_id}/").text


# --- the transcript and its range ---


def test_the_page_shows_the_player_and_all_lines(client, video):
    page = client.get(f"/videos/{video.pk}/")

    assert lines(page) == ["before", "across", "inside", "after"]
    assert f'src="/videos/{video.pk}/media"' in page.text
    assert "4 lines" in page.text
    assert "CMU Sphinx" in page.text  # who made the transcript
    assert "HX-Request" in page["Vary"]


def test_a_range_keeps_a_line_that_reaches_into_it(client, video):
    page = client.get(f"/videos/{video.pk}/", {"start": "2", "end": "0:06"})

    assert lines(page) == ["across", "inside"]
    assert "2 of 4 lines" in page.text


def test_htmx_gets_the_transcript_alone(client, video):
    part = client.get(f"/videos/{video.pk}/", {"start": "5"}, headers=HTMX)

    assert lines(part) == ["after"]
    assert "<html" not in part.text and "<video" not in part.text
    assert 'data-query="start=5"' in part.text


def test_a_wrong_range_is_said_and_the_transcript_stays(client, video):
    page = client.get(f"/videos/{video.pk}/", {"start": "6", "end": "5"})
    part = client.get(f"/videos/{video.pk}/", {"start": "6", "end": "5"}, headers=HTMX)

    assert "The end must come after the start." in page.text
    assert lines(page) == ["before", "across", "inside", "after"]
    assert "The end must come after the start." in part.text
    assert part["HX-Retarget"] == "#range" and lines(part) == []


def test_a_range_without_speech_says_so(client, video):
    page = client.get(f"/videos/{video.pk}/", {"start": "50"})

    assert "Nothing is said in this range." in page.text
    assert "0 of 4 lines" in page.text


def test_a_range_behind_the_video_says_so(client, user):
    video = make_transcript(CUES, make_index(user), duration_ms=42_000)

    page = client.get(f"/videos/{video.pk}/", {"start": "50", "end": "60"})

    assert "This lies beyond the end of the video." in page.text
    assert "Nothing is said" not in page.text


def test_what_is_wrong_with_both_sides_is_said_once(client, video):
    page = client.get(f"/videos/{video.pk}/", {"start": "soon", "end": "soon"})

    [said] = re.findall(r'<p id="range-error"[^>]*>(.*?)</p>', page.text)
    assert said and said.count(said[:20]) == 1


@pytest.mark.parametrize(
    ("query", "clears", "shows_all"),
    [
        ({}, False, False),
        ({"gaps": "1"}, False, False),
        ({"q": "inside", "only": "1"}, False, True),
        ({"start": "5"}, True, False),
        ({"start": "5", "q": "inside", "only": "1"}, True, False),
        ({"start": "soon"}, True, False),
    ],
)
def test_only_a_range_can_be_cleared(client, video, query, clears, shows_all):
    part = client.get(f"/videos/{video.pk}/", query).text

    assert (">Clear the range</a>" in part) is clears
    assert (">Show all</a>" in part) is shows_all


def test_what_clears_a_range_keeps_the_words_and_the_gaps(client, video):
    query = {"start": "1", "q": "inside", "gaps": "1"}
    part = client.get(f"/videos/{video.pk}/", query).text

    [link] = re.findall(r'<a id="range-clear"[^>]* href="([^"]*)"', part)
    assert unescape(link) == f"/videos/{video.pk}/?q=inside&gaps=1"


def test_t_opens_the_player_at_the_moment_and_marks_the_line(client, video):
    page = client.get(f"/videos/{video.pk}/", {"t": "0:04.5"})

    assert f"/videos/{video.pk}/media#t=4.5" in page.text
    assert '<li id=now aria-current=true data-d=1><a href="?t=4#now">0:04</a>' in page.text


@pytest.mark.parametrize(
    ("t", "at"), [("00:00:04:10", "4.4"), ("10:00:04:10", "4.4"), ("1m23s", "83"), ("1:30", "90")]
)
def test_t_takes_what_editors_type(client, user, t, at):
    video = make_transcript(CUES, make_index(user), start_timecode="10:00:00:00")

    assert f"media#t={at}" in client.get(f"/videos/{video.pk}/", {"t": t}).text


@pytest.mark.parametrize("t", ["soon", "-1", "", "9" * 3000, "\0"])
def test_a_t_that_is_no_time_is_passed_over(client, video, t):
    page = client.get(f"/videos/{video.pk}/", {"t": t})

    assert page.status_code == 200
    assert "#t=" not in page.text


def test_hostile_words_stay_words(client, user):
    nasty = '"><script>window.pwned=1</script>'
    video = make_transcript([(0, 1000, nasty)], make_index(user, name=nasty), filename=nasty)

    for url in ("/", f"/videos/{video.pk}/", f"/indexes/{video.index_id}/"):
        assert "<script>window" not in client.get(url).text


def test_a_page_of_any_length_takes_the_same_queries(client, user, django_assert_num_queries):
    short, long = (make_transcript(n, make_index(user)) for n in (2, 120))

    for video in (short, long):
        # Its pictures are asked for when it is first seen, and its rows are kept from then on.
        client.get(f"/videos/{video.pk}/")
        # session, user, video, place, tasks, last correction, selects, pictures, tags, and the
        # indexes that it may be moved to
        with django_assert_num_queries(11):
            client.get(f"/videos/{video.pk}/")


# --- some lines alone ---


def test_find_shows_the_lines_that_have_all_words(client, video):
    page = client.get(f"/videos/{video.pk}/", {"q": 'SIDE "in"', "only": "1"})

    assert lines(page) == ["inside"]
    assert "1 of 4 lines" in page.text
    assert 'href="?q=SIDE+%22in%22&amp;only=1&amp;t=4#now"' in page.text


def test_the_case_of_the_words_counts_where_it_is_asked_for(client, video):
    page = client.get(f"/videos/{video.pk}/", {"q": "Inside", "only": "1", "case": "1"})
    assert lines(page) == [] and 'name="case" value="1"' in page.text

    page = client.get(f"/videos/{video.pk}/", {"q": "inside", "only": "1", "case": "1"})
    assert lines(page) == ["inside"]
    assert 'href="?q=inside&amp;case=1&amp;only=1&amp;t=4#now"' in page.text


def test_words_alone_leave_all_lines_to_the_browser(client, video):
    page = client.get(f"/videos/{video.pk}/", {"q": "inside"})

    assert len(lines(page)) == 4
    assert 'value="inside"' in page.text and 'data-query=""' in page.text


def test_doubtful_lines_and_gaps_can_be_shown_alone(client, user):
    cues = [(0, 1000, "before"), (5000, 6000, "across"), (6000, 7000, "inside")]
    video = make_transcript(cues, make_index(user))
    video.transcript.segments.filter(text="inside").update(marks="fr")
    url = f"/videos/{video.pk}/"

    page = client.get(url)
    assert "Doubtful lines (1)" in page.text and "Gaps (1)" in page.text
    assert f'href="{url}?doubt=1"' in page.text and "data-m=fr" in page.text

    assert lines(client.get(url, {"doubt": "1"})) == ["inside"]
    gaps = client.get(url, {"gaps": "1", "start": "0.5"})
    assert lines(gaps) == ["before"] and "data-d=1 data-g=4" in gaps.text
    assert lines(client.get(url, {"gaps": "1", "doubt": "1"})) == ["before", "inside"]
    assert "No line matches in this range." in client.get(
        url, {"gaps": "1", "start": "6"}
    ).text  # fmt: skip


def test_a_transcript_that_grows_brings_only_the_lines_that_are_wanted(client, user):
    task = running(user, rows=5)
    task.segments.filter(number__in=(1, 4)).update(marks="r")
    query = {"task": task.pk, "after": "2", "doubt": "1"}

    part = client.get(f"/videos/{task.video_id}/progress", query, headers=HTMX).text

    assert part.count("<li") == 1 and "data-n=4" in part
    assert "2 of 5 lines" in part
    assert '<input type="hidden" name="doubt" value="1">' in part


@pytest.mark.parametrize("q", ["\0", "x" * 3000, '"', "<xmp>", "%"])
def test_any_words_may_be_looked_for(client, video, q):
    page = client.get(f"/videos/{video.pk}/", {"q": q, "only": "1"})

    assert page.status_code == 200 and "<xmp>" not in page.text


# --- while a task runs ---


def test_a_waiting_task_says_how_many_are_before_it(client, user):
    unfinished(user)
    unfinished(user)

    assert "Waiting for its turn, 2 ahead" in page_of(client, unfinished(user))


def test_whose_turn_is_another_one_is_not_counted_ahead(client, user):
    """Owners take turns, and a task that waits in a cloud takes none here."""
    unfinished(make_user())
    Task.objects.filter(pk=unfinished(user).pk).update(step="poll")

    assert "Waiting for its turn<" in page_of(client, unfinished(user))


def test_fetching_a_model_is_said_with_its_percentage(client, user):
    page = page_of(client, running(user, doing="Fetching the model base", fraction=0.34))

    assert "Fetching the model base" in page and "34 %" in page


def test_listening_shows_percentage_time_left_and_what_is_there(client, user):
    started = timezone.now() - timedelta(seconds=40)
    task = running(user, rows=3, done_ms=40_000, run_started_at=started)

    page = page_of(client, task)

    assert "Listening" in page and "40 %" in page
    assert re.search(r"about 6\d s left", page)  # the page itself takes time
    assert "3 lines" in page
    assert 'hx-trigger="every 2s"' in page


def test_a_restart_is_no_failure(client, user):
    page = page_of(client, unfinished(user, interruptions=1, done_ms=40_000, step="transcribe"))

    assert "Interrupted" in page and "Resuming from 0:40" in page
    assert "fail" not in page.lower()


def test_a_failed_task_gives_its_sentence_and_another_try(client, user):
    task = unfinished(user, rows=2, status="failed", error="The sound is broken.")

    page = page_of(client, task)

    assert "The sound is broken." in page and "Try again" in page
    assert "2 lines" in page
    assert "every 2s" not in page


def test_a_video_without_sound_says_so(client, user):
    video = make_transcript([], make_index(user), audio_codec="")

    assert "This video has no sound" in client.get(f"/videos/{video.pk}/").text


def test_progress_brings_only_the_lines_that_are_new(client, user):
    task = running(user, rows=5)

    part = client.get(
        f"/videos/{task.video_id}/progress", {"task": task.pk, "after": "2"}, headers=HTMX
    ).text

    assert part.count("<li") == 2
    assert 'hx-swap-oob="beforeend:#rows > :last-child"' in part
    assert 'name="after" value="4"' in part
    assert "5 lines" in part


def test_a_pause_before_lines_that_come_is_told_with_them(client, user):
    task = running(user, rows=3)
    task.segments.filter(number=2).update(start_ms=9000, end_ms=9500)
    last = task.segments.get(number=1)
    url, query = f"/videos/{task.video_id}/progress", {"task": task.pk, "after": "1"}
    pause = f"<li data-b={round((9000 - last.end_ms) / 1000)} data-d="

    assert pause in client.get(url, query, headers=HTMX).text
    # It comes with the line before, or there is none.
    for held in ({"after": "-1"}, {"start": "8.9"}, {"after": "0"}):
        assert "data-b" not in client.get(url, query | held, headers=HTMX).text
    task.segments.filter(number=0).update(end_ms=8000)  # somebody spoke meanwhile
    assert "data-b" not in client.get(url, query, headers=HTMX).text


def test_progress_keeps_the_range_that_is_shown(client, user):
    task = running(user, rows=5)
    query = {"task": task.pk, "after": "-1", "start": "0", "end": "4"}

    part = client.get(f"/videos/{task.video_id}/progress", query, headers=HTMX).text

    assert part.count("<li") == 2
    assert "2 of 5 lines" in part


def test_the_last_answer_asks_for_no_other(client, user):
    task = running(user, rows=1)
    task.end("ready")
    task.video.transcript = task
    task.video.save()

    part = client.get(
        f"/videos/{task.video_id}/progress", {"task": task.pk, "after": "0"}, headers=HTMX
    ).text

    assert "hx-trigger" not in part
    assert "Transcript by" in part


def test_another_tasks_transcript_replaces_all_lines(client, video):
    part = client.get(f"/videos/{video.pk}/progress", {"task": "old"}, headers=HTMX)

    assert lines(part) == ["before", "across", "inside", "after"]
    assert 'id="transcript"' in part.text and 'hx-swap-oob="true"' in part.text


def test_who_waits_for_a_transcript_can_correct_it_as_soon_as_it_is_ready(client, user):
    task = running(user)
    url, query = f"/videos/{task.video_id}/progress", {"task": task.pk, "after": "-1"}
    assert 'id="editing"' not in client.get(url, query, headers=HTMX).text

    Task.objects.filter(pk=task.pk).finish("ready")
    Video.objects.filter(pk=task.video_id).update(transcript=task)
    part = client.get(url, query, headers=HTMX).text

    assert '<div id="editing" class="editing" hx-swap-oob="true">' in part
    assert "Correct line" in part and f"/videos/{task.video_id}/replace" in part


def test_progress_without_htmx_leads_to_the_page(client, video):
    response = client.get(f"/videos/{video.pk}/progress")

    assert (response.status_code, response["Location"]) == (303, f"/videos/{video.pk}/")


# --- cancel and try again ---


def test_cancel_ends_the_task_and_continue_takes_it_up(client, user):
    task = running(user, done_ms=40_000)
    url = f"/videos/{task.video_id}"

    cancelled = client.post(f"{url}/cancel", headers=HTMX).text
    task.refresh_from_db()
    assert task.cancelled and "Cancelled" in cancelled and "Continue" in cancelled

    again = client.post(f"{url}/retry")
    task.refresh_from_db()
    assert (again.status_code, again["Location"]) == (303, f"{url}/")
    assert not task.is_final and task.done_ms == 40_000


def test_cancelling_too_late_shows_what_is(client, video):
    part = client.post(f"/videos/{video.pk}/cancel", headers=HTMX)

    assert "Transcript by" in part.text


# --- transcribe again ---


def again(client, video, **wish):
    return client.post(f"/videos/{video.pk}/again", wish, headers=HTMX).text


@pytest.mark.parametrize("status", ["ready", "failed"])
def test_a_final_state_offers_another_transcript(client, user, status):
    video = unfinished(user, status=status).video
    making = running(user).video

    assert f'action="/videos/{video.pk}/again"' in page_of(client, video.tasks.get())
    assert "/again" not in page_of(client, making.tasks.get())


def test_the_old_transcript_stays_until_the_new_one_is_ready(client, video):
    old = video.transcript
    query = {"task": old.pk, "after": "3"}

    part = again(client, video, engine="sphinx", language="en", **query)
    new = video.tasks.exclude(pk=old.pk).get()
    assert "Waiting for its turn" in part and 'hx-trigger="every 2s"' in part
    assert "Shown meanwhile: the transcript by CMU Sphinx" in part
    assert 'id="transcript"' not in part  # nothing is exchanged yet
    assert lines(client.get(f"/videos/{video.pk}/")) == ["before", "across", "inside", "after"]

    make_segments([(0, 1000, "inside")], new)
    Task.objects.filter(pk=new.pk).finish("ready")
    video.transcript = new
    video.save()
    part = client.get(f"/videos/{video.pk}/progress", query, headers=HTMX)
    assert lines(part) == ["inside"] and 'id="transcript"' in part.text
    assert "every 2s" not in part.text and "Transcript by" in part.text


@pytest.mark.parametrize(
    ("end", "headline"),
    [({"cancelled": True}, "New transcript cancelled"), ({}, "Not transcribed again")],
)
def test_an_old_transcript_outlives_a_new_one_that_failed(client, video, end, headline):
    make_task(video, status="failed", **end)

    page = client.get(f"/videos/{video.pk}/")

    assert headline in page.text and headline in client.get("/").text
    assert "Still shown: the transcript by CMU Sphinx" in page.text
    assert lines(page) == ["before", "across", "inside", "after"]


def test_a_second_wish_while_one_is_under_way_is_refused_with_a_sentence(client, video):
    make_task(video)

    page = client.post(f"/videos/{video.pk}/again", {}, follow=True)

    assert page.redirect_chain == [(f"/videos/{video.pk}/", 303)]
    assert "This video is being transcribed already." in page.text
    assert video.tasks.count() == 2


@pytest.mark.parametrize(
    "wish", [{"engine": "sphinx", "language": "de"}, {"engine": "x"}, {"language": "x"}]
)
def test_a_wish_that_cannot_be_met_is_said_beside_it(client, video, wish):
    part = again(client, video, **({"engine": ""} | wish))

    assert '<p class="error" role="alert">' in part and '<details class="again" open>' in part
    assert video.tasks.count() == 1


# --- who may ---


@pytest.mark.parametrize("path", ["", "progress"])
def test_a_stranger_gets_404(client, video, path):
    client.force_login(make_user())

    assert client.get(f"/videos/{video.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["cancel", "retry", "again", "delete"])
def test_a_stranger_changes_nothing(client, video, path):
    client.force_login(make_user())

    assert client.post(f"/videos/{video.pk}/{path}").status_code == 404
    assert client.get(f"/videos/{video.pk}/{path}").status_code == 405
    video.refresh_from_db()


# --- where something is said ---


def test_the_strip_learns_where_something_is_said(client, video):
    answer = client.get(f"/videos/{video.pk}/speech")

    assert answer.json()["lines"] == [
        [0, 2000, 6], [1500, 4000, 6], [4000, 5000, 6], [6000, 7000, 5],
    ]  # fmt: skip


def test_a_video_without_a_transcript_says_nothing_yet(client, user):
    video = make_video(make_index(user))

    assert client.get(f"/videos/{video.pk}/speech").json() == {"lines": []}


def test_where_something_is_said_is_the_owners_alone(client, user):
    other = make_transcript(CUES, make_index(make_user()))

    assert client.get(f"/videos/{other.pk}/speech").status_code == 404


def test_captions_of_a_longer_video_are_noticed(client, user):
    cues = [(n * 1000, n * 1000 + 900, f"line {n}") for n in range(4)]
    video = make_transcript(cues, make_index(user))
    assert "after the end of the video" not in client.get(f"/videos/{video.pk}/").text

    Video.objects.filter(pk=video.pk).update(duration_ms=2000)

    page = client.get(f"/videos/{video.pk}/").text
    assert "2 lines begin after the end of the video: they are marked" in page


def test_a_rate_that_no_file_tells_is_not_called_none(client, user):
    video = make_transcript(1, make_index(user), fps_numerator=0)

    page = client.get(f"/videos/{video.pk}/").text

    assert "fps" not in page and "Picture" in page
