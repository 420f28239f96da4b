from __future__ import annotations

import errno
import fcntl
import io
import os
from datetime import timedelta

import pytest
from django.core import signing
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from tests.api import Caller, refusal
from tests.factories import make_user
from videos import admission, ingest, multipart, storage, tasks
from videos.admission import Refused
from videos.media.sandbox import ChildDied
from videos.models import Asset, Upload

ROOT = "/assets/multipart-uploads"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(multipart, "CHUNK_BYTES", 50_000)


@pytest.fixture
def data(sample) -> bytes:
    return sample.read_bytes()


def begin(caller, size, **more):
    return caller.post(ROOT, {"filename": "a.mp4", "type": "video", "total_size": size, **more})


def write(url: str, data: bytes):
    """As the SDKs do: without the key."""
    return Client().put(url, data, content_type="application/octet-stream")


def parts(begun: dict, data: bytes) -> dict[int, bytes]:
    size = begun["chunk_size"]
    return {n + 1: data[n * size : (n + 1) * size] for n in range(begun["total_chunks"])}


def send_all(begun: dict, data: bytes) -> list[dict]:
    """All chunks, the last one first; their proofs."""
    urls = {entry["chunk_index"]: entry["url"] for entry in begun["upload_urls"]}
    proofs = []
    for number, part in reversed(parts(begun, data).items()):
        response = write(urls[number], part)
        assert response.status_code == 200, response.content
        etag = response["ETag"]
        proofs.append({"chunk_index": number, "proof": etag, "proof_type": "etag"})
    return proofs


def test_chunks_in_any_order_become_an_asset(caller, data):
    begun = begin(caller, len(data), user_metadata={"take": 3}).json()
    path = f"{ROOT}/{begun['upload_id']}"
    assert begun["total_chunks"] == 5
    assert caller.get(f"/assets/{begun['asset_id']}").json()["status"] == "processing"
    proofs = send_all(begun, data)

    first = caller.post(path, {"completed_chunks": proofs[:3]}).json()
    assert (first["processed_chunks"], first["total_completed"]) == (3, 3)
    assert "url" not in first
    last = caller.post(path, {"completed_chunks": proofs}).json()

    assert (last["processed_chunks"], last["duplicate_chunks"]) == (2, 3)
    assert last["url"].endswith(f"/v1.3/assets/{begun['asset_id']}")
    asset = caller.get(f"/assets/{begun['asset_id']}").json()
    assert (asset["status"], asset["size"]) == ("ready", len(data))
    assert asset["user_metadata"] == {"take": 3}
    stored = Asset.objects.get().media_name
    assert storage.media_path(stored).read_bytes() == data
    status = caller.get(path).json()
    assert (status["status"], status["uploaded_size"]) == ("completed", len(data))
    assert len(status["uploaded_chunks"]) == status["chunks_completed"] == 5
    again = caller.post(path, {"completed_chunks": proofs}).json()
    assert (again["processed_chunks"], again["duplicate_chunks"]) == (0, 5)


def test_the_status_of_an_upload_has_all_its_chunks_also_those_that_are_not_here(caller, data):
    """The SDKs count them: as many completed as there are, and they take it for complete."""
    begun = begin(caller, len(data)).json()
    path = f"{ROOT}/{begun['upload_id']}"
    etag = write(begun["upload_urls"][0]["url"], data[:50_000])["ETag"]
    write(begun["upload_urls"][1]["url"], data[50_000:100_000])
    caller.post(path, {"completed_chunks": [{"chunk_index": 1, "proof": etag}]})

    found = caller.get(path, page_limit=3).json()

    chunks = found["uploaded_chunks"]
    assert [chunk["index"] for chunk in chunks] == [1, 2, 3]
    assert [chunk["status"] for chunk in chunks] == ["completed", "pending", "pending"]
    assert [bool(chunk["uploaded_at"]) for chunk in chunks] == [True, False, False]
    assert [bool(chunk["updated_at"]) for chunk in chunks] == [True, True, False]
    assert (found["chunks_completed"], found["chunks_pending"]) == (1, 4)
    assert (found["uploaded_size"], found["completed_chunks"]) == (100_000, 1)
    assert (found["page_info"]["total_page"], found["page_info"]["total_results"]) == (2, 5)
    last = caller.get(path, page_limit=3, page=2).json()["uploaded_chunks"]
    assert [(chunk["index"], chunk["size"]) for chunk in last] == [
        (4, 50_000),
        (5, len(data) - 200_000),
    ]
    assert caller.get(path, page_limit=3, page=3).json()["uploaded_chunks"] == []
    assert caller.get(ROOT).json()["data"][0]["completed_chunks"] == 1


