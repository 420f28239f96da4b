"""Rows for those who may see them: 404 for strangers, 403 for a role that may not do it."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from videos.models import Index, Role, Select, Video


def find_index(request: HttpRequest, index_id: str, role: Role = Role.READER) -> Index:
    found = Index.objects.visible_to(request.user).with_role(request.user)
    index = get_object_or_404(found, pk=index_id)
    index.require(role)
    return index


def find_video(request: HttpRequest, video_id: str, role: Role = Role.READER) -> Video:
    """The video with its index and its transcript."""
    found = Video.objects.visible_to(request.user).with_role(request.user)
    video = get_object_or_404(found.select_related("index", "transcript"), pk=video_id)
    video.require(role)
    video.index.role = video.role
    return video


def find_select(request: HttpRequest, select_id: str, role: Role = Role.READER) -> Select:
    """The select with its video, that one's index and transcript."""
    related = ("video__index", "video__transcript", "kept_by")
    found = Select.objects.visible_to(request.user).with_role(request.user)
    select = get_object_or_404(found.select_related(*related), pk=select_id)
    select.require(role)
    select.video.role = select.video.index.role = select.role
    return select
