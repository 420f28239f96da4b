"""Who calls: the key in ``x-api-key`` and nothing else. Sessions and cookies do not count."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone

from videos.api.errors import of_status
from videos.models import ApiKey
from videos.models.api_key import hash_key

USED_STEP = timedelta(minutes=1)  # "last used" need not be truer: polls come by the second


def key_of(request: HttpRequest) -> ApiKey:
    """The key that the request carries. Raises ApiError 401.

    It is found by its hash, so no comparison tells by its length how much of it was right.
    """
    given = request.headers.get("x-api-key", "")
    working = ApiKey.objects.working().select_related("user")
    key = working.filter(hash=hash_key(given)).first()
    if key is None:
        raise of_status(401)
    if key.last_used_at is None or timezone.now() - key.last_used_at > USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=Now())
    return key
