"""Fetched files and webhooks through kills: begun again, told, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import threading

from tests.faults.conftest import wait_ready
from tests.faults.stack import Stack, is_alive, wait_for
from tests.web import Handler, serving


def set_webhook(stack: Stack, url: str) -> None:
    session, token = stack.session()
    form = {"csrfmiddlewaretoken": token, "url": url}
    page = session.post(f"{stack.url}/account/webhooks/", data=form, timeout=30)
    assert re.search(r'id="new-secret"', page.text), page.text[:2000]


def fetch(stack: Stack, url: str) -> None:
    session, token = stack.session()
    form = {"csrfmiddlewaretoken": token, "url": url, "new_index": "From afar"}
    assert session.post(f"{stack.url}/upload/url", data=form, timeout=30).ok


def test_a_worker_killed_in_a_fetch_begins_again_and_tells_the_end(embedded, sample):
    content, halves = sample.read_bytes(), []
    over = threading.Event()

    def play(handler: Handler) -> None:
        if handler.command == "POST":
            handler.reply()
        elif not halves:  # half of it, and then nothing until the worker is gone
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content[: len(content) // 2])
            halves.append(handler)
            over.wait(60)
        else:
            handler.reply(content)

    with serving(play) as server:
        embedded.start(FETCH_ALLOW="127.0.0.1")
        set_webhook(embedded, f"{server.url}/hook")
        fetch(embedded, f"{server.url}/clip.mp4")
        doing = "SELECT 1 FROM videos_task WHERE step = 'fetch' AND doing != ''"
        wait_for(lambda: embedded.rows(doing), 60, "the first bytes")
        incoming = embedded.data_dir / "incoming"
        assert len(list(incoming.glob("fetch-*.part"))) == 1
        worker = embedded.child("worker")
        os.killpg(worker, signal.SIGKILL)
        wait_for(lambda: not is_alive(worker), 5, "the worker's end")
        over.set()

        wait_ready(embedded)

        wait_for(lambda: posts(server), 60, "the webhook")
        body = json.loads(posts(server)[0].body)
        assert body["type"] == "index.task.ready"
        assert body["data"]["metadata"]["filename"] == "clip.mp4"
        assert list(incoming.iterdir()) == []
        embedded.check()


def posts(server) -> list[Handler]:
    return [asked for asked in server.asked if asked.command == "POST"]


def test_a_worker_killed_after_a_delivery_tells_it_again_with_the_same_id(embedded, sample):
    with serving(lambda handler: handler.reply()) as server:
        embedded.start(
            FETCH_ALLOW="127.0.0.1",
            WEBHOOK_SECONDS="1",
            ALLOW_FAILPOINTS="1",
            FAILPOINT="delivery.before_commit:kill:1",
        )
        set_webhook(embedded, f"{server.url}/hook")
        assert embedded.upload(sample).ok
        wait_for(lambda: posts(server), 60, "the first message")
        embedded.end()  # each new worker would die at its first delivery as well
        set_lease_over(embedded)
        embedded.start(FETCH_ALLOW="127.0.0.1")
        wait_for(lambda: len(posts(server)) >= 2, 60, "the second message")
        delivered = "SELECT 1 FROM videos_delivery WHERE status = 'delivered'"
        wait_for(lambda: embedded.rows(delivered), 60, "its end")

    assert len({json.loads(asked.body)["id"] for asked in posts(server)}) == 1


def set_lease_over(stack: Stack) -> None:
    """As if its minute had gone by."""
    with stack._connect() as db:
        db.execute("UPDATE videos_delivery SET lease_until = '2000-01-01 00:00:00'")
