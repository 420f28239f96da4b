"""The API's own description: for programs as OpenAPI, for people as a page made from it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

SOURCE = Path(__file__).with_name("openapi.yaml")
METHODS = ("get", "post", "put", "patch", "delete")
Json = dict[str, Any]


@cache
def description() -> Json:
    found: Json = yaml.safe_load(SOURCE.read_text())
    return found


@login_not_required
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SOURCE.read_bytes(), content_type="application/yaml; charset=utf-8")


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    base = request.build_absolute_uri("/").rstrip("/")
    context = {"info": description()["info"], "groups": groups(), "base": base}
    return render(request, "videos/api.html", context)


def groups() -> list[Json]:
    """The operations under their tags, each with what a reader wants to know of it."""
    operations = [
        _operation(path, method, item[method], item.get("parameters", []))
        for path, item in description()["paths"].items()
        for method in METHODS
        if method in item
    ]
    return [
        tag | {"operations": [one for one in operations if tag["name"] in one["tags"]]}
        for tag in description()["tags"]
    ]


def _operation(path: str, method: str, operation: Json, shared: list[Json]) -> Json:
    listed = [resolve(item) for item in (*shared, *operation.get("parameters", []))]
    answers = [code for code in operation["responses"] if code != "default"]
    return operation | {
        "path": path,
        "method": method.upper(),
        "fields": [item for item in listed if item["in"] == "query"] + _body(operation),
        "answer": answers[0],
    }


def _body(operation: Json) -> list[Json]:
    """The fields of what is sent, like parameters."""
    content: dict[str, Json] = operation.get("requestBody", {}).get("content", {})
    first: Json = next(iter(content.values()), {})
    schema = resolve(first.get("schema", {}))
    needed = schema.get("required", [])
    return [
        {"name": name, "schema": resolve(field), "required": name in needed, **resolve(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def resolve(item: Json) -> Json:
    """What a ``$ref`` names, or the item itself."""
    if "$ref" not in item:
        return item
    found: Any = description()
    for part in item["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolve(found)
