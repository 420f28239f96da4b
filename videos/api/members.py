"""/indexes/{id}/members: with whom an index is shared. This site's own, not Twelve Labs'."""

from __future__ import annotations

from django.http import HttpResponse

from videos import sharing
from videos.api import ApiRequest, dialects, errors, indexes, params
from videos.api.endpoint import answer, done
from videos.models import Role


def list_all(request: ApiRequest, index_id: str) -> HttpResponse:
    index = indexes.find(request, index_id, Role.OWNER)
    members = index.members.select_related("user")
    return answer({"data": [dialects.member(member) for member in members]})


def share(request: ApiRequest, index_id: str, user_name: str) -> HttpResponse:
    """Give somebody a role, or another one: ``{"role": "editor"}``."""
    index = indexes.find(request, index_id, Role.OWNER)
    role = params.body(request, ("role",)).get("role")
    if not isinstance(role, str):
        raise errors.required("role")
    try:
        return answer(dialects.member(sharing.share(index, user_name, role)))
    except sharing.Refused as refusal:
        raise errors.ApiError(400, "parameter_invalid", str(refusal)) from refusal


def unshare(request: ApiRequest, index_id: str, user_name: str) -> HttpResponse:
    """The owner takes anybody's role back, a member one's own."""
    index = indexes.find(request, index_id)
    if user_name != request.user.get_username():
        index.require(Role.OWNER)
    if not sharing.unshare(index, user_name):
        raise errors.no_such(user_name, "members")
    return done()
