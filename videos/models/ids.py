"""Ids of the shape that Twelve Labs' clients expect: 24 lower-case hex digits (an ObjectId)."""

import secrets
import time

from django.db import models


def new_id() -> str:
    """4 bytes of time, so that ids sort by age, then 8 random ones, so that none can be guessed."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


class IdField(models.CharField):  # type: ignore[type-arg]
    """A primary key made by ``new_id``."""

    def __init__(self, **options: object) -> None:
        options |= {"max_length": 24, "primary_key": True, "default": new_id, "editable": False}
        super().__init__(**options)  # type: ignore[arg-type]
