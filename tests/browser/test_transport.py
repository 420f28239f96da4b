"""Keys, the transport, the time switch and the range at the playhead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.browser.desk import commands, note_commands, press, until
from tests.browser.test_viewer import now, paused, ready
from videos.models import Video

DOCS = Path(__file__).parents[2] / "docs" / "keys.md"


# --- the one table ---


def test_the_overlay_and_the_documents_print_the_table_of_the_keys(desk):
    page = desk()
    table = page.evaluate(
        """async (url) => { const { KEYS, written } = await import(url);
        return KEYS.map((e) => [e.group, e.keys.map(written), e.says]); }""",
        f"{settings.STATIC_URL}js/keys.js",
    )
    documented = re.findall(r"^\| (.+?) \| (.+?) \|$", DOCS.read_text(), re.M)
    documented = [row for row in documented if not set(row[0]) <= set("- ") and row[0] != "key"]

    assert documented == [(_keys(keys), says) for _, keys, says in table]

    press(page, "?")
    shown = page.locator("dialog#keys dl > div").all_inner_texts()
    assert [text.splitlines()[-1] for text in shown] == [says for _, _, says in table]


def _keys(keys: list[str]) -> str:
    if len(keys) > 3:
        return f"`{keys[0]}` … `{keys[-1]}`"
    return " or ".join(f"`{key}`" for key in keys)


def test_no_two_commands_share_a_key(desk):
    keys = desk().evaluate(
        "async (url) => (await import(url)).KEYS.flatMap((e) => e.keys)",
        f"{settings.STATIC_URL}js/keys.js",
    )
    assert len(keys) == len(set(keys))


def test_the_overlay_takes_the_focus_closes_with_escape_and_gives_it_back(desk):
    page = desk()
    button = page.get_by_role("button", name="Keys")
    button.focus()
    press(page, "Enter")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()

    note_commands(page)
    press(page, "l", "x")  # the desk behind it does not hear
    assert commands(page) == [] and paused(page)

    press(page, "Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    press(page, "?")
    expect(dialog).to_be_visible()
    press(page, "?")
    expect(dialog).to_be_hidden()


def test_no_key_counts_while_somebody_types_or_the_browser_is_meant(desk):
    page = desk()
    note_commands(page)

    for field in ("Out", "Go to"):
        page.get_by_label(field, exact=True).focus()
        page.keyboard.type("klx?/.")
    page.get_by_label("Rate").focus()
    press(page, "k", "j")
    page.get_by_role("button", name="Play").focus()
    press(page, "Control+k", "Meta+l", "Control+f")

    assert commands(page) == []
    press(page, "m", "n", "Shift+N", "c", "/")  # done by others: only asked for
    page.locator("#find-words").blur()
    press(page, "e")
    assert commands(page) == [
        "keep-select", "find-next", "find-previous", "captions", "find", "edit-row",
    ]  # fmt: skip


def test_keys_work_on_keyboards_without_latin_letters(desk):
    page = desk()
    note_commands(page)

    page.locator("body").evaluate(
        """(b) => b.dispatchEvent(new KeyboardEvent("keydown",
             { key: "ч", code: "KeyX", bubbles: true, cancelable: true }))"""
    )
    assert commands(page) == ["range-row"]


def test_option_is_alt_on_a_mac_though_firefox_calls_it_alt_graph(desk):
    page = desk()
    note_commands(page)
    page.locator("body").evaluate(
        """(body) => {
        const press = (key, code, more) => body.dispatchEvent(new KeyboardEvent("keydown",
          { key, code, altKey: true, modifierAltGraph: true, bubbles: true, ...more }));
        press("\\\\", "Minus", { ctrlKey: true }); // as Windows types it in German
        Object.defineProperty(navigator, "platform", { value: "MacIntel" });
        press("≈", "KeyX"); press("ø", "KeyO"); press("\\\\", "Digit7", { shiftKey: true }); }"""
    )
    assert commands(page) == ["play-around", "range-clear", "range-clear-out", "play-around"]


def test_a_button_says_its_key(desk):
    page = desk()

    page.locator("#loop").hover(force=True)
    page.get_by_role("button", name="In: the range begins here").hover()

    button = page.get_by_role("button", name="In: the range begins here")
    expect(button).to_have_attribute("title", "In: the range begins at the frame that is shown (I)")
    expect(button).to_have_attribute("aria-keyshortcuts", "i")


def test_space_presses_the_button_that_was_tabbed_to_and_else_plays(desk):
    page = desk("?start=10&end=20")
    loop = page.locator("#loop")

    loop.click()
    press(page, "Space")  # a click left the focus there, but nobody meant the button
    until(page, "!p.paused")
    expect(loop).to_have_attribute("aria-pressed", "true")

    press(page, "Space", "Shift+Tab", "Tab")
    until(page, "p.paused")
    expect(loop).to_be_focused()
    press(page, "Space")
    expect(loop).to_have_attribute("aria-pressed", "false")
    assert paused(page)


# --- play ---


def test_k_and_space_play_and_pause(desk):
    page = desk()

    press(page, "Space")
    until(page, "!p.paused && p.currentTime > 0.1")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    press(page, "k")
    until(page, "p.paused")
    press(page, "k")
    until(page, "!p.paused")
    page.get_by_role("button", name="Pause").click()
    until(page, "p.paused")


def test_shift_m_turns_the_sound_off_and_on(desk):
    page = desk()
    press(page, "Shift+M")
    until(page, "p.muted")
    expect(page.locator("#transport-note")).to_have_text("Sound off")
    press(page, "Shift+M")
    until(page, "!p.muted")


def test_l_shuttles_faster_and_k_stops_it_at_the_usual_rate(desk):
    page = desk()
    press(page, "l")
    until(page, "!p.paused && p.playbackRate === 1")
    press(page, "l")
    until(page, "p.playbackRate === 2")
    expect(page.locator("#transport-note")).to_have_text("2× forward")
    press(page, "l", "l")
    until(page, "p.playbackRate === 4")

    press(page, "k")
    until(page, "p.paused && p.playbackRate === 1")
    expect(page.locator("#transport-note")).to_have_text("")
    expect(page.get_by_label("Rate")).to_have_value("1")


def test_another_rate_waits_till_the_shuttle_stops(desk):
    page = desk()
    press(page, "l", "l")
    until(page, "!p.paused && p.playbackRate === 2")

    press(page, ">")
    expect(page.get_by_label("Rate")).to_have_value("1.25")
    expect(page.locator("#transport-note")).to_have_text("2× forward")
    assert page.locator("#player").evaluate("(p) => p.playbackRate") == 2
    press(page, "k")

    until(page, "p.paused && p.playbackRate === 1.25")


def test_j_goes_backwards_till_k(desk):
    page = desk("?t=60")
    press(page, "j", "j")
    expect(page.locator("#transport-note")).to_have_text("2× backwards")
    until(page, "p.currentTime < 59")
    expect(page.locator("#play")).to_have_accessible_name("Pause")
    page.keyboard.down("k")  # at once, not when it is let go
    expect(page.locator("#transport-note")).to_have_text("")
    expect(page.locator("#play")).to_have_accessible_name("Play")
    page.keyboard.up("k")
    stopped = now(page)
    page.wait_for_timeout(400)

    assert paused(page) and now(page) == stopped

    press(page, "l", "l", "l", "j")  # and from forward
    expect(page.locator("#transport-note")).to_have_text("1× backwards")
    until(page, "p.paused && p.playbackRate === 1")


@pytest.mark.parametrize("way", ["keys", "chord", "buttons"])
def test_a_frame_at_a_time(desk, film, way):
    Video.objects.filter(pk=film.pk).update(fps_numerator=5)
    page = desk("?t=10")
    steps = {
        "keys": (lambda: press(page, "."), lambda: press(page, ",")),
        "chord": (lambda: chord(page, "l"), lambda: chord(page, "j")),
        "buttons": (
            lambda: page.get_by_role("button", name="One frame forward").click(),
            lambda: page.get_by_role("button", name="One frame back").click(),
        ),
    }[way]

    steps[0]()
    assert now(page) == pytest.approx(10.2, abs=0.01)
    steps[0]()
    assert now(page) == pytest.approx(10.4, abs=0.01)
    steps[1]()
    assert now(page) == pytest.approx(10.2, abs=0.01)
    assert paused(page)


def test_at_the_end_the_last_frame_is_named_and_left(desk, film):
    Video.objects.filter(pk=film.pk).update(fps_numerator=5)
    page = desk()
    page.get_by_label("Time shown as").select_option("running")
    press(page, "End")
    until(page, "p.currentTime === p.duration")
    expect(page.locator("#time-now")).to_contain_text("00:01:59:04")

    press(page, ",")

    expect(page.locator("#time-now")).to_contain_text("00:01:59:03")


def test_the_keys_play_again_once_a_pointer_chose_from_a_list(desk):
    page = desk()
    note_commands(page)
    modes = page.get_by_label("Time shown as")
    modes.click()
    modes.select_option("seconds")
    press(page, "l")
    assert commands(page) == ["shuttle-forward"]

    page.get_by_label("Rate").focus()
    press(page, "Tab", "Shift+Tab")
    page.get_by_label("Rate").select_option("2")
    expect(page.get_by_label("Rate")).to_be_focused()  # who came by the keyboard goes on from there


def chord(page, key: str) -> None:
    page.keyboard.down("k")
    press(page, key)
    page.keyboard.up("k")


def test_the_rate_is_remembered(desk):
    page = desk()
    press(page, ">", ">", "<")
    until(page, "p.playbackRate === 1.25")
    expect(page.get_by_label("Rate")).to_have_value("1.25")

    page.reload()
    ready(page)
    expect(page.get_by_label("Rate")).to_have_value("1.25")
    assert page.locator("#player").evaluate("(p) => p.playbackRate") == 1.25


# --- move ---


@pytest.mark.parametrize(
    ("keys", "at"),
    [(["ArrowRight"], 45), (["ArrowLeft"], 35), (["Home"], 0), (["End"], 120), (["5"], 60),
     (["0"], 0), (["9"], 108), (["ArrowDown"], 42), (["ArrowUp"], 38),
     (["ArrowUp", "ArrowUp", "ArrowDown"], 38)],
)  # fmt: skip
def test_keys_move_the_playhead(desk, keys, at):
    page = desk("?t=40.5")
    press(page, *keys)

    assert now(page) == pytest.approx(at if at % 5 else at + (0.5 if 30 < at < 50 else 0), abs=0.02)
    assert paused(page)


def test_down_and_up_at_the_ends_of_the_lines(desk):
    page = desk()
    press(page, "ArrowUp")
    assert now(page) == 0
    press(page, "End", "ArrowUp")
    assert now(page) == pytest.approx(118, abs=0.01)
    press(page, "ArrowDown", "ArrowDown")
    assert now(page) == pytest.approx(118, abs=0.01)


def test_lines_that_are_hidden_are_passed_over(desk):
    page = desk("?t=0.5")
    page.locator("#rows").evaluate(
        "(rows) => [1, 2].forEach((n) => { rows.querySelectorAll('li')[n].style.display = 'none' })"
    )
    press(page, "ArrowDown")

    assert now(page) == pytest.approx(6, abs=0.01)
