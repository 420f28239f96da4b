"""Static files lie below a name of their whole set, and a browser keeps them for good."""

from __future__ import annotations

import re

from django.conf import settings

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
