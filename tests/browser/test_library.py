from __future__ import annotations

import base64
import re
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.factories import (
    make_index,
    make_member,
    make_task,
    make_transcript,
    make_user,
    make_video,
)
from tests.faults.stack import wait_for
from videos import admission, ingest
from videos.local_user import local_user
from videos.models import Tag, Task, Video


def a_file(sample, name="interview.mp4") -> dict[str, object]:
    return {"name": name, "mimeType": "video/mp4", "buffer": sample.read_bytes()}


def test_what_becomes_of_the_first_files_is_in_sight(open_page, sample):
    page = open_page("/", viewport={"width": 1366, "height": 707})

    page.get_by_label("Choose video or sound files").set_input_files(
        [a_file(sample), a_file(sample, "second.mp4")]
    )
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.locator("#uploads-sum")).to_be_in_viewport()
    expect(page.locator("#queue li").last).to_be_in_viewport()
    expect(page.locator("#uploads-sum")).to_have_text("2 of 2 sent. Nothing is waiting.")
    expect(page.locator("#queue li").last).to_be_in_viewport()


def test_a_long_tag_widens_nothing(open_page, film):
    film.tags.add(Tag.objects.named(local_user(), "x" * 50))

    for width in (1366, 390):
        page = open_page("/", viewport={"width": width, "height": 700})
        tag, about = page.locator("a.tag").bounding_box(), page.locator(".about").bounding_box()
        assert tag["x"] + tag["width"] <= about["x"] + about["width"] + 0.5
        for path in ("/", f"/indexes/{film.index_id}/", f"/videos/{film.pk}/"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_menu_of_an_index_lies_in_a_narrow_window(open_page):
    index = make_index(local_user(), name="A name that leaves its buttons a row of their own")
    page = open_page(f"/indexes/{index.pk}/", viewport={"width": 390, "height": 844})

    page.get_by_text("Change…").click()

    menu = page.locator(".menu > .ask").bounding_box()
    assert menu["x"] >= 0 and menu["x"] + menu["width"] <= 390


def test_files_are_sent_one_by_one_and_lead_to_their_pages(open_page, sample):
    page = open_page("/upload/")

    page.get_by_label("Choose video or sound files").set_input_files(
        [a_file(sample), a_file(sample, "second.mp4")]
    )
    page.get_by_role("button", name="Upload", exact=True).click()

    queue = page.locator("#queue li")
    expect(queue).to_have_count(2)
    expect(page.locator("#uploads-sum")).to_have_text("2 of 2 sent. Nothing is waiting.")
    expect(queue.first).to_contain_text("Waiting for its turn")

    Task.objects.unfinished().finish("failed", "The sound is broken.")
    expect(queue.first).to_contain_text("The sound is broken.")  # the state goes on by itself

    page.get_by_role("link", name="interview.mp4").click()
    expect(page.get_by_role("heading", name="interview.mp4")).to_be_visible()
    assert Video.objects.count() == 2


def test_what_is_refused_is_said_and_the_others_go_on(open_page, sample):
    page = open_page("/upload/")
    bad = {"name": "notes.mp4", "mimeType": "video/mp4", "buffer": b"just words"}
    empty = {"name": "empty.mp4", "mimeType": "video/mp4", "buffer": b""}

    page.get_by_label("Choose video or sound files").set_input_files([bad, empty, a_file(sample)])
    page.get_by_role("button", name="Upload", exact=True).click()

    queue = page.locator("#queue li")
    expect(page.locator("#uploads-sum")).to_have_text("1 of 3 sent, 2 refused. Nothing is waiting.")
    expect(queue.nth(0)).to_have_class("refused")
    expect(queue.nth(1)).to_contain_text("This file is empty.")
    expect(queue.nth(2).get_by_role("link")).to_have_text("interview.mp4")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(open_page, sample, settings):
    settings.MAX_UPLOAD_BYTES = 1000
    page = open_page("/upload/")
    sent = []
    page.on("request", lambda request: sent.append(request.method))

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.locator("#queue li")).to_contain_text("This file is too large")
    assert "POST" not in sent


