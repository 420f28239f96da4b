"""The description says what the API does: its paths, its methods, the shapes of its answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import make_index, make_task, make_transcript, make_video
from tests.test_api_door import endpoints
from videos.api import assets, indexes, paging, reference, tasks, videos
from videos.models import Asset
from videos.models.select import keep

KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def faults(value: Any, schema: dict[str, Any], at: str = "answer") -> list[str]:
    """Where the value is not what the schema says; knows the words that the description uses."""
    schema = reference.resolve(schema)
    found = [fault for part in schema.get("allOf", []) for fault in faults(value, part, at)]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return [*found, f"{at}: {value!r} is no {kinds}"]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} is not like {schema['pattern']}")
    if isinstance(value, dict):
        found += [f"{at}: no {name}" for name in schema.get("required", []) if name not in value]
        for name, part in schema.get("properties", {}).items():
            if name in value:
                found += faults(value[name], part, f"{at}.{name}")
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found += faults(item, schema["items"], f"{at}[{number}]")
    return found


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, KINDS[kind])


def described() -> set[tuple[str, str]]:
    paths = reference.description()["paths"]
    return {
        (method.upper(), path)
        for path, item in paths.items()
        for method in item
        if method in reference.METHODS
    }


def test_it_names_every_endpoint_and_no_other():
    served = {
        (method, "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route))
        for route, view in endpoints()
        if not route.startswith(("indexes/tasks", "search-v2"))  # other names of the same
        for method in view.methods
    }

    assert described() == served


def test_every_path_names_its_own_parameters():
    for path, item in reference.description()["paths"].items():
        named = [reference.resolve(entry) for entry in item.get("parameters", [])]
        in_path = {entry["name"] for entry in named if entry["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), path


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("/indexes", [*indexes.FILTERS, *indexes.OPTION_FILTERS, *indexes.FAMILY_FILTERS]),
        ("/tasks", tasks.FILTERS),
        ("/indexes/{index_id}/videos", videos.FILTERS),
        ("/indexes/{index_id}/indexed-assets", assets.INDEXED_FILTERS.keys() - videos.FILTERS),
        ("/assets", assets.FILTERS),
        ("/assets/{asset_id}/indexed-assets", []),
        ("/assets/multipart-uploads", []),
    ],
)
def test_it_names_all_that_a_list_accepts(path, filters):
    """Others are refused, so nobody can find these by trying."""
    entry = reference.description()["paths"][path]["get"]
    named = {reference.resolve(each)["name"] for each in entry["parameters"]}
    said = set(re.findall(r"\w+", entry.get("description", "")))

    assert {*filters, *paging.PAGE_KEYS} - named - said == set()


def answer_schema(method: str, path: str, status: int) -> dict[str, Any]:
    responses = reference.description()["paths"][path][method.lower()]["responses"]
    response = reference.resolve(responses.get(str(status), responses["default"]))
    return response["content"]["application/json"]["schema"]


@pytest.fixture
def ids(caller) -> dict[str, str]:
    index = make_index(caller.user)
    asset = Asset.objects.create(owner=caller.user, filename="a.mp4", sha256="0" * 64)
    video = make_transcript(3, index, asset=asset, user_metadata={"take": 3})
    make_task(make_video(index), status="failed")
    make_task(make_video(index))
    begun = caller.post("/assets/multipart-uploads", {"filename": "a.mp4", "total_size": 9}).json()
    form = {"index_id": index.pk, "query_text": "the", "search_options": "audio", "page_limit": 1}
    found = caller.send("/search", **form).json()
    return {
        "index_id": index.pk,
        "video_id": video.pk,
        "task_id": video.transcript_id,
        "segment_id": str(video.transcript.segments.all()[0].pk),
        "select_id": keep(video, 0, 1000, caller.user).pk,
        "asset_id": asset.pk,
        "upload_id": begun["upload_id"],
        "name": "sphinx",
        "format": "json",
        "token": found["page_info"].get("next_page_token", "none"),
    }


@pytest.mark.parametrize("path", sorted(path for method, path in described() if method == "GET"))
def test_real_answers_are_as_it_says(caller, ids, path):
    query = {"index_id": ids["index_id"]} if path == "/tasks/status" else {}
    if path.endswith("{video_id}"):
        query["transcription"] = "true"
    if path == "/assets/{asset_id}/transcription":
        query["include"] = "words,sentences,utterances"

    response = caller.get(path.format(**ids), **query)

    assert response.status_code in (200, 400 if "token" in path else 200)
    assert faults(response.json(), answer_schema("GET", path, response.status_code)) == []


def test_what_is_made_is_answered_as_it_says(caller, ids, sample):
    models = [{"model_name": "marengo3.0", "model_options": ["audio"]}]
    file = SimpleUploadedFile("a.mp4", sample.read_bytes())
    calls = {
        "/indexes": caller.post("/indexes", {"index_name": "new", "models": models}),
        "/tasks": caller.send("/tasks", index_id=ids["index_id"], video_file=file),
        "/assets/multipart-uploads": caller.post(
            "/assets/multipart-uploads", {"filename": "a.mp4", "total_size": 100}
        ),
        "/search": caller.send(
            "/search", index_id=ids["index_id"], query_text="the", search_options="audio"
        ),
    }
    file.seek(0)
    calls["/assets"] = caller.send("/assets", file=file)

    for path, response in calls.items():
        assert response.status_code in (200, 201), (path, response.content)
        assert faults(response.json(), answer_schema("POST", path, response.status_code)) == []


def test_a_refusal_is_answered_as_it_says(caller):
    response = caller.get("/indexes/none")

    assert faults(response.json(), answer_schema("GET", "/indexes/{index_id}", 404)) == []


def test_the_check_itself_finds_faults():
    schema = {"type": "object", "required": ["a"], "properties": {"b": {"type": "integer"}}}

    assert faults({"b": True}, schema) == ["answer: no a", "answer.b: True is no ['integer']"]


@pytest.mark.django_db
def test_the_page_and_the_description_are_there_for_everybody(client):
    page = client.get("/api/docs").text

    for _, path in described():
        assert path in page
    assert '<script src="http' not in page
    assert client.get("/api/openapi.yaml").text.startswith("openapi: 3.1")
