from __future__ import annotations

import re

import pytest

from tests.factories import make_index, make_transcript, make_user, make_video
from videos import handover
from videos.models import Select
from videos.models.segment import Lines
from videos.models.select import following, keep, remember, words
from videos.views import selects

pytestmark = pytest.mark.django_db
CUES = [(0, 2000, "before"), (2000, 4000, "one"), (4000, 6000, "two"), (6000, 8000, "after")]
HTMX_PANEL = {"HX-Request": "true", "HX-Target": "selects"}
HTMX_BIN = {"HX-Request": "true", "HX-Target": "bin"}


@pytest.fixture
def video(user):
    return make_transcript(CUES, make_index(user), fps_numerator=25, start_timecode="10:00:00:00")


def kept(video, *starts: int) -> list[Select]:
    return [keep(video, start, start + 1000, video.index.owner) for start in starts]


def order(index) -> list[str]:
    return list(Select.objects.in_bin(index).values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("end_ms", "out"), [(3000, "10:00:03:00"), (3001, "10:00:03:01"), (3040, "10:00:03:01")]
)
def test_the_bin_names_the_frames_that_its_cut_has(client, video, end_ms, out):
    keep(video, 2000, end_ms, video.index.owner)
    root = f"/indexes/{video.index_id}/selects"

    assert f"10:00:02:00 – {out}" in client.get(f"{root}/").text
    assert f"10:00:02:00 {out}" in client.get(f"{root}/export/edl").text
    assert f"10:00:02:00,{out}" in client.get(f"{root}/export/csv").text


# --- two editors ---


def sent(select, **typed: str) -> dict[str, str]:
    """A form that was made from the select as it is, with what somebody typed into it."""
    start, end = f"{select.start_ms / 1000:g}", f"{select.end_ms / 1000:g}"
    fields = {"start": start, "end": end, "note": select.note, "colour": select.colour}
    return fields | {"was": select.stands} | typed


def test_what_an_editor_does_not_touch_stays_as_another_made_it(client, video):
    (select,) = kept(video, 2000)
    old = sent(select, end="3.5")
    Select.objects.filter(pk=select.pk).update(note="Best take", colour="red")

    assert client.post(f"/selects/{select.pk}/change", old).status_code == 303
    select.refresh_from_db()
    assert (select.note, select.colour, select.end_ms) == ("Best take", "red", 3500)


@pytest.mark.parametrize(
    ("mine", "theirs", "shown"),
    [
        ({"note": "mine"}, {"note": "theirs", "colour": "red"}, 'value="red" selected'),
        ({"end": "3.5"}, {"start_ms": 2500}, 'value="0:02.5" required'),
    ],
)
def test_what_two_editors_change_is_told_before_one_overwrites_it(
    client, video, mine, theirs, shown
):
    (select,) = kept(video, 2000)
    old = sent(select, **mine)
    Select.objects.filter(pk=select.pk).update(**theirs)

    answer = client.post(f"/selects/{select.pk}/change", old)
    assert answer.status_code == 400 and "Somebody else changed this select" in answer.text
    assert shown in answer.text and next(iter(mine.values())) in answer.text
    select.refresh_from_db()
    assert all(getattr(select, name) == value for name, value in theirs.items())

    assert client.post(f"/selects/{select.pk}/change", sent(select, **mine)).status_code == 303


def test_the_same_change_by_two_is_no_quarrel(client, video):
    (select,) = kept(video, 2000)
    old = sent(select, note="good", start="2.5")
    Select.objects.filter(pk=select.pk).update(note="good", start_ms=2500)

    assert client.post(f"/selects/{select.pk}/change", old).status_code == 303


@pytest.mark.parametrize("was", ["", "x", "1 2", "9" * 5000 + " 1 red x", "\0 \0 \0 \0"])
def test_a_form_that_says_nothing_of_before_changes_all(client, video, was):
    (select,) = kept(video, 2000)
    old = sent(select, note="mine", was=was)
    Select.objects.filter(pk=select.pk).update(colour="red")

    assert client.post(f"/selects/{select.pk}/change", old).status_code == 303
    select.refresh_from_db()
    assert (select.note, select.colour) == ("mine", "green")


# --- keeping ---


def test_a_kept_range_has_the_words_that_are_said_in_it(client, video):
    form = {"start": "2.5", "end": "00:00:05", "note": "good", "colour": "red"}
    answer = client.post(f"/videos/{video.pk}/selects", form)

    assert answer.status_code == 303
    select = Select.objects.get()
    assert (select.start_ms, select.end_ms, select.words) == (2500, 5000, "one two")
    assert (select.note, select.colour, select.kept_by) == ("good", "red", video.index.owner)


