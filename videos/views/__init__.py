"""Views: they fetch through ``visible_to``, so that what is not yours is 404, and hold no rules."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request behind LoginRequiredMiddleware and HtmxMiddleware."""

    user: User
    htmx: HtmxDetails


class SeeOther(HttpResponseRedirect):
    """After a POST: fetch that page with GET, whatever the method was."""

    status_code = 303


def back(request: Request, usual: str) -> SeeOther:
    """To the page that the form names as ``next``, if it is one of ours."""
    url = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure())
    return SeeOther(url if ours else usual)
