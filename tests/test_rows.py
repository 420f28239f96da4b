from __future__ import annotations

import re
import time

import pytest

from tests.factories import make_segments, make_task
from videos import rows
from videos.doubt import before_gaps
from videos.rows import Row


def test_a_row_has_its_time_as_a_link_and_its_text():
    html = rows.render([Row(280_940, 284_200, "He stands at the window.", 7)])

    assert html == (
        '<ol class="block" data-n=7><li data-d=3.26><a href="?t=280.94#now">4:40</a>'
        "<span>He stands at the window.</span>\n</ol>"
    )


def test_text_is_escaped():
    html = rows.render([Row(0, 1000, "<img src=x onerror=alert(1)> & </span>")])

    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &lt;/span&gt;" in html


def test_links_keep_the_range():
    html = rows.render([Row(61_000, 62_000, "x")], 60_000, 90_500)

    assert 'href="?start=60&amp;end=90.5&amp;t=61#now"' in html


def test_an_end_is_written_where_the_next_row_does_not_begin_at_once():
    html = rows.render([Row(0, 1000, "a"), Row(1000, 2000, "b"), Row(2500, 3000, "c")])

    assert re.findall(r"<li( data-d=[\d.]+)?>", html) == ["", " data-d=1", " data-d=0.5"]


@pytest.mark.parametrize(
    ("at_ms", "marked"), [(0, None), (1000, "a"), (2999, "a"), (3000, "b"), (99_000, "b")]
)
def test_the_row_that_is_spoken_is_the_anchor(at_ms, marked):
    html = rows.render([Row(1000, 2000, "a"), Row(3000, 4000, "b")], at_ms=at_ms)

    found = re.findall(r"<li id=now aria-current=true[^>]*><a[^>]*>[^<]*</a><span>(\w)", html)
    assert found == ([marked] if marked else [])


def test_rows_come_in_blocks():
    html = rows.render([Row(n, n + 1, "x", n) for n in range(rows.BLOCK * 2 + 1)])

    assert html.count("<ol") == 3
    assert html.count("<li") == rows.BLOCK * 2 + 1


def test_a_blocks_number_and_a_rows_place_in_it_are_the_rows_number():
    html = rows.render([Row(n * 10, n * 10 + 9, "x", n) for n in (3, 4, 9, 10)])

    assert re.findall(r"data-n=(\d+)", html) == ["3", "9"]
    assert [block.count("<li") for block in html.split("</ol>")] == [2, 2, 0]


def test_a_gap_the_marks_and_the_corrections_of_a_row_are_written_on_it():
    html = rows.render(
        [Row(0, 1000, "a", 0, "fr", 2, "0+1"), Row(5200, 6000, "b", 1), Row(7999, 8500, "c", 2)]
    )

    assert "<li data-d=1 data-g=4 data-m=fr data-w=0+1 data-v=2>" in html
    assert html.count("data-g") == 1


def test_nothing_is_a_gap_while_somebody_speaks():
    """A short line inside a long one ends before it."""
    said = [Row(0, 9000, "long", 0), Row(1000, 2000, "hm", 1), Row(8000, 8500, "yes", 2)]
    later = Row(12_000, 13_000, "after", 3)

    assert before_gaps([*said, later]) == [False, False, True, False]
    assert rows.render([*said, later]).count("data-g") == 1
    assert "<li data-d=0.5 data-g=3>" in rows.render([*said, later])
    assert "data-g" not in rows.render_near(said[1:], 2, said_ms=9000)


@pytest.mark.parametrize(
    ("held", "more", "in_tail", "blocks"),
    [(0, 3, 0, 1), (1, 3, 3, 0), (48, 3, 2, 1), (50, 3, 0, 1), (49, 52, 1, 2)],
)
def test_rows_that_come_later_fill_the_last_block_first(held, more, in_tail, blocks):
    tail, rest = rows.render_more([Row(n, n + 1, "x", n) for n in range(more)], held)

    assert (tail.count("<li"), tail.count("<ol"), rest.count("<ol")) == (in_tail, 0, blocks)
    assert rest.count("<li") == more - in_tail


def test_no_rows_are_no_blocks():
    assert rows.render([]) == ""


@pytest.mark.django_db
def test_rows_come_in_the_order_of_their_numbers():
    task = make_task()
    make_segments([(0, 10, "a"), (5, 8, "b"), (5, 9, "c")], task)

    assert [row.text for row in rows.fetch(task.segments.all())] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("start", "end", "query"),
    [(None, None, ""), (60_000, None, "start=60"), (0, 1500, "start=0&end=1.5")],
)
def test_a_range_is_a_query_in_seconds(start, end, query):
    assert rows.range_query(start, end) == query
    assert rows.range_query(start, end, more="t=") == f"{query}&t=".lstrip("&")


def test_ten_thousand_rows_take_no_time_that_a_reader_notices():
    many = [
        Row(n * 3600, n * 3600 + 3000, "nine words that somebody said in a video", n)
        for n in range(10_000)
    ]

    started = time.process_time()
    rows.render(many)

    assert time.process_time() - started < 0.2  # measured: 0.02; a template loop takes 0.12