def test_a_line_that_reaches_less_than_a_frame_into_a_select_is_not_said_in_it(client, user):
    cues = [
        (0, 4500, "Before."),
        (4500, 9000, "Said."),
        (5000, 5010, "Hm."),
        (9000, 9500, "After."),
    ]
    video = make_transcript(cues, make_index(user))  # 25 frames a second
    keep(video, 4480, 9020, user)
    keep(video, 4460, 4470, user)

    assert [each.words for each in Select.objects.all()] == ["Said. Hm.", "Before."]


def test_the_words_stay_when_the_transcript_changes(client, video):
    keep(video, 2000, 4000, video.index.owner)
    video.transcript.segments.update(text="something else")

    assert "<bdi>one</bdi>" in client.get(f"/indexes/{video.index_id}/selects/").text


def test_what_is_asked_again_by_its_id_is_kept_once(client, video):
    form = {"start": "2", "end": "4", "id": "6b0a14cf22e74cb4ec4559eb"}
    for _ in range(2):
        answer = client.post(f"/videos/{video.pk}/selects", form, headers=HTMX_PANEL)

        assert f'data-kept="kept-{form["id"]}"' in answer.text
    assert Select.objects.get().pk == form["id"]


def test_the_id_of_another_videos_select_is_not_taken(client, user, video):
    (others,) = kept(make_transcript(CUES, make_index(make_user("other"))), 0)
    form = {"start": "2", "end": "4", "id": others.pk}

    assert client.post(f"/videos/{video.pk}/selects", form).status_code == 303
    assert Select.objects.get(video=video).pk != others.pk
    assert Select.objects.count() == 2


@pytest.mark.parametrize("name", ["x", "6B0A14CF22E74CB4EC4559EB", "\x00" * 24, "6" * 25])
def test_an_id_that_is_none_is_said(client, video, name):
    form = {"start": "2", "end": "4", "id": name}

    assert client.post(f"/videos/{video.pk}/selects", form).status_code == 400
    assert not Select.objects.exists()


def test_the_panel_alone_comes_back_to_htmx(client, video):
    form = {"start": "2", "end": "4"}
    answer = client.post(f"/videos/{video.pk}/selects", form, headers=HTMX_PANEL)

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<section id="selects"')
    assert "0:02</span> – " in answer.text
    assert f'data-kept="kept-{Select.objects.get().pk}"' in answer.text  # the page says so


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("4", "2", "The end must come after the start."),
        ("5:00", "6:00", "This lies beyond the end of the video."),
        ("", "2", "This field is required."),
        ("two", "3", "Write a time as"),
        ("NaN", "inf", "Write a time as"),
    ],
)
def test_what_is_no_range_is_refused_with_what_was_typed(client, video, start, end, sentence):
    form = {"start": start, "end": end, "note": "keep my note"}
    page = client.post(f"/videos/{video.pk}/selects", form)
    part = client.post(f"/videos/{video.pk}/selects", form, headers=HTMX_PANEL)

    assert (page.status_code, part.status_code) == (400, 200)
    assert sentence in page.text and sentence in part.text
    assert "keep my note" in page.text and "keep my note" in part.text
    assert not Select.objects.exists()


def test_an_end_beyond_the_video_is_its_end(client, video):
    client.post(f"/videos/{video.pk}/selects", {"start": "2", "end": "5:00:00"})

    assert Select.objects.get().end_ms == video.duration_ms


def test_a_full_bin_says_so(client, video, monkeypatch):
    monkeypatch.setattr("videos.models.select.MOST_IN_A_BIN", 1)
    kept(video, 0)

    answer = client.post(f"/videos/{video.pk}/selects", {"start": "2", "end": "4"})

    assert answer.status_code == 400 and "This bin is full" in answer.text


# --- the bin ---


def test_the_bin_goes_across_videos_in_the_order_of_the_cut(client, user, video):
    other = make_transcript(CUES, video.index, filename="other.mp4")
    kept(video, 2000)
    kept(other, 4000)
    page = client.get(f"/indexes/{video.index_id}/selects/").text

    assert page.index(video.filename) < page.index("other.mp4")
    assert "10:00:02:00 – 10:00:03:00" in page  # the file's own timecode
    assert "running time <b>0:02</b>" in page


