"""axe-core finds nothing on the viewer's page, and everything on it can be reached by Tab."""

from __future__ import annotations

import io

import av
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.test_viewer import line, ready

VIEWS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 390, "height": 844}},
}


def faults(page) -> list[str]:
    found = Axe().run(page)
    return [
        f"{fault['id']}: {node['target']} {node['html'][:120]}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]


@pytest.fixture(params=VIEWS)
def desk(request, open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=10&end=100&t=20", **VIEWS[request.param])
    ready(page)
    expect(line(page, 5)).to_have_attribute("aria-current", "true")
    return page


def test_the_desk_is_clean(desk):
    assert faults(desk) == []


def test_the_keys_and_the_errors_are_clean(desk):
    desk.get_by_label("Go to", exact=True).fill("soon")
    desk.keyboard.press("Enter")
    expect(desk.locator("#go-to-error")).to_be_visible()
    assert faults(desk) == []

    desk.keyboard.press("Escape")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Keys")).to_be_visible()
    assert faults(desk) == []


def test_every_control_of_the_transport_can_be_tabbed_to(open_page, film):
    page = open_page(f"/videos/{film.pk}/?start=10&end=100")
    ready(page)
    controls = ".transport :is(button, select, input:not([type=hidden])), .strip-handle"
    named = "(e) => e.getAttribute('aria-label') || e.textContent"
    wanted = {each.evaluate(named) for each in page.locator(controls).all()}
    reached = set()
    page.locator(".strip-handle").first.focus()
    for _ in range(len(wanted) + 2):
        reached.add(page.locator(":focus").evaluate(named))
        page.keyboard.press("Tab")

    assert wanted <= reached


COVERED = """(link) => {
  const { left, top, bottom } = link.getBoundingClientRect();
  const seen = (y) => link.closest("li").contains(document.elementFromPoint(left + 2, y));
  return !seen(top + 2) || !seen(bottom - 2);
}"""


@pytest.mark.parametrize("view", [{}, VIEWS["narrow"]], ids=["wide", "narrow"])
def test_what_has_the_focus_stands_behind_nothing_and_where_the_eye_expects_it(
    open_page, film, view
):
    page = open_page(f"/videos/{film.pk}/", **view)
    ready(page)
    line(page, 50).locator("a").focus()
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        focused = page.locator(":focus")
        assert not focused.evaluate(COVERED), focused.inner_text()

    expect(page.locator("#script ~ #below")).to_have_count(1 if view else 0)
    page.set_viewport_size({"width": 1280 if view else 390, "height": 800})
    expect(page.locator("#script ~ #below")).to_have_count(0 if view else 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_how_far_a_meter_is_can_be_seen(open_page, scheme):
    page = open_page("/upload/", color_scheme=scheme)
    page.evaluate("() => document.body.prepend(document.createElement('progress'))")
    page.locator("progress").first.evaluate("(meter) => (meter.value = 0.5)")  # axe passes it over

    with av.open(io.BytesIO(page.locator("progress").first.screenshot())) as picture:
        row = next(picture.decode(video=0)).to_ndarray(format="rgb24")[2]

    darker, lighter = sorted(luminance(row[at]) for at in (20, -20))
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def luminance(colour) -> float:
    """Of three bytes, as WCAG 2 has it."""
    parts = [each / 255 for each in colour]
    red, green, blue = [n / 12.92 if n <= 0.04 else ((n + 0.055) / 1.055) ** 2.4 for n in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
