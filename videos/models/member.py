from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, Value, When

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser


class Role(models.TextChoices):
    """What somebody may do in an index. Each role may do what those above it may."""

    READER = "reader", "Reader"
    EDITOR = "editor", "Editor"
    OWNER = "owner", "Owner"  # the index names its owner: no Member holds this


GIVEN = (Role.READER, Role.EDITOR)
_RANKS = {role: rank for rank, role in enumerate(Role.values)}
_REFUSALS = {
    Role.READER: "You do not have permission to do this.",
    Role.EDITOR: "You may read this index, not change it. Its owner can make you an editor.",
    Role.OWNER: "Only the owner of the index may do this.",
}


class NotAllowed(PermissionDenied):
    """It may be seen, but not this be done with it. The message is a sentence."""


class WithRole:
    """A row that came with the asking user's ``role`` in its index (``with_role``)."""

    role: str

    @property
    def may_edit(self) -> bool:
        return _RANKS[self.role] >= _RANKS[Role.EDITOR]

    @property
    def is_own(self) -> bool:
        return self.role == Role.OWNER

    def require(self, role: Role) -> None:
        """Raises NotAllowed when the user's role is a lesser one."""
        if _RANKS[self.role] < _RANKS[role]:
            raise NotAllowed(_REFUSALS[role])


class MemberQuerySet(models.QuerySet["Member"]):
    def of(self, user: AbstractBaseUser | AnonymousUser) -> MemberQuerySet:
        key: Any = user.pk  # None for nobody: then no row fits
        return self.filter(user=key)


class Member(models.Model):
    """Somebody with whom an index is shared."""

    index = models.ForeignKey("Index", on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=[(role, role.label) for role in GIVEN])
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["user__username"]
        constraints = [
            models.UniqueConstraint(fields=["index", "user"], name="member_once_in_an_index"),
            models.CheckConstraint(condition=Q(role__in=GIVEN), name="member_role_is_known"),
        ]

    if TYPE_CHECKING:
        index_id: str
        user_id: int

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} of {self.index_id}"


def role_of(user: AbstractBaseUser | AnonymousUser, path: str = "") -> dict[str, Case]:
    """To annotate rows with: the user's ``role`` in the index to which ``path`` leads from them.

    It is null for a stranger.
    """
    held = Member.objects.of(user).filter(index=OuterRef(f"{path}pk")).order_by().values("role")
    own = When(**{f"{path}owner_id": user.pk}, then=Value(Role.OWNER.value))
    return {"role": Case(own, default=Subquery(held[:1]), output_field=models.CharField())}
