from __future__ import annotations

import pytest
from django.test import RequestFactory

from tests.factories import make_user, make_video
from videos import storage, streaming

pytestmark = pytest.mark.django_db
BYTES = bytes(range(256)) * 4


@pytest.fixture
def video(client):
    owner = make_user()
    client.force_login(owner)
    video = make_video(content=BYTES)
    video.index.owner = owner
    video.index.save()
    return video


@pytest.fixture
def fetch(client, video):
    def fetch(method="get", query="", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(client, method)(f"/videos/{video.pk}/media{query}", headers=names)

    return fetch


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_without_a_range_it_sends_the_whole_file(fetch, video):
    response = fetch()

    assert response.status_code == 200
    assert response["Content-Length"] == "1024"
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == f'"{video.sha256}"'
    assert body(response) == BYTES


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=-5000", 0, 1023),
        ("bytes=1000-99999", 1000, 1023),
    ],
)
def test_a_range_sends_those_bytes_alone(fetch, asked, first, last):
    response = fetch(range=asked)

    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/1024"
    assert response["Content-Length"] == str(last - first + 1)
    assert body(response) == BYTES[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=9999999999999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(fetch, asked):
    response = fetch(range=asked)

    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize(
    "asked", ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b"]
)
def test_what_is_no_single_range_sends_the_whole_file(fetch, asked):
    response = fetch(range=asked)

    assert response.status_code == 200
    assert body(response) == BYTES


def test_if_range_of_another_file_sends_the_whole_one(fetch, video):
    same = fetch(range="bytes=0-9", if_range=f'"{video.sha256}"')
    other = fetch(range="bytes=0-9", if_range='"another"')

    assert (same.status_code, other.status_code) == (206, 200)
    assert body(same) == BYTES[:10]
    assert body(other) == BYTES


def test_a_known_etag_is_not_sent_again(fetch, video):
    assert fetch(if_none_match=f'"x", W/"{video.sha256}"').status_code == 304


def test_head_tells_the_length_and_sends_nothing(fetch):
    response = fetch("head", range="bytes=0-9")

    assert response.status_code == 200  # RFC 9110: a range counts for GET alone
    assert response["Content-Length"] == "1024"
    assert response.content == b""


def test_headers_let_nothing_run_on_our_origin(fetch):
    response = fetch()
    response.close()

    assert response["Content-Type"] == "video/mp4"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Content-Disposition"].startswith("inline;")
    assert "private" in response["Cache-Control"]


def test_the_download_keeps_any_name(fetch, video):
    video.filename = 'Fluß "1"\r\n/../אב;.mp4'
    video.save()

    response = fetch(query="?download")
    response.close()

    assert response["Content-Disposition"] == (
        'attachment; filename="Flu_ _1____..____.mp4"; '
        "filename*=UTF-8''Flu%C3%9F%20%221%22%0D%0A%2F..%2F%D7%90%D7%91%3B.mp4"
    )


def test_a_missing_file_is_gone_and_said(fetch, video):
    storage.media_path(video.media_name).unlink()

    response = fetch()

    assert response.status_code == 410
    assert "missing on this server" in response.text


def test_a_stranger_gets_404(client, video):
    client.force_login(make_user())

    assert client.get(f"/videos/{video.pk}/media").status_code == 404
    assert client.get(f"/videos/{video.pk}/poster").status_code == 404


def test_a_window_is_seekable_and_ends_where_it_should(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(BYTES)

    with streaming.Window(path, 10, 20) as window:
        assert window.read(5) == BYTES[10:15]
        assert window.seek(-2, 2) == 18
        assert window.read() == BYTES[28:30]
        assert window.read() == b""
        assert window.seekable() and not hasattr(window, "getbuffer")
        with pytest.raises(OSError):
            window.fileno()


def test_serve_needs_no_model(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")

    response = streaming.serve(RequestFactory().get("/"), path, "video/webm", "tag")

    assert response["Content-Type"] == "video/webm"
    assert body(response) == b"abc"
