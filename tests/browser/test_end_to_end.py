"""What the site is for, as an editor does it: the real site, a real browser, real speech."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.faults.stack import Stack, running
from tests.makers import SPOKEN as SAMPLE
from tests.makers import spoken_video

SPOKEN = SAMPLE["cues"]


@pytest.fixture
def site(tmp_path) -> Iterator[Stack]:
    with running(tmp_path / "data") as stack:
        yield stack
        stack.check()


@pytest.fixture
def page(browser, site):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=site.url)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    yield page
    context.close()
    assert complaints == []


def test_from_a_chosen_file_to_a_range_that_can_be_sent_to_somebody(page, tmp_path):
    video = spoken_video(tmp_path / "Interview, take 2.mp4")
    page.goto("/")
    page.locator("input[type=file][name=file]").set_input_files(video)
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_role("link", name="Interview, take 2.mp4").first.click(timeout=20_000)

    # It becomes a transcript by itself, and can be read while it grows.
    rows = page.locator("#transcript li")
    expect(rows.nth(2)).to_contain_text(SPOKEN[2]["text"], timeout=60_000)
    expect(page.locator("#progress")).to_contain_text("Transcript by CMU Sphinx", timeout=90_000)
    everything = rows.count()
    assert everything >= len(SPOKEN)

    rows.nth(3).locator("span").first.click()
    expect(rows.nth(3)).to_have_attribute("aria-current", "true")
    at = page.locator("#player").evaluate("player => player.currentTime")
    assert abs(at * 1000 - SPOKEN[3]["start_ms"]) < 500
    assert page.locator("#player").evaluate("player => player.paused")

    page.locator("#range-start").fill("0:05")
    page.locator("#range-end").fill("15")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"start=5&end=15"))
    expect(page.locator("#range")).to_contain_text(f"of {everything} lines")
    inside = rows.all_inner_texts()
    assert 1 < len(inside) < everything

    page.reload()
    assert page.locator("#transcript li").all_inner_texts() == inside
