from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models, transaction
from django.utils.crypto import salted_hmac

from videos.models.errand import Errand, ErrandQuerySet
from videos.models.ids import new_id

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from videos.models.task import Task

READY, FAILED, TEST = "index.task.ready", "index.task.failed", "webhook.test"


def new_nonce() -> str:
    return secrets.token_hex(16)


def new_delivery_id() -> str:
    return f"whe_{new_id()}"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, user: User) -> WebhookQuerySet:
        return self.filter(user_id=user.pk)


class Webhook(models.Model):
    """Where a user wants to hear that a task ended.

    The secret is made from this site's own and a number, so the database alone gives it to
    nobody; a new number makes a new secret.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhook"
    )
    url = models.CharField(max_length=2000)
    nonce = models.CharField(max_length=32, default=new_nonce)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    if TYPE_CHECKING:
        user_id: int
        deliveries: DeliveryQuerySet

    def __str__(self) -> str:
        return f"of user {self.user_id}"

    @property
    def secret(self) -> str:
        return salted_hmac("videos.webhook", self.nonce, algorithm="sha256").hexdigest()

    def signature(self, body: bytes, at: int) -> str:
        """``TL-Signature`` of a raw body that is sent at ``at`` (seconds since 1970)."""
        signed = hmac.digest(self.secret.encode(), f"{at}.".encode() + body, "sha256").hex()
        return f"t={at},v1={signed}"

    def send_test(self, facts: dict[str, Any]) -> bool:
        """False while one is on its way: a slow receiver's tests take others' time."""
        with transaction.atomic():
            Webhook.objects.select_for_update().get(pk=self.pk)  # of two clicks one waits here
            if self.deliveries.filter(event=TEST).unfinished().exists():
                return False
            self.send(TEST, facts)
        return True

    def send(self, event: str, facts: dict[str, Any]) -> Delivery:
        """Write down what is to be delivered; whoever looks after the rows does it."""
        return Delivery.objects.create(webhook=self, event=event, facts=facts)


class DeliveryQuerySet(ErrandQuerySet["Delivery"]):
    def unfinished(self) -> Self:
        return self.filter(status=Delivery.WAITING)


class Delivery(Errand):
    """One event on its way to a webhook; a receiver that is away is tried again for a day."""

    WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given up"

    id = models.CharField(max_length=28, primary_key=True, default=new_delivery_id, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=30)
    facts = models.JSONField()  # of the task as it ended: it may be deleted meanwhile
    status = models.CharField(max_length=10, default=WAITING)
    error = models.CharField(max_length=300, blank=True)  # of the last attempt
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["created_at"],
                name="delivery_waiting",
                condition=models.Q(status="waiting"),
            ),
        ]

    if TYPE_CHECKING:
        webhook_id: int

    def __str__(self) -> str:
        return f"{self.pk} {self.status}"


def tell(tasks: Iterable[Task], status: str, error: str) -> None:
    """Write what the owners of these tasks, which end now, want to hear.

    The tasks come with their videos and indexes. In their transaction: a webhook that is removed
    meanwhile hears nothing, or is removed once this is written, and what it would hear with it.
    """
    tasks = list(tasks)
    owners = {task.video.index.owner_id for task in tasks}
    held = Webhook.objects.filter(user__in=owners).order_by("pk").select_for_update()
    webhooks = {webhook.user_id: webhook for webhook in held}
    event = READY if status == "ready" else FAILED
    for task in tasks:
        if webhook := webhooks.get(task.video.index.owner_id):
            webhook.send(event, _facts(task, status, error))


def _facts(task: Task, status: str, error: str) -> dict[str, Any]:
    return {
        "task": task.pk,
        "video": task.video_id,
        "index": task.video.index_id,
        "status": status,
        "error": error,
        "filename": task.video.filename,
        "duration_ms": task.video.duration_ms,
        "models": task.video.index.options or [{"name": task.engine, "options": ["audio"]}],
    }
