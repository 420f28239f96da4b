"""Calls that others make to us: a cloud says that a task has changed."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from videos import tasks
from videos.engines import twelvelabs
from videos.models import Task


@csrf_exempt  # no session is used: the signature says who calls
@login_not_required
@require_POST
def twelve_labs(request: HttpRequest) -> HttpResponse:
    """Ring the row that is named, so that it is asked about now; nothing else is believed."""
    secret = settings.TWELVELABS_WEBHOOK_SECRET
    if not secret:
        raise Http404
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=413)
    if not twelvelabs.is_signed(secret, request.headers.get("TL-Signature", ""), body):
        return HttpResponse("The signature does not fit.", content_type="text/plain", status=403)
    if remote_id := twelvelabs.notified_task(body):
        for task_id in Task.objects.hurry(remote_id):
            tasks.ring(task_id)
    return HttpResponse(status=204)
