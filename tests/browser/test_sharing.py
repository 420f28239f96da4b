"""Two people in one index, each in a browser of their own."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_access import faults
from tests.factories import PASSWORD, make_index, make_member, make_transcript, make_user


@pytest.fixture
def two(open_page, clip):
    """Ann's index with a video; opens a path as somebody, by name."""
    ann, bob = make_user("ann"), make_user("bob")
    index = make_index(ann, name="Harbour film")
    video = make_transcript([(0, 2000, "So we came"), (2000, 4000, "down")], index, content=clip)
    make_user("carol")
    member = make_member(index, bob)

    def as_user(name: str, path: str, **options):
        page = open_page(f"/login/?next={path}", **options)
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{path}")
        return page

    as_user.index, as_user.video, as_user.member = index, video, member
    return as_user


def test_a_reader_reads_and_becomes_an_editor_who_is_seen(two):
    film = f"/videos/{two.video.pk}/"
    reader = two("bob", f"/indexes/{two.index.pk}/")
    expect(reader.get_by_role("button", name="Leave…")).to_be_visible()
    assert faults(reader) == []
    reader.goto(film)
    row = reader.locator("#rows li").first
    row.dblclick()
    reader.keyboard.press("e")
    reader.keyboard.press("m")
    reader.keyboard.press("?")
    expect(reader.get_by_role("dialog", name="Keys")).not_to_contain_text("Correct the line")
    reader.keyboard.press("Escape")
    expect(reader.locator("#edit, #keep, [data-row=edit]")).to_have_count(0)
    assert faults(reader) == []

    owner = two("ann", f"/indexes/{two.index.pk}/")
    assert faults(owner) == []
    owner.get_by_label("Role of bob", exact=True).select_option("editor")
    owner.get_by_role("button", name="Change the role of bob").click()
    expect(owner.get_by_text("bob is an editor now.")).to_be_visible()

    reader.reload()
    reader.locator("#rows li").first.dblclick()
    reader.locator("#edit-text").fill("So we came home")
    reader.keyboard.press("Enter")
    expect(reader.locator("#rows li").first).to_contain_text("home")
    reader.locator("#keep-button").click()
    expect(reader.locator("#selects .kept li")).to_have_count(1)

    owner.get_by_role("link", name="Selects").click()
    expect(owner.get_by_text("kept by bob")).to_be_visible()


def test_a_role_that_is_taken_back_is_told_on_an_open_page(two):
    two.member.role = "editor"
    two.member.save()
    page = two("bob", f"/videos/{two.video.pk}/", expect_errors=True)
    page.locator("#rows li").first.dblclick()
    expect(page.locator("#edit-text")).to_be_visible()
    two.member.role = "reader"
    two.member.save()

    page.locator("#edit-text").fill("Too late")
    page.keyboard.press("Enter")

    expect(page.locator("#edit-trouble")).to_contain_text("You may read this index")


def test_who_was_signed_out_is_told_so_instead_of_copying_the_sign_in_page(two):
    page = two("ann", f"/videos/{two.video.pk}/")
    page.context.clear_cookies()
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(Error('no')) }")

    page.get_by_text("Copy as", exact=True).click()
    page.get_by_role("button", name="Timecode and text").click()

    expect(page.locator("#handed")).to_have_text(
        "You were signed out. Reload the page and sign in."
    )
