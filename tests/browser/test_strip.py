"""The strip: the whole video on one line."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import half_heard, longest_task, note_long_tasks, press, until
from tests.browser.test_viewer import line, now, paused, play, ready
from tests.factories import make_segments, make_transcript
from tests.faults.stack import wait_for
from videos.models import Segment, Select


def x_of(page, seconds: float, length: float = 120) -> tuple[float, float]:
    box = page.locator("#strip").bounding_box()
    return box["x"] + box["width"] * seconds / length, box["y"] + 20


def drag(page, start: float, end: float, *, drop: bool = True, length: float = 120) -> None:
    page.mouse.move(*x_of(page, start, length))
    page.mouse.down()
    page.mouse.move(*x_of(page, (start + end) / 2, length), steps=3)
    page.mouse.move(*x_of(page, end, length), steps=3)
    if drop:
        page.mouse.up()


# How much of each of the canvas's so many parts is drawn on, between two heights.
INK = """(canvas, [parts, from, to]) => {
  const pen = canvas.getContext("2d"), { width, height } = canvas, found = [];
  for (let part = 0; part < parts; part++) {
    const x = Math.floor(width * part / parts), wide = Math.floor(width / parts);
    const data = pen.getImageData(x, height * from, wide, Math.max(1, height * (to - from))).data;
    let ink = 0;
    for (let n = 3; n < data.length; n += 4) if (data[n] > 60) ink++;
    found.push(ink * 4 / data.length);
  }
  return found;
}"""


def ink(page, parts: int = 12, top: float = 0.2, bottom: float = 0.8) -> list[float]:
    return page.locator("#strip canvas").evaluate(INK, [parts, top, bottom])


def drawn(page) -> None:
    """Wait until the lines were read and drawn."""
    page.locator("#strip canvas").evaluate(
        f"""(c) => new Promise((ok) => {{ const look = () =>
          ({INK})(c, [4, 0.2, 0.8]).some(Boolean) ? ok() : setTimeout(look, 30); look(); }})"""
    )


# --- the pointer ---


def test_a_click_jumps_and_keeps_playing_or_not(desk):
    page = desk()
    page.mouse.click(*x_of(page, 60))
    assert now(page) == pytest.approx(60, abs=0.3)
    assert paused(page)
    expect(line(page, 30)).to_have_attribute("aria-current", "true")

    play(page)
    page.mouse.click(*x_of(page, 90))
    until(page, "p.currentTime > 89.5 && p.currentTime < 100")
    assert not paused(page)
    assert "?" not in page.url


def test_a_drag_sets_the_range_snapped_to_lines(desk):
    page = desk()
    drawn(page)
    drag(page, 20.4, 39.6)

    expect(page.locator("#count")).to_have_text("10 of 60 lines")
    assert page.url.endswith("?start=20&end=40") or page.url.endswith("?start=20&end=39.9")
    expect(page.locator("#range-start")).to_have_value("0:20")
    assert now(page) == 0  # nothing was jumped to

    page.go_back()
    expect(page.locator("#count")).to_have_text("60 lines")
    expect(page.locator("#strip")).to_have_attribute("data-set", "")


def test_alt_drags_without_snapping_and_the_way_does_not_matter(desk):
    page = desk()
    drawn(page)
    page.keyboard.down("Alt")
    drag(page, 40.6, 20.5)
    page.keyboard.up("Alt")

    expect(page.locator("#range-clear")).to_be_visible()
    start, end = (float(part.split("=")[1]) for part in page.url.split("?")[1].split("&"))
    assert start == pytest.approx(20.5, abs=0.25)
    assert end == pytest.approx(40.6, abs=0.25)


def test_handles_move_one_side_and_the_edge_opens_it(desk):
    page = desk("?start=20&end=80")
    expect(page.locator("#count")).to_have_text("30 of 60 lines")
    handle = page.get_by_role("slider", name="Out point")
    expect(handle).to_have_attribute("aria-valuetext", "1:20")

    box = handle.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(*x_of(page, 60), steps=4)
    expect(page.locator("#count")).to_have_text("30 of 60 lines")  # only drawn while dragged
    expect(page.locator("#strip-tip")).to_have_text("1:00")
    page.mouse.up()
    expect(page.locator("#count")).to_have_text("20 of 60 lines")
    assert page.url.endswith("?start=20&end=60") or page.url.endswith("?start=20&end=59.9")

    box = handle.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(*x_of(page, 125), steps=4)
    page.mouse.up()
    expect(page.locator("#count")).to_have_text("50 of 60 lines")
    assert page.url.endswith("?start=20")


def test_escape_gives_a_drag_up(desk):
    page = desk()
    drag(page, 20, 40, drop=False)
    expect(page.locator("#strip")).to_have_attribute("data-set", "1")
    press(page, "Escape")
    page.mouse.up()

    expect(page.locator("#strip")).to_have_attribute("data-set", "")
    expect(page.locator("#count")).to_have_text("60 lines")
    assert now(page) == 0


def test_a_drag_ends_with_the_button_whatever_comes_between(desk):
    page = desk()
    drawn(page)
    drag(page, 20.4, 39.9, drop=False)
    page.locator("body").evaluate("() => dispatchEvent(new Event('scroll'))")
    page.mouse.up()
    expect(page.locator("#count")).to_have_text("10 of 60 lines")
    page.mouse.move(*x_of(page, 80))
    page.mouse.move(*x_of(page, 90))  # only hovers
    end = page.get_by_role("slider", name="Out point")
    expect(page.locator("#strip-tip")).to_have_text("1:30")
    expect(end).to_have_attribute("aria-valuetext", re.compile("0:39|0:40"))

    drag(page, 60, 80, drop=False)
    expect(end).to_have_attribute("aria-valuetext", re.compile("1:19|1:20"))
    page.locator("#strip").evaluate("(strip) => strip.releasePointerCapture(1)")
    page.mouse.move(*x_of(page, 100))
    expect(end).to_have_attribute("aria-valuetext", re.compile("0:39|0:40"))
    page.mouse.up()
    assert "start=20" in page.url


def test_a_click_that_wavers_at_the_edge_is_a_click(desk):
    page = desk("?t=60")
    drawn(page)
    page.mouse.move(*x_of(page, 0.05))
    page.mouse.down()
    page.mouse.move(*x_of(page, 0.9), steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)

    assert "start" not in page.url and "end" not in page.url
    assert now(page) == pytest.approx(0, abs=0.5)


def test_hovering_shows_the_time(desk):
    page = desk()
    page.mouse.move(*x_of(page, 75))
    expect(page.locator("#strip-tip span")).to_be_visible()
    expect(page.locator("#strip-tip")).to_have_text("1:15")

    page.get_by_label("Time shown as").select_option("running")
    page.mouse.move(*x_of(page, 30))
    expect(page.locator("#strip-tip")).to_contain_text("00:00:")
    page.mouse.move(900, 600)
    expect(page.locator("#strip-tip span")).to_be_hidden()


def test_a_finger_taps_to_jump(open_page, film):
    page = open_page(f"/videos/{film.pk}/", has_touch=True, viewport={"width": 390, "height": 844})
    ready(page)
    page.touchscreen.tap(*x_of(page, 60))

    assert now(page) == pytest.approx(60, abs=0.5)


# --- the keyboard ---


def test_handles_are_sliders_of_the_keyboard(desk):
    page = desk()
    drawn(page)
    start = page.get_by_role("slider", name="In point")
    end = page.get_by_role("slider", name="Out point")
    start.focus()
    press(page, "ArrowRight", "ArrowRight", "ArrowDown")
    expect(start).to_have_attribute("aria-valuetext", "0:04")
    expect(page.locator("#count")).to_have_text("58 of 60 lines")
    assert page.url.endswith("?start=4")
    assert now(page) == 0  # the desk's own arrows did not hear

    end.focus()
    press(page, "PageDown", "Shift+ArrowLeft")
    expect(end).to_have_attribute("aria-valuenow", "109.96")
    expect(page.locator("#count")).to_have_text("53 of 60 lines")
    expect(end).to_be_focused()

    press(page, "Home")  # it stops at the other handle
    expect(end).to_have_attribute("aria-valuenow", "109.96")
    press(page, "End")
    start.focus()
    press(page, "Home")
    expect(page.locator("#count")).to_have_text("60 lines")
    assert "?" not in page.url


def test_a_range_that_the_server_did_not_give_is_shown_nowhere(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=20&end=30", expect_errors=True)
    page.context.set_offline(True)

    page.evaluate(
        """() => document.dispatchEvent(
          new CustomEvent("desk:range", { detail: { start: 40, end: 50 } }))"""
    )

    expect(page.locator("#trouble")).to_contain_text("is not responding")
    expect(page.locator("#range-start")).to_have_value("0:20")
    expect(page.get_by_role("slider", name="In point")).to_have_attribute("aria-valuenow", "20")
    page.context.set_offline(False)
    press(page, "m")
    expect(page.locator("#selects .kept li")).to_have_count(1)
    assert Select.objects.get().start_ms == 20_000


def test_what_is_asked_for_while_a_handle_moves_is_not_undone_by_it(desk):
    page = desk("?start=20&end=80&t=40")
    start, end = (page.get_by_role("slider", name=name) for name in ("In point", "Out point"))
    start.focus()
    press(page, "ArrowRight", "o")
    expect(page).to_have_url(re.compile(r"\?start=21&end=40\.04$"))

    end.focus()
    press(page, "ArrowLeft", "Alt+x")
    expect(page.locator("#count")).to_have_text("60 lines")
    page.wait_for_timeout(700)
    assert "start" not in page.url and "end" not in page.url


# --- the drawing ---


def test_speech_and_silence_are_drawn(desk, film):
    Segment.objects.filter(task=film.transcript, number__gte=20, number__lt=40).delete()
    page = desk()
    drawn(page)
    found = ink(page, top=0.7)

    assert min(found[:4] + found[8:]) > 0.3
    assert max(found[5:7]) == 0


def test_a_page_opened_with_a_range_draws_the_whole_video(desk):
    page = desk("?start=20&end=40")
    drawn(page)
    assert min(ink(page, top=0.7)) > 0.3

    drag(page, 80.3, 100.2)  # and snaps to lines that the page does not hold
    expect(page).to_have_url(re.compile(r"\?start=80&end=(99.9|100)$"))


def test_lines_that_come_outside_of_the_range_are_drawn(open_page, film):
    task = half_heard(film)
    page = open_page(f"/videos/{film.pk}/?start=2&end=4")
    drawn(page)
    assert ink(page, 3)[1] < 0.01

    make_segments([(n * 2000, n * 2000 + 1900, "A new line.") for n in range(20, 40)], task)

    expect(page.locator("#count")).to_have_text("1 of 40 lines")
    page.locator("#strip canvas").evaluate(
        f"""(c) => new Promise((ok, no) => {{ setTimeout(() => no(new Error("never")), 15_000);
          const look = () => ({INK})(c, [3, 0.2, 0.8])[1] > 0.1 ? ok() : setTimeout(look, 30);
          look(); }})"""
    )


def test_hits_and_selects_of_others_are_drawn(desk):
    page = desk()
    drawn(page)
    assert max(ink(page, top=0, bottom=0.1)) == 0
    page.locator("body").evaluate(
        """() => { const say = (name, detail) =>
          document.dispatchEvent(new CustomEvent(name, { detail }));
        say("desk:hits", { hits: Float64Array.from([5, 65]), colours: ["red", "red"] });
        say("desk:selects", { ranges: [[10, 20, "blue"]] }); }"""
    )

    def are_drawn() -> bool:
        hits, selects = ink(page, top=0, bottom=0.1), ink(page, top=0.9, bottom=0.97)
        drawn_hits = [n for n, found in enumerate(hits) if found]
        return drawn_hits == [0, 6] and [n for n, found in enumerate(selects) if found > 0.5] == [1]

    wait_for(are_drawn, 15)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_selects_have_the_tones_of_their_swatches(desk, film, scheme):
    for n, colour in enumerate(("red", "green")):
        span = {"start_ms": 24_000 * n, "end_ms": 24_000 * n + 20_000}
        Select.objects.create(video=film, colour=colour, position=n, **span)
    page = desk(color_scheme=scheme)
    drawn(page)

    tones = page.locator("#strip canvas").evaluate(
        """(canvas) => [10, 34].map((at) => {
          const x = (canvas.width * at) / 120, y = (canvas.height * 41) / 44;
          return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3).join(", ");
        })"""
    )
    swatches = page.locator("#selects .swatch").evaluate_all(
        "(found) => found.map((each) => getComputedStyle(each).backgroundColor)"
    )
    assert [f"rgb({tone})" for tone in tones] == swatches


def test_peaks_are_drawn_when_the_player_names_them(open_page, film):
    page = open_page("/login/")
    page.route("**/peaks", lambda route: route.fulfill(body=bytes([255] * 500 + [0] * 500)))
    page.route(
        f"**/videos/{film.pk}/",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=answer.text().replace('id="player"', 'id="player" data-peaks="/peaks"', 1),
        ),
    )
    page.goto(f"/videos/{film.pk}/")
    drawn(page)

    def are_drawn() -> bool:
        found = ink(page, top=0.25, bottom=0.35)
        return min(found[:5]) > 0.9 and max(found[7:]) == 0

    wait_for(are_drawn, 15)


def test_it_is_drawn_again_for_another_size_or_theme(desk):
    page = desk()
    drawn(page)
    before = page.locator("#strip canvas").evaluate("(c) => c.width")
    page.set_viewport_size({"width": 1700, "height": 900})
    wait_for(lambda: page.locator("#strip canvas").evaluate("(c) => c.width") > before, 15, "wide")
    drawn(page)

    colour = "(c) => [...c.getContext('2d').getImageData(c.width / 2, c.height * 0.8, 1, 1).data]"
    light = page.locator("#strip canvas").evaluate(colour)
    page.emulate_media(color_scheme="dark")
    wait_for(lambda: page.locator("#strip canvas").evaluate(colour) != light, 15, "dark")


def test_it_is_not_drawn_again_when_somebody_points_at_lines(desk):
    page = desk()
    drawn(page)
    page.locator("#strip canvas").evaluate(
        """(canvas) => { const clear = CanvasRenderingContext2D.prototype.clearRect;
        canvas.dataset.drawn = 0; window.drawnAt = performance.now();
        CanvasRenderingContext2D.prototype.clearRect = function (...box) {
          canvas.dataset.drawn++;
          window.drawnAt = performance.now();
          clear.apply(this, box);
        }; }"""
    )
    until(page, "performance.now() - window.drawnAt > 300")  # what comes with the page is drawn

    before = page.locator("#strip canvas").get_attribute("data-drawn")
    for number in (3, 5, 8):
        line(page, number).hover()
        expect(line(page, number).locator(".row-tools")).to_be_attached()
    page.wait_for_timeout(400)

    assert page.locator("#strip canvas").get_attribute("data-drawn") == before


def test_a_sharp_screen_gets_a_sharp_drawing(desk):
    page = desk(device_scale_factor=2)
    drawn(page)
    wide = page.locator("#strip canvas").evaluate("(c) => c.width / c.clientWidth")

    assert wide == pytest.approx(2, abs=0.01)


def test_the_playhead_goes_along(desk):
    page = desk("?t=60")
    box, strip = (page.locator(name).bounding_box() for name in (".strip-playhead", "#strip"))

    assert box["x"] + 1 - strip["x"] == pytest.approx(strip["width"] / 2, abs=2)


# --- size ---


def test_ten_thousand_lines_are_read_and_drawn_without_a_long_task(open_page, film):
    cues = [(n * 3600, n * 3600 + 3000, f"This is line {n} of very many.") for n in range(10_000)]
    long = make_transcript(cues, film.index, content=b"no film", duration_ms=36_000_000)
    page = open_page(f"/videos/{long.pk}/", expect_errors=True)  # its film does not play
    drawn(page)
    note_long_tasks(page)
    drag(page, 3600.5, 7200, length=36_000)
    expect(page.locator("#range-clear")).to_be_visible(timeout=20_000)  # a busy machine's server
    page.locator("#range-clear").click()
    expect(page.locator("#count")).to_have_text("10,000 lines")
    page.wait_for_timeout(800)

    assert longest_task(page) < 1000
