"""A large file is sent in parts: through a broken connection, over a reload, with a pause."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.factories import make_user
from videos import multipart, storage
from videos.models import Asset, Upload, Video

PART = 50_000


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(multipart, "CHUNK_BYTES", PART)
    monkeypatch.setattr(multipart, "PARTS_FROM_BYTES", PART)


def choose(page, path) -> None:
    page.get_by_label("Choose video or sound files").set_input_files(path)
    page.get_by_role("button", name="Upload", exact=True).click()


def numbers(page) -> list[str]:
    """Of the parts that the page sends from now on."""
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url.rpartition("/")[2]) if r.method == "PUT" else 0)
    return sent


def hold(page, number) -> None:
    """This part never arrives."""
    page.route(f"**/upload/parts/*/{number}", lambda route: None)


def test_a_connection_that_breaks_midway_costs_one_part(open_page, sample):
    page, breaks = open_page("/upload/", expect_errors=True, routed=True), [1, 1]
    page.route(
        "**/upload/parts/*/3",
        lambda route: (
            route.abort("connectionreset") if breaks and breaks.pop() else route.fallback()
        ),
    )
    sent, row = numbers(page), page.locator("#queue li")
    asked = []  # the first answer about the whole file is lost
    page.route(
        "**/finish",
        lambda route: asked.append(1) or (route.abort, route.fallback)[len(asked) > 1](),
    )

    choose(page, sample)

    expect(row).to_contain_text("The connection broke; going on at 97.7 KB as soon as it is back.")
    assert float(row.locator("progress").get_attribute("value")) == pytest.approx(0.49, abs=0.01)
    expect(row).to_contain_text("All of it is sent. Asking the server again", timeout=15_000)
    expect(row.get_by_role("link")).to_have_text("sample.mp4", timeout=15_000)
    assert sent == ["1", "2", "3", "3", "3", "4", "5"]
    video = Video.objects.get()
    assert storage.media_path(video.media_name).read_bytes() == sample.read_bytes()


def test_the_same_file_goes_on_after_a_reload(open_page, sample):
    page = open_page("/upload/", expect_errors=True, routed=True)
    page.on("dialog", lambda dialog: dialog.accept())
    hold(page, 4)
    with page.expect_request("**/upload/parts/*/4"):
        choose(page, sample)
    page.reload()
    page.unroute_all()
    told = page.get_by_role("list", name="Unfinished uploads")
    expect(told).to_contain_text("146.5 KB of 198.1 KB received. Choose the same file again")
    assert Axe().run(page, context="#main").violations_count == 0
    sent = numbers(page)

    choose(page, sample)

    expect(page.locator("#queue li").get_by_role("link")).to_have_text("sample.mp4")
    expect(told).to_have_count(0)
    assert sent == ["4", "5"]
    assert Video.objects.get().size_bytes == sample.stat().st_size


def test_a_pause_keeps_what_was_sent_and_a_cancel_does_not(open_page, sample):
    page = open_page("/upload/", expect_errors=True, routed=True)
    hold(page, 3)
    row, sent = page.locator("#queue li"), numbers(page)
    with page.expect_request("**/upload/parts/*/3"):
        choose(page, sample)

    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused at 97.7 KB.")
    expect(row.get_by_role("button", name="Resume")).to_be_focused()
    expect(page.locator("#uploads-sum")).to_have_text("0 of 1 sent, 1 paused")
    with page.expect_request("**/upload/parts/*/3"):
        row.get_by_role("button", name="Resume").click()
    assert sent == ["1", "2", "3", "3"]
    with page.expect_response("**/discard"):
        row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("Cancelled.")
    assert not Upload.objects.exists() and not Asset.objects.exists()

    page.unroute_all()
    row.get_by_role("button", name="Try again").click()
    expect(row.get_by_role("link")).to_have_text("sample.mp4")
    assert sent[4:] == ["1", "2", "3", "4", "5"]


def test_a_full_disk_is_said_and_what_was_sent_is_kept(open_page, sample):
    page = open_page("/upload/", expect_errors=True, routed=True)
    page.route("**/upload/parts/*/3", lambda route: route.fulfill(status=507))
    row = page.locator("#queue li")
    choose(page, sample)
    expect(row).to_contain_text("The disk of this server is full. What was sent so far is kept")
    page.unroute_all()
    sent = numbers(page)
    row.get_by_role("button", name="Try again").click()
    expect(row.get_by_role("link")).to_have_text("sample.mp4")
    assert sent == ["3", "4", "5"]


def test_captions_that_are_gone_when_they_are_sent_are_said(open_page, sample, tmp_path):
    captions = tmp_path / "words.srt"
    captions.write_text("1\n00:00:00,000 --> 00:00:01,000\nBefore.\n")
    page = open_page("/upload/", expect_errors=True, routed=True)
    page.route(
        "**/upload/parts/*/3",
        lambda route: captions.unlink() or route.fallback(),
    )
    page.get_by_label("Captions to use instead").set_input_files(captions)

    choose(page, sample)

    row = page.locator("#queue li")
    expect(row).to_contain_text("The captions were changed or moved meanwhile.")
    expect(row.get_by_role("button", name="Try again")).to_be_visible()


def test_what_is_no_answer_of_the_server_is_told_apart(open_page, sample):
    page = open_page("/upload/", expect_errors=True, routed=True)
    row = page.locator("#queue li")
    answer = {"status": 413}
    page.route("**/upload/parts/*/3", lambda route: route.fulfill(**answer))
    choose(page, sample)
    expect(row).to_contain_text("Something between this page and the server takes no parts of this")

    answer["status"] = 400
    row.get_by_role("button", name="Try again").click()
    expect(row).to_contain_text("The server could not take this file. Trying again goes on where")

    page.unroute_all()
    make_user()  # who was let in without a password has to sign in now
    row.get_by_role("button", name="Try again").click()
    expect(row).to_contain_text("You were signed out. Reload the page, sign in and choose")
