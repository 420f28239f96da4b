"""A full disk is a sentence, not a loss."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import missing
from tests.faults.conftest import wait_ready
from tests.faults.stack import CAPTIONS, Stack, running


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        missing("the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def send(stack: Stack, megabytes: int, *, chunked: bool, **headers: str) -> requests.Response:
    session, token = stack.session()
    head = (
        f'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    ).encode()
    parts = [head, *[bytes(2**20)] * megabytes, b"\r\n--x--\r\n"]
    return session.post(
        f"{stack.url}/upload/",
        data=iter(parts) if chunked else b"".join(parts),
        headers={"Content-Type": "multipart/form-data; boundary=x", **headers},
        timeout=60,
    )


@pytest.mark.parametrize("chunked", [True, False])
def test_an_upload_that_the_disk_cannot_hold_is_refused_and_leaves_room(
    small_disk, sample, chunked
):
    with running(small_disk / "data") as stack:
        answer = send(stack, 100, chunked=chunked)
        assert answer.status_code == 507
        assert "The disk of this server is full" in answer.text
        answer = send(stack, 100, chunked=chunked, Accept="application/json")
        assert "disk" in answer.json()["results"][0]["message"]
        assert requests.get(f"{stack.url}/", timeout=10).ok

        assert stack.upload(sample, captions=CAPTIONS).ok
        wait_ready(stack)
        stack.check()


def test_a_form_larger_than_all_files_may_be_is_refused_with_a_sentence(embedded):
    embedded.start(MAX_UPLOAD_GB="0.001", MAX_FILES_AT_ONCE="1")
    answer = send(embedded, 4, chunked=True)
    assert answer.status_code == 413
    assert "What was sent is too large." in answer.text
    assert answer.headers["X-Refusal"] == "What was sent is too large."