def test_more_addresses_come_when_asked_for(caller, data):
    begun = begin(caller, 50_000 * 20).json()
    assert len(begun["upload_urls"]) == 10

    path = f"{ROOT}/{begun['upload_id']}/presigned-urls"
    more = caller.post(path, {"start": 11, "count": 50}).json()

    assert [entry["chunk_index"] for entry in more["upload_urls"]] == list(range(11, 21))
    assert refusal(caller.post(path, {"start": 21, "count": 1})) == (400, "parameter_invalid")
    assert refusal(caller.post(path, {"start": 1})) == (400, "parameter_not_provided")


def test_an_address_is_good_for_its_chunk_alone_and_not_for_long(caller, data, monkeypatch):
    first, second = begin(caller, len(data)).json()["upload_urls"][:2]
    signature = second["url"].partition("?")[2]

    stolen = first["url"].partition("?")[0] + "?" + signature
    assert refusal(write(stolen, data[:50_000])) == (403, "url_not_valid")
    assert refusal(write(first["url"][:-1], data[:50_000])) == (403, "url_not_valid")
    monkeypatch.setattr("videos.api.multipart.URL_SECONDS", -1)
    assert refusal(write(first["url"], data[:50_000])) == (403, "url_not_valid")


def test_a_chunk_that_the_disk_cannot_hold_is_507_and_may_be_sent_again(caller, data, monkeypatch):
    url = begin(caller, len(data)).json()["upload_urls"][0]["url"]

    with monkeypatch.context() as patch:
        patch.setattr(storage, "free_bytes", lambda: 0)
        assert refusal(write(url, data[:50_000])) == (507, "insufficient_storage")
    assert write(url, data[:50_000]).status_code == 200


def test_no_other_signature_of_this_site_opens_a_chunk(caller, data):
    begun = begin(caller, len(data)).json()
    forged = signing.dumps([begun["upload_id"], 1], salt="another")
    url = begun["upload_urls"][0]["url"].partition("=")[0]

    assert refusal(write(f"{url}={forged}", data[:50_000])) == (403, "url_not_valid")


@pytest.mark.parametrize("size", [0, 49_999, 50_001])
def test_a_chunk_of_another_length_is_refused(caller, data, size):
    url = begin(caller, len(data)).json()["upload_urls"][0]["url"]

    assert refusal(write(url, data[:size])) == (400, "chunk_refused")


def test_a_wrong_proof_is_refused(caller, data):
    begun = begin(caller, len(data)).json()
    proofs = send_all(begun, data)
    path = f"{ROOT}/{begun['upload_id']}"

    for wrong in (
        [{"chunk_index": 1, "proof": "0" * 64}],
        [{"chunk_index": 6, "proof": proofs[0]["proof"]}],
        [{"chunk_index": True, "proof": proofs[0]["proof"]}],
        [{"chunk_index": 1}],
        [],
        "all",
    ):
        response = caller.post(path, {"completed_chunks": wrong})
        assert refusal(response) == (400, "parameter_invalid")
    assert Upload.objects.get().status == "active"


def test_a_file_that_is_no_video_ends_the_upload_and_the_asset_says_why(caller, settings):
    data = b"just words"
    begun = begin(caller, len(data)).json()
    path = f"{ROOT}/{begun['upload_id']}"

    caller.post(path, {"completed_chunks": send_all(begun, data)})

    assert caller.get(path).json()["status"] == "failed"
    asset = caller.get(f"/assets/{begun['asset_id']}").json()
    assert asset["status"] == "failed" and asset["error"]["message"]
    assert not list(settings.INCOMING_ROOT.iterdir())


@pytest.mark.parametrize(
    ("module", "name", "fault", "status"),
    [
        (admission, "probe", ChildDied("killed", limit="time"), 503),
        (admission, "probe", OSError(errno.EMFILE, "too many open files"), 503),
        (storage, "adopt", OSError(errno.EIO, "no such luck"), 503),
        (ingest, "keep_asset", OperationalError("database is locked"), 500),
    ],
)
def test_what_goes_wrong_at_the_last_report_costs_no_byte_and_is_done_by_the_next(
    caller, data, monkeypatch, module, name, fault, status
):
    begun = begin(caller, len(data)).json()
    path, proofs = f"{ROOT}/{begun['upload_id']}", send_all(begun, data)

    def fail(*args):
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(module, name, fail)
        assert caller.post(path, {"completed_chunks": proofs}).status_code == status
    assert Upload.objects.get().status == "active"

    assert "url" in caller.post(path, {"completed_chunks": proofs}).json()
    assert caller.get(f"/assets/{begun['asset_id']}").json()["status"] == "ready"


def test_bytes_that_were_stored_without_their_rows_are_still_the_upload_s(
    caller, data, monkeypatch, settings
):
    begun = begin(caller, len(data)).json()
    path, proofs = f"{ROOT}/{begun['upload_id']}", send_all(begun, data)
    adopt = storage.adopt

    def adopt_and_fail(*args):
        adopt(*args)
        raise OperationalError("disk I/O error")  # what COMMIT would raise

    with monkeypatch.context() as patch:
        patch.setattr(storage, "adopt", adopt_and_fail)
        assert caller.post(path, {"completed_chunks": proofs}).status_code == 500
    (orphan,) = storage.stored_names()
    first = begun["upload_urls"][0]["url"]
    assert refusal(write(first, b"x" * 50_000)) == (400, "chunk_refused")  # it may have a twin
    assert storage.media_path(orphan).read_bytes() == data

    assert "url" in caller.post(path, {"completed_chunks": proofs}).json()
    assert caller.get(f"/assets/{begun['asset_id']}").json()["status"] == "ready"
    assert not list(settings.INCOMING_ROOT.iterdir())


@pytest.fixture
def meanwhile(monkeypatch):
    """Do something while a file is looked at, which takes minutes for a large one."""

    def arrange(deed):
        look_at = admission.look_at

        def look_and_do(path):
            found = look_at(path)
            assert deed().status_code == 204
            return found

        monkeypatch.setattr(admission, "look_at", look_and_do)

    return arrange


def test_an_asset_that_is_deleted_while_its_file_is_looked_at_stays_deleted(
    caller, data, meanwhile, settings
):
    begun = begin(caller, len(data)).json()
    proofs, asset = send_all(begun, data), f"/assets/{begun['asset_id']}"
    meanwhile(lambda: caller.delete(asset))

    report = caller.post(f"{ROOT}/{begun['upload_id']}", {"completed_chunks": proofs})

    assert refusal(report) == (404, "resource_not_exists")
    assert caller.get(asset).status_code == 404
    assert not list(storage.stored_names()) and not list(settings.INCOMING_ROOT.iterdir())


def test_what_is_said_of_an_asset_while_its_file_is_looked_at_is_kept(caller, data, meanwhile):
    begun = begin(caller, len(data)).json()
    proofs, asset = send_all(begun, data), f"/assets/{begun['asset_id']}"
    own = {"user_metadata": {"take": 3}}
    meanwhile(lambda: caller.patch(f"{asset}/user-metadata", own))

    assert "url" in caller.post(f"{ROOT}/{begun['upload_id']}", {"completed_chunks": proofs}).json()
    found = caller.get(asset).json()
    assert (found["status"], found["user_metadata"]) == ("ready", {"take": 3})


def test_a_disk_without_links_takes_an_upload_as_well(caller, data, monkeypatch, settings):
    def link(*args):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    begun = begin(caller, len(data)).json()
    path = f"{ROOT}/{begun['upload_id']}"

    assert "url" in caller.post(path, {"completed_chunks": send_all(begun, data)}).json()
    assert storage.media_path(Asset.objects.get().media_name).read_bytes() == data
    assert not list(settings.INCOMING_ROOT.iterdir())


def test_a_last_report_while_a_chunk_is_written_is_told_to_come_again(caller, data):
    begun = begin(caller, len(data)).json()
    path, proofs = f"{ROOT}/{begun['upload_id']}", send_all(begun, data)
    with open(multipart.path_of(Upload.objects.get()), "rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_SH)
        assert refusal(caller.post(path, {"completed_chunks": proofs})) == (503, "upload_busy")
    assert "url" in caller.post(path, {"completed_chunks": proofs}).json()


def test_a_file_that_is_gone_ends_its_upload_with_a_sentence(caller, data):
    begun = begin(caller, len(data)).json()
    proofs = send_all(begun, data)
    multipart.path_of(Upload.objects.get()).unlink()
    caller.post(f"{ROOT}/{begun['upload_id']}", {"completed_chunks": proofs})
    asset = caller.get(f"/assets/{begun['asset_id']}").json()
    assert (asset["status"], asset["error"]["message"]) == ("failed", multipart.EXPIRED)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"total_size": 5}, "parameter_not_provided"),
        ({"filename": "a"}, "parameter_not_provided"),
        ({"filename": "a", "total_size": 0}, "parameter_invalid"),
        ({"filename": "a", "total_size": 1.5}, "parameter_invalid"),
        ({"filename": "a", "total_size": "5"}, "parameter_invalid"),
        ({"filename": "a", "total_size": 10**14}, "video_filesize_too_large"),
    ],
)
def test_a_wrong_beginning_is_400_with_its_code(caller, body, code):
    assert refusal(caller.post(ROOT, body)) == (400, code)
    assert not Asset.objects.exists()


def test_an_upload_that_took_too_long_is_over(caller, data):
    begun = begin(caller, len(data)).json()
    path = f"{ROOT}/{begun['upload_id']}"
    assert [row["upload_id"] for row in caller.get(ROOT).json()["data"]] == [begun["upload_id"]]
    assert Caller(make_user()).get(ROOT).json()["data"] == []
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert caller.get(path).json()["status"] == "expired"
    assert caller.get(ROOT).json()["data"] == []
    url = begun["upload_urls"][0]["url"]
    assert refusal(write(url, data[:50_000])) == (400, "upload_not_active")
    tasks.clean_up()
    assert caller.get(f"/assets/{begun['asset_id']}").json()["status"] == "failed"


def test_nothing_is_written_into_a_file_that_is_complete(caller, data):
    begun = begin(caller, len(data)).json()
    upload = Upload.objects.get()
    proofs = send_all(begun, data)
    caller.post(f"{ROOT}/{begun['upload_id']}", {"completed_chunks": proofs})
    kept = storage.media_path(Asset.objects.get().media_name)
    os.link(kept, multipart.path_of(upload))  # as a writer that opened it before sees it

    with pytest.raises(Refused):
        multipart.write(upload, 1, io.BytesIO(b"x" * 50_000))
    assert kept.read_bytes() == data


def test_a_deleted_upload_leaves_no_bytes(caller, data, settings):
    begun = begin(caller, len(data)).json()
    write(begun["upload_urls"][0]["url"], data[:50_000])

    assert caller.delete(f"/assets/{begun['asset_id']}").status_code == 204
    settings.PART_FILE_HOURS = -1
    tasks.clean_up()
    assert not list(settings.INCOMING_ROOT.iterdir())
