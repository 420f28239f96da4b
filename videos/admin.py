"""Rows to look at. What is deleted here goes as it goes from a page: files and clouds included."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from videos import ingest
from videos.forms import index_engine_choices
from videos.models import (
    ApiKey,
    Delivery,
    Derivation,
    Fetch,
    Index,
    Member,
    RemoteDeletion,
    Task,
    Video,
)


class _WholeDeletion:
    """Deletes each by the site's own deed; the rows alone would leave the rest behind."""

    deed: staticmethod[[Any], None]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Without the one transaction that Django puts around it: the deeds have short ones."""
        return self._delete_view(request, object_id, extra_context)  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.deed(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for each in queryset:
            self.deed(each)


class _MadeByTheSite:
    """Rows that mean something only together with files and other rows: nobody writes them here."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _delete_task(task: Task) -> None:
    """A video without a task would be one that nothing is ever done with: it goes with its last."""
    ingest.cancel(task)
    if task.video.tasks.exclude(pk=task.pk).exists():
        ingest.delete_task(task)
    else:
        ingest.delete_video(task.video)


def _delete_fetch(fetch: Fetch) -> None:
    """What waits for it would wait for ever."""
    if fetch.task:
        ingest.cancel(fetch.task)
        fetch.delete()
    elif fetch.asset:
        ingest.delete_asset(fetch.asset)


admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(_WholeDeletion, UserAdmin):  # type: ignore[type-arg]
    deed = staticmethod(ingest.delete_user)


class IndexForm(forms.ModelForm):  # type: ignore[type-arg]
    engine = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = cast("forms.ChoiceField", self.fields["engine"])
        choice.choices = index_engine_choices(self.instance.engine)


@admin.register(Index)
class IndexAdmin(_WholeDeletion, admin.ModelAdmin):  # type: ignore[type-arg]
    form = IndexForm
    deed = staticmethod(ingest.delete_index)
    list_display = ["name", "owner", "engine", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username"]


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["user", "role", "index", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user", "index"]
    raw_id_fields = ["user", "index"]


@admin.register(Video)
class VideoAdmin(_WholeDeletion, _MadeByTheSite, admin.ModelAdmin):  # type: ignore[type-arg]
    """To look, to search and to delete; files and rows are made by the site itself."""

    deed = staticmethod(ingest.delete_video)
    list_display = ["filename", "index", "container", "duration_ms", "created_at"]
    list_select_related = ["index"]
    search_fields = ["filename", "id", "sha256"]
    raw_id_fields = ["index", "transcript"]


@admin.register(Task)
class TaskAdmin(_WholeDeletion, _MadeByTheSite, admin.ModelAdmin):  # type: ignore[type-arg]
    """Here a developer reads ``error_detail``, which no page shows."""

    deed = staticmethod(_delete_task)
    list_display = ["id", "video", "engine", "status", "step", "interruptions", "updated_at"]
    list_filter = ["status", "engine"]
    list_select_related = ["video"]
    raw_id_fields = ["video"]


@admin.register(Derivation)
class DerivationAdmin(_MadeByTheSite, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "video", "kind", "state", "interruptions", "finished_at"]
    list_filter = ["kind", "state"]
    list_select_related = ["video"]
    raw_id_fields = ["video"]


@admin.register(RemoteDeletion)
class RemoteDeletionAdmin(_MadeByTheSite, admin.ModelAdmin):  # type: ignore[type-arg]
    """What still has to go from a cloud, and why it did not yet."""

    list_display = ["__str__", "engine", "tries", "not_before", "created_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(_MadeByTheSite, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["prefix", "name", "user", "created_at", "last_used_at", "revoked_at"]
    exclude = ["hash"]


@admin.register(Fetch)
class FetchAdmin(_WholeDeletion, _MadeByTheSite, admin.ModelAdmin):  # type: ignore[type-arg]
    """Without the addresses: they may hold signatures."""

    deed = staticmethod(_delete_fetch)
    list_display = ["id", "owner", "task", "asset", "attempts", "lease_until", "not_before"]
    list_select_related = ["owner", "task", "asset"]
    exclude = ["media_url", "captions_url"]
    raw_id_fields = ["task", "asset"]


@admin.register(Delivery)
class DeliveryAdmin(_MadeByTheSite, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "webhook", "event", "status", "attempts", "not_before"]
    list_filter = ["status"]
    list_select_related = ["webhook"]
