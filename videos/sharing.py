"""Who else may see an index, and do what in it. Its owner says so."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.cache import cache

from videos.models import Index, Member, Role
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
    if known is None:
        return _add(index, _account(index, name), role)
    known.role = Role(role)
    known.save(update_fields=["role"])
    return known


def _add(index: Index, user: User, role: str) -> Member:
    if user.pk == index.owner_id:
        raise Refused("You own this index.")
    if index.members.count() >= MOST_MEMBERS:
        raise Refused(f"An index is shared with {MOST_MEMBERS} people at most.")
    member, _ = Member.objects.update_or_create(index=index, user=user, defaults={"role": role})
    return member


def _account(index: Index, name: str) -> User:
    """The account of that name. After too many names that nobody has, none is looked up."""
    misses = f"unknown-names-{index.owner_id}"
    if cache.get(misses, 0) >= MOST_MISSES:
        raise Refused("Too many names that nobody here has. Wait an hour, then try again.")
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        cache.add(misses, 0, timeout=MISS_SECONDS)
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