def test_a_language_the_engine_does_not_know_is_refused_before_it_is_sent(open_page, sample):
    page = open_page("/upload/")
    sent = []
    page.on("request", lambda request: sent.append(request.method))

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    page.locator("#id_language").select_option("de")
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.locator("#queue li")).to_contain_text("does not understand this language")
    assert "POST" not in sent


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [("mp4", "This file cannot be read: it was changed"), ("srt", "The captions were changed")],
)
def test_a_file_that_is_gone_when_its_turn_comes_is_called_that(
    open_page, sample, tmp_path, gone, sentence
):
    first, second, captions = (tmp_path / name for name in ("1.mp4", "2.mp4", "2.srt"))
    for film in (first, second):
        film.write_bytes(sample.read_bytes())
    captions.write_text("1\n00:00:00,000 --> 00:00:01,000\nBefore.\n")
    lost = second.with_suffix(f".{gone}")
    page = open_page("/upload/", expect_errors=True, routed=True)
    page.route("**/upload/check*", lambda route: lost.unlink(missing_ok=True) or route.continue_())
    page.get_by_label("Choose video or sound files").set_input_files([first, second])
    page.get_by_label("Captions to use instead").set_input_files(captions)

    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.locator("#queue li").nth(1)).to_contain_text(sentence)
    assert Video.objects.get().filename == "1.mp4"


def test_the_way_of_the_bytes_is_told(open_page, sample):
    page = open_page("/upload/")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 30_000}
    network.send("Network.emulateNetworkConditions", slow)

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    page.get_by_role("button", name="Upload", exact=True).click()

    row = page.locator("#queue li")
    told = re.compile(r"\d.* of 19\d KB · \d.* KB/s · \d+ s left")
    expect(row.get_by_role("status")).to_have_text("Sending")  # read aloud: once
    row.get_by_role("status").evaluate(
        """(status) => { window.said = [];
        new MutationObserver(() => window.said.push(status.textContent))
          .observe(status, { childList: true, characterData: true, subtree: true }); }"""
    )
    expect(row).to_contain_text(told)
    expect(row.get_by_role("progressbar", name="Sent of interview.mp4")).to_be_visible()
    expect(row.get_by_role("link")).to_have_text("interview.mp4")
    assert page.evaluate("window.said") == ["Checking the file", ""]


def test_an_upload_can_be_cancelled_and_tried_again(open_page, sample):
    page = open_page("/upload/", expect_errors=True, routed=True)
    held = []
    page.route("**/upload/", lambda route: held.append(route) if not held else route.continue_())

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    with page.expect_request("**/upload/"):
        page.get_by_role("button", name="Upload", exact=True).click()
    row = page.locator("#queue li")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("Cancelled.")
    assert not Video.objects.exists()

    row.get_by_role("button", name="Try again").click()
    expect(row.get_by_role("link")).to_have_text("interview.mp4")


def test_an_upload_cancelled_while_the_server_is_asked_is_sent_once_when_tried_again(
    open_page, sample
):
    page = open_page("/upload/", routed=True)
    asked, sent = [], []
    page.route("**/upload/check*", lambda route: asked.append(route))
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    with page.expect_request("**/upload/check*"):
        page.get_by_role("button", name="Upload", exact=True).click()
    row = page.locator("#queue li")
    row.get_by_role("button", name="Cancel").click()
    with page.expect_request("**/upload/check*"):
        row.get_by_role("button", name="Try again").click()
    for route in asked:
        route.continue_()

    expect(row.get_by_role("link")).to_have_text("interview.mp4")
    assert len(sent) == 1


def test_what_has_arrived_cannot_be_cancelled(open_page, sample, monkeypatch):
    look, told = ingest.accept, threading.Event()
    monkeypatch.setattr(ingest, "accept", lambda *given: told.wait(20) and look(*given))
    page = open_page("/upload/")

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    page.get_by_role("button", name="Upload", exact=True).click()
    row = page.locator("#queue li")
    expect(row).to_contain_text("Checking the file")
    expect(row.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.get_by_role("button", name="Cancel all")).to_be_hidden()

    told.set()
    expect(row.get_by_role("link")).to_have_text("interview.mp4")


BREAK_OFF = """(row) => {
    const request = window.lastRequest;
    request.onabort = null;
    request.abort();
    request.dispatchEvent(new ProgressEvent("error"));
}"""
REMEMBER = """
    const send = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function (body) {
        window.lastRequest = this;
        send.call(this, body);
    };
"""