def test_a_bin_of_any_length_takes_the_same_queries(client, video, django_assert_num_queries):
    kept(video, *range(0, 40_000, 1000))

    with django_assert_num_queries(5):  # session, user, index, selects with their videos, copies
        client.get(f"/indexes/{video.index_id}/selects/")


def test_an_empty_bin_says_how_to_fill_it(client, video):
    assert "Nothing is kept yet" in client.get(f"/indexes/{video.index_id}/selects/").text


def test_a_select_moves_up_and_down_by_a_plain_button(client, video):
    a, b, c = kept(video, 0, 1000, 2000)
    client.post(f"/selects/{c.pk}/move", {"by": "-1"})
    assert order(video.index) == [a.pk, c.pk, b.pk]

    client.post(f"/selects/{a.pk}/move", {"by": "1"})
    assert order(video.index) == [c.pk, a.pk, b.pk]

    client.post(f"/selects/{c.pk}/move", {"by": "-1"})  # it is the first already
    assert order(video.index) == [c.pk, a.pk, b.pk]


def drag(client, video, **fields):
    return client.post(f"/indexes/{video.index_id}/selects/order", fields, headers=HTMX_BIN)


def test_dragging_moves_one_select_and_leaves_the_order_that_others_made_meanwhile(client, video):
    a, b, c, d = kept(video, 0, 1000, 2000, 3000)
    Select.objects.arrange(video.index, [d.pk, c.pk, b.pk, a.pk])  # unseen by who drags

    assert drag(client, video, id=a.pk, before=c.pk).status_code == 200
    assert order(video.index) == [d.pk, a.pk, c.pk, b.pk]
    drag(client, video, id=d.pk, before="")
    assert order(video.index) == [a.pk, c.pk, b.pk, d.pk]


def test_what_is_dragged_beside_a_select_that_is_gone_stays_and_says_so(client, video):
    a, b = kept(video, 0, 1000)
    stranger = kept(make_transcript(CUES), 0)[0]

    for one, other in ((stranger, a), (a, stranger), (a, a)):
        answer = drag(client, video, id=one.pk, before=other.pk)
        assert "This bin has changed since" in answer.text and a.pk in answer.text
    for wrong in ("x", "\0"):
        assert "This bin has changed since" in drag(client, video, id=a.pk, before=wrong).text
    assert order(video.index) == [a.pk, b.pk]


def test_trimming_changes_range_words_note_and_colour(client, video):
    (select,) = kept(video, 0)
    form = {"start": "4", "end": "6", "note": "trimmed", "colour": "blue"}
    client.post(f"/selects/{select.pk}/change", form)
    select.refresh_from_db()

    assert (select.start_ms, select.end_ms, select.words) == (4000, 6000, "two")
    assert (select.note, select.colour) == ("trimmed", "blue")


def test_a_bad_trim_is_refused_beside_its_own_fields(client, video):
    first, second = kept(video, 0, 1000)
    answer = client.post(f"/selects/{second.pk}/change", {"start": "6", "end": "4"})

    assert answer.status_code == 400
    assert answer.text.count("The end must come after the start.") == 1
    assert answer.text.index(first.pk) < answer.text.index("The end must come")


@pytest.mark.parametrize("headers", [{}, HTMX_BIN, HTMX_PANEL])
def test_a_trim_that_is_refused_stays_as_it_was_typed(client, video, headers):
    (select,) = kept(video, 0)
    form = {"start": "5:00", "end": "6:00", "note": "half a thought", "colour": "blue"}

    page = client.post(f"/selects/{select.pk}/change", form, headers=headers).text

    trim = re.search(r'<form class="trim".*?</form>', page, re.DOTALL)[0]
    for part in ('value="5:00"', 'value="6:00"', 'value="half a thought"', '"blue" selected'):
        assert part in trim
    assert page.count("half a thought") == 1  # in its own form alone


def take_out(client, select) -> dict[str, str]:
    """What "Put it back" sends."""
    page = client.post(f"/selects/{select.pk}/delete").text
    found = re.search(r'name="removed" value="([^"]+)"', page)
    assert found and "Put it back" in page
    return {"removed": found[1]}


