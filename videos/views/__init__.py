"""Views: they fetch through ``visible_to``, so that what is not yours is 404, and hold no rules."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseRedirect
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request behind LoginRequiredMiddleware and HtmxMiddleware."""

    user: User
    htmx: HtmxDetails


class SeeOther(HttpResponseRedirect):
    """After a POST: fetch that page with GET, whatever the method was."""

    status_code = 303
