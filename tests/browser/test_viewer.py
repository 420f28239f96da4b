from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db.models import F
from playwright.sync_api import expect

from tests.browser.desk import half_heard, hear_anew
from tests.factories import make_segments, make_task, make_transcript, make_user
from videos import search
from videos.models import Segment, Task, Video
from videos.models.select import keep

PLAYER = "document.getElementById('player')"


def line(page, number: int):
    return page.locator("#rows li").nth(number)


# Noted in the page itself: a busy machine may be slow to tell us.
NOTE_WHEN_MARKED = """row => new MutationObserver((_, observer) => {
  if (!row.hasAttribute("aria-current")) return;
  document.documentElement.dataset.markedAt = document.getElementById("player").currentTime;
  observer.disconnect();
}).observe(row, { attributes: true, attributeFilter: ["aria-current"] })"""


def now(page) -> float:
    return page.evaluate(f"{PLAYER}.currentTime")


def paused(page) -> bool:
    return page.evaluate(f"{PLAYER}.paused")


def ready(page) -> None:
    """Wait until the player knows its length, without strings that the CSP would refuse."""
    page.locator("#player").evaluate(
        "(p) => p.readyState >= 1 || new Promise((ok) => p.addEventListener('loadedmetadata', ok))"
    )


def play(page) -> None:
    ready(page)
    page.locator("#player").evaluate("(p) => p.play()")


def in_sight(row) -> bool:
    return row.evaluate(
        "(r) => (({ top, bottom }) => bottom > 46 && top < innerHeight)(r.getBoundingClientRect())"
    )


# --- seeking ---


