from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.browser.desk import half_heard, press, until
from tests.browser.test_viewer import line, now, paused, play, ready
from tests.factories import make_index, make_transcript
from videos import corrections
from videos.corrections import Seen
from videos.local_user import local_user
from videos.models import Video


def edit(page, number: int):
    """Open the form of a line by the pointer; gives its text field."""
    line(page, number).locator("span").first.dblclick()
    text = page.get_by_label("Text of the line")
    expect(text).to_be_focused()
    return text


def texts(film) -> list[str]:
    return list(film.transcript.segments.values_list("text", flat=True))


def split(film, number: int, at: int = 8, user=None) -> None:
    """Another editor does it, elsewhere."""
    row = film.transcript.segments.get(number=number)
    seen = Seen(row.pk, row.start_ms, row.version)
    corrections.split(user or film.index.owner, film.transcript, seen, row.text, at)


def merge(film, number: int, user=None) -> None:
    row = film.transcript.segments.get(number=number)
    seen = Seen(row.pk, row.start_ms, row.version)
    corrections.merge(user or film.index.owner, film.transcript, seen, row.text)


def numbers_fit(page, film) -> bool:
    """The page says of each line the number and the start that the server knows."""
    found = page.evaluate(
        """() => [...document.querySelectorAll("#rows .block")].flatMap((block) =>
          [...block.children].map((row, at) => {
            const href = row.querySelector("a").getAttribute("href");
            const start = Number(href.slice(href.lastIndexOf("t=") + 2, href.lastIndexOf("#")));
            return [Number(block.dataset.n) + at, Math.round(start * 1000),
              row.querySelector("span").textContent];
          }))"""
    )
    rows = film.transcript.segments.values_list("number", "start_ms", "text")
    return [tuple(row) for row in found] == list(rows)


def test_a_double_click_edits_and_enter_saves(open_page, film):
    page = open_page(f"/videos/{film.pk}/")

    text = edit(page, 5)
    expect(text).to_have_value("This is line 5.")
    text.fill("This is the fifth line.")
    page.keyboard.press("Enter")

    expect(line(page, 5).locator("span").first).to_have_text("This is the fifth line.")
    expect(line(page, 5)).to_have_attribute("data-v", "1")
    expect(line(page, 5).locator("a").first).to_be_focused()
    expect(page.locator("#edit")).to_have_count(0)
    assert texts(film)[5] == "This is the fifth line."
    assert numbers_fit(page, film)


def test_escape_leaves_the_line_as_it_was(open_page, film):
    page = open_page(f"/videos/{film.pk}/")

    edit(page, 5).fill("nonsense")
    page.keyboard.press("Escape")

    expect(line(page, 5).locator("span").first).to_be_visible()
    expect(line(page, 5).locator("a").first).to_be_focused()
    assert texts(film)[5] == "This is line 5."


