from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.desk import press, until
from tests.browser.test_viewer import now, ready
from tests.factories import make_segments, make_task
from videos import corrections, search
from videos.corrections import Seen
from videos.models import Video


@pytest.fixture
def other(film):
    """Another engine's transcript: it heard each tenth line differently."""
    task = make_task(film, status="ready", engine="whisper", model="base")
    cues = [
        (n * 2000 + 60, n * 2000 + 1950, f"This is {'wine' if n % 10 == 5 else 'line'} {n}.")
        for n in range(60)
    ]
    make_segments(cues, task)
    return task


def correct(film):
    row = film.transcript.segments.get(number=3)
    seen = Seen(row.pk, row.start_ms, row.version)
    corrections.save(film.index.owner, film.transcript, seen, "Corrected.", (6000, 7900))


def test_differences_are_read_played_and_taken_over(open_page, film, other):
    correct(film)
    page = open_page(f"/videos/{film.pk}/")
    expect(page.locator(".beside")).to_contain_text("Your corrected one is still shown.")
    page.locator(".beside").get_by_role("link", name="Compare").click()
    rows = page.locator("#rows li")
    expect(rows).to_have_count(7)
    expect(rows.nth(1).locator("ins")).to_contain_text("wine")
    ready(page)

    page.locator("#player").evaluate("(p) => { p.playbackRate = 0.25 }")  # time for Space
    rows.nth(2).locator("p").first.click()
    expect(rows.nth(2)).to_have_attribute("aria-current", "true")
    until(page, "!p.paused && p.currentTime > 30")  # a click plays both
    press(page, "Space")
    until(page, "p.paused && p.currentTime < 31")
    press(page, "ArrowDown")
    expect(rows.nth(3)).to_have_attribute("aria-current", "true")
    press(page, ".", "/", "ArrowUp")
    assert now(page) == pytest.approx(30, abs=0.1)
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("Play backwards")
    expect(page.get_by_role("dialog")).not_to_contain_text("Range")
    press(page, "Escape")

    page.get_by_label(
        "Take these words of Whisper (on this machine), model base, English at 0:10"
    ).click()
    expect(rows).to_have_count(6)
    assert now(page) == pytest.approx(30, abs=0.1)  # the player was not touched
    assert film.transcript.segments.get(number=5).text == "This is wine 5."

    page.get_by_role("link", name="Show all").click()
    expect(rows).to_have_count(60)
    assert Axe().run(page, context="#main").violations_count == 0


def test_between_two_differences_none_is_marked_and_the_keyboard_goes_on_taking(
    open_page, film, other
):
    page = open_page(f"/videos/{film.pk}/compare?b={other.pk}")
    rows = page.locator("#rows li")
    expect(rows).to_have_count(6)
    ready(page)
    player = page.locator("#player")
    player.evaluate("(p) => { p.currentTime = 11; }")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    player.evaluate("(p) => { p.currentTime = 20; }")
    expect(page.locator("#rows [aria-current]")).to_have_count(0)

    page.get_by_role("button", name="Take these words").first.focus()
    press(page, "Enter")
    expect(rows).to_have_count(5)
    expect(rows.nth(0).get_by_role("button", name="Take these words")).to_be_focused()
    press(page, "Enter")
    expect(rows).to_have_count(4)


def test_another_transcript_is_read_and_used(open_page, film, other):
    page = open_page(f"/videos/{film.pk}/")
    page.get_by_role("link", name="2 transcripts").click()
    assert Axe().run(page, context="#main").violations_count == 0
    page.get_by_role("link", name=re.compile("^Whisper")).click()
    ready(page)
    page.locator("#rows li").nth(5).locator("span").first.click()
    assert now(page) == pytest.approx(10.06, abs=0.01)

    page.get_by_role("button", name="Use this one").click()

    expect(page.get_by_text("Shown now: the transcript by Whisper")).to_be_visible()
    expect(page.locator("#rows li").nth(5)).to_contain_text("wine")


def test_a_transcript_that_gets_ready_takes_no_form_away(open_page, film):
    running = make_task(film, status="indexing")
    page = open_page(f"/videos/{film.pk}/")
    page.locator("#rows li").nth(5).locator("span").first.dblclick()
    page.get_by_label("Text of the line").fill("typed before it came")
    make_segments([(0, 2000, "a new transcript")], running)
    running.end("ready")
    film.transcript = running
    film.save()

    expect(page.locator("#progress.ready")).to_be_visible()
    expect(page.get_by_label("Text of the line")).to_have_value("typed before it came")
    page.keyboard.press("Escape")

    expect(page.locator("#rows li")).to_have_count(1)
    expect(page.locator("#rows li").first).to_contain_text("a new transcript")


def test_times_are_shown_as_the_switch_was_left(open_page, film, other):
    search.index_segments(film.transcript.segments.all())
    Video.objects.filter(pk=film.pk).update(start_timecode="10:00:00:00")
    page = open_page(f"/videos/{film.pk}/")
    page.get_by_label("Time shown as").select_option("source")

    page.goto(f"/videos/{film.pk}/compare?b={other.pk}")
    first = page.locator("#rows li a").first
    expect(first).to_have_text("10:00:10:00")
    page.get_by_role("link", name="Show all").click()
    expect(first).to_have_text("10:00:00:00")
    assert first.get_attribute("href").endswith("t=0#now")
    shown = page.locator("#rows li").first.evaluate(
        "(li) => [...li.children].map((each) => each.getBoundingClientRect().left)"
    )
    assert shown[0] + first.bounding_box()["width"] < shown[1] < shown[2]

    page.goto("/search/?q=line+21")
    hit = page.locator(".hits a").first
    expect(hit).to_have_text("10:00:42:00")
    page.get_by_label("Words").fill('"line 5"')
    expect(hit).to_have_text("10:00:10:00")
    hit.click()
    page.wait_for_url("**/?q=*&t=10*")