def test_a_click_on_a_line_seeks_and_stays_paused(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    ready(page)

    line(page, 5).click(position={"x": 400, "y": 10})

    expect(line(page, 5)).to_have_attribute("aria-current", "true")
    assert now(page) == pytest.approx(10, abs=0.01)
    assert paused(page)
    assert page.url.endswith(f"/videos/{film.pk}/")  # the timecode's link was not followed


def test_a_click_on_a_line_keeps_it_playing(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    play(page)
    page.locator("#player").evaluate("(p) => { p.playbackRate = 0.1 }")  # time to look

    line(page, 8).locator("a").click()

    expect(line(page, 8)).to_have_attribute("aria-current", "true")
    assert 16 <= now(page) < 18
    assert not paused(page)


def test_enter_on_a_timecode_seeks(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    ready(page)

    line(page, 3).locator("a").focus()
    page.keyboard.press("Enter")

    expect(line(page, 3)).to_have_attribute("aria-current", "true")
    assert now(page) == pytest.approx(6, abs=0.01)


def test_selecting_text_does_not_seek(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    ready(page)
    box = line(page, 6).locator("span").first.bounding_box()

    page.mouse.move(box["x"] + 2, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 8, steps=4)
    page.mouse.up()

    assert page.evaluate("getSelection().toString()").strip() != ""
    assert now(page) == 0


def test_t_opens_at_the_moment_with_its_line_in_sight(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=1:30.5")
    ready(page)

    expect(line(page, 45)).to_have_attribute("aria-current", "true")
    assert now(page) == pytest.approx(90.5, abs=0.01)
    assert in_sight(line(page, 45))


def test_the_server_lets_chromium_jump_anywhere(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    ready(page)

    assert page.evaluate(f"{PLAYER}.seekable.end(0)") == pytest.approx(120, abs=1)


# --- the mark and following ---


def test_the_mark_moves_with_the_speech_without_moving_text(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=3.2")
    before = line(page, 2).bounding_box()
    line(page, 2).evaluate(NOTE_WHEN_MARKED)
    page.locator("#player").evaluate("(p) => { p.playbackRate = 0.5 }")
    play(page)

    expect(line(page, 2)).to_have_attribute("aria-current", "true")

    assert page.locator("#rows [aria-current]").count() == 1
    assert line(page, 2).bounding_box() == before
    # A frame's time may lie a hair before the moment that it shows: follow.js allows 2 ms.
    assert 3.998 <= float(page.locator(":root").get_attribute("data-marked-at")) < 4.5


def test_following_pauses_when_the_reader_scrolls_away_and_resumes(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=80")
    back = page.locator("#to-playhead")
    expect(line(page, 40)).to_have_attribute("aria-current", "true")
    expect(back).to_be_hidden()

    page.mouse.move(900, 400)
    page.mouse.wheel(0, -3000)
    expect(back).to_be_visible()
    expect(back).to_have_attribute("data-way", "down")

    page.locator("#player").evaluate("(p) => { p.currentTime = 90 }")  # playing on moves nothing
    expect(line(page, 45)).to_have_attribute("aria-current", "true")
    assert not in_sight(line(page, 45))

    back.click()
    expect(back).to_be_hidden()
    assert in_sight(line(page, 45))

    page.locator("#player").evaluate("(p) => { p.currentTime = 20 }")  # followed again
    expect(line(page, 10)).to_be_in_viewport()


def test_scrolling_back_to_the_line_resumes_following(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=40")
    expect(line(page, 20)).to_have_attribute("aria-current", "true")
    page.mouse.move(900, 400)
    page.mouse.wheel(0, 3000)
    expect(page.locator("#to-playhead")).to_have_attribute("data-way", "up")

    line(page, 20).evaluate("(r) => r.scrollIntoView({ block: 'center' })")

    expect(page.locator("#to-playhead")).to_be_hidden()
    page.locator("#player").evaluate("(p) => { p.currentTime = 2 }")
    expect(line(page, 1)).to_be_in_viewport()


def test_the_follow_toggle_is_remembered(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    page.get_by_label("Follow the speech").uncheck()
    page.reload()
    ready(page)

    expect(page.get_by_label("Follow the speech")).not_to_be_checked()
    page.locator("#player").evaluate("(p) => { p.currentTime = 110 }")
    expect(line(page, 55)).to_have_attribute("aria-current", "true")
    assert not in_sight(line(page, 55))
    expect(page.locator("#to-playhead")).to_be_visible()


# --- the range ---


def test_a_range_is_filtered_kept_in_the_address_and_undone_by_back(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    play(page)

    page.locator("#range-start").fill("0:10")
    page.locator("#range-end").fill("20")
    page.keyboard.press("Enter")

    expect(page.locator("#count")).to_have_text("5 of 60 lines")
    assert page.url.endswith("?start=10&end=20")
    assert not paused(page)  # the player was not touched

    page.go_back()
    expect(page.locator("#count")).to_have_text("60 lines")
    expect(page.locator("#range-start")).to_have_value("")
    assert not paused(page)

    page.go_forward()
    expect(page.locator("#count")).to_have_text("5 of 60 lines")
    page.reload()
    expect(page.locator("#count")).to_have_text("5 of 60 lines")
    expect(page.locator("#range-start")).to_have_value("0:10")

    page.get_by_role("link", name="Clear the range").click()
    expect(page.locator("#count")).to_have_text("60 lines")
    assert page.url.endswith(f"/videos/{film.pk}/")


def test_back_from_another_page_shows_a_whole_page(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    page.locator("#range-start").fill("10")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#count")).to_have_text("55 of 60 lines")

    page.get_by_role("link", name="Library").first.click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    page.go_back()

    expect(page.locator("#count")).to_have_text("55 of 60 lines")
    expect(page.locator("#player")).to_be_visible()


def test_a_wrong_time_is_said_and_the_lines_stay(open_page, film):
    page = open_page(f"/videos/{film.pk}/")

    page.locator("#range-start").fill("soon")
    page.get_by_role("button", name="Show").click()

    expect(page.get_by_role("alert")).to_contain_text("Write a time as 90, 1:30")
    expect(page.locator("#range-start")).to_have_value("soon")
    assert page.locator("#rows li").count() == 60
    assert page.url.endswith(f"/videos/{film.pk}/")


def test_a_wrong_time_over_a_shown_range_leaves_its_count(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=10&end=12")
    expect(page.locator("#count")).to_have_text("1 of 60 lines")

    page.locator("#range-end").fill("5")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("The end must come after the start.")
    expect(page.locator("#count")).to_have_text("1 of 60 lines")
    assert page.locator("#rows li").count() == 1

    page.locator("#range-end").fill("14")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#count")).to_have_text("2 of 60 lines")


def test_a_line_becomes_the_range(open_page, film):
    page = open_page(f"/videos/{film.pk}/")

    line(page, 7).hover()
    line(page, 7).get_by_role("button", name="Range").click()

    expect(page.locator("#count")).to_have_text("1 of 60 lines")
    assert page.url.endswith("?start=14&end=15.9")
    assert now(page) == 0  # a tool of the line does not seek


def test_the_range_of_a_line_keeps_the_focus_of_the_keyboard(open_page, film):
    page = open_page(f"/videos/{film.pk}/")

    line(page, 7).locator("a").focus()
    page.keyboard.press("Tab")
    expect(line(page, 7).get_by_role("button", name="Range")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("1 of 60 lines")
    expect(line(page, 0).locator("a")).to_be_focused()

    page.locator("#range-clear").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("60 lines")
    expect(page.locator("#range-show")).to_be_focused()


def test_a_pointer_takes_no_tool_away_that_has_the_focus_of_the_keyboard(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    line(page, 7).locator("a").focus()
    page.keyboard.press("Tab")
    tool = line(page, 7).get_by_role("button", name="Range")

    line(page, 9).hover()
    expect(tool).to_be_focused()
    line(page, 9).locator("a").focus()
    line(page, 11).hover()

    expect(line(page, 11).locator(".row-tools")).to_be_visible()


def test_where_it_is_narrow_the_tools_stand_below_the_line_that_was_clicked(open_page, film):
    Segment.objects.filter(task=film.transcript).update(text="So many words. " * 30)
    page = open_page(f"/videos/{film.pk}/", viewport={"width": 380, "height": 900})
    before = line(page, 1).bounding_box()["height"]
    line(page, 1).hover()
    assert line(page, 1).bounding_box()["height"] == before  # pointing moves nothing

    line(page, 1).click(position={"x": 200, "y": 20})

    text = line(page, 1).locator("span").first.bounding_box()
    tools = line(page, 1).locator(".row-tools").bounding_box()
    assert text["width"] > 280
    assert text["y"] + text["height"] <= tools["y"]
    assert tools["x"] + tools["width"] <= 380
    assert tools["y"] + tools["height"] <= line(page, 2).bounding_box()["y"]


@pytest.mark.parametrize("width", [500, 900, 1280])
def test_the_tools_of_a_line_cover_no_text(open_page, film, width):
    Segment.objects.filter(task=film.transcript).update(text="So many words. " * 30)
    page = open_page(f"/videos/{film.pk}/", viewport={"width": width, "height": 900})

    line(page, 1).hover()

    text = line(page, 1).locator("span").first.bounding_box()
    tools = line(page, 1).locator(".row-tools").bounding_box()
    assert text["x"] + text["width"] <= tools["x"]
    assert tools["x"] + tools["width"] <= width


A_FRAME = "() => new Promise((ok) => requestAnimationFrame(() => setTimeout(ok)))"


@pytest.mark.parametrize("width", [390, 1000, 1280])
def test_scrolling_paints_no_line_twice(open_page, film, width):
    """What may reach over the page's edge is painted in each frame; what is set is styled anew."""
    page = open_page(f"/videos/{film.pk}/", viewport={"width": width, "height": 600})
    page.evaluate(A_FRAME)  # in which the page measures itself
    page.evaluate(
        """() => {
          window.changes = 0;
          const count = (records) => (window.changes += records.length);
          const all = { subtree: true, attributes: true, childList: true };
          new MutationObserver(count).observe(document.body, all);
        }"""
    )

    page.evaluate("() => scrollTo(0, 500)")
    page.wait_for_function("() => scrollY > 0")
    page.evaluate(A_FRAME)

    assert page.locator("#rows").evaluate("(rows) => rows.getBoundingClientRect().right") < width
    assert page.evaluate("() => changes") == 0


def test_links_carry_the_moment_and_the_range(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=10&end=60&t=20", permissions=["clipboard-write"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ready(page)

    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#copied")).to_have_text("Copied the link to 0:20")
    link = page.evaluate("navigator.clipboard.readText()")

    assert link.endswith(f"/videos/{film.pk}/?start=10&end=60&t=20")


def test_it_all_works_without_javascript(open_page, film):
    page = open_page(f"/videos/{film.pk}/", java_script_enabled=False)

    page.locator("#range-start").fill("0:10")
    page.locator("#range-end").fill("0:40")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#count")).to_have_text("15 of 60 lines")

    page.locator("#rows a").nth(14).click()
    expect(page.locator("#player")).to_have_attribute("src", f"/videos/{film.pk}/media#t=38.00001")
    expect(page.locator("#now")).to_contain_text("This is line 19.")
    expect(page.locator("#now")).to_be_in_viewport()
    expect(page.locator("#count")).to_have_text("15 of 60 lines")
    expect(page.get_by_role("button", name="Copy link")).to_be_hidden()


# --- while a task runs ---


def test_progress_turns_into_the_transcript_by_itself(open_page, film):
    task = half_heard(film)
    page = open_page(f"/videos/{film.pk}/")
    expect(page.locator("#progress")).to_contain_text("33 %")
    expect(page.locator("#count")).to_have_text("20 lines")
    play(page)

    make_segments([(40_000, 42_000, "A new line.")], task)
    expect(page.locator("#count")).to_have_text("21 lines")
    assert page.locator("#rows li").count() == 21

    make_segments([(42_000, 44_000, "The last line.")], task)
    Task.objects.filter(pk=task.pk).finish("ready", done_ms=120_000)
    Video.objects.filter(pk=film.pk).update(transcript=task)
    expect(page.locator("#progress")).to_contain_text("Transcript by CMU Sphinx")
    expect(page.locator("#count")).to_have_text("22 lines")
    expect(line(page, 21)).to_contain_text("The last line.")
    expect(page).to_have_title("film.mp4 – Transcript desk")
    assert not paused(page)

    line(page, 21).click(position={"x": 300, "y": 10})  # new lines are as good as the old
    expect(line(page, 21)).to_have_attribute("aria-current", "true")


def test_a_transcript_that_grew_is_as_high_as_one_that_was_there(open_page, film):
    task = half_heard(film)
    page = open_page(f"/videos/{film.pk}/")
    for come in (20, 35, 55):  # into the block, over its edge, into the next
        pause = 30_000 if come > 20 else 0  # between the first twenty that come and the rest
        starts = [n * 2000 + pause for n in range(come, come + 20)]
        cues = [(start, start + 1900, "A line.") for start in starts]
        make_segments(cues[: 15 if come == 20 else 20], task)
        expect(page.locator("#count")).to_have_text(f"{task.segments.count()} lines")

    grown = page.evaluate("document.documentElement.scrollHeight")
    assert page.locator("#rows > .block").count() == 2
    assert page.locator("[data-b]").count() == 1
    page.reload()
    assert page.locator("[data-b]").count() == 0 and page.locator("[data-g]").count() == 1
    assert page.evaluate("document.documentElement.scrollHeight") == pytest.approx(grown, abs=4)


def test_cancel_and_continue_from_the_page(open_page, film):
    task = film.transcript
    Video.objects.filter(pk=film.pk).update(transcript=None)
    Task.objects.filter(pk=task.pk).update(status="indexing", step="transcribe", done_ms=40_000)
    page = open_page(f"/videos/{film.pk}/")

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress")).to_contain_text("Cancelled")
    task.refresh_from_db()
    assert task.cancelled

    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    task.refresh_from_db()
    assert not task.is_final


def test_the_range_outlives_what_is_asked_of_the_task(open_page, film):
    half_heard(film)
    page = open_page(f"/videos/{film.pk}/?start=6&end=10")
    expect(page.locator("#count")).to_have_text("2 of 20 lines")

    page.get_by_role("button", name="Cancel").click()

    expect(page.locator("#progress")).to_contain_text("Cancelled")
    expect(page.locator("#count")).to_have_text("2 of 20 lines")
    expect(page.locator("#applied [name=start]")).to_have_value("6")


def test_nothing_stops_where_the_browser_may_remember_nothing(open_page, film):
    page = open_page("/login/")
    page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
          get() { throw new DOMException("denied", "SecurityError"); } });"""
    )
    page.goto(f"/videos/{film.pk}/?t=10")
    ready(page)
    expect(line(page, 5)).to_have_attribute("aria-current", "true")

    page.get_by_label("Time shown as").select_option("seconds")
    expect(page.locator("#time-now")).to_contain_text("10.000")
    page.get_by_label("Rate").select_option("2")
    assert page.evaluate(f"{PLAYER}.playbackRate") == 2
    page.locator("#player").evaluate("(p) => { p.currentTime = 20; }")
    expect(line(page, 10)).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Captions").click()
    expect(page.get_by_role("button", name="Captions")).to_have_attribute("aria-pressed", "true")


def test_transcribing_again_exchanges_the_lines_when_the_new_ones_are_ready(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    play(page)

    page.get_by_text("Transcribe again…").click()
    page.get_by_label("Engine", exact=True).select_option("sphinx")
    page.get_by_role("button", name="Transcribe again").click()
    expect(page.locator("#progress")).to_contain_text("Waiting for its turn")
    expect(page.locator("#progress")).to_contain_text("Shown meanwhile")
    expect(page.locator("#count")).to_have_text("60 lines")

    hear_anew(film, "A better line.")
    expect(page.locator("#count")).to_have_text("1 line")
    expect(line(page, 0)).to_contain_text("A better line.")
    assert not paused(page)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_fields_of_another_transcript_stand_apart(open_page, film, width):
    page = open_page(f"/videos/{film.pk}/", viewport={"width": width, "height": 900})
    page.get_by_text("Transcribe again…").click()

    frame = page.locator("#progress .again form").bounding_box()
    by = page.get_by_label("Engine", exact=True).bounding_box()
    language = page.get_by_label("Spoken language").bounding_box()

    assert by["x"] + by["width"] < frame["x"] + frame["width"]
    assert by["x"] + by["width"] < language["x"] or by["y"] + by["height"] < language["y"]


def test_a_file_that_is_missing_is_said(open_page, film, settings):
    from videos import storage

    storage.media_path(film.media_name).unlink()
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)

    expect(page.locator("#missing")).to_be_visible()


# --- size and looks ---


def took(page) -> dict[str, float]:
    return page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")


def loaded(page) -> float:
    """Milliseconds, of the best of three: a busy machine may hold one up."""
    times = []
    for _ in range(3):
        Task.objects.update(edition=F("edition") + 1)  # lines that were kept are drawn anew
        page.reload()
        times.append(took(page)["domContentLoadedEventEnd"])
    return min(times)


def test_scripts_are_fetched_after_the_lines_but_for_the_one_that_takes_their_clicks(desk):
    page = desk()
    begun = page.evaluate(
        """() => {
            const read = performance.getEntriesByType("navigation")[0].domInteractive;
            const found = performance.getEntriesByType("resource");
            const scripts = found.filter(({ name }) => name.endsWith(".js"));
            return scripts.map(({ name, startTime }) => [name.split("/").pop(), startTime >= read]);
        }"""
    )

    sooner = {name for name, is_later in begun if not is_later}
    assert {"seek.js", "time.js", "say.js", "start.js"} <= sooner
    assert {"follow.js", "find.js", "strip.js"} <= {name for name, is_later in begun if is_later}
    assert len(sooner) < 8


def test_ten_thousand_lines_open_fast_and_follow(open_page, film):
    cues = [(n * 3600, n * 3600 + 3500, f"This is line {n} of very many.") for n in range(10_000)]
    long = make_transcript(cues, film.index, content=b"no film", duration_ms=36_000_000)

    page = open_page(f"/videos/{film.pk}/")
    short = loaded(page)
    page = open_page(f"/videos/{long.pk}/?t=30000", expect_errors=True)  # its film does not play
    expect(line(page, 8333)).to_have_attribute("aria-current", "true")
    expect(line(page, 8333)).to_be_in_viewport()

    assert loaded(page) < 12 * short
    assert took(page)["encodedBodySize"] < 330_000

    page.locator("#range-start").fill("1:00:00")
    page.locator("#range-end").fill("1:10:00")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("167 of 10,000 lines")
    page.get_by_role("link", name="Clear the range").click()
    expect(page.locator("#count")).to_have_text("10,000 lines")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_page_is_wider_than_its_window(open_page, film, width, scheme, tmp_path):
    Video.objects.filter(pk=film.pk).update(filename="a_name_without_any_space_" * 10)
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page = open_page("/", **options)

    for url in ("/", "/upload/", f"/videos/{film.pk}/", f"/videos/{film.pk}/?start=9&end=5"):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=tmp_path / "page.png")


def test_more_contrast_and_the_systems_own_colours_show_every_state(open_page, film):
    rules = {
        "runOnly": ["color-contrast-enhanced"],
        "rules": {"color-contrast-enhanced": {"enabled": True}},
    }
    page = open_page(f"/videos/{film.pk}/?start=4&end=20&t=10", contrast="more")
    found = Axe().run(page, context=".script", options=rules)
    assert found.violations_count == 0, found.generate_report()

    page = open_page(f"/videos/{film.pk}/?start=4&end=20&t=10", forced_colors="active")
    ground = "(each) => getComputedStyle(each).backgroundColor"
    loop, clear = page.locator("#loop"), page.get_by_role("button", name="Clear the range")
    assert loop.evaluate(ground) == clear.evaluate(ground)
    page.keyboard.press("r")
    assert loop.evaluate(ground) != clear.evaluate(ground)
    outline = "(each) => getComputedStyle(each).outlineStyle"
    assert [line(page, n).evaluate(outline) for n in (2, 3)] == ["none", "solid"]
    marked = """(root, n) => { const found = getComputedStyle(root, `::highlight(find-${n})`);
      return [found.color, found.backgroundColor]; }"""
    colours = [page.locator(":root").evaluate(marked, number) for number in range(5)]
    assert colours == [["rgb(0, 0, 0)", "rgb(255, 255, 0)"]] * 5  # MarkText on Mark


def test_the_player_and_the_lines_are_in_sight_together(open_page, film):
    page = open_page(f"/videos/{film.pk}/")

    line(page, 59).scroll_into_view_if_needed()

    expect(page.locator("#player")).to_be_in_viewport(ratio=0.9)


ALIGNED = """(element) => {
  const text = document.createRange();
  text.selectNodeContents(element);
  const [words, box] = [text, element].map((each) => each.getBoundingClientRect());
  return words.left > box.left + 40 ? "right" : "left"; // what is hidden runs out to the right
}"""


def test_what_is_said_runs_its_own_way_on_each_page(open_page, film):
    said = "هذا هو السطر الأول, OK"
    film.transcript.segments.filter(number=0).update(text=said)
    search.index_segments(film.transcript.segments.filter(number=0))
    other = make_task(film, status="ready")
    make_segments([(0, 1900, "هذا هو السطر")], other)
    keep(film, 0, 1900, film.index.owner)

    pages = {
        f"/videos/{film.pk}/": "#rows li:first-child > a + span",
        f"/videos/{film.pk}/transcripts/{other.pk}/": "#rows li > a + span",
        f"/videos/{film.pk}/compare": "#rows li:first-child p",
        f"/search/?q={said[:3]}": ".hits .hit",
        f"/indexes/{film.index_id}/selects/": ".clip .words bdi",
        f"/videos/{film.pk}/rows/": ".lines td bdi",
        f"/videos/{film.pk}/replace?find=OK&replace=ok": ".lines td:last-child > :first-child",
    }
    for path, where in pages.items():
        page = open_page(path)
        holder = page.locator(where).first
        if "search" in path:
            holder = holder.locator("xpath=..")
        assert holder.evaluate(ALIGNED) == "right", path
    page = open_page(f"/videos/{film.pk}/")
    assert line(page, 1).locator("span").first.evaluate(ALIGNED) == "left"


def test_hostile_names_run_nothing(open_page, film):
    nasty = "<img src=x onerror='window.pwned=1'>\"><script>window.pwned=1</script>"
    Video.objects.filter(pk=film.pk).update(filename=nasty)
    film.index.name = nasty
    film.index.save()
    Segment.objects.filter(task=film.transcript).update(text=nasty)

    page = open_page("/")
    for url in (
        "/",
        f"/videos/{film.pk}/",
        f"/videos/{film.pk}/?start=1",
        f"/indexes/{film.index_id}/",
    ):
        page.goto(url)
        assert page.evaluate("window.pwned") is None


AWAY = "This was deleted, or is no longer shared with you."


def test_who_lost_access_is_told_so_by_deeds_and_by_the_player(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)
    other = make_user("somebody else")
    other.set_unusable_password()  # or this page would ask for one
    other.save()
    film.index.owner = other
    film.index.save()

    page.keyboard.press("m")
    expect(page.locator("#trouble")).to_have_text(AWAY)
    page.locator("#trouble").evaluate("(trouble) => (trouble.textContent = '')")
    page.locator("#player").evaluate("(player) => player.load()")
    expect(page.locator("#trouble")).to_have_text(AWAY)
    expect(page.locator("#unplayable")).to_be_hidden()


def test_a_page_whose_video_was_deleted_says_so_and_asks_no_more(open_page, film):
    Video.objects.filter(pk=film.pk).update(transcript=None)
    Task.objects.filter(video=film).update(status="pending", step="transcribe")
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)
    expect(page.locator("#progress")).to_contain_text("Waiting for its turn")

    Video.objects.all().delete()

    expect(page.locator("#trouble")).to_have_text(AWAY)
    assert page.locator("[data-poll]").count() == 0


def test_a_deed_that_failed_is_said_until_one_succeeds_whatever_the_page_asks_by_itself(
    open_page, film
):
    Task.objects.filter(video=film).update(status="indexing", step="transcribe", done_ms=40_000)
    page = open_page(f"/videos/{film.pk}/?start=2&end=4", expect_errors=True, routed=True)
    trouble = page.locator("#trouble")
    page.route("**/selects", lambda route: route.abort())
    page.keyboard.press("m")
    unsaved = "The server is not responding. What you keep or change is sent as soon as it does."
    expect(trouble).to_have_text(unsaved)

    with page.expect_response("**/progress*"):
        expect(trouble).to_have_text(unsaved)
    expect(trouble).to_have_text(unsaved)
    page.route("**/progress*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        expect(trouble).to_have_text(unsaved)
    page.unroute("**/selects")
    expect(trouble).to_have_text("The server is not responding. This page asks again by itself.")
    page.unroute("**/progress*")
    expect(trouble).to_be_hidden()


def test_a_session_that_ends_leads_to_the_login(open_page, film):
    Task.objects.filter(video=film).update(status="pending", step="transcribe")
    page = open_page(f"/videos/{film.pk}/")

    make_user()  # somebody has a password now: the local user is signed in no longer

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
