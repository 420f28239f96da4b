"""Make the README's pictures: ``make screenshots``. Starts the site in a folder of its own,
uploads drawn videos with captions through its form, and photographs its pages in Chromium.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests import chromium
from tests.faults.stack import Stack, running, wait_for

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "img"
SECONDS, RATE, WIDTH, HEIGHT = 20 * 60, 5, 640, 360

OPENINGS = ("So", "Well,", "And then", "You know,", "That winter", "I remember that", "In the end")
PARTS = (
    "the ferry came back without its lights",
    "my brother kept the keys to the lighthouse",
    "nobody in the harbour had seen such a tide",
    "we carried the nets up the hill by hand",
    "she wrote every name into that blue book",
    "the bridge was closed for repairs until spring",
    "you could hear the bell from the other shore",
    "they asked us to wait for the morning boat",
)
ENDS = (".", ", and nobody said a word.", ", or so I was told.", ". That was all.", "?")


def lines(seed: int) -> list[tuple[float, float, str]]:
    """312 made-up sentences with times, pauses and a few long gaps."""
    dice, at, found = random.Random(seed), 1.0, []  # noqa: S311 - no secret
    while len(found) < 312:
        text = f"{dice.choice(OPENINGS)} {dice.choice(PARTS)}{dice.choice(ENDS)}"
        length = len(text) / dice.uniform(15, 22)
        found.append((at, at + length, text))
        at += length + (dice.uniform(3, 9) if dice.random() < 0.06 else dice.uniform(0.1, 0.5))
    scale = (SECONDS - 5) / at
    return [(start * scale, end * scale, text) for start, end, text in found]


def srt(cues: list[tuple[float, float, str]]) -> str:
    return "\n".join(
        f"{n}\n{_stamp(start)} --> {_stamp(end)}\n{text}\n"
        for n, (start, end, text) in enumerate(cues, 1)
    )


def _stamp(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"


def draw(path: Path, cues: list[tuple[float, float, str]], hue: float) -> None:
    """A sea with a boat under a moving sun, and noise where somebody speaks."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        picture = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "g": "25"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound = out.add_stream("aac", rate=16_000, layout="mono")
        for number in range(SECONDS * RATE):
            frame = av.VideoFrame.from_ndarray(_sea(number / RATE, hue), format="rgb24")
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        for frame in _noise(cues):
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))


def _sea(at: float, hue: float) -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT:4, 0:WIDTH:4].astype(np.float32)
    sky = np.stack([200 - y * 0.3 * hue, 170 - y * 0.2, 150 + y * 0.2 * hue], -1)
    wave = 6 * np.sin(x / 30 + at) + 3 * np.sin(x / 11 - at * 1.7)
    sea = y > 230 + wave
    sky[sea] = np.stack([30 + 20 * hue + 0 * y, 60 + wave * 2, 90 + y * 0.15], -1)[sea]
    sun_x, sun_y = 80 + at / SECONDS * 480, 90 - 40 * np.sin(at / SECONDS * np.pi)
    sky[(x - sun_x) ** 2 + (y - sun_y) ** 2 < 900] = (255, 236, 190)
    boat_x = 320 + 120 * np.sin(at / 20)
    boat_y = 222 + 6 * np.sin(boat_x / 30 + at)
    sky[(abs(x - boat_x) < 40 - (y - boat_y)) & (abs(y - boat_y - 8) < 10)] = (40, 30, 28)
    sky[(abs(x - boat_x) < (y - boat_y + 60) / 3) & (y < boat_y - 4) & (y > boat_y - 60)] = (
        235,
        230,
        220,
    )
    return np.clip(sky, 0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)


def _noise(cues: list[tuple[float, float, str]]) -> Iterator[av.AudioFrame]:
    dice = np.random.default_rng(1)
    loud = np.zeros(SECONDS * 16_000, np.float32)
    for start, end, _ in cues:
        span = np.arange(int(start * 16_000), int(end * 16_000))
        loud[span] = 0.5 + 0.5 * np.sin(span / 2600) * np.sin(span / 900)
    for at in range(0, len(loud), 16_000):
        part = loud[at : at + 16_000] * dice.uniform(-6000, 6000, 16_000)
        frame = av.AudioFrame.from_ndarray(part.astype(np.int16)[None], "s16", "mono")
        frame.rate, frame.pts = 16_000, at
        yield frame


def drawn(stack: Stack) -> bool:
    """All thumbnails and waveforms are made."""
    return {row[0] for row in stack.rows("SELECT state FROM videos_derivation")} == {"ready"}


def photograph(page: Page, name: str, path: str = "", *, settle: int = 1200) -> None:
    if path:
        page.goto(path)
    page.wait_for_timeout(settle)
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/img/{name}.png", (PICTURES / f"{name}.png").stat().st_size // 1000, "KB")


def take_all(url: str) -> None:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for scheme in ("light", "dark"):
            size = {"width": 1440, "height": 900}
            context = browser.new_context(base_url=url, viewport=size, color_scheme=scheme)
            page = context.new_page()
            page.goto("/")
            viewer = page.get_by_role("link", name="harbour master.mp4").get_attribute("href")
            assert viewer
            if scheme == "light":
                _keep_some(page, viewer)
                photograph(page, "library", "/")
                photograph(page, "search", "/search/?q=bridge")
                photograph(page, "selects", _bin(page, viewer))
            photograph(page, f"viewer-{scheme}", f"{viewer}?t=252&q=bridge%20ferry", settle=2500)
        narrow = {"width": 390, "height": 844}
        context = browser.new_context(base_url=url, viewport=narrow, color_scheme="dark")
        photograph(context.new_page(), "viewer-narrow", f"{viewer}?start=240&end=330&t=252")
        browser.close()


def _keep_some(page: Page, viewer: str) -> None:
    kept = [
        ("1:12", "1:31", "Opening: the tide", "green"),
        ("4:05", "4:40", "The bridge", "orange"),
        ("9:20", "9:52", "", "blue"),
        ("15:02", "15:20", "Last line?", "purple"),
    ]
    for start, end, note, colour in kept:
        page.goto(viewer)
        page.locator("#keep [name=start]").fill(start)
        page.locator("#keep [name=end]").fill(end)
        page.locator("#keep [name=note]").fill(note)
        page.locator("#keep [name=colour]").select_option(colour)
        page.locator("#keep-button").click()
        page.locator("#selects .kept li").first.wait_for()
        page.wait_for_timeout(300)


def _bin(page: Page, viewer: str) -> str:
    page.goto(viewer)
    found = page.get_by_role("link", name="The whole bin").get_attribute("href")
    assert found
    return found


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="desk-pictures-") as name:
        folder = Path(name)
        with running(folder / "data") as stack:
            for seed, title in enumerate(("the boat builder", "two sisters", "harbour master")):
                cues, film = lines(seed), folder / f"{title}.mp4"
                draw(film, cues, 0.4 + 0.4 * seed)
                words = srt(cues).encode()
                assert stack.upload(film, captions=words, new_index="The harbour film").ok
            wait_for(lambda: stack.all_ready() and drawn(stack), 120, "all that the pages show")
            take_all(stack.url)


if __name__ == "__main__":
    main()
