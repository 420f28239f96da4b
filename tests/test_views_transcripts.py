from __future__ import annotations

import time

import pytest

from tests.factories import make_index, make_segments, make_task, make_transcript, make_user
from videos import corrections, ingest
from videos.corrections import Seen
from videos.models import Video
from videos.views import tasks

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
CUES = [(0, 2000, "We came down"), (2000, 4000, "to the rivver"), (5000, 8000, "before light")]
OTHER = [(0, 3900, "We came down to the river."), (5000, 8000, "before the light")]


@pytest.fixture
def video(user):
    return make_transcript(CUES, make_index(user))


@pytest.fixture
def other(video):
    """A newer transcript of the same video, beside the one that is shown."""
    task = make_task(video, status="ready", engine="whisper", model="base")
    make_segments(OTHER, task)
    return task


def correct(video, text="to the river"):
    row = video.transcript.segments.get(number=1)
    seen = Seen(row.pk, row.start_ms, row.version)
    corrections.save(video.index.owner, video.transcript, seen, text, (row.start_ms, row.end_ms))


def texts(task):
    return list(task.segments.values_list("text", flat=True))


# --- which there are ---


def test_all_transcripts_are_listed_with_their_makers_and_corrections(client, video, other):
    correct(video)

    page = client.get(f"/videos/{video.pk}/transcripts/").text

    assert "Whisper" in page and "CMU Sphinx" in page and "– shown" in page
    assert "<td>3</td>" in page and "<td>2</td>" in page  # lines
    assert "<td>1</td>" in page and "<td>0</td>" in page  # corrected
    assert page.index("Whisper") < page.index("CMU Sphinx")  # the newest first
    assert "2 transcripts" in client.get(f"/videos/{video.pk}/").text


def test_the_list_takes_the_same_queries_for_any_number(client, video, django_assert_num_queries):
    for _ in range(2):
        make_segments(5, make_task(video, status="ready"))
        with django_assert_num_queries(4):  # session, user, video, tasks with their counts
            client.get(f"/videos/{video.pk}/transcripts/")


def test_a_new_transcript_beside_a_corrected_one_is_offered_and_not_shown(client, video, other):
    correct(video)

    page = client.get(f"/videos/{video.pk}/").text

    assert "The newest transcript, by Whisper (on this machine), model base" in page
    assert "Your corrected one is still shown." in page
    assert f"compare?a={video.transcript_id}&amp;b={other.pk}" in page
    assert "<span>to the river</span>" in page and "before the light" not in page


def test_a_transcript_beside_is_read_on_a_page_of_its_own(client, video, other):
    page = client.get(f"/videos/{video.pk}/transcripts/{other.pk}/", {"t": "0m5s"}).text

    assert "before the light" in page and "Use this one" in page and "media#t=5" in page


@pytest.mark.parametrize(("t", "at"), [("00:00:10:00", "media#t=20.0"), ("+10", 'media"')])
def test_a_transcript_beside_and_a_comparison_open_where_the_viewer_would(client, user, t, at):
    """Source timecode goes over midnight; only the page's scripts know where +10 leads."""
    made = {"start_timecode": "23:59:50:00", "fps_numerator": 25, "duration_ms": 60_000}
    video = make_transcript(CUES, make_index(user), **made)
    other = make_task(video, status="ready")

    for path in ("", f"transcripts/{other.pk}/", "compare"):
        assert at in client.get(f"/videos/{video.pk}/{path}", {"t": t}).text, path
    shown = client.get(f"/videos/{video.pk}/transcripts/{video.transcript_id}/")
    assert (shown.status_code, shown["Location"]) == (303, f"/videos/{video.pk}/")


def test_another_transcript_is_used_and_the_first_is_kept(client, video, other):
    correct(video)
    old = video.transcript

    page = client.post(f"/videos/{video.pk}/transcripts/{other.pk}/use", follow=True).text

    assert "Shown now: the transcript by Whisper" in page and "before the light" in page
    assert texts(old)[1] == "to the river"
    client.post(f"/videos/{video.pk}/transcripts/{old.pk}/use")
    assert "<span>to the river</span>" in client.get(f"/videos/{video.pk}/").text


def test_a_transcript_is_deleted_unless_it_is_shown(client, video, other):
    url = f"/videos/{video.pk}/transcripts"

    kept = client.post(f"{url}/{video.transcript_id}/delete", follow=True).text
    gone = client.post(f"{url}/{other.pk}/delete", follow=True).text

    assert "This transcript is shown." in kept and "Deleted the transcript by Whisper" in gone
    assert [task.pk for task in video.tasks.all()] == [video.transcript_id]


@pytest.mark.parametrize("path", ["", "use", "delete"])
def test_a_transcript_that_is_not_ready_or_not_of_this_video_is_404(client, video, user, path):
    running = make_task(video, status="indexing")
    foreign = make_transcript(CUES, make_index(user)).transcript

    for task in (running, foreign):
        url = f"/videos/{video.pk}/transcripts/{task.pk}/{path}"
        assert (client.post(url) if path else client.get(url)).status_code == 404


# --- compare ---


def compare(client, video, **query):
    return client.get(f"/videos/{video.pk}/compare", query).text


def test_only_what_differs_is_shown_with_its_words_marked(client, video, other):
    page = compare(client, video)

    assert page.count("<li ") == 2 and "<b>2</b> of 2 passages differ" in page
    assert "rivver<bdi" in page and "river.<bdi" in page
    assert f"?a={video.transcript_id}&amp;b={other.pk}&amp;t=5#now" in page


