"""How the service is: a few numbers, for a page and for Prometheus.

To add one: a field, the query in ``take`` and a line in ``exposition``; the page's is in
templates/videos/_health.html. The only query over all tasks reads nothing but an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min
from django.utils import timezone

from videos import storage
from videos.models import (
    Delivery,
    Derivation,
    Fetch,
    Kind,
    Pulse,
    RemoteDeletion,
    Status,
    Task,
    Upload,
)

# https://prometheus.io/docs/instrumenting/exposition_formats/
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Samples = Iterable[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Vitals:
    tasks: dict[str, int]  # by status, all of them
    oldest_waiting_s: float  # since it was asked for; 0 when none waits
    derivations: dict[str, int]  # that wait or are made just now, by kind
    fetches: int
    deliveries: int
    deletions: int
    uploads: int  # in parts, not whole yet
    pulses: dict[str, float]  # seconds since each was heard; without who never was
    free_bytes: int  # less the reserve

    @property
    def waiting(self) -> int:
        return sum(self.tasks[status] for status in WAITING)


WAITING = (Status.VALIDATING, Status.PENDING, Status.QUEUED)


def take() -> Vitals:
    """As they are now."""
    tasks = Task.objects.order_by().values_list("status").annotate(n=Count("*"))
    made = Derivation.objects.unfinished().order_by().values_list("kind").annotate(n=Count("*"))
    oldest = Task.objects.unfinished().filter(status__in=WAITING).aggregate(at=Min("asked_at"))
    return Vitals(
        tasks=dict.fromkeys(Status.values, 0) | dict(tasks),
        oldest_waiting_s=_age(oldest["at"]) if oldest["at"] else 0,
        derivations=dict.fromkeys(Kind.values, 0) | dict(made),
        fetches=Fetch.objects.unfinished().count(),
        deliveries=Delivery.objects.unfinished().count(),
        deletions=RemoteDeletion.objects.count(),
        uploads=Upload.objects.active().count(),
        pulses={name: _age(at) for name, at in Pulse.objects.values_list("name", "at")},
        free_bytes=storage.free_bytes(),
    )


def _age(moment: datetime) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds())


def exposition(now: Vitals) -> str:
    """In Prometheus' text format."""
    gauges: list[tuple[str, str, Samples]] = [
        ("tasks", "Tasks by status.", _labelled("status", now.tasks)),
        (
            "task_oldest_waiting_seconds",
            "Age of the task that waits longest.",
            _one(now.oldest_waiting_s),
        ),
        (
            "derivations_unfinished",
            "Pictures and copies to be made.",
            _labelled("kind", now.derivations),
        ),
        ("fetches_unfinished", "Files to be fetched by their address.", _one(now.fetches)),
        ("webhook_deliveries_unfinished", "Events to be told to webhooks.", _one(now.deliveries)),
        ("remote_deletions_unfinished", "Deletions to be made in a cloud.", _one(now.deletions)),
        ("uploads_active", "Uploads in parts that are not whole yet.", _one(now.uploads)),
        (
            "pulse_age_seconds",
            "Since this part of the service was heard.",
            _labelled("name", now.pulses),
        ),
        ("disk_free_bytes", "What may still be written, less the reserve.", _one(now.free_bytes)),
    ]
    return "".join(line for gauge in gauges for line in _gauge(*gauge))


def _gauge(name: str, help_text: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP desk_{name} {help_text}\n# TYPE desk_{name} gauge\n"
    for labels, value in samples:
        yield f"desk_{name}{labels} {value:.15g}\n"


def _one(value: float) -> Samples:
    return [("", value)]


def _labelled(label: str, values: dict[str, int] | dict[str, float]) -> Samples:
    """The values' names are words of our own: nothing in them needs escaping."""
    return [(f'{{{label}="{name}"}}', value) for name, value in values.items()]
