"""How swift the viewer is, beside the browser's own limit: ``python -m benchmarks.viewer``.

For each size (``--rows 1000 10000 50000``) the real site serves a transcript, and a plain page
made here shows the same lines with the swiftest techniques we know (rows in blocks with
content-visibility, one listener, a timer to the next line, cached texts, StaticRanges). Both are
measured in turns in the same Chromium; the last column is ours over the limit. Judge by it: the
milliseconds are the machine's.
"""

from __future__ import annotations

import argparse
import gzip
import html
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import requests
from playwright.sync_api import Browser, Page, sync_playwright

from tests import chromium
from tests.faults.stack import Stack, running, wait_for

ROW_MS = 3600
FRAME_SECONDS = 10
TURNS = 3
PATIENCE_MS = 120_000
PHRASES = (
    "So we came down to the river before the light was gone.",
    "Nobody had told us that the bridge was closed.",
    "I remember the sound more than anything else, a sort of low hum.",
    "And then she laughed, and that was that.",
    "You keep the camera on his hands, not on his face.",
    "Right.",
    "We had two hours, one lens and no permission at all.",
    "Could you say that once more, from the moment he stands at the window?",
)
HERE = Path(__file__).parent
Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 50_000])
    parser.add_argument("--turns", type=int, default=TURNS)
    wishes = parser.parse_args()
    for count in wishes.rows:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), count, wishes.turns)


def compare(folder: Path, count: int, turns: int) -> None:
    film, captions = folder / "film.mp4", folder / "film.srt"
    draw(film, count * ROW_MS // 1000)
    captions.write_text(subtitles(count))
    limits = {
        "ENGINE": "sphinx",
        "MAX_VIDEO_HOURS": "100",
        "HEARTBEAT_SECONDS": "10",
        "LEASE_SECONDS": "60",
    }
    with running(folder / "site", **limits) as stack, sync_playwright() as playwright:
        ours = uploaded(stack, film, captions)
        with serving(limit_page(count).encode(), film.read_bytes()) as limit:
            addresses = {"limit": limit, "ours": ours}
            found: dict[str, list[Figures]] = {name: [] for name in addresses}
            for _ in range(turns):
                for name, url in addresses.items():
                    browser = chromium.launch(playwright)
                    found[name].append(measure(browser, url))
                    browser.close()
    show(count, found)


def show(count: int, found: dict[str, list[Figures]]) -> None:
    print(f"\n{count:,} lines{'limit':>36}{'ours':>12}{'ratio':>9}")
    for name in found["limit"][0]:
        limit, ours = (
            statistics.median(each[name] for each in found[w]) for w in ("limit", "ours")
        )
        ratio = f"{ours / limit:9.2f}" if limit else f"{'-':>9}"
        print(f"{name:<42}{limit:10.1f}{ours:12.1f}{ratio}", flush=True)


# --- what is shown ---


def draw(path: Path, seconds: int) -> None:
    """A silent picture that changes every ten seconds: hours of it are small."""
    picture = np.zeros((90, 160, 3), np.uint8)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream("libx264", rate=1, options={"preset": "ultrafast", "g": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(seconds // FRAME_SECONDS + 1):
            picture[:, :, 1] = number % 200
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number * FRAME_SECONDS
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def text_of(number: int) -> str:
    """One row has a word of its own, the number makes each a little different."""
    said = PHRASES[(number * 7 + number // 10) % len(PHRASES)]
    return f"{said} {number}" if number else "The needle in this haystack."


def subtitles(count: int) -> str:
    cues = (
        f"{n + 1}\n{stamp(n * ROW_MS)} --> {stamp(n * ROW_MS + 3500)}\n{text_of(n - count // 2)}\n"
        for n in range(count)
    )
    return "\n".join(cues)


def stamp(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def uploaded(stack: Stack, film: Path, captions: Path) -> str:
    """The address of the film's page, once its lines are there."""
    session, token = stack.session()
    with film.open("rb") as video, captions.open("rb") as lines:
        answer = session.post(
            f"{stack.url}/upload/",
            data={"csrfmiddlewaretoken": token},
            files={"file": ("film.mp4", video), "captions": ("film.srt", lines)},
            timeout=600,
        )
    assert answer.ok, answer.text[:500]
    wait_for(stack.all_ready, 600)
    ((video_id,),) = stack.rows("SELECT id FROM videos_video")
    return f"{stack.url}/videos/{video_id}/"


def limit_page(count: int) -> str:
    blocks = (
        "<ol class=block>"
        + "".join(map(partial(limit_row, count), range(n, min(n + 50, count))))
        + "</ol>"
        for n in range(0, count, 50)
    )
    page = (HERE / "limit.html").read_text()
    return page.replace("{rows}", "\n".join(blocks))


def limit_row(count: int, number: int) -> str:
    seconds = number * ROW_MS / 1000
    clock = f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"
    text = html.escape(text_of(number - count // 2), quote=False)
    return f'<li><a href="?t={seconds:g}">{clock}</a><span>{text}</span>\n'


@contextmanager
def serving(page: bytes, film: bytes) -> Iterator[str]:
    body = gzip.compress(page, 6)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/media":
                self.answer(206, *slice_of(film, self.headers["Range"] or "bytes=0-"))
            else:
                headers = {"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "gzip"}
                self.answer(200, headers, body)

        def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(content)

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


def slice_of(film: bytes, asked: str) -> tuple[dict[str, str], bytes]:
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last or len(film)), len(film) - 1)
    span = f"bytes {start}-{end}/{len(film)}"
    return {"Content-Type": "video/mp4", "Content-Range": span}, film[start : end + 1]


# --- measuring ---


def measure(browser: Browser, url: str) -> Figures:
    answer = requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=60)
    size = len(answer.raw.read())
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(path=HERE / "probe.js")
    page.goto(url, wait_until="load")
    page.wait_for_timeout(2500)
    figures: Figures = {"page, gzip KB": size / 1000}
    figures |= page.evaluate("() => probe.loaded()")
    figures["renderer memory, MB"] = memory(browser)
    figures |= probe(page, "seeking")
    figures |= playing(page)
    for part in ("finding", "scrolling"):
        figures |= probe(page, part)
    return figures


def probe(page: Page, part: str) -> Figures:
    """What a part of ``probe.js`` found; raises Playwright's Error when it has no end."""
    found: Figures = page.evaluate(
        """([part, ms]) => Promise.race([
            probe[part](),
            new Promise((_, fail) => setTimeout(() => fail(Error(`${part} has no end`)), ms)),
        ])""",
        [part, PATIENCE_MS],
    )
    return found


def playing(page: Page) -> Figures:
    """Main-thread time a second while it plays, and how late the mark moves."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    probe(page, "play")
    page.wait_for_timeout(1000)
    before = busy(session)
    page.wait_for_timeout(8000)
    spent = busy(session) - before
    return {"CPU while playing, ms per s": spent / 8 * 1000} | page.evaluate("() => probe.late()")


def busy(session: Any) -> float:
    metrics = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    return float(metrics["TaskDuration"])


def memory(browser: Browser) -> float:
    """What the largest renderer holds alone."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return max(private(each["id"]) for each in processes if each["type"] == "renderer")


def private(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1000


if __name__ == "__main__":
    main()
