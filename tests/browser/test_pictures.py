"""Thumbnails, captions and the change to a playable copy, in a real browser."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from fractions import Fraction

import av
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.desk import hear_anew, press, until
from tests.factories import make_index, make_segments, make_task, make_transcript
from tests.makers import _sound_frames, tone
from videos import corrections, derive
from videos.corrections import Seen
from videos.local_user import local_user
from videos.models import Correction, Derivation, Kind, Segment
from videos.models.select import keep

SECONDS, FPS = 10, Fraction(25)


@pytest.fixture(scope="session")
def prores(tmp_path_factory) -> bytes:
    """Ten seconds that no browser plays; in each second the picture is brighter."""
    path = tmp_path_factory.mktemp("prores") / "cam.mov"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("prores_ks", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv422p10le"
        voice = out.add_stream("pcm_s16le", rate=16_000)
        voice.layout = "mono"
        for number in range(int(SECONDS * FPS)):
            grey = np.full((180, 320, 3), 20 + 20 * int(number / FPS), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        out.mux(stream.encode(None))
        for frame in _sound_frames(voice, tone(SECONDS), 0.0, None):
            out.mux(voice.encode(frame))
        out.mux(voice.encode(None))
    return path.read_bytes()


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    """The tests say themselves when something is made."""
    monkeypatch.setattr(derive, "_ring", lambda pk: None)


@pytest.fixture
def camera(prores, transactional_db):
    cues = [(n * 1000, n * 1000 + 900, f"Second <{n}> & more.") for n in range(SECONDS)]
    return make_transcript(
        cues,
        make_index(local_user(), name="Camera"),
        content=prores,
        filename="cam.mov",
        container="mov",
        video_codec="prores",
        audio_codec="pcm_s16le",
        duration_ms=SECONDS * 1000,
        width=320,
        height=180,
    )


def make(video, *kinds) -> None:
    """What a worker does."""
    derive.look(video)
    for kind in kinds:
        row = video.derivations.get(kind=kind)
        claimed = Derivation.objects.claim(row.pk, timedelta(seconds=60))
        derive.run(claimed)
        row.refresh_from_db()
        assert row.is_ready, row.error_detail


def js(page, script: str):
    return page.evaluate(f"() => {{ const player = document.getElementById('player'); {script} }}")


def brightness(page) -> float:
    """Of the frame that the player shows."""
    return js(
        page,
        """const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 4;
        const context = canvas.getContext("2d");
        context.drawImage(player, 0, 0, 4, 4);
        return context.getImageData(1, 1, 1, 1).data[0];""",
    )


def expect_brightness(page, wanted: float) -> None:
    """A frame may come to the screen some time after its seek is over."""
    deadline = time.monotonic() + 8
    while (found := brightness(page)) != pytest.approx(wanted, abs=8):
        assert time.monotonic() < deadline, f"{found}, not {wanted}"
        page.wait_for_timeout(50)


def seek(page, at: float) -> None:
    js(
        page,
        f"""return new Promise((done) => {{
          player.addEventListener("seeked", () => requestAnimationFrame(done), {{ once: true }});
          player.currentTime = {at};
        }});""",
    )


def command(page, name: str) -> None:
    detail = json.dumps({"name": name})
    js(page, f"document.dispatchEvent(new CustomEvent('desk:command', {{detail: {detail}}}))")


def test_a_file_no_browser_plays_is_played_as_a_copy_at_the_same_times(open_page, camera):
    page = open_page(f"/videos/{camera.pk}/?t=4.5", expect_errors=True)
    expect(page.locator("#derived")).to_contain_text("A playable copy waits for its turn")
    expect(page.locator("#unplayable")).to_be_hidden()
    js(page, "player.dataset.kept = 'yes'; player.dataset.before = player.src")

    make(camera, Kind.PROXY)

    expect(page.locator("#derived")).to_contain_text("The player plays", timeout=15_000)
    until(page, "p.src !== p.dataset.before && p.readyState >= 1 && !p.seeking")
    until(page, "Math.abs(p.currentTime - 4.5) < 0.05")
    assert js(page, "return [player.error, player.dataset.kept]") == [None, "yes"]
    assert js(page, "return player.duration") == pytest.approx(SECONDS, abs=0.1)
    for second in (7, 1, 5):
        seek(page, second + 0.02)  # its first frame, and not the one before
        expect_brightness(page, 20 + 20 * second)
        seek(page, second - 0.02)
        expect_brightness(page, 20 * second)


def test_the_bin_and_another_transcript_play_the_copy_too(open_page, camera):
    cues = [(n * 1000, n * 1000 + 900, f"Other {n}.") for n in range(SECONDS)]
    other = make_task(camera, status="ready", engine="sphinx")
    make_segments(cues, other)
    keep(camera, 7000, 7400, local_user())
    make(camera, Kind.PROXY)

    for path in (f"transcripts/{other.pk}/", "compare"):
        page = open_page(f"/videos/{camera.pk}/{path}?t=7.02")
        until(page, "p.readyState >= 2 && !p.seeking")
        expect(page.locator("#unplayable")).to_be_hidden()
        expect_brightness(page, 160)
    page = open_page(f"/indexes/{camera.index_id}/selects/")
    page.get_by_role("button", name="Play select 1").click()
    until(page, "p.currentTime >= 7.3 && p.paused")
    expect_brightness(page, 160)


def test_a_copy_that_failed_is_said_beside_the_player_and_can_be_tried_again(open_page, camera):
    derive.look(camera)
    camera.derivations.filter(kind=Kind.PROXY).end("failed", "The disk is full.")
    page = open_page(f"/videos/{camera.pk}/", expect_errors=True)

    expect(page.locator("#derived")).to_contain_text("No playable copy could be made: The disk is")
    expect(page.locator("#unplayable")).to_be_visible()  # Chromium plays its sound alone
    page.get_by_role("button", name="Try again to make a playable copy").click()

    expect(page.locator("#derived")).to_contain_text("A playable copy waits for its turn")


def test_a_thumbnail_is_shown_for_a_moment_and_goes(open_page, film):
    make(film, Kind.SPRITE)
    page = open_page(f"/videos/{film.pk}/")
    preview = page.locator(".preview")

    def hover(at) -> None:
        detail = json.dumps({"at": at, "x": 400, "y": 500})
        js(page, f"document.dispatchEvent(new CustomEvent('desk:hover', {{detail: {detail}}}))")

    hover(23)
    expect(preview).to_be_visible()
    expect(preview).to_have_css("background-position", "-480px -180px")
    box = preview.bounding_box()
    assert (box["y"] + box["height"], round(box["x"] + box["width"] / 2)) < (500, 402)
    hover(0)
    expect(preview).to_have_css("background-position", "0px 0px")
    hover(None)
    expect(preview).to_be_hidden()


def test_a_thumbnail_is_shown_beside_a_lines_time(open_page, film):
    make(film, Kind.SPRITE)
    page = open_page(f"/videos/{film.pk}/")

    page.locator("#rows li > a").nth(3).hover()
    expect(page.locator(".preview")).to_be_visible()
    expect(page.locator(".preview")).to_have_css("background-position", "-960px 0px")
    page.mouse.move(5, 5)
    expect(page.locator(".preview")).to_be_hidden()


def test_thumbnails_that_could_not_be_fetched_are_asked_for_again(open_page, film):
    make(film, Kind.SPRITE)
    page = open_page(f"/videos/{film.pk}/", expect_errors=True, routed=True)
    page.route("**/sprite.json*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.locator("#rows li > a").nth(3).hover()

    page.unroute_all()
    page.wait_for_timeout(3000)  # asked for again after two seconds
    page.locator("#rows li > a").nth(4).hover()

    expect(page.locator(".preview")).to_be_visible()


def test_lines_have_pictures_when_wished_and_nothing_moves_when_they_come(open_page, film):
    make(film, Kind.SPRITE)
    page = open_page(f"/videos/{film.pk}/", routed=True)
    assert not page.locator("#script.pictures").count()

    page.route("**/sprite.json*", lambda route: None)  # they never come
    page.check("#pictures")
    before = page.locator("#rows li").nth(5).bounding_box()
    page.unroute("**/sprite.json*")
    page.reload()
    tiles = (
        "return getComputedStyle(document.querySelectorAll('#rows li')[5].children[1], '::before')"
    )
    expect(page.locator("#pictures")).to_be_checked()
    expect(page.locator("#rows li[style]").first).to_be_attached()

    assert page.locator("#rows li").nth(5).bounding_box() == before
    assert js(page, f"{tiles}.backgroundPosition") == "0px -45px"
    page.uncheck("#pictures")
    assert page.locator("#rows li").nth(5).bounding_box()["height"] < before["height"]


def test_ten_thousand_lines_with_pictures_paint_only_what_is_near(open_page, film):
    task = film.transcript
    Segment.objects.filter(task=task).delete()
    Segment.objects.bulk_create(
        Segment(task=task, number=n, start_ms=n * 12, end_ms=n * 12 + 10, text=f"Line {n}.")
        for n in range(10_000)
    )
    make(film, Kind.SPRITE)
    page = open_page(f"/videos/{film.pk}/")

    page.check("#pictures")
    painted = "document.querySelectorAll('#rows li[style]').length"
    until(page, f"{painted} >= 50")
    page.wait_for_timeout(800)  # whatever else is painted
    first = js(page, f"return {painted}")
    js(page, "scrollTo(0, document.body.scrollHeight / 2)")
    until(page, f"{painted} > {first}")
    page.wait_for_timeout(800)

    assert first <= 400
    assert js(page, f"return {painted}") <= 1200


def test_captions_are_off_then_on_remembered_and_follow_a_correction(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    button = page.get_by_role("button", name="Captions")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert js(page, "return player.textTracks[0].mode") == "disabled"

    command(page, "captions")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    until(page, "p.textTracks[0].cues?.length === 60")

    Segment.objects.filter(number=0).update(text="Corrected <b>here</b>.")
    js(
        page,
        """const row = document.querySelector("#rows li");
        const text = document.createElement("span");
        text.textContent = "Corrected";
        row.children[1].replaceWith(text);""",
    )
    until(page, "p.textTracks[0].cues?.[0]?.text === 'Corrected &lt;b&gt;here&lt;/b&gt;.'")

    command(page, "captions")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_captions_follow_corrections_that_bring_all_lines_anew(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=10&end=20")
    command(page, "captions")
    until(page, "p.textTracks[0].cues?.length === 60")

    # Of lines that do not follow each other the page fetches all that it shows.
    rows = film.transcript.segments.filter(number__in=(5, 40))
    seen = [Seen(row.pk, row.start_ms, row.version) for row in rows]
    corrections.change_many(
        film.index.owner,
        film.transcript,
        Correction.Kind.REPLACE,
        seen,
        lambda row: f"{row.text} Yes.",
    )
    page.reload()
    until(page, "p.textTracks[0].cues?.[5]?.text === 'This is line 5. Yes.'")
    press(page, "Control+z")

    expect(page.locator("#rows li").first).to_contain_text("This is line 5.")
    until(page, "p.textTracks[0].cues?.[5]?.text === 'This is line 5.'")


def test_captions_over_the_picture_are_those_of_the_transcript_that_came(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    command(page, "captions")
    page.get_by_text("Transcribe again…").click()
    page.get_by_role("button", name="Transcribe again").click()
    expect(page.locator("#progress")).to_contain_text("Waiting for its turn")

    hear_anew(film, "A better line.")

    expect(page.locator("#count")).to_have_text("1 line")
    until(page, "p.textTracks[0].cues?.[0]?.text === 'A better line.'")


def test_a_waveform_that_is_made_while_the_page_is_open_is_told_to_it(open_page, camera):
    page = open_page(f"/videos/{camera.pk}/", expect_errors=True)
    js(page, "document.addEventListener('desk:peaks', () => (player.dataset.heard = 'yes'))")

    make(camera, Kind.PEAKS)

    expect(page.locator("#player[data-heard=yes]")).to_have_count(1, timeout=15_000)
    url = page.locator("#player").get_attribute("data-peaks")
    assert len(page.request.get(url).body()) == 2000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_with_pictures_and_a_copy_under_way_is_accessible(open_page, camera, scheme):
    make(camera, Kind.SPRITE)
    page = open_page(f"/videos/{camera.pk}/", expect_errors=True, color_scheme=scheme)
    page.check("#pictures")

    results = Axe().run(page)

    assert results.violations_count == 0, results.generate_report()