def test_a_break_after_the_last_byte_does_not_say_that_nothing_was_kept(
    open_page, sample, monkeypatch
):
    look, told = ingest.accept, threading.Event()
    monkeypatch.setattr(ingest, "accept", lambda *given: told.wait(20) and look(*given))
    page = open_page("/upload/")
    page.add_init_script(REMEMBER)
    page.reload()

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    page.get_by_role("button", name="Upload", exact=True).click()
    row = page.locator("#queue li")
    expect(row).to_contain_text("Checking the file")
    row.evaluate(BREAK_OFF)
    expect(row).to_contain_text("It may have arrived: look in the library")

    told.set()
    wait_for(Video.objects.exists, 60)  # the server goes on by itself
    row.get_by_role("button", name="Try again").click()
    expect(row.get_by_role("link")).to_have_text("interview.mp4")
    assert Video.objects.count() == 1


def test_a_file_that_finds_the_server_busy_may_be_sent_again(open_page, sample, monkeypatch):
    page = open_page("/upload/")
    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    row = page.locator("#queue li")
    with monkeypatch.context() as crowded:
        crowded.setattr(admission, "_senders", threading.BoundedSemaphore(1))
        with admission._senders:
            page.get_by_role("button", name="Upload", exact=True).click()
            expect(row).to_contain_text(admission.CROWDED)

    row.get_by_role("button", name="Try again").click()
    expect(row.get_by_role("link")).to_have_text("interview.mp4")


