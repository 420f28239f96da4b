"""Doubtful lines, gaps, and what was read: shown beside the lines."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.desk import until
from tests.browser.test_viewer import play
from tests.factories import make_index, make_transcript
from videos.local_user import local_user
from videos.models import Place


@pytest.fixture
def doubtful(clip, transactional_db):
    """Six lines: the third is doubted for two reasons, and a pause of 8 s follows the fourth."""
    starts = (0, 2000, 4000, 6000, 16_000, 18_000)
    cues = [(start, start + 2000, f"This is line {n}.") for n, start in enumerate(starts)]
    index = make_index(local_user(), name="Films")
    video = make_transcript(cues, index, content=clip, duration_ms=120_000)
    video.transcript.segments.filter(number=2).update(marks="fr")
    return video


def drawn(row, what: str) -> str:
    return row.evaluate("(e, what) => getComputedStyle(e, what).content", what)


def test_reasons_and_pauses_are_written_in_words(open_page, doubtful):
    page = open_page(f"/videos/{doubtful.pk}/")
    rows = page.locator("#rows li")

    reasons = drawn(rows.nth(2).locator("span").first, "::after")
    assert "⚠\xa0very\xa0fast" in reasons and "repeated" in reasons and "unsure" not in reasons
    assert "pause" in drawn(rows.nth(3), "::after")
    assert drawn(rows.nth(1), "::after") == "none"
    assert Axe().run(page).violations_count == 0


UNSURE = """(wanted) => [...(CSS.highlights.get("unsure") ?? [])].map((r) =>
    r.startContainer.data.slice(r.startOffset, r.endOffset)).join() === wanted"""


def test_unsure_words_are_underlined_until_their_line_is_right(open_page, doubtful):
    doubtful.transcript.segments.filter(number=1).update(unsure="0+4,8+6")
    fast = "This is a line of so many letters that nobody says it in two seconds."
    words = [[4000, 4100, "This", 0.9], [4100, 4200, "is", 0.1]]
    line = doubtful.transcript.segments.filter(number=2)
    line.update(text=fast, words=words, unsure="5+2", marks="f")
    page = open_page(f"/videos/{doubtful.pk}/")
    rows = page.locator("#rows li")

    page.wait_for_function(UNSURE, arg="This,line 1,is")
    rows.nth(1).locator("span").first.hover()
    said = "The engine was not sure of: This, line 1"
    expect(rows.nth(1).locator("span").first).to_have_attribute("title", said)
    rows.nth(2).locator("a").first.focus()
    expect(rows.nth(2).locator("a").first).to_have_accessible_description(
        "The engine was not sure of: is"
    )
    page.get_by_label("Find", exact=True).fill("line")
    expect(page.locator("#find-count")).to_contain_text("6")
    page.get_by_label("Find", exact=True).fill("")

    rows.nth(2).locator("span").first.dblclick()
    expect(page.locator("#edit")).to_contain_text("Worth a second look: faster than anybody")
    assert Axe().run(page, context="#edit").violations_count == 0
    page.get_by_role("button", name="Mark as correct").click()
    page.wait_for_function(UNSURE, arg="This,line 1")
    expect(page.get_by_role("link", name="Doubtful lines")).to_have_count(0)
    page.keyboard.press("Control+z")
    page.get_by_role("link", name="Doubtful lines (1)").click()
    expect(rows).to_have_text([f"0:04{fast}"])
    page.go_back()
    expect(rows).to_have_count(6)
    page.keyboard.press("Control+y")
    expect(page.get_by_role("link", name="Doubtful lines")).to_have_count(0)
    assert "confirmed" in drawn(rows.nth(2).locator("span").first, "::after")


def test_doubtful_lines_and_gaps_alone_and_all_again(open_page, doubtful):
    page = open_page(f"/videos/{doubtful.pk}/")
    rows = page.locator("#rows li")

    page.get_by_role("link", name="Doubtful lines (1)").click()
    expect(rows).to_have_text(["0:04This is line 2."])
    page.wait_for_url("**/?doubt=1")
    page.get_by_role("link", name="Doubtful lines (1)").click()
    expect(rows).to_have_count(6)
    page.wait_for_url(f"**/videos/{doubtful.pk}/")
    page.get_by_role("link", name="Gaps (1)").click()
    expect(rows).to_have_text(["0:06This is line 3."])
    page.go_back()
    expect(rows).to_have_count(6)


def test_a_range_is_cleared_and_the_lines_worth_a_look_stay_alone(open_page, doubtful):
    page = open_page(f"/videos/{doubtful.pk}/?start=0&end=9&q=line&only=1&doubt=1")
    rows = page.locator("#rows li")
    expect(rows).to_have_text(["0:04This is line 2."])

    page.get_by_role("link", name="Clear the range").click()

    page.wait_for_url("**/?doubt=1&q=line&only=1")
    expect(rows).to_have_text(["0:04This is line 2."])
    page.get_by_role("link", name="Doubtful lines (1)").click()
    expect(rows).to_have_count(6)
    page.get_by_label("Only matching").uncheck()
    page.wait_for_url("**/?q=line")


def test_the_mark_does_not_stay_on_a_line_whose_followers_are_left_out(open_page, doubtful):
    page = open_page(f"/videos/{doubtful.pk}/?doubt=1&t=4.5")
    row = page.locator("#rows li")
    expect(row).to_have_attribute("aria-current", "true")

    page.locator("#player").evaluate("(p) => { p.currentTime = 9; }")

    expect(row).not_to_have_attribute("aria-current", "true")


def test_what_was_played_is_kept_tinted_and_gone_on_with(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    player = page.locator("#player")
    player.evaluate(
        "(p) => p.readyState >= 1 || new Promise((ok) => p.addEventListener('loadedmetadata', ok))"
    )
    with page.expect_response("**/place") as told:
        player.evaluate(
            """(p) => new Promise((ok) => {
              p.currentTime = 40;
              p.playbackRate = 4;
              p.play();
              const look = () => (p.currentTime > 46 ? (p.pause(), ok()) : setTimeout(look, 50));
              look();
            })"""
        )
    assert told.value.status == 204
    rows = page.locator("#rows li")
    expect(rows.nth(21)).to_have_class("played")
    expect(rows.nth(30)).not_to_have_class("played")

    page.goto(f"/videos/{film.pk}/")
    expect(rows.nth(21)).to_have_class("played")
    resume = page.get_by_role("link", name="Resume at 0:4")
    space = resume.locator("[data-time]").evaluate(
        """(time) => {
          const text = time.previousSibling, words = document.createRange();
          words.setStart(text, 0);
          words.setEnd(text, text.data.trimEnd().length);
          return time.getBoundingClientRect().left - words.getBoundingClientRect().right;
        }"""
    )
    assert space > 2
    resume.click()
    assert 46 <= player.evaluate("(p) => p.currentTime") < 60
    expect(page.locator("#rows [aria-current]")).to_have_count(1)

    page.get_by_role("button", name="Forget what I played").click()
    expect(rows.nth(21)).not_to_have_class("played")
    expect(page.get_by_role("link", name="Resume")).to_have_count(0)
    assert not Place.objects.exists()


def test_the_last_line_of_a_block_is_played_when_more_than_half_of_it_is(
    open_page, clip, transactional_db
):
    """Each ends where the next begins, which is in another block behind the fiftieth."""
    cues = [(n * 2000, n * 2000 + 2000, f"This is line {n}.") for n in range(60)]
    user = local_user()
    video = make_transcript(cues, make_index(user), content=clip, duration_ms=120_000)
    Place.objects.create(user=user, video=video, played=[[90_000, 98_700]])

    page = open_page(f"/videos/{video.pk}/")
    page.locator("#rows li").nth(49).scroll_into_view_if_needed()

    expect(page.locator("#rows li").nth(48)).to_have_class("played")
    expect(page.locator("#rows li").nth(49)).not_to_have_class("played")


def test_what_was_played_stays_tinted_when_the_player_changes_to_the_copy(open_page, film):
    page = open_page(f"/videos/{film.pk}/", routed=True)
    page.route("**/derived", lambda route: None)  # the page asks, and would go back to the original
    rows = page.locator("#rows li")
    play(page)
    until(page, "p.currentTime > 2.2")
    page.locator("#player").evaluate("(p) => p.pause()")
    expect(rows.first).to_have_class("played")

    page.locator("#derived").evaluate(
        """(made) => {
          made.dataset.src = `${document.getElementById("player").src}?copy`;
          made.dispatchEvent(new CustomEvent("htmx:afterSettle", { bubbles: true }));
          document.dispatchEvent(new CustomEvent("desk:seek", { detail: { at: 20 } }));
        }"""
    )
    until(page, "p.readyState >= 1 && p.src.endsWith('?copy')")
    until(page, "p.currentTime === 20")
    play(page)
    until(page, "p.currentTime > 22.2")
    page.locator("#player").evaluate("(p) => p.pause()")

    expect(rows.nth(10)).to_have_class("played")
    expect(rows.first).to_have_class("played")
