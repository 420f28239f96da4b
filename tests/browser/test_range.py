"""The range at the playhead, its loop, and time as timecode."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import make_clip
from tests.browser.desk import (
    commands,
    longest_task,
    note_commands,
    note_long_tasks,
    press,
    stop_polling,
    until,
)
from tests.browser.test_strip import drawn
from tests.browser.test_viewer import line, now, paused, play
from tests.factories import make_segments, make_transcript
from videos import corrections
from videos.corrections import Seen
from videos.models import Select, Video

# --- the range at the playhead ---


def test_a_range_comes_goes_and_comes_where_nothing_is_made_any_more(desk):
    page = desk("?t=10")
    stop_polling(page)
    for _ in range(2):
        press(page, "i")
        expect(page).to_have_url(re.compile(r"\?start=10$"))
        expect(page.locator("#count")).to_have_text("55 of 60 lines")
        expect(page.locator("#announce")).to_have_text("55 of 60 lines")
        press(page, "o")
        expect(page).to_have_url(re.compile(r"\?start=10&end="))
        expect(page.locator("#rows li")).to_have_count(1)
        page.get_by_role("link", name="Clear the range").click()
        expect(page.locator("#count")).to_have_text("60 lines")
        assert "start" not in page.url
        expect(page.locator("#rows li")).to_have_count(60)
        expect(page.locator("#announce")).to_have_text("60 lines")
    assert page.locator(".rows").count() == 1


def test_in_and_out_set_the_range_at_the_playhead(desk):
    page = desk("?t=10")
    press(page, "i")
    expect(page.locator("#count")).to_have_text("55 of 60 lines")
    assert page.url.endswith("?start=10")

    press(page, "Home", "4", "o")  # 48 s
    expect(page.locator("#count")).to_have_text("20 of 60 lines")
    assert page.url.endswith("?start=10&end=48.04")  # the frame at 48 s is the last of it

    press(page, "Shift+I")
    assert now(page) == pytest.approx(10, abs=0.01)
    press(page, "Shift+O", "o")  # to that frame: Out is where it was
    assert now(page) == pytest.approx(48, abs=0.01)
    assert page.url.endswith("?start=10&end=48.04")

    press(page, "Home", "o")  # before the start: the start is open again
    expect(page).to_have_url(re.compile(r"\?end=0\.04$"))
    press(page, "End", "o")
    expect(page).to_have_url(re.compile(r"\?end=120$"))
    press(page, "9", "i", "1", "o", "9", "i")  # behind the end: the end is open again
    expect(page).to_have_url(re.compile(r"\?start=108$"))
    expect(page.locator("#count")).to_have_text("6 of 60 lines")

    press(page, "Alt+x")
    expect(page.locator("#count")).to_have_text("60 lines")
    assert "?" not in page.url


def test_in_is_the_start_of_the_frame_that_is_shown(desk):
    page = desk()  # 25 frames a second
    page.locator("#player").evaluate("(p) => { p.currentTime = 2.33 }")
    press(page, "i")
    expect(page).to_have_url(re.compile(r"\?start=2\.32$"))

    press(page, ".", "i")
    expect(page).to_have_url(re.compile(r"\?start=2\.36$"))
    press(page, "o")  # on one frame: a range of one frame, and no In is lost
    expect(page).to_have_url(re.compile(r"\?start=2\.36&end=2\.4$"))
    press(page, "i")
    expect(page).to_have_url(re.compile(r"\?start=2\.36&end=2\.4$"))


def test_in_and_out_at_a_cut_within_a_frame_keep_the_line_before_and_behind_out(desk, film):
    """The lines follow each other at once, and not where frames begin: 4.48, 4.52, …"""
    film.transcript.segments.all().delete()
    cues = [(0, 4500, "One."), (4500, 9030, "Two."), (9030, 12_000, "Three.")]
    make_segments(cues, film.transcript)
    page = desk()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "ArrowDown", "ArrowDown", "i")
    expect(page).to_have_url(re.compile(r"\?start=4\.5$"))
    page.locator("#player").evaluate("(p) => { p.currentTime = 9.01 }")
    press(page, "o")
    expect(page).to_have_url(re.compile(r"\?start=4\.5&end=9\.03$"))
    expect(page.locator("#count")).to_have_text("1 of 3 lines")

    press(page, "m")
    expect(page.locator("#selects .kept li")).to_have_count(1)
    select = Select.objects.get()
    assert (select.start_ms, select.end_ms, select.words) == (4500, 9030, "Two.")

    press(page, "Alt+x")
    expect(page.locator("#count")).to_have_text("3 lines")
    page.locator("#player").evaluate("(p) => { p.currentTime = 4.49 }")
    press(page, "o", "i")  # what is shown reaches into the second line
    expect(page).to_have_url(re.compile(r"\?start=4\.5&end=4\.52$"))


FRAME = "Math.floor((p.currentTime * 24000) / 1001)"
NOTE_FRAMES = """(p) => { const note = (_, { mediaTime }) => {
    p.dataset.frame = Math.round((mediaTime * 24000) / 1001);
    p.requestVideoFrameCallback(note); };
  p.requestVideoFrameCallback(note); }"""


def test_a_jump_shows_the_frame_that_it_names(open_page, film, tmp_path):
    """At 23.976 frames a second every other start of a frame, in whole ms, lies before it."""
    content = make_clip(tmp_path / "film.mp4", Fraction(24000, 1001), 288)
    rate = {"fps_numerator": 24000, "fps_denominator": 1001}
    twin = make_transcript([(0, 11_000, "All.")], film.index, content=content, **rate)
    page = open_page(f"/videos/{twin.pk}/#t=00:00:02:02,00:00:04:00")
    page.locator("#player").evaluate(NOTE_FRAMES)
    expect(page).to_have_url(re.compile(r"\?start=2\.085&end=4\.004$"))

    def shown(text: str, frame: int) -> None:
        expect(page.locator("#time-now")).to_have_text(text)
        expect(page.locator("#player")).to_have_attribute("data-frame", str(frame))

    until(page, f"{FRAME} === 50")
    page.get_by_label("Time shown as").select_option("running")
    expect(page.locator("#time-now")).to_have_text("00:00:02:02")
    for text, frame in [("00:00:05:03", 123), ("00:00:02:00", 48), ("00:00:02:05", 53)]:
        page.get_by_label("Go to", exact=True).fill(text)
        press(page, "Enter")
        shown(text, frame)
    for key, text, frame in [
        (";", "00:00:02:02", 50), (".", "00:00:02:03", 51), (",", "00:00:02:02", 50),
        ("'", "00:00:03:23", 95),
    ]:  # fmt: skip
        press(page, key)
        shown(text, frame)
    press(page, "o")  # Out there is where it was
    expect(page).to_have_url(re.compile(r"\?start=2\.085&end=4\.004$"))

    page.goto(f"/videos/{twin.pk}/?t=00:00:05:03")
    until(page, f"{FRAME} === 123")
    expect(page.locator("#time-now")).to_have_text("00:00:05:03")


@pytest.mark.parametrize("query", ["?start=0&end=4.5", ""])
def test_the_keys_know_the_lines_that_a_range_leaves_out(desk, film, query):
    """Fetched where the page was opened with a range; else read before they were laid aside."""
    film.transcript.segments.all().delete()
    cues = [(0, 4500, "One."), (4500, 9030, "Two."), (9030, 12_000, "Three.")]
    make_segments(cues, film.transcript)
    page = desk(query)
    drawn(page)
    if not query:
        press(page, "x")
    expect(page.locator("#count")).to_have_text("1 of 3 lines")

    page.locator("#player").evaluate("(p) => { p.currentTime = 9.01 }")
    press(page, "o")  # "Three." begins in this frame
    expect(page).to_have_url(re.compile(r"\?start=0&end=9\.03$"))
    page.locator("#player").evaluate("(p) => { p.currentTime = 1 }")
    press(page, "x")
    expect(page).to_have_url(re.compile(r"\?start=0&end=4\.5$"))
    for key, at in [("ArrowDown", 4.5), ("ArrowDown", 9.03), ("ArrowDown", 9.03), ("ArrowUp", 4.5)]:
        press(page, key)
        assert now(page) == pytest.approx(at, abs=0.001)
    press(page, "x")
    expect(page).to_have_url(re.compile(r"\?start=4\.5&end=9\.03$"))

    line(page, 0).locator("span").first.dblclick()
    page.locator("#edit [name=end]").fill("0:08")
    press(page, "Enter")
    expect(page.get_by_label("Text of the line")).to_have_count(0)
    drawn(page)
    page.locator("#player").evaluate("(p) => { p.currentTime = 1 }")
    press(page, "ArrowDown", "x")  # as it was corrected
    expect(page).to_have_url(re.compile(r"\?start=4\.5&end=8$"))


def test_a_range_is_seen_before_the_server_is_asked(desk):
    page = desk()
    seen, frames = page.evaluate("""() => new Promise((tell) => {
        let frames = 0;
        const first = document.querySelector("#rows li");
        document.addEventListener("htmx:beforeRequest", () => {
            tell([first.getClientRects().length, frames]);
        });
        document.getElementById("range-start").value = "1:45"; // in the second block
        document.getElementById("range").requestSubmit();
        requestAnimationFrame(() => frames++);
    })""")
    assert (seen, frames) == (0, 1)
    expect(page.locator("#count")).to_have_text("8 of 60 lines")


def test_a_form_that_is_gone_when_its_turn_comes_asks_for_nothing(desk):
    page = desk()
    page.evaluate("""() => {
        window.declined = 0;
        document.addEventListener("desk:declined", () => window.declined++);
        const form = document.getElementById("range");
        form.elements.start.value = "1:45";
        form.requestSubmit();
        form.replaceWith(form.cloneNode(true)); // as an answer does
    }""")
    page.wait_for_function("() => window.declined === 1")
    assert page.evaluate("document.querySelector('#rows li').getClientRects().length") == 1
    expect(page.locator("#count")).to_have_text("60 lines")


def test_in_and_out_may_follow_at_once(desk):
    page = desk()
    page.locator("#player").evaluate("(p) => { p.currentTime = 20 }")
    press(page, "i", "ArrowRight", "ArrowRight", "o")

    expect(page.locator("#count")).to_have_text("6 of 60 lines")
    assert page.url.endswith("?start=20&end=30.04")


def test_in_and_out_may_follow_while_another_range_is_asked_for(desk):
    page, held = desk("?t=20", expect_errors=True, routed=True), []
    page.route(re.compile("start=0"), lambda route: None)
    page.route(
        re.compile("start=20"),
        lambda route: route.fallback() if held else held.append(route),
    )
    page.locator("#range-start").fill("0:04")
    press(page, "Enter")
    page.locator("#range-start").blur()
    with page.expect_request(re.compile("start=20")):
        press(page, "i")  # instead of that one, which was not answered
    press(page, "ArrowRight", "ArrowRight", "o")
    held[0].continue_()

    expect(page).to_have_url(re.compile(r"\?start=20&end=30\.04$"))


def test_x_takes_the_line_at_the_playhead_and_the_keys_play_on(desk):
    page = desk("?t=14.5")
    press(page, "x")
    expect(page.locator("#count")).to_have_text("1 of 60 lines")
    assert page.url.endswith("?start=14&end=15.9")

    press(page, "Space")  # the focus did not go to a button
    until(page, "!p.paused")


def test_who_stays_with_a_line_stays_in_the_range_and_can_set_it_later(desk):
    page = desk("?start=10&end=40")
    line(page, 0).locator("span").first.dblclick()
    page.get_by_label("Text of the line").fill("Half a")
    page.on("dialog", lambda dialog: dialog.dismiss())
    handle = page.get_by_role("slider", name="In point")
    handle.focus()
    with page.expect_event("dialog"):
        press(page, "PageUp")  # to 20 s
    expect(handle).to_have_attribute("aria-valuenow", "10")  # what is in force
    page.get_by_role("button", name="In: the range begins here").click()
    page.locator("#range-start").fill("0:30")
    press(page, "Enter")
    expect(page.locator("#range-start")).to_have_value("0:10")
    expect(page.get_by_label("Text of the line")).to_have_value("Half a")
    assert page.url.endswith("?start=10&end=40")

    page.get_by_label("Text of the line").press("Escape")
    page.locator("#player").evaluate("(p) => { p.currentTime = 20 }")
    page.get_by_role("button", name="In: the range begins here").click()
    expect(page).to_have_url(re.compile(r"\?start=20&end=40$"))
    expect(page.locator("#count")).to_have_text("10 of 60 lines")


def test_playing_stops_once_at_the_end_of_the_range(desk):
    page = desk("?start=10&end=12&t=11")
    play(page)
    until(page, "p.paused")
    assert now(page) == pytest.approx(11.96, abs=0.001)  # its last frame
    press(page, "o")
    page.wait_for_timeout(300)
    assert "?start=10&end=12" in page.url

    press(page, "Space")
    until(page, "p.currentTime > 12.5")
    assert not paused(page)
    page.locator("#player").evaluate("(p) => { p.currentTime = 11.5 }")
    until(page, "p.paused")
    assert now(page) == pytest.approx(11.96, abs=0.001)


def test_playing_on_from_the_end_of_a_range_stops_at_a_new_one(desk):
    page = desk("?start=10&end=11&t=10.8")
    play(page)
    until(page, "p.paused")
    press(page, "Space")
    until(page, "p.currentTime > 11.1")
    page.locator("#player").evaluate(
        """(p) => { p.playbackRate = 0.1;  // or it were behind the new one before that is here
        const detail = { start: 10, end: 13 };
        document.dispatchEvent(new CustomEvent("desk:range", { detail })); }"""
    )
    expect(page).to_have_url(re.compile(r"[?&]end=13$"))
    page.locator("#player").evaluate("(p) => { p.playbackRate = 2 }")

    until(page, "p.paused")
    assert now(page) == pytest.approx(12.96, abs=0.001)


def test_a_loop_plays_the_range_again_and_again(desk):
    page = desk("?start=10&end=11&t=10.5")
    page.locator("#player").evaluate(
        """(p) => { p.heard = []; p.jumps = 0;
        p.addEventListener("timeupdate", () => p.heard.push(p.currentTime));
        p.addEventListener("seeked", () => p.jumps++); }"""
    )
    press(page, "r", "Space")
    until(page, "p.jumps >= 2")

    assert not paused(page)
    assert max(page.locator("#player").evaluate("(p) => p.heard")) < 13

    press(page, "r")
    until(page, "p.paused")
    assert now(page) == pytest.approx(11, abs=0.05)


def test_a_loop_begins_in_its_range_and_needs_one(desk):
    page = desk()
    expect(page.locator("#loop")).to_be_disabled()
    press(page, "r")
    expect(page.locator("#transport-note")).to_have_text("Set a range first, with I and O.")

    page = desk("?start=10&end=20&t=50")
    press(page, "r", "Space")
    until(page, "!p.paused && p.currentTime >= 10 && p.currentTime < 20")


def test_playing_around_comes_back_to_where_it_was(desk):
    page = desk("?start=10&end=10.5&t=30")
    press(page, "r", "\\")  # the loop waits
    until(page, "!p.paused && p.currentTime > 8 && p.currentTime < 10")
    until(page, "p.currentTime > 11")
    until(page, "p.paused")
    assert now(page) == pytest.approx(30, abs=0.01)

    press(page, "\\")
    until(page, "!p.paused && p.currentTime > 8 && p.currentTime < 12")
    press(page, "Space")
    until(page, "p.paused")
    assert now(page) < 13  # who stops stays


def test_the_sides_of_a_range_are_gone_to_and_cleared_one_by_one(desk, film):
    page = desk("?q=line#t=npt:0:10,20")
    expect(page).to_have_url(re.compile(r"\?start=10&end=20&q=line$"))
    assert now(page) == pytest.approx(10, abs=0.01)
    press(page, "'")
    assert now(page) == pytest.approx(19.96, abs=0.01)
    press(page, ";")
    assert now(page) == pytest.approx(10, abs=0.01)

    press(page, "Alt+i")
    expect(page).to_have_url(re.compile(r"\?end=20&q=line$"))
    press(page, "Alt+o")
    expect(page).to_have_url(re.compile(r"\?q=line$"))

    user = film.index.owner
    row = film.transcript.segments.get(number=1)
    seen = Seen(row.pk, row.start_ms, row.version)
    corrections.save(user, film.transcript, seen, "Changed.", (2000, 3900))
    page.reload()
    page.get_by_role("searchbox", name="Find").fill("x")
    press(page, "Control+z")  # the field's own
    page.get_by_role("searchbox", name="Find").blur()
    expect(line(page, 1)).to_contain_text("Changed.")
    press(page, "Control+z")
    expect(line(page, 1)).to_contain_text("This is line 1.")


def test_nothing_runs_while_it_is_paused(desk):
    page = desk("?start=10&end=20&t=12")
    stop_polling(page)
    page.locator("body").evaluate(  # what began with the page may end first
        """() => new Promise((ok) => {
          const { setTimeout } = window, since = performance.now();
          let last = since;
          for (const name of ["setTimeout", "requestAnimationFrame", "requestIdleCallback"]) {
            const real = window[name];
            window[name] = (...more) => {
              window.asked?.push(name);
              last = performance.now();
              return real(...more);
            };
          }
          const look = () => {
            const now = performance.now();
            if (now - last > 500 || now - since > 10_000) ok(window.asked = []);
            else setTimeout(look, 50);
          };
          look();
        })"""
    )
    page.wait_for_timeout(1500)

    assert page.evaluate("window.asked") == []


# --- time ---


def test_the_time_switch_says_timecode_everywhere_and_is_remembered(desk, film):
    Video.objects.filter(pk=film.pk).update(start_timecode="10:00:00:00")
    page = desk("?t=40")
    expect(page.locator("#time-now")).to_have_text("0:40.0")
    expect(line(page, 20).locator("a")).to_have_text("0:40")

    page.get_by_label("Time shown as").select_option("running")
    expect(page.locator("#time-now")).to_have_text("00:00:40:00")
    expect(page.locator("#time-length")).to_have_text("00:02:00:00")
    expect(line(page, 20).locator("a")).to_have_text("00:00:40:00")
    expect(line(page, 59).locator("a")).to_have_text("00:01:58:00")

    page.get_by_label("Time shown as").select_option("source")
    expect(page.locator("#time-now")).to_have_text("10:00:40:00")
    page.reload()
    expect(page.locator("#time-now")).to_have_text("10:00:40:00")
    expect(line(page, 20).locator("a")).to_have_text("10:00:40:00")
    handle = page.get_by_role("slider", name="Out point")
    expect(handle).to_have_attribute("aria-valuetext", "10:02:00:00")

    press(page, "x")  # lines that come are said the same way
    expect(page.locator("#count")).to_have_text("1 of 60 lines")
    expect(line(page, 0).locator("a")).to_have_text("10:00:40:00")

    press(page, "m")
    expect(page.locator("#selects .kept a")).to_have_text("10:00:40:00 – 10:00:41:22")

    page.get_by_label("Time shown as").select_option("seconds")
    expect(page.locator("#time-now")).to_have_text("40.000")
    expect(line(page, 0).locator("a")).to_have_text("40.000")
    expect(page.locator("#selects .kept a")).to_have_text("40.000 – 41.900")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#copied")).to_contain_text("40.000")

    page.get_by_label("Time shown as").select_option("clock")
    expect(line(page, 0).locator("a")).to_have_text("0:40")
    expect(page.locator("#selects .kept a")).to_have_text("0:40 – 0:41")


def test_the_fields_of_the_range_follow_the_switch_and_keep_the_moment(desk, film):
    Video.objects.filter(pk=film.pk).update(start_timecode="10:00:00:00")
    page = desk("?start=40.01&end=41.9")
    shown_as = page.get_by_label("Time shown as")
    start, end = page.locator("#range-start"), page.locator("#range-end")
    expect(start).to_have_value("0:40.01")

    shown_as.select_option("source")
    expect(start).to_have_value("10:00:40:00")
    expect(end).to_have_value("10:00:41:22")
    before = page.locator("#range").element_handle()
    press_in(end, "Enter")  # nobody touched them
    before.wait_for_element_state("hidden")  # the answer brings them anew
    expect(page).to_have_url(re.compile(r"\?start=40\.01&end=41\.9$"))
    press_in(end, "1:00", "Enter")
    expect(page).to_have_url(re.compile(r"\?start=40\.01&end=60$"))
    expect(start).to_have_value("10:00:40:00")
    expect(end).to_have_value("10:01:00:00")

    end.fill("0:50")
    shown_as.select_option("running")
    expect(start).to_have_value("00:00:40:00")
    expect(end).to_have_value("0:50")  # as it was typed
    press_in(end, "00:00:50:00", "Enter")
    expect(page).to_have_url(re.compile(r"\?start=40\.01&end=50$"))

    shown_as.select_option("seconds")
    page.reload()
    expect(start).to_have_value("40.010")
    expect(end).to_have_value("50.000")
    page.get_by_role("link", name="Clear the range").click()
    expect(start).to_have_value("")
    expect(end).to_have_attribute("placeholder", "120.000")


def press_in(field, *typed: str) -> None:
    for text in typed[:-1]:
        field.fill(text)
    field.press(typed[-1])


@pytest.mark.parametrize(
    ("typed", "at"),
    [("90", 90), ("+10", 50), ("-5", 35), ("1:10", 70), ("1m5s", 65), ("10:00:12:10", 12.4)],
)
def test_go_to_takes_what_editors_type(desk, film, typed, at):
    Video.objects.filter(pk=film.pk).update(start_timecode="10:00:00:00")
    page = desk("?t=40")

    press(page, "g")
    page.keyboard.type(typed)
    press(page, "Enter")

    assert now(page) == pytest.approx(at, abs=0.01)
    note_commands(page)
    press(page, "m")  # the field let go of the focus
    assert commands(page) == ["keep-select"]


def test_what_is_typed_where_running_time_is_shown_is_running_time(desk, film):
    """The file's own timecode begins at ten seconds: 00:00:42:00 would be its 32nd second."""
    Video.objects.filter(pk=film.pk).update(start_timecode="00:00:10:00")
    page = desk()
    page.get_by_label("Time shown as").select_option("running")

    page.get_by_label("Go to", exact=True).fill("00:00:42:00")
    press(page, "Enter")
    assert now(page) == pytest.approx(42, abs=0.01)
    page.locator("#range-start").fill("00:00:42:00")
    page.locator("#range-start").press("Enter")

    expect(page).to_have_url(re.compile(r"\?start=42$"))
    page.get_by_label("Time shown as").select_option("source")
    page.get_by_label("Go to", exact=True).fill("00:00:42:00")
    press(page, "Enter")
    assert now(page) == pytest.approx(32, abs=0.01)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("soon", "Write a time as 90"), ("1:75", "go up to 59"), ("5:00", "The video ends at 2:00.")],
)
def test_go_to_says_what_it_cannot_read(desk, typed, sentence):
    page = desk()
    field = page.get_by_label("Go to", exact=True)
    field.fill(typed)
    press(page, "Enter")

    expect(page.locator("#go-to-error")).to_contain_text(sentence)
    assert now(page) == 0
    press(page, "Escape")
    expect(page.locator("#go-to-error")).to_be_hidden()
    expect(field).to_have_value("")


