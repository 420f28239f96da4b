"""With whom an index is shared: its owner says so on its page, and a member may leave."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from videos import sharing
from videos.models import Index, Member, Role
from videos.views import Request, SeeOther
from videos.views.finding import find_index


def _back(index: Index) -> SeeOther:
    return SeeOther(f"{reverse('index', args=[index.pk])}#members")


@require_POST
def share(request: Request, index_id: str) -> HttpResponse:
    """Give somebody, by name, a role in the index, or another one."""
    index = find_index(request, index_id, Role.OWNER)
    try:
        member = sharing.share(index, request.POST.get("name", ""), request.POST.get("role", ""))
    except sharing.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        name, role = member.user.get_username(), member.get_role_display().lower()
        messages.success(request, f"{name} is {'an' if role[0] in 'aeiou' else 'a'} {role} now.")
    return _back(index)


@require_POST
def unshare(request: Request, index_id: str, member_id: int) -> HttpResponse:
    """Take somebody's role back. What they did in the index stays."""
    index = find_index(request, index_id, Role.OWNER)
    member = get_object_or_404(index.members.select_related("user"), pk=member_id)
    member.delete()
    messages.success(request, f"{member.user.get_username()} does not see this index any more.")
    return _back(index)


@require_POST
def leave(request: Request, index_id: str) -> HttpResponse:
    """Give one's own role back; an owner cannot leave."""
    index = find_index(request, index_id)
    if index.is_own:
        messages.error(request, "You own this index: delete it, or stop sharing it.")
        return _back(index)
    Member.objects.of(request.user).filter(index=index).delete()
    messages.success(request, f"You left the index {index.name}.")
    return SeeOther(reverse("library"))