@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_was_taken_out_is_put_back_as_it_was_and_where_it_was(client, video, at):
    other = make_user()
    Select.objects.arrange(video.index, [each.pk for each in kept(video, 0, 1000, 2000)])
    Select.objects.update(kept_by=other, words="what was said", note="good", colour="blue")
    before = list(Select.objects.in_bin(video.index).values())
    form = take_out(client, Select.objects.in_bin(video.index)[at])
    assert len(order(video.index)) == 2

    for _ in range(2):  # pressed twice, it comes back once
        client.post(f"/videos/{video.pk}/selects", form)
    after = list(Select.objects.in_bin(video.index).values())
    assert [each | {"updated_at": None} for each in after] == [
        each | {"updated_at": None} for each in before
    ]


def test_what_is_put_back_says_what_was_corrected_meanwhile(client, video):
    (select,) = kept(video, 2000)
    form = take_out(client, select)
    video.transcript.segments.filter(number=1).update(text="corrected")

    client.post(f"/videos/{video.pk}/selects", form)

    assert Select.objects.get().words == "corrected"


def test_what_is_put_back_keeps_the_words_of_another_transcript(client, video):
    (select,) = kept(video, 2000)
    Select.objects.update(words="as another engine heard it")
    form = take_out(client, select)

    client.post(f"/videos/{video.pk}/selects", form)

    assert Select.objects.get().words == "as another engine heard it"


def test_it_is_put_back_in_its_place_also_when_the_bin_was_ordered_meanwhile(client, video):
    a, b, c, d = kept(video, 0, 1000, 2000, 3000)
    Select.objects.arrange(video.index, [a.pk, b.pk, c.pk, d.pk])
    form = take_out(client, a)
    Select.objects.arrange(video.index, [d.pk, c.pk, b.pk])
    client.post(f"/videos/{video.pk}/selects", form)

    assert order(video.index) == [a.pk, d.pk, c.pk, b.pk]


def test_a_select_outlives_who_kept_it_also_when_it_is_put_back(client, video):
    (select,) = kept(video, 0)
    gone = make_user()
    Select.objects.update(kept_by=gone)
    form = take_out(client, select)
    gone.delete()
    client.post(f"/videos/{video.pk}/selects", form)

    assert Select.objects.get().kept_by is None


def test_only_what_was_taken_out_of_this_video_is_put_back(client, video):
    other = make_transcript(CUES, video.index)
    form = take_out(client, kept(other, 0)[0])
    for sent in (form, {"removed": form["removed"][:-2]}, {"removed": ""}):
        for headers in (HTMX_PANEL, HTMX_BIN):
            answer = client.post(f"/videos/{video.pk}/selects", sent, headers=headers)
            assert "This can no longer be put back." in answer.text
    assert not Select.objects.exists()


def test_selects_go_with_their_video_and_move_with_it(video, user):
    kept(video, 0)
    video.index = make_index(user)
    video.save()
    assert Select.objects.in_bin(video.index).count() == 1

    video.delete()
    assert not Select.objects.exists()


def test_the_selects_of_a_moved_video_come_behind_those_of_the_other_bin(client, video, user):
    home, away = video.index, make_index(user)
    other = make_transcript(CUES, away)
    theirs = kept(other, 0, 1000)
    mine = [*kept(video, 0), *kept(make_transcript(CUES, home), 0), *kept(video, 1000)]
    Select.objects.arrange(home, [each.pk for each in reversed(mine)])
    videos = [each.video_id for each in mine]

    client.post("/videos/many", {"video": videos, "do": "move", "index": away.pk})

    assert order(away) == [each.pk for each in [*theirs, *reversed(mine)]]
    assert not order(home)


@pytest.mark.parametrize("act", ["change", "move", "delete"])
def test_a_page_of_the_bin_that_a_video_was_moved_from_stays_that_bins(client, video, user, act):
    moved, stays = kept(video, 0)[0], kept(make_transcript(CUES, video.index), 0)[0]
    home, away = video.index, make_index(user)
    last = kept(make_transcript(CUES, away), 0)[0]
    client.post("/videos/many", {"video": video.pk, "do": "move", "index": away.pk})
    form = {"by": "-1", "start": "4", "end": "6", "bin": home.pk}

    answer = client.post(f"/selects/{moved.pk}/{act}", form, headers=HTMX_BIN)

    assert "was moved to another index" in answer.text and stays.pk in answer.text
    assert moved.pk not in answer.text and last.pk not in answer.text
    moved.refresh_from_db()
    assert moved.start_ms == 0 and order(away) == [last.pk, moved.pk]


