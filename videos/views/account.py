"""A user's own password, and keys for the API."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from videos.forms import ApiKeyForm, PasswordForm
from videos.models import ApiKey
from videos.views import Request, SeeOther

REVOKED = " Your API keys do not work any more."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: Request) -> HttpResponse:
    """List keys; POST makes one. The answer to that is the only page that ever shows it."""
    form = ApiKeyForm(request.POST or None)
    made = ""
    if request.method == "POST" and form.is_valid():
        made = ApiKey.make(request.user.pk, form.cleaned_data["name"])
        form = ApiKeyForm()
    context = {
        "form": form,
        "made": made,
        "keys": ApiKey.objects.visible_to(request.user),
        "base": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "videos/keys.html", context, status=400 if form.errors else 200)


@require_POST
def revoke(request: Request, key_id: int) -> HttpResponse:
    mine = ApiKey.objects.visible_to(request.user)
    key = get_object_or_404(mine, pk=key_id)
    mine.filter(pk=key.pk).revoke()
    messages.success(request, f"The key {key.name} does not work any more.")
    return SeeOther(reverse("keys"))


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: Request) -> HttpResponse:
    """Change one's own; every other session of the account ends with it."""
    if not request.user.has_usable_password():  # the one user of a private installation
        raise Http404
    form = PasswordForm(request.user, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 400 if form.errors else 200
        return render(request, "videos/password.html", {"form": form}, status=status)
    update_session_auth_hash(request, form.save())
    revoked = form.cleaned_data["revoke_keys"] and ApiKey.objects.visible_to(request.user).revoke()
    messages.success(request, "Your password is changed." + (REVOKED if revoked else ""))
    return SeeOther(reverse("library"))


def network_of(request: HttpRequest) -> str:
    """From where somebody signs in, for django-axes: of IPv6 a whole /64, which anybody has, and
    not one of its addresses.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    try:
        found = ip_address(address)
    except ValueError:  # a socket has no address
        return address
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped or found.version == 4:
        return str(mapped or found)
    return str(ip_network(f"{address.partition('%')[0]}/64", strict=False).network_address)
