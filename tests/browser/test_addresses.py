"""A video by its web address, and the webhook page: in a browser, with and without JavaScript."""

from __future__ import annotations

import ipaddress
import os
import re
import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection

from tests.web import Handler, serving
from videos import tasks
from videos.models import Fetch, Task

NARROW = {"viewport": {"width": 390, "height": 844}}
DARK = {"color_scheme": "dark"}


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.FETCH_ALLOW_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


def faults(page) -> list[str]:
    return [fault["id"] for fault in Axe().run(page).response["violations"]]


def in_thread(work) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def shoot(page, name: str) -> None:
    """For whoever wants to look: SHOTS=folder."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"))


def test_a_video_is_fetched_and_then_it_plays(open_page, sample):
    content, go_on = sample.read_bytes(), threading.Event()

    def play(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:200_000])
        go_on.wait(60)
        handler.wfile.write(content[200_000:])

    with serving(play) as server:
        page = open_page("/upload/")
        page.get_by_text("From a web address").click()
        page.get_by_label("Address of the video").fill(f"{server.url}/take%204.mp4?sig=secret")
        assert faults(page) == []
        shoot(page, "from-url")
        page.get_by_role("button", name="Fetch").click()
        page.get_by_text("Waiting to be fetched").wait_for()
        assert "secret" not in page.content()
        worker = in_thread(tasks.fetch)
        try:
            page.get_by_text(re.compile(r"Fetching the file: .* of ")).wait_for(timeout=20_000)
            assert faults(page) == []
            shoot(page, "fetching")
            go_on.set()
            page.locator("#player").wait_for(timeout=20_000)
        finally:
            go_on.set()
            worker.join(20)
    assert page.get_by_role("heading", name="take 4.mp4").is_visible()
    assert not Fetch.objects.exists()


def test_a_fetch_is_cancelled_without_javascript(open_page):
    page = open_page("/upload/", java_script_enabled=False, **NARROW, **DARK)
    page.get_by_text("From a web address").click()
    page.get_by_label("Address of the video").fill("http://127.0.0.1:9/a.mp4")
    page.get_by_role("button", name="Fetch").click()
    shoot(page, "fetching-narrow-dark")
    page.get_by_role("button", name="Cancel").click()

    page.get_by_role("button", name="Continue").wait_for()
    assert Task.objects.get().cancelled


def test_a_webhook_is_set_and_tried(open_page):
    with serving(lambda handler: handler.reply(status=418)) as server:
        page = open_page("/account/keys/")
        page.get_by_role("link", name="Set a webhook").click()
        assert faults(page) == []
        page.get_by_label("Address").fill(f"{server.url}/hook")
        page.get_by_role("button", name="Set").click()
        assert page.locator("#new-secret").is_visible()
        assert faults(page) == []
        page.get_by_role("button", name="Send a test").click()
        page.get_by_text("A test is on its way").wait_for()
        tasks.deliver()
        page.get_by_role("link", name="Reload").click()
        page.get_by_text("The receiver answered 418.").wait_for()
        assert faults(page) == []
        shoot(page, "webhook")
        page.set_viewport_size(NARROW["viewport"])
        page.emulate_media(color_scheme="dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shoot(page, "webhook-narrow-dark")
        page.get_by_role("button", name="Delete").click()
        page.get_by_text("The webhook is gone").wait_for()
