"""Peaks, thumbnails, copies and captions over HTTP: whole, in ranges, and for those who may."""

from __future__ import annotations

import json
import re

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
from videos import derive
from videos.exports import Line, subtitles
from videos.models import Derivation, Kind, Segment
from videos.models.select import keep

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
FACTS = {"count": 3, "columns": 3, "interval_ms": 1000, "width": 160, "height": 90, "pixels": "x"}


@pytest.fixture
def user():
    return make_user()


@pytest.fixture(autouse=True)
def _signed_in(client, user, monkeypatch):
    client.force_login(user)
    monkeypatch.setattr(derive, "_ring", lambda pk: None)


@pytest.fixture
def video(user):
    return make_video(make_index(user), container="mkv", video_codec="hevc", filename="day one.mkv")


def made(video, kind, content=b"0123456789", **facts) -> Derivation:
    row = Derivation.objects.create(
        video=video, kind=kind, state="ready", name=f"{kind}-1.x", lease_no=1, facts=facts
    )
    row.path.parent.mkdir(parents=True, exist_ok=True)
    row.path.write_bytes(content)
    return row


def body(response) -> bytes:
    return b"".join(response) if response.streaming else response.content


def page_of(client, video) -> str:
    return client.get(f"/videos/{video.pk}/").text


def partial_of(client, video) -> str:
    return client.get(f"/videos/{video.pk}/derived", headers=HTMX).text


# --- bytes ---


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        (Kind.PEAKS, "application/octet-stream"),
        (Kind.SPRITE, "image/jpeg"),
        (Kind.PROXY, "video/mp4"),
    ],
)
def test_files_come_whole_or_in_ranges_in_a_sandbox_and_not_again(
    client, video, kind, content_type
):
    made(video, kind, height=720)
    url = f"/videos/{video.pk}/{kind}"

    whole = client.get(url)
    part = client.get(url, headers={"Range": "bytes=2-4"})
    again = client.get(url, headers={"If-None-Match": whole["ETag"]})

    assert (whole.status_code, body(whole), whole["Content-Type"]) == (
        200,
        b"0123456789",
        content_type,
    )
    assert (part.status_code, body(part)) == (206, b"234")
    assert part["Content-Range"] == "bytes 2-4/10"
    assert again.status_code == 304
    assert "sandbox" in whole["Content-Security-Policy"]
    assert whole["X-Content-Type-Options"] == "nosniff"
    assert "no-cache" in whole["Cache-Control"]
    assert "max-age" in client.get(f"{url}?v=1")["Cache-Control"]


def test_a_range_beyond_the_end_is_416(client, video):
    made(video, Kind.PROXY, height=720)

    answer = client.get(f"/videos/{video.pk}/proxy", headers={"Range": "bytes=10-"})

    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */10")


def test_a_copy_is_saved_under_a_name_that_says_so(client, video):
    made(video, Kind.PROXY, height=720)

    assert (
        'filename="day one copy.mp4"'
        in client.get(f"/videos/{video.pk}/proxy?download")["Content-Disposition"]
    )


def test_a_copy_of_sound_is_sound(client, video):
    made(video, Kind.PROXY, height=0)

    assert client.get(f"/videos/{video.pk}/proxy")["Content-Type"] == "audio/mp4"


