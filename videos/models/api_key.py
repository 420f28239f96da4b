from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def hash_key(key: str) -> str:
    """SHA-256 is enough for 256 random bits: there is nothing to guess, so nothing to slow down."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def visible_to(self, user: User) -> ApiKeyQuerySet:
        return self.filter(user_id=user.pk)

    def working(self) -> ApiKeyQuerySet:
        """Not revoked, and their users may still sign in."""
        return self.filter(revoked_at=None, user__is_active=True)

    def revoke(self) -> int:
        """End them for good; returns how many were not revoked before."""
        return self.filter(revoked_at=None).update(revoked_at=Now())


class ApiKey(models.Model):
    """A key for the API. Only its hash is kept; the key itself is shown once, when it is made."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)  # enough to tell keys apart in a list
    hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    if TYPE_CHECKING:
        user_id: int

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def make(cls, user_id: int, name: str) -> str:
        """Store a new key for the user and return it: the only time that it can be read."""
        key = f"tlk_{secrets.token_hex(32).upper()}"
        cls.objects.create(user_id=user_id, name=name, prefix=key[:10], hash=hash_key(key))
        return key
