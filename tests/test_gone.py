"""Somebody deletes what another one is about to change: that is 404, on pages and in the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.factories import make_index, make_task, make_transcript
from videos import ingest
from videos.api import params
from videos.models import Select, Video
from videos.models.select import keep
from videos.views import selects

pytestmark = pytest.mark.django_db(transaction=True)  # keys are judged where a transaction ends


@pytest.fixture
def video(caller):
    return make_transcript(3, make_index(caller.user))


@pytest.fixture
def index(video):
    return f"/indexes/{video.index_id}"


@pytest.fixture
def meanwhile(monkeypatch):
    """What is done to the rows once a view has found what it was asked for, before it writes."""

    def arrange(where: object, name: str, deed: Callable[[], object]) -> None:
        real = getattr(where, name)

        def found(*args, **options):
            row = real(*args, **options)
            monkeypatch.setattr(where, name, real)
            deed()
            return row

        monkeypatch.setattr(where, name, found)

    return arrange


def delete(video: Video) -> None:
    ingest.delete_video(Video.objects.get(pk=video.pk))


def test_a_select_that_is_deleted_while_it_is_changed(caller, video, index, meanwhile):
    select = keep(video, 0, 1000, caller.user)
    meanwhile(params, "body", Select.objects.all().delete)

    answer = caller.patch(f"{index}/selects/{select.pk}", {"note": "x"})

    assert (answer.status_code, answer.json()["code"]) == (404, "resource_not_exists")


def test_a_select_of_a_video_that_is_deleted_while_it_is_kept(caller, video, index, meanwhile):
    form = {"video_id": video.pk, "start": 0, "end": 1}
    meanwhile(params, "typed", lambda: delete(video))

    assert caller.post(f"{index}/selects", form).status_code == 404
    assert not Select.objects.exists()


@pytest.mark.parametrize("what", ["video", "transcript"])
def test_a_transcript_that_is_deleted_while_it_is_chosen(caller, video, index, meanwhile, what):
    other, find = make_task(video, status="ready"), []

    def deed() -> None:
        find.append(1)
        delete(video) if what == "video" else ingest.delete_task(other)

    path = f"{index}/videos/{video.pk}/transcripts/{other.pk}/use"
    meanwhile(params, "find", lambda: meanwhile(params, "find", deed))  # the video comes first

    assert caller.post(path).status_code == 404
    assert find


def test_a_video_that_is_deleted_while_it_is_tagged(caller, video, index, meanwhile):
    meanwhile(params, "text", lambda: delete(video))

    answer = caller.put(f"{index}/videos/{video.pk}/tags", {"tags": ["sea"]})

    assert answer.status_code == 404


def test_a_select_that_is_deleted_while_a_page_changes_it(client, user, meanwhile):
    video = make_transcript(3, make_index(user))
    select = keep(video, 0, 1000, user)
    meanwhile(selects, "SelectForm", Select.objects.all().delete)

    answer = client.post(f"/selects/{select.pk}/change", {"start": "0", "end": "1", "note": "x"})

    assert answer.status_code == 404 and "deleted meanwhile" in answer.text
