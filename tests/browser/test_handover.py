"""The menus that hand a transcript over, in a real browser."""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from videos.models import Segment

SHOTS = os.environ.get("SHOTS")


def shot(page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")


def download(page, label: str):
    with page.expect_download() as waiting:
        page.get_by_role("form", name="Export").get_by_role("button", name=label).click()
    return waiting.value.suggested_filename, waiting.value.path().read_text()


def test_a_file_holds_what_the_page_shows(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    page.get_by_text("Export", exact=True).click()
    shot(page, "export")
    name, text = download(page, "SRT")
    assert name == "film.srt" and text.count("-->") == 60

    page.fill("#range-start", "0:10")
    page.fill("#range-end", "0:20")
    page.click("#range-show")
    page.wait_for_selector('#transcript[data-query="start=10&end=20"]')
    page.get_by_text("Export", exact=True).click()
    expect(page.get_by_role("form", name="Export")).to_contain_text("0:10 to 0:20")
    page.fill("#export-handles", "5")
    name, text = download(page, "EDL CMX 3600")
    assert name == "film 0.10-0.20.edl"
    assert text.count("C        00:00:") == 5
    assert "C        00:00:09:20 00:00:12:03 01:00:00:00" in text


def test_only_the_lines_that_were_searched_for(open_page, film):
    page = open_page(f"/videos/{film.pk}/?q=line+7")
    page.get_by_text("Export", exact=True).click()
    page.get_by_role("form", name="Export").get_by_label("Only lines with").check()

    name, text = download(page, "Plain text")

    assert name == "film line 7.txt"
    assert text.splitlines()[:2] == ["This is line 7.", "This is line 17."]


def test_only_the_doubtful_lines_where_they_are_shown_alone(open_page, film):
    Segment.objects.filter(number__in=(3, 5)).update(marks="r")
    page = open_page(f"/videos/{film.pk}/")
    menu = page.get_by_role("form", name="Export")
    page.get_by_text("Export", exact=True).click()
    expect(menu.get_by_label("Only doubtful lines")).to_be_hidden()
    page.click("#filter-doubt")
    expect(page.locator("#rows li")).to_have_count(2)
    page.get_by_text("Export", exact=True).click()
    menu.get_by_label("Only doubtful lines").check()
    shot(page, "doubtful")

    name, text = download(page, "Plain text")

    assert name == "film doubtful.txt"
    assert text.splitlines() == ["This is line 3.", "This is line 5."]


REFUSE = "const refuse = (name) => { navigator.clipboard[name] = () => Promise.reject('no'); };"
BROWSERS = {
    "all": "",
    "takes a promise only": "refuse('writeText'); document.execCommand = () => false;",
    "knows no promise": "refuse('write'); document.execCommand = () => false;",
    "by hand": "refuse('write'); refuse('writeText');",
}


@pytest.mark.parametrize("browser_does", BROWSERS)
def test_words_go_to_the_clipboard(open_page, film, browser_does):
    page = open_page(f"/videos/{film.pk}/?start=10&end=14")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(f"() => {{ {REFUSE} {BROWSERS[browser_does]} }}")
    page.get_by_text("Copy as", exact=True).click()
    shot(page, "copy")
    page.get_by_role("button", name="Timecode and text").click()
    page.get_by_text("Copied: Timecode and text").wait_for()

    assert page.evaluate("navigator.clipboard.readText()").splitlines() == [
        "00:00:10:00  This is line 5.",
        "00:00:12:00  This is line 6.",
    ]
    assert page.evaluate("document.activeElement.textContent") == "Copy as"
    page.get_by_role("button", name="Copy link").press("Enter")
    page.get_by_text("Copied the link to 0:00").wait_for()
    assert page.evaluate("document.activeElement.id") == "copy-link"


def test_who_cannot_copy_is_told_why(open_page, film):
    page = open_page(f"/videos/{film.pk}/", expect_errors=True, routed=True)
    page.route("**/copy/**", lambda route: route.abort())
    page.get_by_text("Copy as", exact=True).click()
    page.get_by_role("button", name="Timecode and text").click()
    expect(page.locator("#handed")).to_have_text("The server is not responding.")

    page.unroute("**/copy/**")
    page.evaluate(f"() => {{ {REFUSE} {BROWSERS['by hand']} document.execCommand = () => false; }}")
    page.get_by_text("Copy as", exact=True).click()
    page.get_by_role("button", name="Timecode and text").click()
    expect(page.locator("#handed")).to_have_text("This browser does not let the page copy.")


def test_the_marked_line_alone(open_page, film):
    film.transcript.segments.filter(number=9).update(end_ms=20_500)  # somebody else still speaks
    page = open_page(f"/videos/{film.pk}/?t=21#now")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text("Copy as", exact=True).click()
    page.get_by_label("Only the line at the playhead").check()
    page.get_by_role("button", name="Markdown link").click()
    page.get_by_text("Copied: Markdown link").wait_for()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith(f"/videos/{film.pk}/?start=20&end=21.9>) This is line 10.")


def test_escape_and_a_click_elsewhere_close_a_menu(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    page.get_by_text("Export", exact=True).press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.locator("#handover details[open]").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Export"

    page.get_by_text("Export", exact=True).click()
    page.get_by_text("Copy as", exact=True).click()
    assert page.locator("#handover details[open]").count() == 1
    page.locator("h1").click()
    assert page.locator("#handover details[open]").count() == 0


def test_it_works_without_javascript(open_page, film):
    page = open_page(
        f"/videos/{film.pk}/?start=10&end=14", java_script_enabled=False, expect_errors=True
    )  # the browser looks for an icon of the plain text
    page.get_by_text("Export", exact=True).click()
    name, text = download(page, "WebVTT")
    assert name == "film 0.10-0.14.vtt" and text.count("-->") == 2
    page.get_by_text("Copy as", exact=True).click()
    page.get_by_role("button", name="ffmpeg command").click()
    page.wait_for_url("**/copy/ffmpeg**")

    assert "ffmpeg -ss 10 -to 14 -i film.mp4" in page.content()


@pytest.mark.parametrize("look", ["light", "dark", "narrow"])
def test_the_menus_meet_the_rules_of_axe(open_page, film, look):
    options = {"color_scheme": "dark" if look == "dark" else "light"}
    if look == "narrow":
        options["viewport"] = {"width": 390, "height": 844}
    page = open_page(f"/videos/{film.pk}/", **options)
    for menu in ("Copy as", "Export"):
        page.get_by_text(menu, exact=True).click()
        shot(page, f"{menu}-{look}")
        found = Axe().run(page, context="#handover").response["violations"]
        assert [fault["id"] for fault in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
