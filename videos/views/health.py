"""For whoever watches the service: able to work, and how much there is to do."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from videos import tasks, vitals
from videos.local_user import let_in, runs_this_site
from videos.models import Pulse
from videos.views import Request

MISSED_SWEEPS = 3
ASK = "Send METRICS_TOKEN as 'Authorization: Bearer ...', or sign in as staff.\n"


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether uploads would be taken and transcribed now, part by part."""
    faults = _faults()
    report = {name: {"ok": not fault, "detail": fault} for name, fault in faults.items()}
    return JsonResponse(report, status=503 if any(faults.values()) else 200)


def _faults() -> dict[str, str]:
    return {
        "database": _database_fault(),
        "broker": tasks.broker_answers(),
        "worker": _worker_fault(),
    }


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The same numbers as the page's, for Prometheus: with METRICS_TOKEN, or for who runs this."""
    if not _has_token(request) and not _runs_this(request):
        challenge = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        return HttpResponse(ASK, status=401, content_type="text/plain", headers=challenge)
    try:
        return HttpResponse(vitals.exposition(vitals.take()), content_type=vitals.CONTENT_TYPE)
    except Error as error:
        sentence = f"The database does not answer: {type(error).__name__}.\n"
        return HttpResponse(sentence, status=503, content_type="text/plain")


def _runs_this(request: HttpRequest) -> bool:
    let_in(request)
    return runs_this_site(request.user)


def _has_token(request: HttpRequest) -> bool:
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    return bool(settings.METRICS_TOKEN) and constant_time_compare(given, wanted)


@never_cache
@require_safe
@vary_on_headers("HX-Request")
def page(request: Request) -> HttpResponse:
    """The numbers in words; it looks again by itself."""
    if not runs_this_site(request.user):
        raise Http404
    context = {"faults": _faults(), "now": vitals.take(), "reserve": settings.MIN_FREE_BYTES}
    template = "videos/_health.html" if request.htmx else "videos/health.html"
    return render(request, template, context)


def _database_fault() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return f"The database does not answer: {type(error).__name__}."
    return ""


def _worker_fault() -> str:
    seconds = MISSED_SWEEPS * settings.SWEEP_SECONDS + 5
    try:
        heard = Pulse.objects.heard("worker", seconds)
    except Error:
        return "Unknown, since the database does not answer."
    return "" if heard else f"No worker was heard in the last {seconds:g} s."
