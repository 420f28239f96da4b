"""Search across videos and the library's list, in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.factories import make_index, make_transcript, phrase
from videos.local_user import local_user
from videos.models import Tag, Video

SHOTS = os.environ.get("SHOTS")  # a folder to put pictures of the pages into
NARROW = {"viewport": {"width": 390, "height": 844}}
FOUND = "/search/?q=the"  # it is in lines beside hits, too


def shoot(page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS, f"{name}.png")))


def many(number: int) -> list[Video]:
    index = make_index(local_user(), name="Interviews")
    return [
        make_transcript(
            [(n * 3100, n * 3100 + 3000, phrase(n + v * 3)) for n in range(40)],
            index,
            filename=f"A{v:03}_interview.mov",
            title="Harbour, second day with the boatman" if v % 3 else "",
        )
        for v in range(number)
    ]


def assert_accessible(page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("number", [0, 5, 60])
def test_library_and_search_are_accessible_with_few_and_many_videos(open_page, number):
    videos = many(number)
    if videos:
        Tag.objects.named(local_user(), "B-roll").videos.add(*videos[-3:])
    for path, name in (("/", "library"), (FOUND, "search")):
        page = open_page(path)
        assert_accessible(page)
        shoot(page, f"{name}-{number}")
    if number == 5:
        for options, name in ((NARROW, "narrow"), ({"color_scheme": "dark"}, "dark")):
            for path, kind in (("/", "library"), (FOUND, "search")):
                page = open_page(path, **options)
                shoot(page, f"{kind}-{name}")
                width = page.evaluate("document.documentElement.scrollWidth")
                assert width <= page.viewport_size["width"]
                if name == "dark":
                    assert_accessible(page)


def test_results_come_while_somebody_types_and_the_address_holds_them(open_page):
    videos = many(2)
    page = open_page("/search/", expect_errors=True)  # the films have no files to play

    page.get_by_label("Words").fill("winter boats")
    expect(page.locator(".hits mark").first).to_have_text("winter")
    page.wait_for_url("**/search/?q=winter+boats")
    page.get_by_label("Order").select_option("newest")
    page.wait_for_url("**/search/?q=winter+boats&sort=newest")
    expect(page.locator("#found")).to_contain_text("in 2 videos")

    page.locator(".hits a").first.click()
    page.wait_for_url(f"**/videos/{videos[1].pk}/?q=winter*boats&t=*#now")
    expect(page.locator("#now")).to_contain_text("winter")


def test_a_click_on_a_videos_strip_opens_it_at_the_hit_that_lies_nearest(open_page):
    cues = [(n * 3100, n * 3100 + 3000, "a boat" if n in (4, 30) else "nothing") for n in range(40)]
    video = make_transcript(cues, make_index(local_user()), duration_ms=124_000)
    page = open_page("/search/?q=boat", expect_errors=True)  # the film has no file to play
    strip = page.locator(".hit-strip")
    width = strip.bounding_box()["width"]

    with page.context.expect_page() as opened:
        strip.click(position={"x": width * 0.9, "y": 4}, modifiers=["ControlOrMeta"])
    opened.value.wait_for_url(f"**/videos/{video.pk}/?q=boat&t=93#now")
    strip.click(position={"x": width * 0.2, "y": 4})

    page.wait_for_url(f"**/videos/{video.pk}/?q=boat&t=12.4#now")
    expect(page.locator("#now")).to_contain_text("a boat")


def test_another_order_does_not_wait_for_what_was_typed_and_is_not_undone_by_it(open_page):
    many(2)
    page = open_page("/search/", expect_errors=True, routed=True)
    slow = []
    page.route("**/search/?q=*", lambda route: route.continue_() if slow else slow.append(route))
    with page.expect_request("**/search/?q=*"):
        page.get_by_label("Words").fill("winter boats")

    with page.expect_event("requestfailed"):  # nobody waits for it any more
        page.get_by_label("Order").select_option("newest")

    page.wait_for_url("**/search/?q=winter+boats&sort=newest")


def test_chosen_videos_are_counted_and_deleted_after_a_question(open_page):
    many(3)
    page = open_page("/")
    expect(page.locator("#chosen")).to_have_text("None chosen")

    page.get_by_label("All here").check()
    expect(page.locator("#chosen")).to_have_text("3 chosen")
    shoot(page, "library-chosen")
    page.evaluate("htmx.ajax('GET', location.href, {target: '#listing', swap: 'outerHTML'})")
    expect(page.locator("#listing.htmx-added, #listing.htmx-settling")).to_have_count(0)
    expect(page.locator("#chosen")).to_have_text("3 chosen")
    page.locator(".video input[name=video]").first.uncheck()
    page.locator("#many > .danger").click()
    shoot(page, "library-delete")
    page.locator("#delete-many").get_by_role("button", name="Delete").click()

    expect(page.locator(".messages")).to_contain_text("Deleted 2 videos.")
    assert Video.objects.count() == 1


def test_a_captions_file_dropped_on_a_video_becomes_its_transcript(open_page, film):
    page = open_page(f"/videos/{film.pk}/")
    assert_accessible(page)
    shoot(page, "viewer")
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          const text = "1\\n00:00:01,000 --> 00:00:02,000\\nFrom elsewhere.\\n";
          transfer.items.add(new File([text], "film.srt"));
          const options = {dataTransfer: transfer, bubbles: true, cancelable: true};
          document.body.dispatchEvent(new DragEvent("drop", options));
        }"""
    )

    expect(page.locator("#rows")).to_contain_text("From elsewhere.")
    expect(page.locator("#rows li")).to_have_count(1)


def test_lists_work_without_javascript(open_page):
    many(2)
    page = open_page("/", java_script_enabled=False)

    page.locator(".video input[name=video]").first.check()
    page.get_by_label("Tag to add").fill("kept")
    page.get_by_role("button", name="Tag", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("Tagged 1 video with kept.")

    page.get_by_label("Search in all transcripts").fill("boats")
    page.get_by_label("Search in all transcripts").press("Enter")
    expect(page.locator(".hits mark").first).to_have_text("boats")