def test_the_sheet_comes_with_its_map(client, video):
    made(video, Kind.SPRITE, **FACTS)

    answer = client.get(f"/videos/{video.pk}/sprite.json")

    assert json.loads(answer.content) == {
        "url": f"/videos/{video.pk}/sprite?v=1",
        "count": 3,
        "columns": 3,
        "interval_ms": 1000,
        "width": 160,
        "height": 90,
    }
    again = client.get(f"/videos/{video.pk}/sprite.json", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


PATHS = ["peaks", "sprite", "sprite.json", "proxy", "captions.vtt", "derived"]
POSTS = ["proxy/make", "proxy/cancel", "derived/retry"]


def test_what_is_another_users_or_not_there_is_404(client, video):
    others = make_video(make_index())
    for kind in Kind:
        made(others, kind, **FACTS)

    assert [client.get(f"/videos/{others.pk}/{path}").status_code for path in PATHS] == [404] * 6
    assert [client.post(f"/videos/{others.pk}/{path}").status_code for path in POSTS] == [404] * 3
    assert [client.get(f"/videos/{video.pk}/{path}").status_code for path in PATHS[:4]] == [404] * 4
    assert others.derivations.filter(state="ready").count() == 3


def test_a_file_that_is_gone_is_404_until_it_is_made_again(client, video):
    made(video, Kind.PEAKS).path.unlink()

    assert client.get(f"/videos/{video.pk}/peaks").status_code == 404


# --- the page ---


def test_a_page_plays_the_copy_once_it_is_there(client, video):
    assert f'src="/videos/{video.pk}/media"' in page_of(client, video)

    Derivation.objects.all().delete()
    made(video, Kind.PROXY, height=720)
    made(video, Kind.PEAKS)
    page = page_of(client, video)

    assert re.search(rf'<video[^>]* src="/videos/{video.pk}/proxy\?v=1"', page)
    assert f'data-peaks="/videos/{video.pk}/peaks?v=1"' in page
    assert "720 pixels high" in page


def test_a_page_of_a_playable_file_says_nothing_of_a_copy(client, user):
    video = make_video(make_index(user))
    page = page_of(client, video)

    assert f'src="/videos/{video.pk}/media"' in page
    assert "copy is being made" not in page
    assert re.search(r'<section id="derived"[^>]* hidden', page)


def test_a_copy_under_way_is_told_in_percent_until_it_is_there(client, video):
    page_of(client, video)
    queued = partial_of(client, video)
    Derivation.objects.filter(kind=Kind.PROXY).update(fraction=0.42, lease_until=timezone.now())

    waiting = partial_of(client, video)
    Derivation.objects.all().delete()
    for kind in Kind:
        made(video, kind, height=720)
    ready = partial_of(client, video)

    assert "A playable copy waits for its turn" in queued
    assert "A playable copy is being made" in waiting and "42 %" in waiting
    assert "every 3s" in waiting
    assert "every 3s" not in ready
    assert f'data-src="/videos/{video.pk}/proxy?v=1"' in ready


def test_a_copy_that_failed_says_why_and_is_tried_again(client, video):
    Derivation.objects.create(video=video, kind=Kind.PROXY, state="failed", error="It is <broken>.")
    page = page_of(client, video)

    answer = client.post(f"/videos/{video.pk}/proxy/make")

    assert "No playable copy could be made: It is &lt;broken&gt;." in page
    assert (answer.status_code, answer["Location"]) == (303, f"/videos/{video.pk}/")
    assert video.derivations.get(kind=Kind.PROXY).is_waiting


def test_a_waveform_that_failed_says_why_and_is_tried_again(client, video):
    Derivation.objects.create(video=video, kind=Kind.PEAKS, state="failed", error="Too odd.")
    page = page_of(client, video)

    answer = client.post(f"/videos/{video.pk}/derived/retry", headers=HTMX)

    assert "Waveform could not be made: Too odd." in page
    assert "Too odd" not in answer.text
    assert video.derivations.get(kind=Kind.PEAKS).is_waiting


def test_a_copy_under_way_can_be_cancelled(client, video):
    page_of(client, video)

    answer = client.post(f"/videos/{video.pk}/proxy/cancel", headers=HTMX)

    assert "No playable copy could be made: Cancelled." in answer.text
    assert video.derivations.get(kind=Kind.PROXY).is_failed


def test_a_copy_can_be_asked_for_of_any_file(client, user):
    video = make_video(make_index(user))

    answer = client.post(f"/videos/{video.pk}/proxy/make", headers=HTMX)

    assert "A playable copy waits for its turn" in answer.text


def test_a_copy_that_is_ready_is_not_made_again(client, video):
    made(video, Kind.PROXY, height=720)

    client.post(f"/videos/{video.pk}/proxy/make")
    client.post(f"/videos/{video.pk}/proxy/cancel")

    assert video.derivations.get(kind=Kind.PROXY).is_ready


def test_the_partial_without_htmx_leads_to_the_page(client, video):
    assert client.get(f"/videos/{video.pk}/derived").status_code == 303


# --- captions ---


def test_captions_are_the_rows_and_follow_a_correction(client, user):
    video = make_transcript([(0, 1500, "One."), (3_661_000, 3_662_250, "Two.")], make_index(user))
    url = f"/videos/{video.pk}/captions.vtt"

    first = client.get(url)
    Segment.objects.filter(number=0).update(text="Corrected.")
    second = client.get(url, headers={"If-None-Match": first["ETag"]})
    third = client.get(url, headers={"If-None-Match": second["ETag"]})

    assert first["Content-Type"] == "text/vtt; charset=utf-8"
    assert "no-cache" in first["Cache-Control"]
    assert first.text == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nOne.\n\n01:01:01.000 --> 01:01:02.250\nTwo.\n"
    )
    assert second.status_code == 200 and "Corrected." in second.text
    assert third.status_code == 304


def test_captions_grow_with_the_transcript_and_are_empty_without_one(client, user):
    video = make_video(make_index(user))
    assert client.get(f"/videos/{video.pk}/captions.vtt").text == "WEBVTT\n"

    make_segments(1, make_task(video))

    assert "-->" in client.get(f"/videos/{video.pk}/captions.vtt").text


def test_no_text_ends_its_cue_or_makes_another():
    text = "a --> b\n\n00:00:09.000 --> 00:00:10.000\r\n<v Bob> & <script>"

    document = subtitles.captions([Line(0, 1000, text), Line(1000, 2000, "  \n ")])

    assert document.count(" --> ") == 1
    assert document.endswith(
        "a --&gt; b\n00:00:09.000 --&gt; 00:00:10.000\n&lt;v Bob&gt; &amp; &lt;script&gt;\n"
    )


def test_what_plays_elsewhere_is_the_copy_once_it_is_there(client, user, video):
    other = make_task(make_transcript(3, video.index, container="mxf"), status="ready")
    keep(video, 0, 1000, user)
    keep(other.video, 0, 1000, user)
    bin_page, transcript = f"/indexes/{video.index_id}/selects/", f"/videos/{other.video_id}/"
    pages = (f"{transcript}transcripts/{other.pk}/", f"{transcript}compare")
    assert f'data-media="/videos/{video.pk}/media"' in client.get(bin_page).text

    made(video, Kind.PROXY)
    made(other.video, Kind.PROXY)

    for address in (video.pk, other.video_id):
        assert f'data-media="/videos/{address}/proxy?v=1"' in client.get(bin_page).text
    for page in pages:
        assert f'src="/videos/{other.video_id}/proxy?v=1"' in client.get(page).text


def test_a_copy_that_was_swept_away_is_not_played(client, user, video):
    made(video, Kind.PROXY).path.unlink()
    keep(video, 0, 1000, user)

    page = client.get(f"/indexes/{video.index_id}/selects/").text

    assert f'data-media="/videos/{video.pk}/media"' in page
