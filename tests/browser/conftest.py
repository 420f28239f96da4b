"""A real browser on a real server. A page that complains in its console fails its test."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from tests import chromium, missing
from tests.browser.desk import WAIT_MS, until
from tests.factories import make_index, make_transcript
from videos.local_user import local_user

expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="session")
def browser():
    if not Path(chromium.PATH).exists():
        missing(f"The browser {chromium.PATH}")
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, live_server, transactional_db, settings):
    """Opens a path in a context of its own; the options are the context's.

    Whose requests a test will hold or break must be `routed`: a route that is set on a loaded page
    takes hold a moment after Chromium says so, and a request that is sent at once may slip through.
    """
    settings.DEFAULT_ENGINE = "sphinx"  # or the form asks the network for a better one
    contexts, complaints = [], []

    def open_page(path: str, *, expect_errors: bool = False, routed: bool = False, **options):
        options = {"viewport": {"width": 1280, "height": 800}} | options
        context = browser.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        if routed:
            context.route("**/never-asked", lambda route: route.continue_())
        page = context.new_page()
        if not expect_errors:
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda message: _note(complaints, message))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


# What htmx says of a request that another one took the place of, as hx-sync asks for.
CUT_OFF = ("htmx:afterRequest", "htmx:sendAbort")


def _note(complaints: list[str], message) -> None:
    if message.text in CUT_OFF:
        return
    if message.type == "error" or "Content Security Policy" in message.text:
        complaints.append(message.text)


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> bytes:
    """Two minutes of a moving picture in a few kilobytes."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Fraction(5), 600)


def make_clip(path: Path, rate: Fraction, frames: int) -> bytes:
    """A file of so many small frames."""
    picture = np.zeros((90, 160, 3), np.uint8)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(frames):
            picture[:, :, 1] = number % 200
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture
def film(clip, transactional_db):
    """A ready video of two minutes with 60 lines, one every two seconds."""
    cues = [(n * 2000, n * 2000 + 1900, f"This is line {n}.") for n in range(60)]
    index = make_index(local_user(), name="Films")
    return make_transcript(cues, index, content=clip, filename="film.mp4", duration_ms=120_000)


@pytest.fixture
def desk(open_page, film):
    """The film's page, ready to play; with the query, if one is given."""

    def open_desk(query: str = "", **options):
        page = open_page(f"/videos/{film.pk}/{query}", **options)
        until(page, "p.readyState >= 1")
        if query[1:].startswith("t=") or "&t=" in query:
            until(page, "p.currentTime > 0")  # the player goes there a little later
        return page

    return open_desk
