from django.contrib import admin

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


@admin.register(Index)
class IndexAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
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
class VideoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To look and to search; files and rows are made and deleted by the site itself."""

    list_display = ["filename", "index", "container", "duration_ms", "created_at"]
    list_select_related = ["index"]
    search_fields = ["filename", "id", "sha256"]
    raw_id_fields = ["index", "transcript"]


@admin.register(Task)
class TaskAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Here a developer reads ``error_detail``, which no page shows."""

    list_display = ["id", "video", "engine", "status", "step", "interruptions", "updated_at"]
    list_filter = ["status", "engine"]
    list_select_related = ["video"]
    raw_id_fields = ["video"]


@admin.register(Derivation)
class DerivationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "video", "kind", "state", "interruptions", "finished_at"]
    list_filter = ["kind", "state"]
    list_select_related = ["video"]
    raw_id_fields = ["video"]


@admin.register(RemoteDeletion)
class RemoteDeletionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What still has to go from a cloud, and why it did not yet."""

    list_display = ["__str__", "engine", "tries", "not_before", "created_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["prefix", "name", "user", "created_at", "last_used_at", "revoked_at"]
    exclude = ["hash"]


@admin.register(Fetch)
class FetchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Without the addresses: they may hold signatures."""

    list_display = ["id", "owner", "task", "asset", "attempts", "lease_until", "not_before"]
    list_select_related = ["owner", "task", "asset"]
    exclude = ["media_url", "captions_url"]
    raw_id_fields = ["task", "asset"]


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "webhook", "event", "status", "attempts", "not_before"]
    list_filter = ["status"]
    list_select_related = ["webhook"]
