from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path, register_converter

from videos.api import reference
from videos.views import (
    account,
    captions,
    corrections,
    derived,
    exports,
    health,
    hooks,
    keeping,
    library,
    media,
    members,
    parts,
    places,
    search,
    selects,
    tasks,
    transcripts,
    uploads,
    viewer,
    webhooks,
)


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
    path("upload/url", uploads.upload_url, name="upload_url"),
    path("upload/captions", captions.owner, name="captions_owner"),
    path("upload/check", uploads.upload_check, name="upload_check"),
    path("upload/parts/", parts.begin, name="parts"),
    path("upload/parts/<id:parts_id>/<int:number>", parts.write, name="parts_write"),
    path("upload/parts/<id:parts_id>/finish", parts.finish, name="parts_finish"),
    path("upload/parts/<id:parts_id>/discard", parts.discard, name="parts_discard"),
    path("search/", search.page, name="search"),
    path("sample", library.sample, name="sample"),
    path("indexes/", library.index_create, name="index_create"),
    path("indexes/<id:index_id>/", library.index, name="index"),
    path("indexes/<id:index_id>/rename", library.index_rename, name="index_rename"),
    path("indexes/<id:index_id>/delete", library.index_delete, name="index_delete"),
    path("indexes/<id:index_id>/members", members.share, name="share"),
    path("indexes/<id:index_id>/members/<int:member_id>/remove", members.unshare, name="unshare"),
    path("indexes/<id:index_id>/leave", members.leave, name="leave"),
    path("videos/states", library.states, name="states"),
    path("videos/many", keeping.many, name="many"),
    path("videos/<id:video_id>/", viewer.viewer, name="viewer"),
    path("videos/<id:video_id>/progress", viewer.progress, name="progress"),
    path("videos/<id:video_id>/speech", viewer.speech, name="speech"),
    path("videos/<id:video_id>/media", media.media, name="media"),
    path("videos/<id:video_id>/poster", media.poster, name="poster"),
    path("videos/<id:video_id>/export/<slug:name>", exports.export, name="export"),
    path("videos/<id:video_id>/copy/<slug:kind>", exports.copy, name="copy"),
    path("videos/<id:video_id>/captions.vtt", media.captions, name="captions"),
    path("videos/<id:video_id>/peaks", derived.peaks, name="peaks"),
    path("videos/<id:video_id>/sprite", derived.sprite, name="sprite"),
    path("videos/<id:video_id>/sprite.json", derived.sprite_map, name="sprite_map"),
    path("videos/<id:video_id>/proxy", derived.proxy, name="proxy"),
    path("videos/<id:video_id>/proxy/make", derived.proxy_make, name="proxy_make"),
    path("videos/<id:video_id>/proxy/cancel", derived.proxy_cancel, name="proxy_cancel"),
    path("videos/<id:video_id>/derived", derived.state, name="derived"),
    path("videos/<id:video_id>/derived/retry", derived.retry, name="derived_retry"),
    path("videos/<id:video_id>/place", places.place, name="place"),
    path("videos/<id:video_id>/forget", places.forget, name="forget"),
    path("videos/<id:video_id>/cancel", tasks.cancel, name="cancel"),
    path("videos/<id:video_id>/retry", tasks.retry, name="retry"),
    path("videos/<id:video_id>/again", tasks.again, name="again"),
    path("videos/<id:video_id>/name", keeping.rename, name="rename"),
    path("videos/<id:video_id>/tags/<int:tag_id>/remove", keeping.untag, name="untag"),
    path("videos/<id:video_id>/captions", captions.give, name="give_captions"),
    path("videos/<id:video_id>/delete", library.delete, name="delete"),
    path("videos/<id:video_id>/selects", selects.keep_range, name="keep"),
    path("indexes/<id:index_id>/selects/", selects.bin_page, name="bin"),
    path("indexes/<id:index_id>/selects/order", selects.arrange, name="bin_order"),
    path("indexes/<id:index_id>/selects/export/<slug:name>", exports.export_bin, name="bin_export"),
    path("selects/<id:select_id>/change", selects.change, name="select_change"),
    path("selects/<id:select_id>/move", selects.move, name="select_move"),
    path("selects/<id:select_id>/delete", selects.remove, name="select_delete"),
    path("videos/<id:video_id>/rows/", corrections.lines, name="lines"),
    path("videos/<id:video_id>/rows/<int:number>/edit", corrections.edit, name="edit"),
    path("videos/<id:video_id>/transcripts/", transcripts.transcripts, name="transcripts"),
    path("videos/<id:video_id>/transcripts/<id:task_id>/", transcripts.show, name="transcript"),
    path("videos/<id:video_id>/transcripts/<id:task_id>/use", transcripts.use, name="use"),
    path(
        "videos/<id:video_id>/transcripts/<id:task_id>/delete",
        transcripts.delete,
        name="transcript_delete",
    ),
    path("videos/<id:video_id>/compare", transcripts.compare, name="compare"),
    path("videos/<id:video_id>/take", transcripts.take, name="take"),
    path("videos/<id:video_id>/undo", corrections.undo, name="undo"),
    path("videos/<id:video_id>/redo", corrections.redo, name="redo"),
    path("videos/<id:video_id>/replace", corrections.replace, name="replace"),
    path("api/docs", reference.page, name="api"),
    path("api/openapi.yaml", reference.openapi, name="openapi"),
    path("account/keys/", account.keys, name="keys"),
    path("account/keys/<int:key_id>/revoke", account.revoke, name="key_revoke"),
    path("account/webhooks/", webhooks.webhook, name="webhook"),
    path("account/webhooks/secret", webhooks.rotate, name="webhook_rotate"),
    path("account/webhooks/test", webhooks.test, name="webhook_test"),
    path("account/webhooks/delete", webhooks.delete, name="webhook_delete"),
    path("account/password/", account.password, name="password"),
    path("login/", LoginView.as_view(template_name="videos/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("hooks/twelvelabs", hooks.twelve_labs),
    path("health/", health.page, name="health"),
    path("metrics", health.metrics, name="metrics"),
    path("readyz", health.readyz, name="readyz"),
]