def test_all_is_shown_when_asked_and_case_counts_when_asked(client, video):
    make_segments(
        [CUES[0], (2000, 4000, "To the rivver!"), (5000, 8000, "and then light")],
        make_task(video, status="ready"),
    )

    assert compare(client, video).count("<li ") == 1
    assert compare(client, video, strict="1").count("<li ") == 2
    assert compare(client, video, all="1").count("<li ") == 3


def test_what_is_the_same_is_said(client, video):
    make_segments(CUES, make_task(video, status="ready"))

    page = compare(client, video)
    assert "Both say the same" in page and "<li " not in page


def test_one_transcript_cannot_be_compared(client, video):
    page = client.get(f"/videos/{video.pk}/compare", follow=True).text

    assert "there is nothing to compare" in page


@pytest.mark.parametrize("query", [{"a": "x"}, {"b": "\0"}, {"a": "0" * 24}])
def test_an_unknown_transcript_is_404(client, video, other, query):
    assert client.get(f"/videos/{video.pk}/compare", query).status_code == 404


@pytest.mark.parametrize("page", ["-1", "x", "9" * 40, "9" * 5000, "²"])
def test_a_page_that_is_none_is_no_fault(client, video, other, page):
    assert client.get(f"/videos/{video.pk}/compare", {"page": page}).status_code == 200


def take(client, video, other, rows, lines, **headers):
    lines = [other.segments.get(number=number).pk for number in lines]
    keys = [video.transcript.segments.get(number=number) for number in rows]
    data = {
        "other_task": other.pk,
        "row": [f"{row.pk}-{row.start_ms}-{row.version}" for row in keys],
        "other": lines,
        "next": f"/videos/{video.pk}/compare?all=1",
    }
    return client.post(f"/videos/{video.pk}/take", data, headers=headers)


def test_the_others_words_are_taken_over_as_a_correction(client, video, other):
    answer = take(client, video, other, [2], [1])

    assert (answer.status_code, answer["Location"]) == (303, f"/videos/{video.pk}/compare?all=1")
    row = video.transcript.segments.get(number=2)
    assert (row.text, row.heard) == ("before the light", "before light")
    client.post(f"/videos/{video.pk}/undo")
    assert texts(video.transcript)[2] == "before light"


def test_a_line_takes_any_number_of_lines_over(client, user):
    video = make_transcript([(0, 300_000, "All of it.")], make_index(user), duration_ms=300_000)
    other = make_task(video, status="ready")
    make_segments([(n * 1000, n * 1000 + 900, f"w{n}") for n in range(300)], other)

    take(client, video, other, [0], range(300))

    assert texts(video.transcript) == [" ".join(f"w{n}" for n in range(300))]


def test_lines_that_do_not_fit_each_other_are_not_taken(client, video, other):
    for rows, lines in (([0, 1, 2], [0, 1]), ([0, 1], [0]), ([2], [])):
        take(client, video, other, rows, lines)
    assert texts(video.transcript) == [text for _, _, text in CUES]
    assert "do not fit each other" in compare(client, video)


def test_taking_over_leads_nowhere_else(client, video, other):
    data = {"other_task": other.pk, "next": "https://evil.example/"}

    answer = client.post(f"/videos/{video.pk}/take", data)

    assert answer["Location"] == f"/videos/{video.pk}/compare"


def test_a_comparison_takes_the_same_queries_for_any_length(
    client, user, django_assert_num_queries
):
    for count in (3, 300):
        video = make_transcript(count, make_index(user))
        make_segments(count, make_task(video, status="ready"))
        with django_assert_num_queries(7):  # session, user, video, tasks, lines of each, copy
            client.get(f"/videos/{video.pk}/compare?all=1")


def test_two_transcripts_of_ten_thousand_lines_are_compared_in_a_moment(client, user):
    video = make_transcript(10_000, make_index(user))
    cues = [(n * 3100 + 90, n * 3100 + 3050, f"quite other words {n}") for n in range(10_000)]
    make_segments(cues, make_task(video, status="ready"))

    started = time.process_time()
    page = compare(client, video)

    assert time.process_time() - started < 4  # measured: 0.4
    assert "<b>10,000</b> of 10,000 passages differ" in page and page.count("<li ") == 100


# --- who may ---


def test_a_video_that_is_deleted_at_that_moment_is_gone(client, video, monkeypatch):
    found = tasks.find_video

    def slow(*args, **options):
        known = found(*args, **options)
        ingest.delete_video(Video.objects.get(pk=video.pk))
        return known

    monkeypatch.setattr(tasks, "find_video", slow)
    answer = client.post(f"/videos/{video.pk}/again")
    assert answer.status_code == 404 and "deleted meanwhile" in answer.text


def test_a_stranger_sees_and_changes_nothing(client, video, other):
    client.force_login(make_user())
    base = f"/videos/{video.pk}"

    for path in ("transcripts/", f"transcripts/{other.pk}/", "compare"):
        assert client.get(f"{base}/{path}").status_code == 404
    for path in (f"transcripts/{other.pk}/use", f"transcripts/{other.pk}/delete", "take"):
        assert client.post(f"{base}/{path}", {"other_task": other.pk}).status_code == 404
    assert video.tasks.count() == 2
