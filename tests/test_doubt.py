from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_segments, make_task
from videos import doubt, pipeline
from videos.engines.base import Cue, Word
from videos.models import Segment


@dataclass
class Line:
    start_ms: int
    end_ms: int
    text: str
    words: list | None = None


def said(*texts: str) -> list[Line]:
    return [Line(n * 3000, n * 3000 + 2900, text) for n, text in enumerate(texts)]


def words(*probabilities: float | None) -> list:
    return [[n * 300, n * 300 + 290, "word", sure] for n, sure in enumerate(probabilities)]


def test_ordinary_lines_are_not_doubted():
    assert (
        doubt.marks(said("We came down to the river.", "Yes.", "Yes.", "Nobody knew.")) == [""] * 4
    )


def test_a_sentence_that_comes_again_is_marked():
    rows = said(
        "Thank you for watching.", "So.", "Thank you, for watching.", "thank you for watching."
    )

    assert doubt.marks(rows) == ["", "", "", "r"]


def test_a_short_answer_is_marked_from_the_third_time_on():
    assert doubt.marks(said("Yes.", "Yes.", "Yes.", "Yes.")) == ["", "", "r", "r"]


def test_a_line_faster_than_speech_is_marked():
    assert doubt.marks([Line(0, 1000, "x" * 26), Line(1000, 2000, "x y z " * 4)]) == ["f", ""]


def test_a_short_word_may_be_fast():
    assert doubt.marks([Line(0, 100, "Right.")]) == [""]


def test_a_line_that_begins_before_an_earlier_one_ends_is_marked():
    rows = [
        Line(0, 5000, "The long one of them."),
        Line(1000, 2000, "Inside"),
        Line(4950, 6000, "x"),
    ]

    assert doubt.marks(rows) == ["", "o", ""]


def test_what_begins_after_the_end_of_the_video_is_marked():
    rows = [
        Line(0, 2000, "In it"),
        Line(9000, 11_000, "Into the end"),
        Line(10_000, 12_000, "Late"),
    ]

    assert doubt.marks(rows, length_ms=10_000) == ["", "", "eo"]
    assert doubt.marks(rows) == ["", "", "o"]  # its length is not known yet


def test_few_words_for_a_long_time_are_over_silence():
    assert doubt.marks([Line(0, 9000, "You")]) == ["s"]


def test_a_long_hush_between_two_words_of_a_line_is_marked():
    row = Line(0, 9000, "and then suddenly nothing", [[0, 500, "and", 1], [4000, 4400, "then", 1]])

    assert doubt.marks([row]) == ["s"]


@pytest.mark.parametrize(
    ("sure", "marked"),
    [((0.1, 0.3, 0.9), "p"), ((0.8, 0.9, 0.1), ""), ((None, None), ""), ((0.1, None), "p")],
)
def test_a_line_is_doubted_when_the_engine_doubted_its_words(sure, marked):
    assert doubt.marks([Line(0, 2000, "three of them", words(*sure))]) == [marked]


lines = st.builds(
    lambda start, length, text: Line(start, start + length, text),
    st.integers(0, 20_000),
    st.integers(1, 9000),
    st.sampled_from(["Yes.", "The same sentence again.", "", "Другая строка, другая.", "x" * 60]),
)


@given(st.lists(lines, max_size=12), st.integers(0, 12))
def test_a_transcript_that_grows_is_marked_as_one_that_was_there(rows, cut):
    first, rest = rows[:cut], rows[cut:]

    assert doubt.marks(first) + doubt.marks(rest, first) == doubt.marks(rows)


@given(st.lists(lines, max_size=8))
def test_marks_are_known_letters_in_order(rows):
    for found in doubt.marks(rows):
        assert list(found) == sorted(set(found))
        assert set(found) <= set(doubt.REASONS)


# --- in the database ---


@pytest.mark.django_db
def test_rows_are_marked_as_they_are_written_with_an_eye_on_those_before():
    task = make_task()
    first = pipeline.rows(task, [Cue(0, 2000, "The very same sentence.")], 0)

    rows = pipeline.rows(task, [Cue(2000, 4000, "The very same sentence.")], 1, first)

    assert ([row.marks for row in first], [row.marks for row in rows]) == ([""], ["r"])


@pytest.mark.django_db
def test_rows_from_before_there_were_marks_are_marked_each_among_its_own():
    for _ in range(2):
        make_segments([(0, 2000, "The very same sentence."), (2000, 11_000, "So")])
    make_segments([(n * 2000, n * 2000 + 1900, "Yes.") for n in range(501)])
    migration = import_module("videos.migrations.0011_doubt_earlier_rows")

    migration.mark(apps, None)

    found = Segment.objects.order_by("task_id", "number").values_list("task", "marks")
    by_task: dict[str, list[str]] = {}
    for task, marks in found:
        by_task.setdefault(task, []).append(marks)
    assert sorted(by_task.values(), key=len) == [["", "s"], ["", "s"], ["", "", *["r"] * 499]]


# --- single words ---


@pytest.mark.parametrize(
    ("text", "sure", "places"),
    [
        ("We came down", (0.9, 0.9, 0.9), ""),
        ("We came down", (0.9, 0.1, None), "3+4"),
        ("We came down", (0.9, 0.1, 0.2), "3+9"),  # neighbours are one place
        ("We came, down", (0.1, 0.9, 0.1), "0+2,9+4"),
        ("We 🎬 came down", (0.9, 0.9, 0.1), "11+4"),  # in UTF-16 units
        ("Other words", (0.1, 0.1, 0.1), ""),
    ],
)
def test_single_words_of_which_the_engine_was_not_sure_have_places(text, sure, places):
    said = [
        [0, 1, f" {word}", each] for word, each in zip(["We", "came", "down"], sure, strict=True)
    ]

    assert doubt.unsure_places(text, said) == places
    assert all(word in text for word in doubt.at_places(text, places))


def test_words_are_found_again_at_their_places():
    assert doubt.at_places("We 🎬 came down", "3+2,11+4") == ["🎬", "down"]
    assert doubt.unsure_places("x", None) == "" and doubt.at_places("x", "") == []


@pytest.mark.django_db
def test_an_engines_cues_and_earlier_rows_get_their_unsure_words():
    cue = Cue(0, 900, "We came down", tuple(Word(0, 1, each, 0.1) for each in ("We", "down")))
    (row,) = pipeline.rows(make_task(), [cue], 0)
    assert row.unsure == "0+2,8+4"

    row.unsure = ""
    row.save()
    import_module("videos.migrations.0023_underline_unsure_words").underline(apps, None)

    row.refresh_from_db()
    assert row.unsure_words == ["We", "down"]
