from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path, register_converter

from videos.api import reference
from videos.views import account, health, hooks, library, media, tasks, uploads, viewer


class IdConverter:
    """What ``models.ids.new_id`` makes. Anything else is 404 before the database sees it."""

    regex = "[0-9a-f]{24}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdConverter, "id")

urlpatterns = [
    re_path(r"^v1(?:\.[123])?/", include("videos.api.urls")),
    path("", library.library, name="library"),
    path("upload/", uploads.upload, name="upload"),
    path("upload/check", uploads.upload_check, name="upload_check"),
    path("sample", library.sample, name="sample"),
    path("indexes/", library.index_create, name="index_create"),
    path("indexes/<id:index_id>/", library.index, name="index"),
    path("indexes/<id:index_id>/rename", library.index_rename, name="index_rename"),
    path("indexes/<id:index_id>/delete", library.index_delete, name="index_delete"),
    path("videos/states", library.states, name="states"),
    path("videos/<id:video_id>/", viewer.viewer, name="viewer"),
    path("videos/<id:video_id>/progress", viewer.progress, name="progress"),
    path("videos/<id:video_id>/media", media.media, name="media"),
    path("videos/<id:video_id>/poster", media.poster, name="poster"),
    path("videos/<id:video_id>/cancel", tasks.cancel, name="cancel"),
    path("videos/<id:video_id>/retry", tasks.retry, name="retry"),
    path("videos/<id:video_id>/again", tasks.again, name="again"),
    path("videos/<id:video_id>/delete", library.delete, name="delete"),
    path("api/docs", reference.page, name="api"),
    path("api/openapi.yaml", reference.openapi, name="openapi"),
    path("account/keys/", account.keys, name="keys"),
    path("account/keys/<int:key_id>/revoke", account.revoke, name="key_revoke"),
    path("login/", LoginView.as_view(template_name="videos/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("hooks/twelvelabs", hooks.twelve_labs),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
