from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

AHEAD = timedelta(seconds=5)  # further off was beaten before the clock was set back


class PulseQuerySet(models.QuerySet["Pulse"]):
    def beat(self, name: str) -> None:
        """Say that ``name`` is alive now, by the database's clock."""
        self.update_or_create(name=name, defaults={"at": Now()})

    def heard(self, name: str, within_seconds: float) -> bool:
        recent = (Now() - timedelta(seconds=within_seconds), Now() + AHEAD)
        return self.filter(name=name, at__range=recent).exists()


class Pulse(models.Model):
    """When a part of the system that has no row of its own was last heard."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    objects = PulseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"