def test_tab_saves_and_goes_on_and_shift_tab_goes_back(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    text = page.get_by_label("Text of the line")

    edit(page, 5).fill("five")
    page.keyboard.press("Tab")
    expect(text).to_have_value("This is line 6.")
    text.fill("six")
    page.keyboard.press("Shift+Tab")
    expect(text).to_have_value("five")
    expect(text).to_be_focused()
    page.keyboard.press("Escape")

    assert texts(film)[5:7] == ["five", "six"]
    assert numbers_fit(page, film)


def test_where_some_lines_are_shown_the_keys_go_on_to_those_that_are_seen(open_page, film):
    film.transcript.segments.filter(number__in=(3, 40)).update(marks="f")
    page = open_page(f"/videos/{film.pk}/?t=12")  # line 6 is spoken
    text = page.get_by_label("Text of the line")
    page.get_by_role("searchbox", name="Find").fill("5")
    page.get_by_label("Only matching").check()
    page.get_by_role("searchbox", name="Find").blur()

    page.keyboard.press("e")
    expect(text).to_have_value("This is line 15.")
    text.fill("This is the 15th line.")
    page.keyboard.press("Tab")
    expect(text).to_have_value("This is line 25.")
    expect(text).to_be_visible()
    page.keyboard.press("Shift+Tab")
    expect(text).to_have_value("This is the 15th line.")

    page.keyboard.press("Escape")  # the form first, then the search
    expect(page.locator("#edit")).to_have_count(0)
    expect(page.locator("#find-count")).to_have_text(re.compile(r"\d"))
    page.keyboard.press("Escape")
    expect(page.locator("#find-count")).to_have_text("")
    expect(line(page, 6)).to_be_visible()

    page.goto(f"/videos/{film.pk}/?doubt=1")
    edit(page, 0)
    page.keyboard.press("Tab")
    expect(text).to_have_value("This is line 40.")


def test_playback_waits_while_somebody_types(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    play(page)

    text = edit(page, 5)
    assert paused(page)
    text.fill("five")
    page.keyboard.press("Enter")
    expect(page.locator("#edit")).to_have_count(0)

    page.locator("#player").evaluate(
        "(p) => !p.paused || new Promise((ok) => p.addEventListener('play', ok))"
    )
    assert now(page) >= 9.9


def test_a_click_in_the_form_does_not_seek(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    ready(page)
    edit(page, 5)
    at = now(page)
    page.locator("#player").evaluate("(p) => { p.currentTime = 50 }")

    page.get_by_label("Text of the line").click()
    page.get_by_label("From").click()

    assert now(page) != at and now(page) == pytest.approx(50, abs=0.1)


def test_a_split_at_the_cursor_and_a_merge_renumber_the_lines_there_and_back(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    said = page.locator("#announce")
    page.locator("#count").evaluate("(count) => (count.dataset.same = '')")

    edit(page, 5).evaluate("(t) => t.setSelectionRange(8, 8)")
    page.get_by_role("button", name="Split here").click()
    expect(said).to_have_text("Saved.")
    expect(line(page, 6).locator("span").first).to_have_text("line 5.")
    expect(page.locator("#count")).to_have_text("61 lines")
    assert numbers_fit(page, film)

    edit(page, 57)
    page.get_by_role("button", name="Merge with next").click()
    expect(page.locator("#count")).to_have_text("60 lines")
    assert texts(film)[57] == "This is line 56. This is line 57."
    assert numbers_fit(page, film)

    for count in (61, 60):
        page.get_by_role("button", name=re.compile("^Undo")).click()
        expect(page.locator("#count[data-same]")).to_have_text(f"{count} lines")  # so it is heard
        expect(said).to_have_text("Undone.")
        assert numbers_fit(page, film)
    expect(page.get_by_role("button", name=re.compile("^Undo"))).to_have_count(0)
    expect(page.get_by_role("button", name="Redo split")).to_be_focused()

    page.reload()
    for keys, count in (("Control+Shift+z", 61), ("Control+y", 60), ("Control+z", 61)):
        page.keyboard.press(keys)
        expect(page.locator("#count")).to_have_text(f"{count} lines")
        assert numbers_fit(page, film)
    page.get_by_role("button", name="Redo merge").click()
    expect(page.locator("#count")).to_have_text("60 lines")
    expect(said).to_have_text("Done again.")
    expect(page.get_by_role("button", name=re.compile("^Redo"))).to_have_count(0)
    page.keyboard.press("Control+y")
    expect(page.locator("#transport-note")).to_have_text("There is nothing to redo.")


def test_a_merge_across_blocks_keeps_the_numbers(open_page, film):
    page = open_page(f"/videos/{film.pk}/")  # blocks hold fifty lines

    edit(page, 49)
    page.get_by_role("button", name="Merge with next").click()

    expect(page.locator("#count")).to_have_text("59 lines")
    assert numbers_fit(page, film)


def test_the_count_of_a_search_is_that_of_the_lines_there_are_by_now(open_page, film):
    page = open_page(f"/videos/{film.pk}/?q=%22line+5%22")
    only, lines = page.get_by_label("Only matching"), page.locator("#count")
    only.check()
    only.uncheck()
    expect(lines).to_have_text("60 lines")

    edit(page, 5).evaluate("(t) => t.setSelectionRange(8, 8)")
    press(page, "Control+Enter")
    expect(lines).to_have_text("61 lines")
    only.check()
    expect(lines).to_have_text("11 of 61 lines")
    only.uncheck()
    expect(lines).to_have_text("61 lines")


def test_new_times_are_seen_in_the_line_and_its_neighbour(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    edit(page, 5)

    page.locator("#edit-start").fill("9")
    page.locator("#edit-end").fill("13.9")
    page.keyboard.press("Enter")

    expect(line(page, 5).locator("a").first).to_have_text("0:09")
    assert numbers_fit(page, film)
    page.get_by_role("button", name="Undo new times").click()
    expect(line(page, 5).locator("a").first).to_have_text("0:10")


def test_times_of_a_line_are_running_time_where_that_is_shown(open_page, film):
    """The file's own timecode begins at ten seconds: 00:00:10:15 would be its first second."""
    Video.objects.filter(pk=film.pk).update(start_timecode="00:00:10:00")
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)
    page.get_by_label("Time shown as").select_option("running")
    edit(page, 5)

    page.locator("#edit-start").fill("00:00:10:15")
    page.locator("#edit-end").fill("00:00:11:10")
    page.keyboard.press("Enter")

    expect(page.locator("#edit")).to_have_count(0)
    row = film.transcript.segments.get(number=5)
    assert (row.start_ms, row.end_ms) == (10_600, 11_400)


def test_a_time_outside_the_neighbours_is_refused_with_a_sentence(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)  # the console notes the 400
    edit(page, 5).fill("kept")

    page.locator("#edit-start").fill("3")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("The line before it starts at 0:08")
    expect(page.get_by_label("Text of the line")).to_have_value("kept")


def test_two_editors_cannot_overwrite_each_other_unseen(open_page, film):
    one = open_page(f"/videos/{film.pk}/")
    two = open_page(f"/videos/{film.pk}/", expect_errors=True)  # the console notes the 409
    edit(one, 5).fill("the first editor's words")
    edit(two, 5).fill("the second editor's words")
    one.keyboard.press("Enter")
    expect(one.locator("#edit")).to_have_count(0)

    two.keyboard.press("Enter")

    expect(two.get_by_role("alert")).to_contain_text("Somebody changed this line.")
    expect(two.get_by_role("alert")).to_contain_text("the first editor's words")
    expect(two.get_by_label("Text of the line")).to_have_value("the second editor's words")
    assert texts(film)[5] == "the first editor's words"
    two.get_by_label("Text of the line").press("Enter")  # now knowingly
    expect(two.locator("#edit")).to_have_count(0)
    assert texts(film)[5] == "the second editor's words"


def test_who_leaves_a_line_that_somebody_changed_sees_what_it_says_now(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)  # the console notes the 409
    for leave in ("Escape", "Cancel"):
        edit(page, 5).fill("mine")
        row = film.transcript.segments.get(number=5)
        seen = Seen(row.pk, row.start_ms, row.version)
        times = (row.start_ms, row.end_ms)
        corrections.save(film.index.owner, film.transcript, seen, f"theirs, {leave}", times)
        press(page, "Enter")
        expect(page.get_by_role("alert")).to_contain_text(f"It now reads: theirs, {leave}")
        expect(page.get_by_label("Text of the line")).to_have_value("mine")

        if leave == "Escape":
            press(page, "Escape")
        else:
            page.locator("[data-edit=cancel]").click()

        expect(line(page, 5).locator("span").first).to_have_text(f"theirs, {leave}")
        expect(page.locator("#edit")).to_have_count(0)
        expect(line(page, 5).locator("a").first).to_be_focused()


def test_a_split_by_the_key_plays_on_and_nothing_plays_on_that_was_paused(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    play(page)
    text = edit(page, 5)
    text.evaluate("(field) => field.setSelectionRange(8, 8)")
    press(page, "Control+Enter")
    until(page, "!p.paused")

    page.locator("#player").evaluate("(p) => p.pause()")
    edit(page, 8)
    press(page, "Enter")
    expect(page.locator("#edit")).to_have_count(0)
    page.wait_for_timeout(300)
    assert paused(page)


def test_from_line_to_line_and_out_of_it_the_video_plays_on(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    play(page)
    edit(page, 5)
    press(page, "Tab")
    expect(page.get_by_label("Text of the line")).to_have_value("This is line 6.")
    assert paused(page)

    press(page, "Enter")

    until(page, "!p.paused")


def test_enter_that_ends_a_composition_saves_nothing(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    text = edit(page, 5)

    text.evaluate(
        """(field) => field.dispatchEvent(new KeyboardEvent("keydown",
          { key: "Enter", keyCode: 229, bubbles: true, cancelable: true }))"""
    )
    page.wait_for_timeout(200)

    expect(text).to_be_focused()


def test_the_key_corrects_the_next_line_that_a_filter_shows(open_page, film):
    film.transcript.segments.filter(number__in=(3, 40)).update(marks="fr")
    page = open_page(f"/videos/{film.pk}/?doubt=1&t=10")
    ready(page)
    expect(page.locator("#rows li")).to_have_count(2)

    press(page, "e")

    expect(page.get_by_label("Text of the line")).to_have_value("This is line 40.")


def test_a_split_over_the_end_of_a_block_keeps_all_lines(open_page, clip, transactional_db):
    cues = [(n * 2000, n * 2000 + 1900, f"This is line {n}.") for n in range(60)]
    cues[49] = (98_000, 110_000, "This is a long line with others in it.")
    film = make_transcript(cues, make_index(local_user()), content=clip, duration_ms=120_000)
    page = open_page(f"/videos/{film.pk}/")
    text = edit(page, 49)
    text.evaluate("(field) => field.setSelectionRange(20, 20)")

    press(page, "Control+Enter")
    expect(page.locator("#count")).to_have_text("61 lines")
    assert numbers_fit(page, film)

    press(page, "Control+z")
    expect(page.locator("#count")).to_have_text("60 lines")
    assert numbers_fit(page, film)


def test_what_plays_backwards_stands_still_while_a_line_is_corrected(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=60")
    ready(page)
    press(page, "j")
    until(page, "p.currentTime < 59.8")
    edit(page, 29)
    at = now(page)
    page.wait_for_timeout(400)

    assert now(page) == at


def test_lines_of_an_unfinished_transcript_say_that_they_wait(open_page, film):
    half_heard(film)
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)

    line(page, 5).locator("span").first.dblclick()

    expect(page.locator("#transport-note")).to_have_text(
        "Lines can be corrected when the transcript is ready."
    )
    expect(page.locator("#trouble")).to_be_hidden()


def test_times_are_corrected_as_they_are_shown_and_stay_exact_untouched(open_page, film):
    Video.objects.filter(pk=film.pk).update(start_timecode="10:00:00:00")
    film.transcript.segments.filter(number=5).update(start_ms=10_010)
    page = open_page(f"/videos/{film.pk}/")
    page.get_by_label("Time shown as").select_option("source")
    text = edit(page, 5)
    expect(page.get_by_label("From")).to_have_value("10:00:10:00")
    expect(page.get_by_label("to", exact=True)).to_have_value("10:00:11:22")
    page.get_by_label("Time shown as").select_option("seconds")
    expect(page.get_by_label("From")).to_have_value("10.010")
    page.get_by_label("Time shown as").select_option("source")
    page.get_by_label("to", exact=True).fill("10:00:11:10")
    text.fill("corrected")
    text.press("Enter")

    expect(page.locator("#edit")).to_have_count(0)
    row = film.transcript.segments.get(number=5)
    assert (row.start_ms, row.end_ms, row.text) == (10_010, 11_400, "corrected")


def test_what_was_typed_into_a_line_that_somebody_changed_is_not_lost_by_undo(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)
    edit(page, 20).fill("twenty")
    press(page, "Enter")
    expect(page.locator("#edit")).to_have_count(0)
    edit(page, 5).fill("mine")
    split(film, 5)
    press(page, "Enter")
    expect(page.get_by_role("alert")).to_contain_text("Somebody changed this line.")

    page.get_by_role("button", name="Undo correction").click()
    expect(page.get_by_role("alert")).to_contain_text("Save the line that you are correcting")
    page.get_by_label("Text of the line").press("Tab")

    expect(page.get_by_label("Text of the line")).to_have_value("line 5.")
    assert texts(film)[5:7] == ["mine", "line 5."] and page.locator("#rows li").count() == 61


def test_a_page_that_is_behind_edits_the_line_that_was_meant(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)
    split(film, 2)

    line(page, 50).locator("span").first.dblclick()  # its number is 51 by now

    text = page.get_by_label("Text of the line")
    expect(text).to_have_value("This is line 50.")
    text.fill("fifty")
    page.keyboard.press("Enter")
    expect(page.locator("#edit")).to_have_count(0)
    assert texts(film)[51] == "fifty" and numbers_fit(page, film)


def test_a_page_that_is_behind_edits_its_last_line_too(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)
    merge(film, 2)

    line(page, 59).locator("span").first.dblclick()

    expect(page.get_by_label("Text of the line")).to_have_value("This is line 59.")
    assert page.locator("#rows li").count() == 59


def fetches(page) -> list[str]:
    """Where the page asks for all lines anew, from now on."""
    asked: list[str] = []
    whole = page.url.partition("?")[0]
    page.on("request", lambda each: each.url.partition("?")[0] == whole and asked.append(each.url))
    return asked


def shown(page) -> list:
    """Number and text of each line of the page."""
    return page.evaluate(
        """() => [...document.querySelectorAll("#rows .block")].flatMap((block) =>
          [...block.children].map((row, at) =>
            [Number(block.dataset.n) + at, row.querySelector("span").textContent]))"""
    )


def test_a_double_click_on_a_line_half_in_sight_opens_that_line(desk):
    page = desk()
    box = line(page, 12).bounding_box()
    page.set_viewport_size({"width": 1280, "height": round(box["y"] + box["height"] * 0.7)})
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3

    page.mouse.click(x, y)
    page.wait_for_timeout(200)  # by now a line that had nothing to wait for would be in the middle
    page.mouse.click(x, y, click_count=2)

    expect(page.get_by_label("Text of the line")).to_have_value("This is line 12.")
    press(page, "Escape")
    expect(line(page, 12)).to_be_in_viewport(ratio=1)  # and then it comes into sight


@pytest.mark.parametrize("deed", [split, merge])
@pytest.mark.parametrize("query", ["", "?start=20", "?gaps=1"])
def test_a_line_whose_number_others_moved_is_saved_and_each_line_is_shown_once(
    open_page, clip, transactional_db, deed, query
):
    cues = [(n * 5000, n * 5000 + 2000, f"This is line {n}.") for n in range(12)]
    film = make_transcript(cues, make_index(local_user()), content=clip, duration_ms=120_000)
    page = open_page(f"/videos/{film.pk}/{query}")
    row = page.locator("#rows li", has_text="This is line 10.")
    row.locator("span").first.dblclick()
    page.get_by_label("Text of the line").fill("The tenth.")
    deed(film, 2)

    press(page, "Enter")

    expect(page.locator("#edit")).to_have_count(0)
    expect(page.locator("#rows a:focus + span")).to_have_text("The tenth.")
    found = shown(page)
    page.reload()
    assert found == shown(page)
    assert [each for each in found if each[1] == "The tenth."] == [
        [texts(film).index("The tenth."), "The tenth."]
    ]


@pytest.mark.parametrize("number", [3, 11])
def test_lines_that_others_split_and_merged_beside_a_line_are_noticed_with_it(
    open_page, film, number
):
    page = open_page(f"/videos/{film.pk}/")
    edit(page, 8).fill("The eighth.")
    split(film, number)  # so many lines as before
    merge(film, 10 if number == 3 else 3)

    press(page, "Enter")

    expect(page.locator("#rows a:focus + span")).to_have_text("The eighth.")
    assert numbers_fit(page, film)


def test_undo_and_redo_notice_that_others_moved_the_lines(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    edit(page, 30).evaluate("(t) => t.setSelectionRange(8, 8)")
    press(page, "Control+Enter")
    expect(page.locator("#count")).to_have_text("61 lines")
    split(film, 2, user=User.objects.create(username="other"))

    page.get_by_role("button", name="Undo split").click()
    expect(line(page, 31).locator("span").first).to_have_text("This is line 30.")
    assert numbers_fit(page, film)
    merge(film, 9, user=User.objects.get(username="other"))
    page.get_by_role("button", name="Redo split").click()
    expect(line(page, 31).locator("span").first).to_have_text("line 30.")
    expect(line(page, 8).locator("span").first).to_have_text("This is line 7.")
    expect(line(page, 9).locator("span").first).to_have_text(texts(film)[9])
    assert numbers_fit(page, film)


def test_tab_goes_on_to_the_next_line_when_others_moved_it(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    edit(page, 30).fill("thirty")
    split(film, 2)

    press(page, "Tab")

    expect(page.get_by_label("Text of the line")).to_have_value("This is line 31.")
    assert page.locator("#rows li").count() == 61


def test_lines_are_not_fetched_anew_when_others_changed_only_words(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    asked = fetches(page)
    row = film.transcript.segments.get(number=2)
    seen = Seen(row.pk, row.start_ms, row.version)
    corrections.save(film.index.owner, film.transcript, seen, "other words", (4000, 5900))

    edit(page, 3).evaluate("(t) => t.setSelectionRange(8, 8)")
    press(page, "Control+Enter")
    expect(page.locator("#count")).to_have_text("61 lines")
    edit(page, 20)
    page.get_by_role("button", name="Merge with next").click()
    expect(page.locator("#count")).to_have_text("60 lines")

    assert numbers_fit(page, film)
    assert asked == []
    edit(page, 40).fill("forty")
    split(film, 0)
    press(page, "Enter")
    expect(page.locator("#count")).to_have_text("61 lines")
    assert len(asked) == 1


def test_a_double_click_on_the_next_line_saves_the_first(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    edit(page, 5).fill("five")

    assert edit(page, 6).input_value() == "This is line 6."
    assert texts(film)[5] == "five"


def test_a_correction_in_a_range_is_there_when_the_range_is_left(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    page.locator("#range-start").fill("0:10")
    page.locator("#range-end").fill("20")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("5 of 60 lines")

    edit(page, 4).fill("at the edge")
    page.keyboard.press("Enter")
    expect(line(page, 4).locator("span").first).to_have_text("at the edge")
    edit(page, 0).evaluate("(t) => t.setSelectionRange(8, 8)")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#count")).to_have_text("6 of 61 lines")
    page.get_by_role("link", name="Clear the range").click()

    expect(line(page, 10).locator("span").first).to_have_text("at the edge")
    assert numbers_fit(page, film)


def test_another_range_asks_before_it_takes_typed_words_away(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    asked = []
    edit(page, 5).fill("typed")

    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.locator("#range-start").fill("20")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Text of the line")).to_have_value("typed")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#range-start").fill("20")  # put back: it is not in force
    page.locator("#range-show").click()

    expect(page.locator("#count")).to_have_text("50 of 60 lines")
    expect(page.locator("#edit")).to_have_count(0)
    assert len(asked) == 1 and texts(film)[5] == "This is line 5."


def test_filters_back_and_undo_leave_what_is_being_typed(open_page, clip, transactional_db):
    cues = [(n * 4000, n * 4000 + 1900, f"This is line {n}.") for n in range(9)]
    index = make_index(local_user())
    film = make_transcript(cues, index, content=clip, filename="gaps.mp4", duration_ms=120_000)
    page = open_page(f"/videos/{film.pk}/")
    page.locator("body").evaluate(
        "(body) => document.addEventListener('desk:declined', () => body.append('declined '))"
    )
    asked = []
    text, form = page.get_by_label("Text of the line"), page.locator("#edit")
    edit(page, 0).fill("corrected")
    press(page, "Enter")
    expect(form).to_have_count(0)
    page.locator("#range-start").fill("8")
    press(page, "Enter")
    expect(page).to_have_url(re.compile(r"start=8$"))
    edit(page, 3).fill("typed")

    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.locator("#filter-gaps").click()
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.evaluate("history.back()")
    expect(page.locator("body")).to_contain_text("declined declined")
    expect(page).to_have_url(re.compile(r"start=8$"))
    page.get_by_role("button", name="Undo").click()
    expect(form.get_by_role("alert")).to_have_text(
        "Save the line that you are correcting, or cancel it, first."
    )
    expect(text).to_have_value("typed")
    expect(text).to_be_focused()
    assert len(asked) == 2

    page.once("dialog", lambda dialog: dialog.accept())
    page.evaluate("history.back()")
    expect(page.locator("#rows li")).to_have_count(9)
    expect(form).to_have_count(0)
    edit(page, 4)  # not touched: nothing is asked, and nothing stands in the way
    page.get_by_role("button", name="Undo").click()
    expect(line(page, 0).locator("span").first).to_have_text("This is line 0.")
    assert texts(film) == [text for _, _, text in cues]


def test_the_line_under_the_playhead_is_edited_by_command(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=40")
    expect(line(page, 20)).to_have_attribute("aria-current", "true")

    page.evaluate(
        """() => document.dispatchEvent(
          new CustomEvent("desk:command", { detail: { name: "edit-row" } }))"""
    )

    expect(page.get_by_label("Text of the line")).to_have_value("This is line 20.")


def test_the_keys_mean_the_spoken_line_again_once_the_playhead_moves_on(open_page, film):
    page = open_page(f"/videos/{film.pk}/?t=8")
    ready(page)
    text = page.get_by_label("Text of the line")
    line(page, 30).hover()
    page.locator("[data-row=edit]").click()
    text.fill("thirty")
    press(page, "Enter")
    expect(line(page, 30).locator("a").first).to_be_focused()
    press(page, "e")  # nothing moved: the line that has the focus
    expect(text).to_have_value("thirty")
    press(page, "Escape")
    expect(line(page, 30).locator("a").first).to_be_focused()

    press(page, "ArrowDown", "e")
    expect(text).to_have_value("This is line 5.")
    press(page, "Escape")
    line(page, 10).locator("a").click()
    play(page)
    until(page, "p.currentTime > 20.1")
    page.locator("#player").evaluate("(p) => { p.pause(); p.currentTime = 40.5; }")
    expect(line(page, 20)).to_have_attribute("aria-current", "true")
    press(page, "e")
    expect(text).to_have_value("This is line 20.")


def test_a_server_that_does_not_answer_costs_no_words(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)
    edit(page, 5).fill("precious")

    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The server is not responding.")
    page.context.set_offline(False)
    page.get_by_label("Text of the line").press("Enter")

    expect(page.locator("#edit")).to_have_count(0)
    assert texts(film)[5] == "precious"


def test_what_the_page_complains_of_goes_when_it_is_done_after_all(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True)
    trouble = page.locator("#trouble")
    edit(page, 5).fill("five")
    press(page, "Enter")
    expect(page.locator("#edit")).to_have_count(0)

    page.context.set_offline(True)
    page.get_by_role("button", name="Undo").click()
    expect(trouble).to_have_text("The server is not responding. Try again.")  # nothing was typed
    page.context.set_offline(False)
    page.get_by_role("button", name="Undo").click()
    expect(trouble).to_be_hidden()

    page.context.set_offline(True)
    line(page, 7).locator("span").first.dblclick()
    expect(trouble).to_have_text("The server is not responding. Try again.")
    page.context.set_offline(False)
    edit(page, 7)
    expect(trouble).to_be_hidden()


def test_ten_thousand_lines_are_corrected_at_once(open_page, clip, transactional_db):
    index = make_index(local_user())
    film = make_transcript(10_000, index, content=clip)
    page = open_page(f"/videos/{film.pk}/?t=15500")
    page.locator("#now").wait_for()
    took = page.evaluate(
        """async () => {
          const row = document.getElementById("now");
          const began = performance.now();
          row.children[1].dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
          while (!document.getElementById("edit")) await new Promise((ok) => setTimeout(ok, 5));
          const opened = performance.now();
          document.querySelector("#edit textarea").value = "other words";
          document.querySelector("#edit").requestSubmit();
          while (document.getElementById("edit")) await new Promise((ok) => setTimeout(ok, 5));
          return [opened - began, performance.now() - opened];
        }"""
    )
    print("opened and saved in ms:", took)
    assert max(took) < 8000  # measured: 50 and 150


def test_the_form_is_named_for_screen_readers(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    edit(page, 5)

    results = Axe().run(page, context="#edit")
    assert results.violations_count == 0, results.generate_report()


def test_replacing_shows_each_line_before_and_is_undone_in_one_step(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    page.get_by_role("link", name="Replace…").click()
    page.get_by_label("Find").fill("LINE 1")
    page.get_by_label("Replace with").fill("row 1")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#changes")).to_contain_text("11 lines")
    assert Axe().run(page, context="main").violations_count == 0

    page.get_by_label("All", exact=True).uncheck()
    expect(page.locator("[name=row]:checked")).to_have_count(0)
    page.get_by_label("All", exact=True).check()
    page.get_by_label("Change the line at 0:20").uncheck()
    expect(page.get_by_label("All", exact=True)).to_be_checked(indeterminate=True)
    expect(page.get_by_label("All", exact=True)).not_to_be_checked()
    page.get_by_role("button", name="Replace in the chosen lines").click()

    expect(page.get_by_text("Replaced in 10 lines.")).to_be_visible()
    assert [texts(film)[n] for n in (1, 10, 19)] == [
        "This is row 1.",
        "This is line 10.",
        "This is row 19.",
    ]
    page.get_by_role("button", name="Undo replacement").click()
    expect(line(page, 19).locator("span").first).to_have_text("This is line 19.")
    assert numbers_fit(page, film)


def test_a_replacement_that_is_refused_says_that_no_line_is_chosen_any_more(open_page, film):
    page = open_page(f"/videos/{film.pk}/replace?find=line&replace=row", expect_errors=True)
    expect(page.get_by_label("All", exact=True)).to_be_checked()
    page.get_by_label("All", exact=True).uncheck()

    page.get_by_role("button", name="Replace in the chosen lines").click()

    expect(page.get_by_role("alert")).to_have_text("Choose at least one line.")
    expect(page.get_by_label("All", exact=True)).not_to_be_checked()
    expect(page.locator("[name=row]:checked")).to_have_count(0)


def test_without_javascript_a_line_is_corrected_on_pages(open_page, film):
    page = open_page(f"/videos/{film.pk}/", java_script_enabled=False)
    page.get_by_role("link", name="Lines").click()
    page.get_by_label("Correct the line at 0:10").click()
    page.get_by_label("Text of the line").fill("This is | line five.")
    page.get_by_role("button", name="Split here").click()

    expect(page.locator("#row-6")).to_contain_text("line five.")
    page.get_by_role("button", name="Undo split").click()
    expect(page.get_by_text("Undone.", exact=True)).to_be_visible()
    assert texts(film)[5] == "This is line 5."