def drop(page, name: str, content: bytes) -> None:
    """Somebody lets go of a file over the page."""
    data = page.evaluate_handle(
        """([name, content]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""",
        [name, base64.b64encode(content).decode()],
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": data})
    page.dispatch_event("body", "drop", {"dataTransfer": data})


def test_files_dropped_on_the_library_are_sent(open_page, sample):
    make_video(make_index(local_user()))
    page = open_page("/")

    drop(page, "dropped.mp4", sample.read_bytes())

    expect(page.locator("#queue li").get_by_role("link")).to_have_text("dropped.mp4")


def test_captions_dropped_alone_go_to_the_next_video_and_to_no_other(open_page, sample):
    page = open_page("/")
    drop(page, "words.srt", b"1\n00:00:00,000 --> 00:00:01,000\nFrom elsewhere.\n")
    page.wait_for_function("() => document.getElementById('id_captions').files.length")

    for number, name in enumerate(("first.mp4", "second.mp4")):
        drop(page, name, sample.read_bytes())
        expect(page.locator("#queue li").nth(number).get_by_role("link")).to_have_text(name)

    heard = {video.filename: video.tasks.get().engine for video in Video.objects.all()}
    assert heard == {"first.mp4": "captions", "second.mp4": "sphinx"}


def test_captions_dropped_on_the_library_are_offered_to_the_video_of_their_name(open_page):
    index = make_index(local_user(), name="Dailies")
    video = make_transcript(3, index, filename="harbour.mp4")
    page = open_page("/")
    data = page.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            const words = "1\\n00:00:01,000 --> 00:00:02,000\\nFrom elsewhere.\\n";
            for (const name of ["Harbour.srt", "other.srt"])
                transfer.items.add(new File([words], name));
            return transfer;
        }"""
    )
    page.dispatch_event("body", "drop", {"dataTransfer": data})

    row = page.locator("#queue li")
    expect(row).to_contain_text("There is a video of this name in Dailies: harbour.mp4.")
    waiting = "() => [...document.getElementById('id_captions').files].map((f) => f.name)"
    page.wait_for_function(f"() => ({waiting})().join() === 'other.srt'")
    assert Axe().run(page).violations_count == 0
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    row.get_by_role("button", name="Use them there").click()
    expect(row.get_by_text("These captions are the transcript now.")).to_be_visible()
    assert Video.objects.get(pk=video.pk).transcript.segments.get().text == "From elsewhere."

    page.dispatch_event("body", "drop", {"dataTransfer": data})
    page.get_by_role("button", name="Keep for a new video").click()
    assert page.evaluate(waiting)[-1] == "Harbour.srt"


def test_captions_that_could_not_be_given_can_be_given_again(open_page):
    make_transcript(3, make_index(local_user()), filename="harbour.mp4")
    page = open_page("/", expect_errors=True, routed=True)
    page.route("**/videos/*/captions", lambda route: route.abort())
    drop(page, "harbour.srt", b"1\n00:00:01,000 --> 00:00:02,000\nFrom elsewhere.\n")
    row, button = page.locator("#queue li"), page.get_by_role("button", name="Use them there")

    button.click()

    expect(row).to_contain_text("The server could not take these captions. Trying again may help.")
    expect(button).to_be_focused()
    page.unroute_all()
    user = make_user()  # who was let in without a password has to sign in now
    button.click()
    expect(row).to_contain_text("You were signed out. Reload the page and sign in.")
    user.delete()
    button.click()
    expect(row).to_contain_text("These captions are the transcript now.")


def test_captions_for_a_video_that_is_gone_or_read_only_by_now_say_so(open_page):
    owner = User.objects.create_user("owner")  # without a password: else one has to sign in
    index = make_index(owner)
    member = make_member(index, local_user(), "editor")
    make_transcript(3, index, filename="harbour.mp4")
    page = open_page("/", expect_errors=True)
    drop(page, "harbour.srt", b"1\n00:00:01,000 --> 00:00:02,000\nFrom elsewhere.\n")
    row, button = page.locator("#queue li"), page.get_by_role("button", name="Use them there")
    expect(row).to_contain_text(f"There is a video of this name in {index.name} (of owner)")

    index.members.update(role="reader")
    button.click()
    expect(row).to_contain_text("Its owner can make you an editor.")
    member.delete()
    button.click()
    expect(row).to_contain_text("This was deleted, or is no longer shared with you.")


def test_what_was_sent_enters_the_list_and_the_counts(open_page, sample):
    index = make_index(local_user(), name="Rushes")
    task = make_task(make_video(index, filename="old.mp4"))
    page = open_page("/")
    page.locator("#upload-fold summary").click()
    page.locator("summary", has_text="Tag…").click()
    tag = page.get_by_label("Add a tag to old.mp4")
    tag.fill("inter")

    page.get_by_label("Choose video or sound files").set_input_files(
        [a_file(sample, "one.mp4"), a_file(sample, "two.mp4")]
    )
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.locator("#uploads-sum")).to_have_text("2 of 2 sent. Nothing is waiting.")
    page.wait_for_timeout(300)
    expect(tag).to_have_value("inter")  # what is typed in the list stays
    tag.fill("")
    tag.blur()
    expect(page.locator("#listing .name")).to_have_text(["two.mp4", "one.mp4", "old.mp4"])
    expect(page.locator("#index-list")).to_contain_text("3 videos")
    expect(page.locator("#uploads-sum")).to_have_text("2 of 2 sent. Nothing is waiting.")
    expect(page.locator("#queue progress")).to_have_count(0)
    ids = page.locator("[id]").evaluate_all("(all) => all.map((one) => one.id)")
    assert len(ids) == len(set(ids))

    Task.objects.filter(pk=task.pk).finish("ready")  # the new list goes on asking
    expect(page.locator(".video", has_text="old.mp4")).to_contain_text("Ready")


def test_the_first_upload_fills_the_empty_library(open_page, sample):
    page = open_page("/")

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.locator("#listing .name")).to_have_text("interview.mp4")
    expect(page.locator("#index-list")).to_contain_text("1 video")


def test_the_form_works_without_javascript(open_page, sample):
    page = open_page("/", java_script_enabled=False)

    page.get_by_label("Choose video or sound files").set_input_files(a_file(sample))
    page.get_by_label("Index", exact=True).fill("Dailies")
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.get_by_role("heading", name="interview.mp4")).to_be_visible()
    assert Video.objects.get().index.name == "Dailies"


def test_the_sample_is_one_click_away(open_page, sample):
    page = open_page("/")

    page.get_by_role("button", name="Look around with a sample video").click()

    expect(page.locator("#progress")).to_contain_text("Waiting for its turn")
    expect(page.locator("#player")).to_be_visible()


def test_deleting_asks_first(open_page):
    video = make_video(make_index(local_user()), filename="old.mp4")
    make_task(video, status="failed")
    page = open_page("/")

    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Keep it").click()
    assert Video.objects.exists()

    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Deleted old.mp4.")).to_be_visible()
    assert not Video.objects.exists()


def a_chosen_video(open_page, **options):
    """Its owner's library, with another index to move it to, and its box ticked."""
    index = make_index(local_user())
    make_index(local_user(), name="Away")
    video = make_transcript(3, index, filename="harbour.mp4")
    page = open_page("/", **options)
    page.get_by_label("Choose harbour.mp4").check()
    return page, video