def test_what_was_taken_out_is_not_put_back_into_a_bin_that_the_page_does_not_show(
    client, video, user
):
    form = take_out(client, kept(video, 0)[0])
    home, away = video.index, make_index(user)
    client.post("/videos/many", {"video": video.pk, "do": "move", "index": away.pk})

    answer = client.post(f"/videos/{video.pk}/selects", form | {"bin": home.pk}, headers=HTMX_BIN)

    assert "was moved to another index" in answer.text and not Select.objects.exists()


def test_the_running_time_is_the_sum_of_all(video):
    kept(video, 0, 1000, 5000)

    assert Select.objects.in_bin(video.index).total_ms() == 3000


def test_what_is_not_yours_is_not_there(client, user):
    theirs = make_transcript(CUES)
    (select,) = kept(theirs, 0)
    answers = [
        client.get(f"/indexes/{theirs.index_id}/selects/"),
        client.post(f"/indexes/{theirs.index_id}/selects/order", {"id": select.pk}),
        client.post(f"/videos/{theirs.pk}/selects", {"start": "0", "end": "1"}),
        *(client.post(f"/selects/{select.pk}/{act}") for act in ("change", "move", "delete")),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert Select.objects.count() == 1


def test_words_are_shown_as_text(client, user):
    evil = "<script>alert(1)</script>"
    video = make_transcript([(0, 2000, evil)], make_index(user), filename="<b>.mp4")
    keep(video, 0, 1000, user, note=evil)

    for page in (f"/videos/{video.pk}/", f"/indexes/{video.index_id}/selects/"):
        assert evil not in client.get(page).text
        assert "&lt;script&gt;" in client.get(page).text


def test_a_video_without_a_transcript_can_be_kept_from(client, user):
    video = make_video(make_index(user))
    client.post(f"/videos/{video.pk}/selects", {"start": "0", "end": "4"})

    assert Select.objects.get().words == ""


# --- handing the bin over ---


def test_the_bin_is_exported_as_one_cut_across_videos(client, video):
    other = make_transcript(CUES, video.index, filename="other.mov", start_timecode="20:00:00:00")
    kept(video, 2000)
    kept(other, 4000)
    page = client.get(f"/indexes/{video.index_id}/selects/").text
    assert f'formaction="/indexes/{video.index_id}/selects/export/edl"' in page

    edl = client.get(f"/indexes/{video.index_id}/selects/export/edl", {"handles": "5"})

    assert edl["Content-Disposition"].startswith("attachment")
    first, second = (line for line in edl.text.splitlines() if line.startswith("00"))
    assert "10:00:01:20 10:00:03:05 01:00:00:00" in first
    assert "20:00:03:20 20:00:05:05" in second


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [("edl?handles=x", 400, "handles"), ("srt?as=x", 400, "as"), ("pdf", 404, "does not exist")],
)
def test_a_bin_that_cannot_be_exported_says_why(client, video, path, status, sentence):
    kept(video, 0)
    kept(make_transcript(CUES, video.index), 0)
    answer = client.get(f"/indexes/{video.index_id}/selects/export/{path}")

    assert answer.status_code == status and sentence in answer.text


def export_bin(client, video, name, **query):
    return client.get(f"/indexes/{video.index_id}/selects/export/{name}", query)


def test_the_bin_holds_the_lines_of_the_shown_transcript_cut_to_each_select(client, user, video):
    """A correction made after keeping is in it; where nothing is said now, the kept words stay."""
    keep(video, 1000, 4500, user, note="good")
    other = make_transcript(CUES, video.index, filename="other.mov")
    lost = keep(other, 0, 1000, user)
    other.transcript.segments.all().delete()
    video.transcript.segments.filter(number=0).update(text="Corrected.")
    said = video.transcript.segments.overlapping(1000, 4500)
    assert said.count() == 3

    text = export_bin(client, video, "txt").text
    assert text.count("(good)") == 1 and "10:00:01:00  Corrected." in text
    assert lost.words and lost.words in text
    edl = export_bin(client, video, "edl").text
    assert len([line for line in edl.splitlines() if line[:3].isdigit()]) == 2
    assert edl.count("* LOC:") == 4 and edl.count(" GREEN ") == 4
    rows = export_bin(client, video, "edl", **{"as": "rows"}).text
    assert len([line for line in rows.splitlines() if line[:3].isdigit()]) == 4
    srt = export_bin(client, video, "srt").text
    assert srt.startswith("1\n00:00:00,000 --> 00:00:01,000\nCorrected.")


