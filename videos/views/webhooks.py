"""Where a user hears that tasks ended: set it, try it, see what was delivered."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from videos import tasks
from videos.forms import WebhookForm
from videos.models import Webhook
from videos.models.webhook import new_nonce
from videos.views import Request, SeeOther

SHOWN = 20
SAMPLE = {
    "task": "0" * 24,
    "video": "0" * 24,
    "index": "0" * 24,
    "status": "ready",
    "filename": "sample.mp4",
    "duration_ms": 30_000,
    "models": [{"name": "local", "options": ["audio"]}],
}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: Request) -> HttpResponse:
    """POST sets the address. The answer to the first one shows the secret; no later page does."""
    mine = Webhook.objects.visible_to(request.user).first()
    form = WebhookForm(request.POST or None, initial={"url": mine.url if mine else ""})
    if request.method != "POST" or not form.is_valid():
        return _page(request, mine, form)
    new, made = Webhook.objects.update_or_create(
        user=request.user, defaults={"url": form.cleaned_data["url"]}
    )
    if made:
        return _page(request, new, form, new.secret)
    messages.success(request, "Kept. The secret is the same as before.")
    return SeeOther(reverse("webhook"))


@never_cache
@require_POST
def rotate(request: Request) -> HttpResponse:
    """Another secret at once; the old one signs nothing any more."""
    mine = _mine(request)
    mine.nonce = new_nonce()
    mine.save(update_fields=["nonce"])
    return _page(request, mine, WebhookForm(initial={"url": mine.url}), mine.secret)


@require_POST
def test(request: Request) -> HttpResponse:
    sent = _mine(request).send_test(SAMPLE)
    tasks.ring_delivery()
    said = "A test is on its way" if sent else "A test is on its way already"
    messages.success(request, f"{said}. Reload this page to see what became of it.")
    return SeeOther(reverse("webhook"))


@require_POST
def delete(request: Request) -> HttpResponse:
    _mine(request).delete()
    messages.success(request, "The webhook is gone; nothing more is sent.")
    return SeeOther(reverse("webhook"))


def _mine(request: Request) -> Webhook:
    return get_object_or_404(Webhook.objects.visible_to(request.user))


def _page(
    request: Request, mine: Webhook | None, form: WebhookForm, secret: str = ""
) -> HttpResponse:
    context = {
        "webhook": mine,
        "form": form,
        "secret": secret,
        "off": not settings.FETCH_URLS,
        "hours": settings.WEBHOOK_HOURS,
        "deliveries": mine.deliveries.all()[:SHOWN] if mine else (),
    }
    return render(request, "videos/webhooks.html", context, status=400 if form.errors else 200)