def test_the_focus_stays_on_a_box_when_the_list_is_fetched_anew(open_page):
    page, _ = a_chosen_video(open_page)
    page.get_by_label("Choose harbour.mp4").focus()

    page.evaluate(
        """() => window.htmx.ajax(
        "GET", location.href, { target: "#listing", swap: "outerHTML" })"""
    )

    expect(page.get_by_label("Choose harbour.mp4")).to_be_focused()
    expect(page.get_by_label("Choose harbour.mp4")).to_be_checked()


def test_enter_in_the_field_of_the_tag_tags_and_moves_nothing(open_page):
    page, video = a_chosen_video(open_page)
    page.get_by_label("Index to move to").select_option(label="Away")

    page.get_by_label("Choose harbour.mp4").press("Enter")
    page.get_by_label("Tag to add").fill("sea")
    page.get_by_label("Tag to add").press("Enter")

    expect(page.get_by_text("Tagged 1 video with sea.")).to_be_visible()
    assert Video.objects.get().index_id == video.index_id


def test_deeds_on_many_need_no_memory_of_the_browser(open_page):
    page, video = a_chosen_video(open_page)
    page.add_init_script(
        """Object.defineProperty(window, "sessionStorage", {
        get() { throw new DOMException("No memory", "SecurityError"); } });"""
    )
    page.reload()

    page.get_by_label("Choose harbour.mp4").check()
    page.get_by_label("Tag to add").fill("sea")
    page.get_by_label("Tag to add").press("Enter")

    expect(page.get_by_text("Tagged 1 video with sea.")).to_be_visible()
    assert video.tags.get().name == "sea"


def test_enter_among_the_deeds_does_none_of_them_without_javascript(open_page):
    page, video = a_chosen_video(open_page, java_script_enabled=False)
    page.get_by_label("Index to move to").select_option(label="Away")

    page.get_by_label("Choose harbour.mp4").press("Enter")

    expect(page.get_by_text("Choose what to do with them.")).to_be_visible()
    assert Video.objects.get().index_id == video.index_id


def test_a_deed_that_lacks_something_asks_for_it_and_keeps_what_is_chosen(open_page):
    page, _ = a_chosen_video(open_page)
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    for deed, field in (("Move", "Index to move to"), ("Tag", "Tag to add")):
        page.get_by_role("button", name=deed, exact=True).click()
        expect(page.get_by_label(field)).to_be_focused()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_label("Format to export in")).to_be_focused()
    assert sent == []

    page.get_by_label("Tag to add").fill("sea")
    page.get_by_role("button", name="Tag", exact=True).click()
    expect(page.get_by_text("Tagged 1 video with sea.")).to_be_visible()
    expect(page.locator("#chosen")).to_have_text("None chosen")


def test_what_was_chosen_when_a_deed_is_refused_is_chosen_still(open_page):
    page, video = a_chosen_video(open_page)
    owner = User.objects.create_user("owner")  # without a password: else one has to sign in
    borrowed = make_transcript(3, make_index(owner), filename="borrowed.mp4")
    make_member(borrowed.index, local_user())
    page.goto("/?q=mp4")
    page.get_by_label("All here").check()

    page.get_by_label("Tag to add").fill("sea")
    page.get_by_label("Tag to add").press("Enter")

    expect(page.locator(".messages")).to_contain_text("Nothing was changed: borrowed.mp4")
    expect(page.locator("#chosen")).to_have_text("2 chosen")
    page.get_by_label("Choose borrowed.mp4").uncheck()
    page.get_by_label("Tag to add").fill("sea")
    page.get_by_label("Tag to add").press("Enter")
    expect(page.get_by_text("Tagged 1 video with sea.")).to_be_visible()
    assert video.tags.get().name == "sea" and page.url.endswith("/?q=mp4")


def test_states_in_the_list_go_on_by_themselves(open_page):
    task = make_task(make_video(make_index(local_user())))
    page = open_page("/")
    state = page.locator(".state")
    expect(state).to_contain_text("Waiting for its turn")

    Task.objects.filter(pk=task.pk).finish("ready")

    expect(state).to_contain_text("Ready")
    expect(page.locator("#states")).not_to_have_attribute("hx-trigger", "every 3s")
