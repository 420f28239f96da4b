"""A task's end is told once it is so, until the receiver has heard it."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from tests.factories import make_index, make_task, make_user, make_video
from tests.test_api_docs import faults
from tests.web import Handler, serving
from videos import fetcher, ingest, tasks, webhooks
from videos.models import Delivery, Status, Task, Webhook
from videos.models import webhook as webhooks_of_ends
from videos.models.task import TaskQuerySet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.FETCH_ALLOW_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver():
    with serving(lambda handler: handler.reply(b"thanks")) as server:
        yield server


@pytest.fixture
def webhook(receiver) -> Webhook:
    return Webhook.objects.create(user=make_user(), url=f"{receiver.url}/hook?key=1")


def end_a_task(webhook: Webhook, status: str = Status.READY, error: str = "") -> Task:
    index = make_index(webhook.user, options=[{"name": "marengo2.7", "options": ["audio"]}])
    task = make_task(make_video(index, filename="take é.mp4"))
    Task.objects.filter(pk=task.pk).finish(status, error)
    return task


def check(handler: Handler, secret: str) -> dict:
    """As a receiver does it, on the raw body, which is as the API describes it."""
    given = dict(part.split("=") for part in handler.headers["TL-Signature"].split(","))
    signed = given["t"].encode() + b"." + handler.body
    right = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(right, given["v1"])
    assert abs(timezone.now().timestamp() - int(given["t"])) < 300
    body = json.loads(handler.body)
    assert faults(body, {"$ref": "#/components/schemas/Event"}) == []
    return body


def test_a_ready_task_is_told_with_a_signature(webhook, receiver):
    task = end_a_task(webhook)

    tasks.deliver()

    assert [asked.path for asked in receiver.asked] == ["/hook?key=1"]
    body = check(receiver.asked[0], webhook.secret)
    delivery = Delivery.objects.get()
    assert body["id"] == delivery.pk and re.fullmatch(r"whe_[0-9a-f]{24}", delivery.pk)
    assert body["type"] == "index.task.ready"
    data = body["data"]
    assert (data["id"], data["status"], data["video_id"]) == (task.pk, "ready", task.video_id)
    assert data["metadata"] == {"duration": 60.0, "filename": "take é.mp4"}
    assert data["models"] == [{"name": "marengo2.7", "options": ["audio"]}]
    assert data["engines"] == [{"name": "marengo2.7", "options": ["conversation"]}]
    assert (data["engine"], data["index_options"]) == ("marengo2.7", ["conversation"])
    assert data["tags"] == []
    assert (delivery.status, delivery.error, delivery.attempts) == ("delivered", "", 1)
    tasks.deliver()
    assert len(receiver.asked) == 1


def test_a_failed_or_cancelled_task_is_told_too(webhook, receiver):
    end_a_task(webhook, Status.FAILED, "No sound.")
    ingest.cancel(make_task(make_video(make_index(webhook.user))))

    tasks.deliver()

    bodies = [json.loads(asked.body) for asked in receiver.asked]
    assert [body["type"] for body in bodies] == ["index.task.failed"] * 2
    assert [body["data"]["error"]["message"] for body in bodies] == ["No sound.", "Cancelled."]


def test_it_is_written_with_the_end_or_not_at_all(webhook):
    with pytest.raises(RuntimeError), transaction.atomic():
        end_a_task(webhook)
        raise RuntimeError
    assert not Delivery.objects.exists()


def test_an_end_is_written_though_its_webhook_is_removed_at_that_moment(webhook, monkeypatch):
    tell = webhooks_of_ends.tell

    def removed(*ending):
        Webhook.objects.all().delete()
        tell(*ending)

    monkeypatch.setattr(webhooks_of_ends, "tell", removed)

    task = end_a_task(webhook)

    task.refresh_from_db()
    assert (task.status, Delivery.objects.count()) == (Status.READY, 0)


def test_the_ends_of_many_tasks_ask_for_their_webhook_once(webhook, django_assert_num_queries):
    index = make_index(webhook.user)
    for _ in range(20):
        make_task(make_video(index))

    with django_assert_num_queries(26):  # a savepoint, tasks and their ends, webhook, 20 messages
        assert Task.objects.finish(Status.FAILED, "Cancelled.") == 20


def test_a_task_that_is_late_just_after_they_were_gathered_neither_ends_nor_is_told(
    webhook, monkeypatch
):
    index, now = make_index(webhook.user), timezone.now()
    late = make_task(make_video(index), begun_at=now - timedelta(hours=2))
    next_one = make_task(make_video(index), begun_at=now)
    with_webhook = TaskQuerySet.with_webhook

    def and_then(self: TaskQuerySet) -> list[Task]:
        gathered = list(with_webhook(self))
        Task.objects.filter(pk=next_one.pk).update(begun_at=now - timedelta(hours=1))
        return gathered

    monkeypatch.setattr(TaskQuerySet, "with_webhook", and_then)
    assert Task.objects.filter(begun_at__lt=now).finish(Status.FAILED, "Late.") == 1

    assert [told.facts["task"] for told in Delivery.objects.all()] == [late.pk]
    assert list(Task.objects.unfinished()) == [next_one]


def test_an_end_is_told_once_and_to_its_owner_alone(webhook):
    other = Webhook.objects.create(user=make_user(), url="http://example.org/")
    task = end_a_task(webhook)

    assert Task.objects.filter(pk=task.pk).finish(Status.FAILED, "again") == 0
    make_task(status=Status.READY)

    assert Delivery.objects.get().webhook == webhook
    assert not other.deliveries.exists()


def test_a_receiver_that_is_away_is_tried_again_with_the_same_words(webhook, receiver):
    receiver.play = lambda handler: handler.reply(status=500)
    end_a_task(webhook)
    end_a_task(webhook)

    tasks.deliver()

    assert len(receiver.asked) == 1  # the other one waits with it
    first, second = Delivery.objects.order_by("created_at")
    assert (first.status, first.error) == ("waiting", "The receiver answered 500.")
    assert 3 < (first.not_before - timezone.now()).total_seconds() < 7
    assert second.not_before == first.not_before and second.attempts == 0
    receiver.play = lambda handler: handler.reply(status=204)
    Delivery.objects.update(not_before=None)
    tasks.deliver()
    assert receiver.asked[0].body == receiver.asked[2].body  # what was not tried yet came first
    assert {delivery.status for delivery in Delivery.objects.all()} == {"delivered"}


def test_no_webhook_waits_behind_all_that_another_is_told(webhook, receiver):
    for _ in range(30):
        webhook.send("webhook.test", {})
    other = Webhook.objects.create(user=make_user(), url=f"{receiver.url}/other")
    other.send("webhook.test", {})

    tasks.deliver()

    paths = [asked.path for asked in receiver.asked]
    assert len(paths) == 31 and paths.index("/other") < 30  # by lot: once in 2**30 it is the last


def test_waits_grow_and_end(webhook, receiver, settings):
    receiver.play = lambda handler: handler.reply(status=302, Location="http://10.0.0.1/")
    end_a_task(webhook)
    Delivery.objects.update(attempts=30)
    tasks.deliver()
    delivery = Delivery.objects.get()
    assert 2800 < (delivery.not_before - timezone.now()).total_seconds() < 4400

    long_ago = timezone.now() - timedelta(hours=settings.WEBHOOK_HOURS + 1)
    Delivery.objects.update(not_before=None, created_at=long_ago)
    tasks.deliver()

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.error) == ("given up", "The receiver answered 302.")


def test_an_address_inside_is_not_called(webhook, settings):
    settings.FETCH_ALLOW_NETWORKS = []
    end_a_task(webhook)

    tasks.deliver()

    assert Delivery.objects.get().error == fetcher.NOT_PUBLIC


def test_a_receiver_that_does_not_answer_holds_nobody_up(webhook, receiver, settings):
    settings.WEBHOOK_SECONDS = 0.5
    receiver.play = lambda handler: handler.connection.recv(1)
    end_a_task(webhook)

    tasks.deliver()

    assert Delivery.objects.get().error in (fetcher.TOO_LATE, fetcher.NOT_REACHED)


def test_a_worker_that_was_believed_dead_writes_nothing(webhook):
    end_a_task(webhook)
    pk = Delivery.objects.get().pk
    dead = Delivery.objects.claim(pk, timedelta(seconds=-1))
    Delivery.objects.claim(pk, timedelta(seconds=60))

    webhooks.deliver(dead)

    assert Delivery.objects.get().status == "waiting"
    assert Delivery.objects.claim(pk, timedelta(seconds=60)) is None


def test_old_messages_are_forgotten(webhook):
    end_a_task(webhook)
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))

    tasks.clean_up()

    assert not Delivery.objects.exists()


# --- the page ---


def secret_on(page) -> str | None:
    found = re.search(r'id="new-secret">(\w+)<', page.text)
    return found and found[1]


def test_a_webhook_is_set_tried_and_deleted(client, user, receiver):
    assert "Set a webhook" in client.get("/account/keys/").text
    assert client.get("/account/webhooks/").status_code == 200
    made = client.post("/account/webhooks/", {"url": f"{receiver.url}/hook"})
    secret = secret_on(made)
    assert secret and "no-store" in made["Cache-Control"]
    assert secret_on(client.get("/account/webhooks/")) is None

    assert client.post("/account/webhooks/test").status_code == 303
    tasks.deliver()

    body = check(receiver.asked[0], secret)
    assert body["type"] == "webhook.test" and set(body["data"]) >= {"id", "status", "metadata"}
    page = client.get("/account/webhooks/").text
    assert "webhook.test" in page and "Delivered" in page
    assert client.post("/account/webhooks/delete").status_code == 303
    assert not Webhook.objects.exists() and not Delivery.objects.exists()


def test_a_test_that_fails_is_not_tried_again(client, user, receiver):
    receiver.play = lambda handler: handler.reply(status=418)
    client.post("/account/webhooks/", {"url": receiver.url})
    client.post("/account/webhooks/test")

    tasks.deliver()

    page = client.get("/account/webhooks/").text
    assert "Given up" in page and "answered 418" in page


def test_no_second_test_is_sent_while_one_is_on_its_way(client, user, receiver):
    client.post("/account/webhooks/", {"url": receiver.url})
    said = [client.post("/account/webhooks/test", follow=True).text for _ in range(2)]

    assert "A test is on its way. " in said[0] and "on its way already" in said[1]
    assert Delivery.objects.count() == 1
    tasks.deliver()
    client.post("/account/webhooks/test")
    assert Delivery.objects.count() == 2


def test_another_secret_ends_the_old_one(client, user):
    old = secret_on(client.post("/account/webhooks/", {"url": "http://example.org/a"}))
    client.post("/account/webhooks/", {"url": "http://example.org/b"})
    webhook = Webhook.objects.get()
    assert (webhook.url, webhook.secret) == ("http://example.org/b", old)

    new = secret_on(client.post("/account/webhooks/secret"))

    assert new and new != old
    assert Webhook.objects.get().secret == new
    assert new not in str(list(Webhook.objects.values()))


@pytest.mark.parametrize("url", ["", "http://10.0.0.1/", "ftp://example.org/", "http://u:p@a.b/"])
def test_an_address_that_is_never_called_is_refused(client, user, url):
    page = client.post("/account/webhooks/", {"url": url})

    assert page.status_code == 400 and 'role="alert"' in page.text
    assert not Webhook.objects.exists()


def test_who_has_none_can_do_nothing_with_it(client, user, webhook):
    for name in ("test", "secret", "delete"):
        assert client.post(f"/account/webhooks/{name}").status_code == 404
        assert client.get(f"/account/webhooks/{name}").status_code == 405
    assert webhook.url not in client.get("/account/webhooks/").text
    assert Webhook.objects.get() == webhook


def test_what_is_refused_for_ever_holds_up_no_other_message(webhook, receiver):
    receiver.play = lambda handler: handler.reply(status=400)
    end_a_task(webhook)
    tasks.deliver()
    end_a_task(webhook)
    Delivery.objects.update(not_before=None)
    receiver.play = lambda handler: handler.reply(status=204)
    receiver.asked.clear()

    tasks.deliver()

    newer = Delivery.objects.order_by("created_at").last()
    assert newer.pk in receiver.asked[0].body.decode()


def test_many_messages_to_a_dead_receiver_are_no_more_tries(webhook, receiver):
    receiver.play = lambda handler: handler.reply(status=500)
    end_a_task(webhook)
    tasks.deliver()
    Delivery.objects.update(attempts=6, not_before=None)
    end_a_task(webhook)

    tasks.deliver()

    newer = Delivery.objects.order_by("created_at").last()
    assert newer.attempts == 1
    assert (newer.not_before - timezone.now()).total_seconds() > 100  # not five seconds once more
