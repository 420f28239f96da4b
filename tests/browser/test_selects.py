from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from tests.browser.desk import press, stop_polling, until
from tests.browser.test_viewer import line, play, ready
from tests.factories import make_task, make_transcript
from videos.models import Select, Video
from videos.models.select import keep

COMMAND = """name => document.dispatchEvent(
  new CustomEvent("desk:command", { detail: { name } }))"""


@pytest.fixture
def three(film):
    return [keep(film, n * 10_000, n * 10_000 + 1000, film.index.owner) for n in range(3)]


def order(index) -> list[str]:
    return list(Select.objects.in_bin(index).values_list("pk", flat=True))


def test_the_line_at_the_playhead_is_kept_while_it_plays_on(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=10")
    ready(page)
    line(page, 5).click(position={"x": 400, "y": 10})

    page.evaluate(COMMAND, "keep-select")

    expect(page.locator("#selects .kept li")).to_have_count(1)
    select = Select.objects.get()
    assert (select.start_ms, select.end_ms, select.words) == (10_000, 11_900, "This is line 5.")


def test_a_line_is_kept_by_its_own_tool_or_by_the_key_while_it_has_the_focus(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=10&end=30")
    kept = page.locator("#selects .kept li")
    line(page, 2).hover()
    page.get_by_role("button", name="Keep", exact=True).and_(page.locator("[data-row]")).click()
    expect(kept).to_have_count(1)

    line(page, 4).locator("a").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("m")
    expect(kept).to_have_count(2)

    spans = Select.objects.order_by("start_ms").values_list("start_ms", "end_ms")
    assert list(spans) == [(14_000, 15_900), (18_000, 19_900)]


def test_a_line_that_was_corrected_is_not_kept_when_the_video_plays_elsewhere(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=10&end=30&t=12")
    ready(page)
    kept = page.locator("#selects .kept li")
    line(page, 4).locator("span").first.dblclick()
    page.get_by_label("Text of the line").fill("corrected")
    press(page, "Enter")
    expect(line(page, 4).locator("a").first).to_be_focused()
    press(page, "m")  # the range is set, and nobody chose the line
    expect(kept).to_have_count(1)

    press(page, "Alt+x")
    expect(line(page, 9).locator("span").first).to_have_text("corrected")
    line(page, 9).locator("a").focus()
    press(page, "Home", "m")
    expect(kept).to_have_count(2)

    spans = Select.objects.order_by("created_at").values_list("start_ms", "end_ms")
    assert list(spans) == [(10_000, 30_000), (0, 1900)]


def test_each_press_keeps_what_was_there_however_slow_the_server_is(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=8", expect_errors=True, routed=True)
    expect(line(page, 4)).to_have_attribute("aria-current", "true")
    note, kept = page.locator("#keep [name=note]"), page.locator("#selects .kept li")
    waiting: list[Route] = []
    page.route("**/selects", lambda route: route.continue_() if waiting else waiting.append(route))
    note.fill("first")
    with page.expect_request("**/selects"):
        page.evaluate(COMMAND, "keep-select")
    for _ in range(2):
        page.evaluate(COMMAND, "row-next")
        page.evaluate(COMMAND, "keep-select")
    note.fill("typed meanwhile")
    waiting[0].continue_()
    expect(kept).to_have_count(3)
    expect(note).to_have_value("typed meanwhile")
    expect(note).to_be_focused()

    page.route("**/selects", lambda route: route.fulfill(status=500))
    note.fill("precious")
    page.evaluate(COMMAND, "keep-select")
    expect(page.locator("#trouble")).to_contain_text("could not do this")
    expect(note).to_have_value("precious")
    too_large = {"status": 413, "headers": {"X-Refusal": "What was sent is too large."}}
    page.route("**/selects", lambda route: route.fulfill(**too_large))
    page.evaluate(COMMAND, "keep-select")
    expect(page.locator("#trouble")).to_have_text("What was sent is too large.")
    page.unroute("**/selects")
    note.fill("typed meanwhile")

    page.context.set_offline(True)
    page.evaluate(COMMAND, "row-next")
    page.evaluate(COMMAND, "keep-select")
    expect(page.locator("#trouble")).to_contain_text("sent as soon as it does")
    page.context.set_offline(False)
    expect(kept).to_have_count(4)

    def lose(route) -> None:
        """The server does it, and its answer never comes."""
        route.fetch()
        route.abort()

    page.route("**/selects", lose, times=1)
    page.evaluate(COMMAND, "row-next")
    page.evaluate(COMMAND, "keep-select")
    expect(kept).to_have_count(5)

    spans = Select.objects.order_by("position").values_list("start_ms", "end_ms", "note")
    later = [(n * 2000, n * 2000 + 1900) for n in (5, 6, 7, 8)]
    assert list(spans) == [
        (8000, 9900, "first"),
        *((*span, "") for span in later[:2]),
        (*later[2], "typed meanwhile"),
        (*later[3], ""),
    ]


def test_a_select_is_changed_in_the_panel_of_its_video(open_page, film, three):
    page = open_page(f"/videos/{film.pk}/")
    third = page.locator("#selects .kept li").nth(2)
    third.locator("summary").click()
    third.get_by_label("Note").fill("the bridge")
    third.get_by_label("Colour").select_option("blue")
    third.get_by_label("In", exact=True).fill("5:00")
    third.get_by_role("button", name="Save").click()
    expect(third.get_by_role("alert")).to_contain_text("beyond")

    third.get_by_label("In", exact=True).fill("19")
    third.get_by_label("Note").fill("the bridge")
    third.get_by_label("Colour").select_option("blue")
    third.get_by_role("button", name="Save").click()

    expect(third.locator("summary")).to_contain_text("the bridge")
    expect(third.locator("summary")).to_be_focused()
    select = Select.objects.get(pk=three[2].pk)
    assert (select.start_ms, select.note, select.colour) == (19_000, "the bridge", "blue")
    assert Axe().run(page, context="#selects").violations_count == 0


def test_the_range_is_kept_when_there_is_one(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    stop_polling(page)
    ends = page.locator("#keep [name=end]")
    page.locator("#range-end").fill("30")
    page.keyboard.press("Enter")
    expect(ends).to_have_value("0:30")
    page.get_by_role("link", name="Clear the range").click()
    expect(ends).to_have_value("")
    page.locator("#range-start").fill("20")
    page.locator("#range-end").fill("30")
    page.keyboard.press("Enter")
    expect(ends).to_have_value("0:30")
    page.get_by_label("Note").fill("the bridge")

    page.get_by_role("button", name="Keep", exact=True).click()

    expect(page.locator("#selects .kept")).to_contain_text("the bridge")
    assert Select.objects.get().end_ms == 30_000


def test_news_leave_what_was_typed_and_the_form_follows_the_range_else(open_page, film):
    make_task(film)  # a transcription runs: the page asks for news
    page = open_page(f"/videos/{film.pk}/?start=20&end=30")
    start, end = page.locator("#keep [name=start]"), page.locator("#keep [name=end]")
    start.fill("0:05")
    end.fill("0:07")
    page.locator("#find-words").focus()

    with page.expect_response("**/progress*"):
        pass
    page.wait_for_timeout(100)  # it is in the page by then
    expect(start).to_have_value("0:05")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#selects .kept li")).to_have_count(1)
    select = Select.objects.get()
    assert (select.start_ms, select.end_ms) == (5000, 7000)
    expect(start).to_have_value("0:20")
    expect(end).to_have_value("0:30")


def test_the_line_at_the_playhead_is_kept_though_a_filter_leaves_it_out(open_page, film):
    film.transcript.segments.filter(number=40).update(marks="fr")
    page = open_page(f"/videos/{film.pk}/?doubt=1&t=10")
    ready(page)
    expect(page.locator("#rows li")).to_have_count(1)

    press(page, "m")

    expect(page.locator("#selects .kept li")).to_have_count(1)
    assert Select.objects.get().start_ms == 10_000


def test_times_of_selects_are_shown_as_all_others_and_stay_exact_untouched(open_page, film):
    Video.objects.filter(pk=film.pk).update(start_timecode="10:00:00:00")
    page = open_page(f"/videos/{film.pk}/?start=20.01&end=30")
    page.get_by_label("Time shown as").select_option("source")
    start = page.locator("#keep [name=start]")
    expect(start).to_have_value("10:00:20:00")
    page.get_by_role("button", name="Keep", exact=True).click()
    kept = page.locator("#selects .kept li")
    expect(kept).to_have_count(1)
    expect(start).to_have_value("10:00:20:00")

    kept.locator("summary").click()
    expect(kept.get_by_label("Out", exact=True)).to_have_value("10:00:30:00")
    kept.get_by_label("Out", exact=True).fill("10:00:31:00")
    kept.get_by_role("button", name="Save").click()

    expect(kept.locator("a")).to_contain_text("10:00:31:00")
    select = Select.objects.get()
    assert (select.start_ms, select.end_ms) == (20_010, 31_000)


def test_the_button_keeps_what_the_key_does_where_the_range_is_open(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=8&t=10")
    ready(page)

    page.get_by_role("button", name="Keep", exact=True).click()

    expect(page.locator("#selects .kept li")).to_have_count(1)
    select = Select.objects.get()
    assert (select.start_ms, select.end_ms) == (10_000, 11_900)


def test_a_kept_range_is_shown_in_place_while_the_video_plays_on(open_page, film, three):
    page = open_page(f"/videos/{film.pk}/?q=line")
    play(page)
    page.locator("body").evaluate("(body) => body.append('the same page')")
    link = page.locator(f"#kept-{three[2].pk} > a")

    link.click()

    expect(page).to_have_url(re.compile(r"\?start=20&end=21&q=line$"))
    expect(page.locator("#rows li")).to_have_count(1)
    until(page, "p.currentTime >= 20")  # it may have reached the end of the range by now
    expect(page.locator("#find-words")).to_have_value("line")
    expect(page.locator("body")).to_contain_text("the same page")
    with page.context.expect_page() as other:
        link.click(modifiers=["Control"])
    expect(other.value.locator("#rows li")).to_have_count(1)


def test_the_strip_hears_what_is_kept(open_page, film, three):
    page = open_page("/")
    page.add_init_script(
        "document.addEventListener('desk:selects', e => {"
        " document.documentElement.dataset.heard = JSON.stringify(e.detail.ranges); });"
    )
    page.goto(f"/videos/{film.pk}/")

    expect(page.locator(":root")).to_have_attribute(
        "data-heard", '[[0,1,"green"],[10,11,"green"],[20,21,"green"]]'
    )


def test_what_is_kept_taken_out_and_put_back_is_said_and_keeps_the_focus(open_page, film, three):
    page = open_page(f"/videos/{film.pk}/?t=118")
    said = page.locator("#announce")
    expect(line(page, 59)).to_have_attribute("aria-current", "true")
    press(page, "m")
    expect(said).to_have_text("Kept 1:58 – 1:59.")  # to 1:59.9
    assert page.evaluate("document.activeElement === document.body")
    press(page, "End")
    expect(page.locator("#rows li[aria-current]")).to_have_count(0)
    press(page, "m")
    expect(page.locator("#transport-note")).to_have_text("There is nothing to keep here.")
    expect(page.locator("#selects .kept li")).to_have_count(4)

    page.evaluate(
        """() => [...document.querySelectorAll("#selects .kept [aria-label^=Take]")].slice(2)
        .forEach((out) => out.click())"""
    )
    expect(page.locator("#selects .kept li")).to_have_count(2)
    page.get_by_label("Take 0:10 out of the selects").focus()
    press(page, "Enter")
    expect(page.locator("#selects .kept li")).to_have_count(1)
    expect(said).to_have_text("Removed 0:10 – 0:11.")
    expect(page.get_by_role("button", name="Put it back")).to_be_focused()
    press(page, "Enter")

    expect(page.locator("#selects .kept li")).to_have_count(2)
    expect(page.locator("#selects .kept li").nth(1).locator("a")).to_be_focused()
    expect(said).to_have_text("Kept 0:10 – 0:11.")


def test_the_bin_is_ordered_by_dragging(open_page, film, three):
    page = open_page(f"/indexes/{film.index_id}/selects/")
    third = page.locator(f"#clip-{three[2].pk} .grip")
    first = page.locator(f"#clip-{three[0].pk}").bounding_box()

    third.hover()
    page.mouse.down()
    page.mouse.move(first["x"] + 20, first["y"] + 4, steps=6)
    with page.expect_response("**/selects/order"):
        page.mouse.up()

    expect(page.locator(".clip").first).to_have_id(f"clip-{three[2].pk}")
    assert order(film.index)[0] == three[2].pk


def test_dragging_keeps_the_order_that_somebody_else_made_meanwhile(open_page, film, three):
    one, two, last = (each.pk for each in three)
    page = open_page(f"/indexes/{film.index_id}/selects/")
    Select.objects.arrange(film.index, [two, one, last])
    first = page.locator(f"#clip-{one}").bounding_box()

    page.locator(f"#clip-{last} .grip").hover()
    page.mouse.down()
    page.mouse.move(first["x"] + 20, first["y"] + 4, steps=6)
    page.mouse.up()

    expect(page.locator(".clip").first).to_have_id(f"clip-{two}")
    assert order(film.index) == [two, last, one]


def test_the_bin_is_ordered_by_keyboard_and_keeps_the_focus(open_page, film, three):
    page = open_page(f"/indexes/{film.index_id}/selects/")
    page.locator(f"#down-{three[0].pk}").focus()

    page.keyboard.press("Enter")

    expect(page.locator(".clip").nth(1)).to_have_id(f"clip-{three[0].pk}")
    expect(page.locator(f"#down-{three[0].pk}")).to_be_focused()


def test_dragging_is_given_up_scrolls_at_the_edge_and_posts_a_new_order_only(
    open_page, film, three
):
    for n in range(3, 20):
        keep(film, n * 5000, n * 5000 + 1000, film.index.owner)
    before = order(film.index)
    page = open_page(f"/indexes/{film.index_id}/selects/", viewport={"width": 1280, "height": 500})
    asked = []
    page.on("request", lambda request: asked.append(request.method))
    clip = page.locator(f"#clip-{three[0].pk}")
    clip.locator("summary").click()
    clip.get_by_label("Note").fill("half a thought")

    def drag_to(y: int) -> None:
        page.locator(f"#clip-{three[0].pk} .grip").hover()
        page.mouse.down()
        page.mouse.move(300, y, steps=6)

    page.locator(f"#clip-{three[0].pk} .grip").click()
    drag_to(400)
    expect(page.locator(".clip").first).not_to_have_id(f"clip-{three[0].pk}")
    page.keyboard.press("Escape")
    page.mouse.up()
    drag_to(400)
    clip.dispatch_event("pointercancel")
    page.mouse.up()
    expect(page.locator(".clip").first).to_have_id(f"clip-{three[0].pk}")
    expect(clip.get_by_label("Note")).to_have_value("half a thought")
    assert "POST" not in asked and order(film.index) == before

    drag_to(495)
    expect(page.locator(".clip").last).to_have_id(f"clip-{three[0].pk}", timeout=15_000)
    with page.expect_response("**/selects/order"):
        page.mouse.up()
    assert order(film.index) == [*before[1:], before[0]]


def test_deeds_on_the_bin_wait_for_each_other_and_leave_the_focus_beside(open_page, film, three):
    page = open_page(f"/indexes/{film.index_id}/selects/", routed=True)
    page.route("**/move", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.locator(f"#down-{three[0].pk}").focus()
    press(page, "Enter", "Enter")

    expect(page.locator(".clip").last).to_have_id(f"clip-{three[0].pk}")
    expect(page.locator(f"#up-{three[0].pk}")).to_be_focused()
    assert order(film.index) == [three[1].pk, three[2].pk, three[0].pk]

    second = page.locator(f"#clip-{three[2].pk}")
    second.locator("summary").click()
    second.get_by_label("In", exact=True).fill("5:00")
    second.get_by_label("In", exact=True).press("Enter")
    expect(second.get_by_role("alert")).to_contain_text("beyond")
    expect(second.get_by_label("In", exact=True)).to_be_focused()
    second.get_by_label("In", exact=True).fill("20.2")
    second.get_by_label("In", exact=True).press("Enter")
    expect(second.locator("summary")).to_be_focused()

    page.get_by_label("Play select 2").click()
    expect(second).to_have_attribute("aria-current", "true")
    page.get_by_label("Remove select 1").press("Enter")
    expect(page.get_by_role("button", name="Put it back")).to_be_focused()
    expect(second).to_have_attribute("aria-current", "true")
    page.keyboard.press("Enter")
    expect(page.locator(".clip").first.locator("a")).to_be_focused()
    assert Select.objects.count() == 3


def test_what_is_typed_in_the_bin_outlives_deeds_on_other_selects_and_refusals(
    open_page, film, three
):
    page = open_page(f"/indexes/{film.index_id}/selects/")
    first, second, third = (page.locator(f"#clip-{each.pk}") for each in three)
    for clip in (first, second):
        clip.locator("summary").click()
    first.get_by_label("In", exact=True).fill("5:00")
    first.get_by_label("Note").fill("refused")
    second.get_by_label("Note").fill("half a thought")

    first.get_by_role("button", name="Save").click()
    expect(first.get_by_role("alert")).to_contain_text("beyond")
    expect(first.get_by_label("In", exact=True)).to_have_value("5:00")
    page.locator(f"#up-{three[2].pk}").click()
    expect(page.locator(".clip").nth(1)).to_have_id(f"clip-{three[2].pk}")

    expect(first.get_by_label("Note")).to_have_value("refused")
    expect(second.get_by_label("Note")).to_have_value("half a thought")
    expect(second.get_by_label("Note")).to_be_visible()
    second.get_by_role("button", name="Save").click()
    expect(second.locator(".note")).to_have_text("half a thought")
    expect(second.get_by_label("Note")).to_be_hidden()
    expect(first.get_by_label("In", exact=True)).to_have_value("5:00")
    expect(third.get_by_label("Note")).to_be_hidden()


def test_an_order_that_was_not_saved_is_not_shown(open_page, film, three):
    page = open_page(f"/indexes/{film.index_id}/selects/", expect_errors=True, routed=True)
    page.route("**/selects/order", lambda route: route.abort())
    page.locator(f"#clip-{three[0].pk} .grip").hover()
    page.mouse.down()
    box = page.locator(f"#clip-{three[2].pk}").bounding_box()
    page.mouse.move(300, box["y"] + box["height"] - 4, steps=6)
    expect(page.locator(".clip").last).to_have_id(f"clip-{three[0].pk}")
    page.mouse.up()

    expect(page.locator("#trouble")).to_contain_text("this was not saved")
    expect(page.locator(".clip").first).to_have_id(f"clip-{three[0].pk}")


def test_all_selects_play_one_after_the_other(open_page, film, clip):
    other = make_transcript(3, film.index, content=clip, filename="other.mp4", duration_ms=120_000)
    keep(film, 30_000, 30_600, film.index.owner)
    keep(other, 60_000, 60_600, film.index.owner)
    page = open_page(f"/indexes/{film.index_id}/selects/")
    says, player = page.locator("#reel-says"), page.locator("#player")
    says.evaluate(
        """(says) => { window.said = [];
        new MutationObserver(() => window.said.push(says.textContent))
          .observe(says, { childList: true }); }"""
    )

    page.get_by_role("button", name="Play through").click()

    expect(says).to_have_text("Select 2 of 2: other.mp4", timeout=15_000)
    assert page.evaluate("window.said") == ["Select 1 of 2: film.mp4", "Select 2 of 2: other.mp4"]
    expect(player).to_have_js_property("paused", True, timeout=15_000)
    assert 60.5 <= player.evaluate("p => p.currentTime") < 61.5


def test_the_keys_of_the_viewer_play_the_bin(open_page, film):
    for start_ms in (0, 10_000, 20_000):
        keep(film, start_ms, start_ms + 4000, film.index.owner)
    page = open_page(f"/indexes/{film.index_id}/selects/")
    says = page.locator("#reel-says")
    press(page, "Space")
    expect(says).to_have_text("Select 1 of 3: film.mp4")
    until(page, "!p.paused && p.currentTime > 0.1")
    press(page, "ArrowDown", "ArrowDown")
    expect(says).to_have_text("Select 3 of 3: film.mp4")
    until(page, "p.currentTime >= 20")
    press(page, "Space")
    until(page, "p.paused")
    press(page, "ArrowUp", "k")
    expect(says).to_have_text("Select 2 of 3: film.mp4")
    until(page, "p.paused && p.currentTime < 14")


def test_quick_steps_through_the_bin_play_the_select_that_is_named(open_page, film, clip):
    other = make_transcript(3, film.index, content=clip, filename="other.mp4", duration_ms=120_000)
    keep(film, 30_000, 38_000, film.index.owner)
    for start_ms in (60_000, 90_000):
        keep(other, start_ms, start_ms + 8000, film.index.owner)
    page = open_page(f"/indexes/{film.index_id}/selects/")
    page.get_by_role("button", name="Play through").click()
    until(page, "!p.paused && p.currentTime > 30")

    page.evaluate(f"() => ['row-next', 'row-next'].forEach({COMMAND})")

    expect(page.locator("#reel-says")).to_have_text("Select 3 of 3: other.mp4")
    until(page, "!p.paused && p.readyState > 2 && !p.seeking && p.currentTime > 30")
    assert 90 <= page.locator("#player").evaluate("p => p.currentTime") < 98


def test_what_plays_and_is_taken_out_of_the_bin_gives_way_to_the_next(open_page, film):
    for start_ms in (10_000, 40_000, 70_000):
        keep(film, start_ms, start_ms + 20_000, film.index.owner)
    page = open_page(f"/indexes/{film.index_id}/selects/")
    says, out = page.locator("#reel-says"), page.get_by_role("button", name="Remove select 1")
    page.get_by_role("button", name="Play through").click()
    until(page, "!p.paused && p.currentTime > 10")

    out.click()
    expect(says).to_have_text("Select 1 of 2: film.mp4")
    until(page, "!p.paused && p.currentTime > 40 && p.currentTime < 60")
    page.locator("#player").evaluate("(p) => p.pause()")
    out.click()
    expect(says).to_have_text("Select 1 of 1: film.mp4")
    until(page, "p.paused && p.currentTime >= 70")
    page.get_by_role("button", name="Play select 1").click()
    until(page, "!p.paused")
    out.click()

    expect(page.locator("#reel")).to_be_hidden()
    until(page, "p.paused")


def test_the_bin_works_without_javascript(open_page, film, three):
    page = open_page(f"/indexes/{film.index_id}/selects/", java_script_enabled=False)
    page.locator(f"#down-{three[0].pk}").click()

    assert order(film.index) == [three[1].pk, three[0].pk, three[2].pk]
    assert page.url.endswith("/selects/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_bin_is_accessible(open_page, film, three, scheme):
    page = open_page(f"/indexes/{film.index_id}/selects/", color_scheme=scheme)
    page.locator("summary").first.click()

    found = Axe().run(page, options={"rules": {"color-contrast": {"enabled": True}}})

    assert found.violations_count == 0, found.generate_report()
    for width in (380, 620, 660):  # its buttons stand left or right: the menu is on the page
        page.set_viewport_size({"width": width, "height": 800})
        menu = page.get_by_role("form", name="Export the bin").bounding_box()
        assert menu["x"] >= 0 and menu["x"] + menu["width"] <= width


def test_a_button_that_is_off_is_seen_in_the_systems_own_colours(open_page, film, three):
    page = open_page(f"/indexes/{film.index_id}/selects/", forced_colors="active")

    expect(page.locator(f"#up-{three[0].pk}")).to_have_css("opacity", "1")


def test_a_select_whose_file_cannot_be_played_says_so_in_the_bin(open_page, film):
    other = make_transcript(3, film.index, content=b"no film", filename="b.mp4")
    keep(other, 0, 2000, film.index.owner)
    page = open_page(f"/indexes/{film.index_id}/selects/")
    page.get_by_role("button", name="Play through").click()
    expect(page.locator("#reel-says")).to_contain_text("This browser cannot play the file")
    page.wait_for_timeout(200)  # the page must stay silent (open_page listens for its errors)
