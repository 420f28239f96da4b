"""For whoever watches the service: alive, and able to work."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from videos import tasks
from videos.models import Pulse

MISSED_SWEEPS = 3


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive. Asks nothing of the database, so that its trouble does not restart the web."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether uploads would be taken and transcribed now, part by part."""
    faults = {
        "database": _database_fault(),
        "broker": tasks.broker_answers(),
        "worker": _worker_fault(),
    }
    report = {name: {"ok": not fault, "detail": fault} for name, fault in faults.items()}
    return JsonResponse(report, status=503 if any(faults.values()) else 200)


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
