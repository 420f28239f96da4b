"""On one's own machine, with nobody else who could sign in, one local user needs no password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import MiddlewareNotUsed
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

LOCAL_USERNAME = "local"


def local_user() -> User:
    """The one user of a private installation; made at first need, with no usable password."""
    defaults = {"password": make_password(None)}
    return User.objects.get_or_create(username=LOCAL_USERNAME, defaults=defaults)[0]


def somebody_has_a_password() -> bool:
    """Whether any account could sign in."""
    unusable = Q(password="") | Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return User.objects.filter(is_active=True).exclude(unusable).exists()


def runs_this_site(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Staff; and the local user of a private installation: nobody else is in without a password."""
    if not isinstance(user, User):
        return False
    return user.is_staff or not user.has_usable_password()


def let_in(request: HttpRequest) -> None:
    """Make a visitor the local user, where nobody else could sign in."""
    in_already = settings.REQUIRE_LOGIN or request.user.is_authenticated
    if not in_already and not somebody_has_a_password():
        request.user = local_user()


def sign_in_local_user(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Make visitors the local user, for this request only: no session that outlives the setting."""
    if settings.REQUIRE_LOGIN:
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: HttpRequest, view: Callable[..., Any], *rest: Any) -> None:
        # Views that are open to all, such as /healthz, need no user and no query for one.
        if getattr(view, "login_required", True):
            let_in(request)

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware
