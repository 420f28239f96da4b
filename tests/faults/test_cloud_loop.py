"""Our client against our own server over real HTTP: instance A sends its videos to instance B."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.faults.conftest import wait_ready
from tests.faults.stack import Stack, running, wait_for

pytestmark = pytest.mark.xdist_group("cloud")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Stack]:
    """Instance B, whose engine listens here."""
    with running(tmp_path_factory.mktemp("b")) as started:
        yield started


@pytest.fixture(scope="module")
def key(cloud: Stack) -> str:
    return cloud.manage("createapikey", "loop").split()[-1]


@pytest.fixture
def client(cloud: Stack, key: str, tmp_path) -> Stack:
    """Instance A, not yet started; B is its cloud."""
    env = {
        "ENGINE": "",
        "TWELVELABS_API_KEY": key,
        "TWELVELABS_BASE_URL": cloud.url,
        "TWELVELABS_POLL_SECONDS": "0.5",
    }
    return Stack(tmp_path / "a", env)


@pytest.fixture
def local(client: Stack) -> Iterator[Stack]:
    yield client
    client.end()


def transcript(stack: Stack, where: str = "", *values: str) -> list[tuple[int, int, str]]:
    sql = (
        "SELECT s.start_ms, s.end_ms, s.text FROM videos_segment s "
        f"JOIN videos_task t ON t.id = s.task_id {where} ORDER BY s.number"
    )
    return stack.rows(sql, *values)


def there(cloud: Stack, local: Stack) -> list[tuple[str, str]]:
    """The tasks at B that came from A: their ids and states."""
    (tag,) = local.rows("SELECT id FROM videos_task")[0]
    sql = (
        "SELECT t.id, t.status FROM videos_task t JOIN videos_video v ON v.id = t.video_id "
        f"WHERE v.filename LIKE '{tag}%'"
    )
    return cloud.rows(sql)


@pytest.mark.parametrize("version", ["v1.3", "v1.2", "v1.1"])
def test_a_transcript_comes_back_as_it_was_made_there(cloud, local, two_phrases, key, version):
    local.start(TWELVELABS_VERSION=version)
    assert local.upload(two_phrases).ok
    wait_ready(local)
    ((remote_id, status),) = there(cloud, local)
    assert status == "ready"
    mine, theirs = transcript(local), transcript(cloud, "WHERE t.id = ?", remote_id)
    assert len(mine) > 1
    assert mine == theirs
    ((video_id,),) = local.rows("SELECT id FROM videos_video")
    page = requests.get(f"{local.url}/videos/{video_id}/", timeout=10).text
    assert "Transcript by Twelve Labs (cloud)" in page
    local.check()

    session, token = local.session()
    form = {"csrfmiddlewaretoken": token}
    assert session.post(f"{local.url}/videos/{video_id}/delete", data=form, timeout=10).ok
    wait_for(lambda: not cloud.rows(f"SELECT 1 FROM videos_task WHERE id = '{remote_id}'"), 30)
    local.stop()
    for stack in (local, cloud):
        assert key not in stack.log()


@pytest.mark.parametrize("place", ["remote.after_index", "remote.before_call", "remote.after_call"])
def test_a_worker_killed_around_a_call_leaves_one_task_there(cloud, local, sample, place):
    before = set(cloud.rows("SELECT id FROM videos_index"))
    local.start(ALLOW_FAILPOINTS="1", FAILPOINT=f"{place}:kill")
    assert local.upload(sample).ok
    wait_for(lambda: local.rows("SELECT 1 FROM videos_task WHERE claims >= 2"), 60, "the kill")
    wait_for(lambda: "ended with code -9" in local.log(), 30, "the worker is dead")
    local.stop()
    local.start()
    wait_ready(local)
    assert [status for _, status in there(cloud, local)] == ["ready"]
    assert len(set(cloud.rows("SELECT id FROM videos_index")) - before) == 1
    local.check()


def test_a_worker_killed_in_the_middle_of_an_upload_leaves_one_task_there(
    cloud, local, tmp_path, sample
):
    film = tmp_path / "long.mp4"
    # A free box at the end of an MP4 is passed over: size without work.
    box = 100_000_000
    with open(film, "wb") as handle:
        handle.write(sample.read_bytes() + box.to_bytes(4) + b"free")
        handle.truncate(sample.stat().st_size + box)
    local.start(ALLOW_FAILPOINTS="1", FAILPOINT="remote.sending:kill")
    assert local.upload(film).ok
    wait_for(lambda: "ended with code -9" in local.log(), 60, "the worker is dead")
    local.stop()
    assert there(cloud, local) == []
    local.start()
    wait_ready(local)
    assert [status for _, status in there(cloud, local)] == ["ready"]
