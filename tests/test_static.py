"""Static files lie below a name of their whole set, and a browser keeps them for good."""

from __future__ import annotations

import gzip
import re
from graphlib import TopologicalSorter

import pytest
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed

from transcribe_site.middleware import compress_static
from transcribe_site.static_version import static_version


def test_any_change_of_any_file_is_another_version(tmp_path):
    (tmp_path / "js").mkdir()
    file = tmp_path / "js" / "a.js"
    file.write_text("one")
    versions = [static_version(tmp_path), static_version(tmp_path)]
    file.write_text("two")
    versions.append(static_version(tmp_path))
    file.rename(tmp_path / "js" / "b.js")
    versions.append(static_version(tmp_path))

    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


def test_a_page_names_its_version_and_each_file_is_kept_for_good(client, db):
    page = client.get("/login/")
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)

    assert found and all(re.match(r"/static/[0-9a-f]{12}/", url) for url in found)
    assert settings.STATIC_URL in page.text
    for url in found:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert "immutable" in answer["Cache-Control"]


def static(client, name: str, **headers: str):
    return client.get(settings.STATIC_URL + name, headers=headers)


def test_scripts_and_styles_go_out_compressed_to_whom_understands_it(client):
    plain, sizes = {}, {}
    for path in (settings.BASE_DIR / "static").rglob("*.[cj]s*"):
        name = str(path.relative_to(settings.BASE_DIR / "static"))
        plain[name] = path.read_bytes()
        for _ in range(2):  # the second time out of memory
            answer = static(client, name, **{"Accept-Encoding": "gzip, deflate, br"})
            assert gzip.decompress(content := answer.getvalue()) == plain[name]
            assert answer["Content-Encoding"] == "gzip"
            assert int(answer["Content-Length"]) == len(content)
            assert "immutable" in answer["Cache-Control"] and "Content-Type" in answer
        sizes[name] = len(content)

    assert "css/site.css" in plain and "js/seek.js" in plain
    assert sum(sizes.values()) < 0.45 * sum(map(len, plain.values()))


def test_who_understands_no_compression_or_wants_a_part_gets_the_file_as_it_is(client):
    css = (settings.BASE_DIR / "static/css/site.css").read_bytes()
    whole = static(client, "css/site.css")
    part = static(client, "css/site.css", **{"Accept-Encoding": "gzip", "Range": "bytes=0-9"})
    clip = static(client, "sample/sample.mp4", **{"Accept-Encoding": "gzip"})

    assert whole.getvalue() == css and whole["Vary"] == "Accept-Encoding"
    assert (part.status_code, part.getvalue()) == (206, css[:10])
    assert "Content-Encoding" not in clip and clip.getvalue()[4:8] == b"ftyp"


def test_a_compressed_file_that_is_kept_is_not_sent_again(client):
    first = static(client, "css/site.css", **{"Accept-Encoding": "gzip"})
    headers = {"Accept-Encoding": "gzip", "If-None-Match": first["ETag"]}
    again = static(client, "css/site.css", **headers)

    assert (again.status_code, again["Vary"]) == (304, "Accept-Encoding")


def test_no_file_that_may_change_is_compressed_and_kept(settings):
    settings.DEBUG = True

    with pytest.raises(MiddlewareNotUsed):
        compress_static(lambda request: None)


def test_what_modules_import_is_in_the_architecture_and_in_no_circle():
    scripts = settings.BASE_DIR / "static" / "js"
    imports = {
        path.name: set(re.findall(r'from "\./([\w-]+\.js)"', path.read_text()))
        for path in scripts.glob("*.js")
    }
    named = (settings.BASE_DIR / "ARCHITECTURE.md").read_text()

    assert [name for name in set().union(*imports.values()) if f"`{name}`" not in named] == []
    assert list(TopologicalSorter(imports).static_order())  # raises CycleError
