"""What staff may do to rows by hand: look, and delete as the site itself would."""

from __future__ import annotations

import pytest

from tests.factories import make_index, make_task, make_transcript, make_user, make_video
from videos.models import Asset, Fetch, Status, Task, Video
from videos.models.task import Step

MADE = ["video", "task", "derivation", "remotedeletion", "apikey", "fetch", "delivery"]


def delete(admin_client, row) -> None:
    path = f"/admin/videos/{row._meta.model_name}/{row.pk}/delete/"
    assert admin_client.post(path, {"post": "yes"}).status_code == 302


@pytest.mark.parametrize("kind", MADE)
def test_what_the_site_makes_is_not_made_by_hand(admin_client, kind):
    assert admin_client.get(f"/admin/videos/{kind}/").status_code == 200
    assert admin_client.get(f"/admin/videos/{kind}/add/").status_code == 403


def test_a_video_goes_with_its_last_task(admin_client):
    video = make_transcript(2)
    again = make_task(video, status=Status.PENDING)

    delete(admin_client, again)
    assert video.tasks.get() == video.transcript
    delete(admin_client, video.transcript)
    assert not Video.objects.exists()


def test_a_task_whose_fetch_is_deleted_has_ended(admin_client):
    task = make_task(make_video(make_index(), sha256=""), status=Status.PENDING, step=Step.FETCH)
    fetch = Fetch.objects.create(owner=task.video.index.owner, task=task, media_url="https://x/a")

    delete(admin_client, fetch)
    assert Task.objects.get().status == Status.FAILED and Task.objects.get().error == "Cancelled."


def test_an_asset_goes_with_its_fetch(admin_client):
    owner = make_user()
    asset = Asset.objects.create(owner=owner, filename="a.mp4")

    delete(admin_client, Fetch.objects.create(owner=owner, asset=asset, media_url="https://x/a"))
    assert not Asset.objects.exists()


@pytest.mark.parametrize(("engine", "kept"), [("whisper", "whisper"), ("wisper", "sphinx")])
def test_staff_choose_the_engine_of_an_index_among_those_that_there_are(admin_client, engine, kept):
    index = make_index(engine="sphinx")
    form = {"owner": index.owner_id, "name": "Rushes", "engine": engine, "options": "[]"}

    admin_client.post(f"/admin/videos/index/{index.pk}/change/", form)

    index.refresh_from_db()
    assert index.engine == kept
