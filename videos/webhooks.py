"""Tells a user's webhook that a task ended, in Twelve Labs' words and with their signature.

A delivery is a row, written together with the task's end. It may come twice, if this server dies
between the answer and its own commit; the id is the same then.
"""

from __future__ import annotations

import json
import logging
import random
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from videos import failpoints, fetcher
from videos.fetcher import FetchError
from videos.models import Delivery, LostLease
from videos.models.webhook import TEST

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 5.0, 3600.0
OFF = "This server calls no addresses."


def lease() -> timedelta:
    return timedelta(seconds=settings.WEBHOOK_SECONDS + 60)


def deliver(delivery: Delivery) -> None:
    """Try the claimed delivery once. Never raises."""
    try:
        _settle(delivery, _attempt(delivery))
    except LostLease:
        logger.info("delivery=%s is no longer ours", delivery.pk)
    except Exception:  # the database: the lease runs out, and the sweep rings
        logger.exception("delivery=%s", delivery.pk)


def body(delivery: Delivery) -> bytes:
    """What is signed and sent: the same bytes each time, with the keys of all dialects."""
    found = {
        "id": delivery.pk,
        "created_at": delivery.created_at.isoformat(),
        "type": delivery.event,
        "data": _data(delivery.facts),
    }
    return json.dumps(found, ensure_ascii=False).encode()


def _data(facts: dict[str, Any]) -> dict[str, Any]:
    """v1.3 says ``models`` and ``audio`` where v1.2 says ``engines`` and ``conversation``, and
    v1.1 ``engine`` and ``index_options``: it knows one alone.
    """
    models = facts.get("models", [])
    options = [
        ["conversation" if option == "audio" else option for option in model["options"]]
        for model in models
    ]
    known = {
        "id": facts.get("task"),
        "index_id": facts.get("index"),
        "video_id": facts.get("video"),
        "status": facts.get("status"),
        "metadata": {
            "duration": facts.get("duration_ms", 0) / 1000,
            "filename": facts.get("filename", ""),
        },
        "models": models,
        "engines": [
            {"name": model["name"], "options": older}
            for model, older in zip(models, options, strict=True)
        ],
        "tags": [],
    }
    if models:
        known |= {"engine": models[0]["name"], "index_options": options[0]}
    if facts.get("error"):
        known["error"] = {"message": facts["error"]}
    return known


def _attempt(delivery: Delivery) -> str:
    """An empty string when the receiver took it, or a sentence that says why not."""
    if not settings.FETCH_URLS:
        return OFF
    webhook, sent = delivery.webhook, body(delivery)
    headers = {
        "Content-Type": "application/json",
        "TL-Signature": webhook.signature(sent, int(time.time())),
    }
    try:
        status = fetcher.post(webhook.url, sent, headers)
    except FetchError as error:
        return str(error)
    failpoints.reach("delivery.before_commit")
    return "" if 200 <= status < 300 else f"The receiver answered {status}."


def _settle(delivery: Delivery, error: str) -> None:
    if not error:
        _end(delivery, Delivery.DELIVERED, "")
    elif _is_too_old(delivery) or delivery.event == TEST:
        _end(delivery, Delivery.GIVEN_UP, error)
    else:
        _put_off(delivery, error)


def _end(delivery: Delivery, status: str, error: str) -> None:
    delivery.write(status=status, error=error[:300], ended_at=Now(), lease_until=None)


def _put_off(delivery: Delivery, error: str) -> None:
    """All that wait for this receiver wait together: each try of a dead one costs others time."""
    theirs = Delivery.objects.unfinished().filter(webhook=delivery.webhook_id)
    # Of the one that was tried most: the least tried comes first, and each begins anew.
    tried = theirs.aggregate(most=Max("attempts"))["most"] or delivery.attempts
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tried - 1, 20))
    wait *= random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    delivery.release(after_seconds=wait, error=error[:300])
    delivery.refresh_from_db(fields=["not_before"])
    theirs.due().update(not_before=delivery.not_before)


def _is_too_old(delivery: Delivery) -> bool:
    age = timezone.now() - delivery.created_at
    return age.total_seconds() > settings.WEBHOOK_HOURS * 3600
