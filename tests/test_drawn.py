"""Rows that are drawn once and kept are the rows that would be drawn now, in any page."""

from __future__ import annotations

import gzip

import pytest

from tests.factories import (
    make_index,
    make_segments,
    make_task,
    make_transcript,
    make_video,
)
from videos import corrections, drawn, rows
from videos.corrections import Seen
from videos.models import Status, Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def video(user):
    return make_transcript(120, make_index(user))


def drawn_now(task: Task) -> bytes:
    return rows.render(rows.fetch(task.segments.all())).encode()


def correct(user, task: Task, text: str) -> None:
    row = task.segments.first()
    seen = Seen(row.pk, row.start_ms, row.version)
    corrections.save(user, task, seen, text, (row.start_ms, row.end_ms))


def test_a_page_holds_the_rows_once_and_whole(client, video):
    text = client.get(f"/videos/{video.pk}/").text

    assert text.count(drawn_now(video.transcript).decode()) == 1
    assert "<!-- rows -->" not in text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_compressed_page_is_the_same_page(client, video, headers):
    url = f"/videos/{video.pk}/"
    plain = client.get(url, headers=headers)
    packed = client.get(url, headers={"Accept-Encoding": "br, gzip", **headers})

    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    rows_of_it = drawn_now(video.transcript)
    assert rows_of_it in plain.content
    assert rows_of_it in gzip.decompress(packed.content)  # which checks length and CRC


def test_any_head_and_tail_fit_around_kept_rows(video):
    kept = drawn.whole(video.transcript)
    assert kept is not None
    for head, tail in ((b"", b""), (b"<p>", b""), (b"", b"</p>"), (b"a" * 70_000, b"b" * 70_000)):
        assert gzip.decompress(drawn.gzipped(head, kept, tail)) == head + kept.html + tail


def test_the_length_of_a_page_says_nothing_about_what_is_in_it(video):
    kept = drawn.whole(video.transcript)
    assert kept is not None
    assert len({len(drawn.gzipped(b"the same", kept, b"")) for _ in range(60)}) > 5


def test_a_correction_and_its_undoing_are_seen_at_once(client, user, video):
    url = f"/videos/{video.pk}/"
    was = client.get(url).text
    assert "Other words." not in was

    correct(user, video.transcript, "Other words.")
    assert "Other words." in client.get(url).text

    corrections.undo(user, video.transcript)
    assert "Other words." not in client.get(url).text


def test_a_transcript_that_grows_is_not_kept(client, user):
    task = make_task(make_video(make_index(user)), status=Status.INDEXING)
    make_segments([(0, 1000, "One.")], task)
    assert drawn.whole(task) is None

    assert "Two." not in client.get(f"/videos/{task.video_id}/").text
    make_segments([(1000, 2000, "Two.")], task)
    assert "Two." in client.get(f"/videos/{task.video_id}/").text


def test_a_failed_task_may_be_tried_again_so_its_rows_are_not_kept(user):
    task = make_task(make_video(make_index(user)), status=Status.FAILED, error="No.")
    assert drawn.whole(task) is None
