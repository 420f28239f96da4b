"""The API's paths below a version. None ends in a slash, and none redirects to one."""

from __future__ import annotations

from django.urls import path, re_path

from videos.api import (
    assets,
    engines,
    exports,
    indexes,
    members,
    multipart,
    search,
    segments,
    selects,
    tasks,
    transcripts,
    videos,
)
from videos.api.endpoint import endpoint, nothing_here

INDEX = "indexes/<str:index_id>"
ASSET = "assets/<str:asset_id>"
UPLOAD = "assets/multipart-uploads/<str:upload_id>"
VIDEO = f"{INDEX}/videos/<str:video_id>"
SEGMENT = f"{VIDEO}/segments/<str:segment_id>"

# The oldest guide has its tasks below the indexes.
TASKS = [
    entry
    for root in ("tasks", "indexes/tasks")
    for entry in (
        path(root, endpoint(GET=tasks.list_all, POST=tasks.create)),
        path(f"{root}/status", endpoint(GET=tasks.status)),
        path(f"{root}/<str:task_id>", endpoint(GET=tasks.show, DELETE=tasks.delete)),
        path(f"{root}/<str:task_id>/video-id", endpoint(GET=tasks.video_id)),
    )
]

SEARCHES = [
    entry
    for root in ("search", "search-v2")
    for entry in (
        path(root, endpoint(POST=search.create)),
        path(f"{root}/<str:token>", endpoint(GET=search.show_page)),
    )
]

urlpatterns = [
    *TASKS,
    path("indexes", endpoint(GET=indexes.list_all, POST=indexes.create)),
    path(INDEX, endpoint(GET=indexes.show, PUT=indexes.rename, DELETE=indexes.delete)),
    path(f"{INDEX}/videos", endpoint(GET=videos.list_all)),
    path(
        VIDEO,
        endpoint(GET=videos.show, PUT=videos.update, PATCH=videos.update, DELETE=videos.delete),
    ),
    path(f"{VIDEO}/transcription", endpoint(GET=videos.transcription)),
    # From here to the exports: ours, not Twelve Labs'.
    path(f"{VIDEO}/segments", endpoint(GET=segments.list_all)),
    path(SEGMENT, endpoint(GET=segments.show, PATCH=segments.update)),
    path(f"{SEGMENT}/split", endpoint(POST=segments.split)),
    path(f"{SEGMENT}/merge", endpoint(POST=segments.merge)),
    path(f"{SEGMENT}/revert", endpoint(POST=segments.revert)),
    path(f"{SEGMENT}/confirm", endpoint(POST=segments.confirm)),
    path(f"{VIDEO}/undo", endpoint(POST=segments.undo)),
    path(f"{VIDEO}/redo", endpoint(POST=segments.redo)),
    path(f"{VIDEO}/transcripts", endpoint(GET=transcripts.list_all, POST=transcripts.create)),
    path(f"{VIDEO}/transcripts/<str:task_id>/use", endpoint(POST=transcripts.use)),
    path(f"{VIDEO}/captions", endpoint(POST=transcripts.caption)),
    path(f"{VIDEO}/tags", endpoint(GET=transcripts.tags, PUT=transcripts.put_tags)),
    path(
        f"{INDEX}/selects",
        endpoint(GET=selects.list_all, POST=selects.create, PUT=selects.arrange),
    ),
    path(f"{INDEX}/selects/export/<str:format>", endpoint(GET=exports.export_bin)),
    path(
        f"{INDEX}/selects/<str:select_id>",
        endpoint(GET=selects.show, PATCH=selects.update, DELETE=selects.delete),
    ),
    path(f"{INDEX}/members", endpoint(GET=members.list_all)),
    path(f"{INDEX}/members/<str:user_name>", endpoint(PUT=members.share, DELETE=members.unshare)),
    path(f"{VIDEO}/export/<str:format>", endpoint(GET=exports.export)),
    path("assets", endpoint(GET=assets.list_all, POST=assets.create)),
    path("assets/multipart-uploads", endpoint(GET=multipart.list_all, POST=multipart.create)),
    path(UPLOAD, endpoint(GET=multipart.show, POST=multipart.report)),
    path(f"{UPLOAD}/presigned-urls", endpoint(POST=multipart.more_urls)),
    # Who has the signed address may write this chunk: clients send no key with it.
    path(f"{UPLOAD}/chunks/<int:number>", endpoint(needs_key=False, PUT=multipart.write)),
    path(ASSET, endpoint(GET=assets.show, DELETE=assets.delete)),
    path(
        f"{ASSET}/user-metadata",
        endpoint(
            PUT=assets.replace_metadata,
            PATCH=assets.update_metadata,
            DELETE=assets.delete_metadata,
        ),
    ),
    path(f"{ASSET}/transcription", endpoint(GET=assets.transcription)),
    path(f"{ASSET}/indexed-assets", endpoint(GET=assets.uses)),
    path(f"{INDEX}/indexed-assets", endpoint(GET=assets.index_list, POST=assets.index_create)),
    path(
        f"{INDEX}/indexed-assets/<str:video_id>",
        endpoint(
            GET=assets.index_show, PUT=videos.update, PATCH=videos.update, DELETE=videos.delete
        ),
    ),
    path("engines", endpoint(GET=engines.list_all)),
    path("engines/<str:name>", endpoint(GET=engines.show)),
    *SEARCHES,
    re_path("", nothing_here),
]