def test_go_to_works_without_javascript(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=10&end=60", java_script_enabled=False)
    page.get_by_label("Go to", exact=True).fill("1m")
    page.get_by_role("button", name="Go", exact=True).click()

    assert page.url.endswith("?start=10&end=60&t=1m")
    expect(page.locator("#player")).to_have_attribute("src", f"/videos/{film.pk}/media#t=60.00001")

    page.get_by_label("Go to", exact=True).fill("soon")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.locator("#go-to-error")).to_contain_text("Write a time as 90")


# --- size ---


@pytest.fixture
def long(film):
    cues = [(n * 3600, n * 3600 + 3500, f"This is line {n} of very many.") for n in range(10_000)]
    return make_transcript(cues, film.index, content=b"no film", duration_ms=36_000_000)


def test_ten_thousand_lines_say_timecode_without_a_long_task(open_page, long):
    page = open_page(f"/videos/{long.pk}/", expect_errors=True)  # its film does not play
    expect(page.locator("#count")).to_have_text("10,000 lines")
    page.wait_for_timeout(1500)
    note_long_tasks(page)
    far = page.locator("#time-mode").evaluate(
        """(select) => { select.value = "running"; select.dispatchEvent(new Event("change"));
        return document.querySelector("#rows .block:last-child li:last-child a").textContent; }"""
    )
    assert far == "9:59:56"  # lines far away wait until there is nothing else to do
    expect(line(page, 0).locator("a")).to_have_text("00:00:00:00")
    expect(line(page, 9999).locator("a")).to_have_text("09:59:56:10")

    assert longest_task(page) < 1000  # measured: none on an idle machine