def test_the_lines_of_a_bin_take_a_query_for_each_video(client, video, django_assert_num_queries):
    others = [make_transcript(CUES, video.index) for _ in range(2)]
    for each in [video, *others] * 4:
        kept(each, 0)

    with django_assert_num_queries(7):
        export_bin(client, video, "srt")


def test_a_cut_of_endless_lines_is_refused_before_it_is_made(client, video, monkeypatch):
    monkeypatch.setattr(handover, "MOST_LINES", 5)
    kept(video, 0)
    assert export_bin(client, video, "srt").status_code == 200
    for _ in range(4):
        keep(video, 0, 9000, video.index.owner)
    answer = export_bin(client, video, "xmeml")
    assert answer.status_code == 400
    assert "These clips hold more than 5 lines: trim some." in answer.text


def test_a_correction_asks_no_more_for_many_selects_over_its_line(
    client, video, django_assert_max_num_queries
):
    many = [keep(video, n, 9000 - n, video.index.owner) for n in range(30)]
    before = [each.words for each in many]
    with (
        django_assert_max_num_queries(6),
        following(video.transcript, 0, 1000),
    ):
        video.transcript.segments.filter(number=0).update(text="Corrected.")
    after = [Select.objects.get(pk=each.pk).words for each in many]
    assert all("Corrected." in words for words in after) and not any(map("".__eq__, before))
    assert after == [words(video, each.start_ms, each.end_ms) for each in many]


class Counted(tuple):
    """A row that counts how often somebody looks at its times."""

    looks = 0

    def __getitem__(self, place):
        Counted.looks += 1
        return super().__getitem__(place)


def test_a_correction_looks_at_no_more_lines_than_selects_repeat(user, monkeypatch):
    video = make_transcript(1000, make_index(user))
    monkeypatch.setattr("videos.models.select.MOST_ROWS", 5)
    monkeypatch.setattr("videos.models.select.Lines", lambda rows: Lines([*map(Counted, rows)]))
    monkeypatch.setattr(Counted, "looks", 0)
    many = [keep(video, 0, 10**9 + n, user) for n in range(10)]
    with following(video.transcript, 0, 1000):
        video.transcript.segments.filter(number=0).update(text="Corrected.")

    assert Counted.looks < 500
    assert Select.objects.filter(words__startswith="Corrected.").count() == len(many)


def test_one_very_long_line_is_in_the_way_of_no_range(monkeypatch):
    rows = [(n, n + 1, "x") for n in range(10_000)]
    lines = Lines([*map(Counted, [(0, 10_000, "long"), *rows])])
    monkeypatch.setattr(Counted, "looks", 0)

    assert list(lines.within(9000, 9002)) == [(0, 10_000, "long"), *rows[9000:9002]]
    assert Counted.looks < 500


def test_an_empty_bin_has_nothing_to_export(client, video):
    assert client.get(f"/indexes/{video.index_id}/selects/export/edl").status_code == 404


def test_videos_whose_selects_have_no_room_stay_where_they_are(client, user, video, monkeypatch):
    monkeypatch.setattr("videos.models.select.MOST_IN_A_BIN", 3)
    kept(video, 0, 2000)
    other = make_transcript(CUES, make_index(user, name="Cut"))
    kept(other, 0, 2000)
    form = {"do": "move", "index": other.index_id, "video": video.pk}

    assert "2 selects have no room in the bin of Cut" in client.post(
        "/videos/many", form, follow=True
    ).text  # fmt: skip
    assert len(order(other.index)) == len(order(video.index)) == 2
    Select.objects.filter(video=other).first().delete()
    client.post("/videos/many", form)
    assert len(order(other.index)) == 3


def test_what_was_taken_out_of_a_bin_that_is_full_comes_back(client, video, monkeypatch):
    first, _ = kept(video, 0, 2000)
    taken = remember(first)
    first.delete()
    monkeypatch.setattr("videos.models.select.MOST_IN_A_BIN", 1)

    assert client.post(f"/videos/{video.pk}/selects", {"removed": taken}).status_code == 303
    assert len(order(video.index)) == 2


def test_a_select_that_is_taken_out_just_as_it_is_moved_is_gone(client, video, monkeypatch):
    first, _ = kept(video, 0, 2000)
    real = selects.ordering

    def late(index):
        Select.objects.filter(pk=first.pk).delete()
        return real(index)

    monkeypatch.setattr(selects, "ordering", late)
    assert client.post(f"/selects/{first.pk}/move", {"by": "1"}).status_code == 404
