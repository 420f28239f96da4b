"""axe-core finds nothing on the viewer's page, and everything on it can be reached by Tab."""

from __future__ import annotations

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
