"""A user's own keys for the API."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from videos.forms import ApiKeyForm
from videos.models import ApiKey
from videos.views import Request, SeeOther


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
