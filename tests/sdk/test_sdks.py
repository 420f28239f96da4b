"""Official SDKs with nothing changed but their base URL."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
import requests

from tests.api import SRT
from tests.faults.stack import wait_for
from tests.makers import spoken_video
from tests.sdk.conftest import node_line, python_line
from tests.web import serving

pytestmark = pytest.mark.xdist_group("sdk")  # one site for all of them
LINES = {
    "py-0.2": (python_line, "flow_py_0.py"),
    "py-0.3": (python_line, "flow_py_0.py"),
    "py-0.4": (python_line, "flow_py_0.py"),
    "py-1.3": (python_line, "flow_py_1.py"),
    "js-0.2": (node_line, "flow_js_0.mjs"),
    "js-0.4": (node_line, "flow_js_0.mjs"),
    "js-1.3": (node_line, "flow_js_1.mjs"),
}
# One variable with two meanings: only 1.x wants the version in it.
BASE = {"py-1.3": "/v1.3", "js-1.3": "/v1.3"}
REFUSED = {
    "py-0": ("BadRequestError", "AuthenticationError", "NotFoundError", "NotFoundError"),
    "py-1": ("BadRequestError 400", "ApiError 401", "NotFoundError 404", "ApiError 404"),
    "js-0": (
        "BadRequestError 400",
        "UnauthorizedError 401",
        "NotFoundError 404",
        "NotFoundError 404",
    ),
    "js-1": (
        "BadRequestError 400",
        "TwelvelabsApiError 401",
        "NotFoundError 404",
        "TwelvelabsApiError 404",
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_an_sdk_goes_the_whole_way(site, key, sample, phrase, tmp_path, name):
    install, script = LINES[name]
    captions = tmp_path / "a.srt"
    captions.write_bytes(SRT)
    far = (phrase if name in BASE else sample).read_bytes()

    with serving(lambda web: web.reply(SRT if "srt" in web.path else far)) as web:
        report = install(name).run(
            script,
            TWELVELABS_BASE_URL=site.url + BASE.get(name, ""),
            KEY=key,
            SAMPLE=str(sample),
            CAPTIONS=str(captions),
            VIDEO_URL=f"{web.url}/far.mp4",
            CAPTIONS_URL=f"{web.url}/far.srt",
        )

    assert report["renamed"] == [f"{name} renamed"]
    assert report["status"] == "ready"
    for fact in ("listed", "same_video", "tasks", "videos"):
        assert report[fact] is True, (fact, report)
    assert report["facts"] == ["sample.mp4", 640, 360, 10, sample.stat().st_size]
    assert report["updated"] == {"take": 3}
    assert "thank you for watching" in " ".join(row["value"] for row in report["whole"])
    assert report["range"] == [row for row in report["whole"] if row["start"] < 10]
    assert 0 < len(report["range"]) < len(report["whole"])
    assert report.get("captions", ["He stands at the window."]) == ["He stands at the window."]
    said = [row["value"] for row in report["whole"]]
    by_url = ["ready", "ready", "far.mp4"] if name in BASE else ["He stands at the window."]
    assert report["by_url"] == (said if name == "js-0.4" else by_url)  # it sends no captions
    assert report["found"] == [text for text in said if "thank" in text and "you" in text]
    assert report.get("engines", ["whisper", "sphinx"]) == ["whisper", "sphinx"]
    if name in BASE:
        assert (report["asset"], report["assets"]) == ("ready", [])
        assert report["asset_rows"] == report["asset_utterances"]
        assert report["asset_rows"] == said
        assert (report["chunks"], report["incomplete"]) == (["ready", True], [])
        assert report["opened"].startswith("UploadError")  # waited for, in vain
        assert report["asset_in_use"] == "ConflictError 409"
    bad, key_fault, missing_video, missing_index = REFUSED[name[:4]]
    assert (report["twice"], report["too_early"]) == (bad, bad)
    assert report["wrong_key"] == key_fault
    assert (report["unknown"], report["deleted"]) == (missing_video, missing_video)
    assert report["gone"] == missing_index


def test_the_guides_own_code(site, key, tmp_path):
    """As the oldest guide has it, with the address changed: requests, v1.1, engine_id, polling."""
    API_URL, headers = f"{site.url}/v1.1", {"x-api-key": key, "Content-Type": "application/json"}
    body = {"engine_id": "marengo2", "index_options": ["conversation"], "index_name": "Guide"}
    response = requests.post(f"{API_URL}/indexes", headers=headers, json=body)
    assert response.status_code == 201
    INDEX_ID = response.json()["_id"]

    with spoken_video(tmp_path / "two phrases.mp4", seconds=7).open("rb") as file:
        response = requests.post(
            f"{API_URL}/tasks",
            headers={"x-api-key": key},
            data={"index_id": INDEX_ID, "language": "en"},
            files=[("video_file", ("a.mp4", file, "application/octet-stream"))],
        )
    TASK_URL = f"{API_URL}/tasks/{response.json()['_id']}"
    wait_for(lambda: requests.get(TASK_URL, headers=headers).json()["status"] == "ready", 90)
    VIDEO_ID = requests.get(TASK_URL, headers=headers).json()["video_id"]

    response = requests.get(
        f"{API_URL}/indexes/{INDEX_ID}/videos/{VIDEO_ID}/transcription?start=0&end=4",
        headers=headers,
    )

    assert response.status_code == 200
    answer = response.json()
    assert (answer["_id"], answer["index_id"]) == (VIDEO_ID, INDEX_ID)
    assert [row["value"] for row in answer["data"]] == ["welcome to the transcript desk"]


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize(
    ("path", "known", "status"),
    [("/v1.3/tasks", False, 401), ("/v1.3/nothing", True, 404), ("/v1.3/tasks/status", True, 405)],
)
def test_a_refusal_reaches_a_client_that_sends_much(site, key, path, known, status, chunked):
    """http.client writes all of the body before it reads: an early answer would break its pipe."""
    size = 64
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    headers = {"x-api-key": key if known else "tlk_wrong", "Content-Type": "multipart/form-data"}
    if not chunked:
        headers["Content-Length"] = str(size * 2**20)

    connection.request("POST", path, megabytes(size), headers, encode_chunked=chunked)

    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    connection.close()


def test_an_upload_without_a_length_is_taken(site, key, sample):
    """As all JavaScript SDKs send it, here without Node."""
    url, headers = f"{site.url}/v1.3", {"x-api-key": key}
    models = [{"model_name": "marengo3.0", "model_options": ["audio"]}]
    index = {"index_name": "Chunked", "models": models}
    index_id = requests.post(f"{url}/indexes", headers=headers, json=index).json()["_id"]
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="index_id"\r\n\r\n',
        index_id.encode(),
        b'\r\n--x\r\nContent-Disposition: form-data; name="video_file"; filename="a.mp4"\r\n\r\n',
        sample.read_bytes(),
        b"\r\n--x--\r\n",
    ]
    headers["Content-Type"] = "multipart/form-data; boundary=x"

    made = requests.post(f"{url}/tasks", headers=headers, data=iter(parts), timeout=60)

    assert made.status_code == 201
    path = f"{url}/indexes/{index_id}/videos/{made.json()['video_id']}"
    video = requests.get(path, headers={"x-api-key": key}, timeout=10).json()
    assert video["system_metadata"]["size"] == sample.stat().st_size
    assert requests.delete(f"{url}/indexes/{index_id}", headers={"x-api-key": key}).ok


def megabytes(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(2**20)
