"""Who else may see an index, and do what in it. Its owner says so."""

from __future__ import annotations

from contextlib import suppress

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import IntegrityError

from videos.models import Index, Member
from videos.models.member import GIVEN

MOST_MEMBERS = 100
# Whoever shares an index learns whether a name exists; nobody goes through a list of names so.
MOST_MISSES, MISS_SECONDS = 10, 3600


class Refused(Exception):
    """It cannot be done. The message is one sentence for the index's owner."""


def share(index: Index, name: str, role: str) -> Member:
    """Give the account of that name a role in the index, or another one. Raises Refused."""
    if role not in GIVEN:
        raise Refused("Choose what they may do: reader or editor.")
    name = _plain(name)
    known = index.members.filter(user__username=name).select_related("user").first()
    user = known.user if known else _newcomer(index, name)
    try:
        member, _ = Member.objects.update_or_create(index=index, user=user, defaults={"role": role})
    except IntegrityError:
        raise Refused("This index or this account was deleted a moment ago.") from None
    return member


def _newcomer(index: Index, name: str) -> User:
    user = _account(index, name)
    if user.pk == index.owner_id:
        raise Refused("You own this index.")
    if index.members.count() >= MOST_MEMBERS:
        raise Refused(f"An index is shared with {MOST_MEMBERS} people at most.")
    return user


def _account(index: Index, name: str) -> User:
    """The account of that name. After too many names that nobody has, none is looked up."""
    misses = f"unknown-names-{index.owner_id}"
    if cache.get(misses, 0) >= MOST_MISSES:
        raise Refused("Too many names that nobody here has. Wait an hour, then try again.")
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        cache.add(misses, 0, timeout=MISS_SECONDS)
        with suppress(ValueError):  # dropped between the two calls
            cache.incr(misses)
        raise Refused("Nobody here has an account of this name. Capitals count.")
    return user


def unshare(index: Index, name: str) -> bool:
    """Take the role in the index back; False if nobody of that name had one."""
    found = index.members.filter(user__username=_plain(name))
    return bool(found.delete()[0])


def _plain(name: str) -> str:
    """As accounts are named; Postgres takes no NUL."""
    return User.normalize_username(name.replace("\0", " ").strip())
