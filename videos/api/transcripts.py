"""/indexes/{id}/videos/{id}/transcripts, captions and tags: this site's own, not Twelve Labs'."""

from __future__ import annotations

from typing import cast

from django.db.models import Count, Q
from django.http import HttpResponse

from videos import ingest, wording
from videos.admission import Refused
from videos.api import ApiRequest, dialects, errors, limits, params, tasks, videos
from videos.api.endpoint import answer, done
from videos.forms import AgainForm
from videos.models import Role, Status, Tag, Task, Video
from videos.models.tag import MAX_NAME
from videos.uploads import PartFile

MOST_TAGS = 100  # on one video


def list_all(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """The finished ones, the newest first."""
    video = videos.find(request, index_id, video_id)
    corrected = Count("segments", filter=Q(segments__heard__isnull=False))
    tasks = video.tasks.filter(status=Status.READY)
    tasks = tasks.annotate(lines=Count("segments"), corrected=corrected)
    tasks = tasks.order_by("-created_at", "-id")  # counting forgets the model's own order
    data = [dialects.transcript(task, shown=task.pk == video.transcript_id) for task in tasks]
    return answer({"data": data})


@limits.counts_as_upload
def create(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """Transcribe the video once more, by ``engine`` and in ``language`` if they are named."""
    video = videos.find(request, index_id, video_id, Role.EDITOR)
    body = params.body(request, ("engine", "language"))
    form = AgainForm(video.index, {name: str(value) for name, value in body.items()})
    params.require_valid(form)
    try:
        task = ingest.transcribe_again(video, **form.cleaned_data)
    except Refused as refusal:
        raise _in_words(refusal) from refusal
    return _made(task)


def use(request: ApiRequest, index_id: str, video_id: str, task_id: str) -> HttpResponse:
    """Show this transcript from now on; the other one is kept."""
    video = videos.find(request, index_id, video_id, Role.EDITOR)
    ready = video.tasks.filter(status=Status.READY)
    video.transcript = params.find(ready, task_id, "transcripts of this video")
    video.save(update_fields=["transcript", "updated_at"])
    return done()


def caption(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """Captions become the transcript that is shown; the earlier one is kept."""
    video = videos.find(request, index_id, video_id, Role.EDITOR)
    file = cast("PartFile | None", request.FILES.get("transcription_file"))
    if file is None:
        raise errors.required("transcription_file")
    cues = tasks.captions(file)
    try:
        return _made(ingest.caption(video, cues, file.name or ""))
    except Refused as refusal:
        raise _in_words(refusal) from refusal


def _made(task: Task) -> HttpResponse:
    return answer({"_id": task.pk, "video_id": task.video_id}, status=201)


def _in_words(refusal: Refused) -> errors.ApiError:
    if isinstance(refusal, ingest.UnknownLanguage):
        return errors.invalid("language", str(refusal))
    return errors.ApiError(409, "video_not_free", str(refusal))


# --- tags ---


def tags(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    return _tags(videos.find(request, index_id, video_id))


def put_tags(request: ApiRequest, index_id: str, video_id: str) -> HttpResponse:
    """Give the video these tags and no others; one that is on no video any more is gone.

    A tag is of the owner of the index that it is used in.
    """
    video = videos.find(request, index_id, video_id, Role.EDITOR)
    names = params.body(request, ("tags",)).get("tags")
    if not isinstance(names, list) or len(names) > MOST_TAGS:
        raise errors.invalid("tags", f"It must be a list of at most {MOST_TAGS} names.")
    Tag.objects.put_on(video.index.owner, video, [_name(each) for each in names])
    return _tags(video)


def _tags(video: Video) -> HttpResponse:
    return answer({"tags": [tag.name for tag in video.tags.all()]})


def _name(value: object) -> str:
    name = " ".join(params.text("tags", value).split())
    if not 0 < len(name) <= MAX_NAME or name != wording.printable(name):
        raise errors.invalid("tags", f"A tag is a name of at most {MAX_NAME} characters.")
    return name
