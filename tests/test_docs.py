from __future__ import annotations

import re
from pathlib import Path

from videos.api.reference import description
from videos.exports import FORMATS

ROOT = Path(__file__).resolve().parent.parent


def test_every_setting_is_in_the_example_file():
    code = "".join(
        (ROOT / "transcribe_site" / name).read_text() for name in ("settings.py", "environment.py")
    )
    read = set(
        re.findall(
            r'\b(?:env\.)?(?:text|flag|number|whole|words|hosts_and_networks|token|address|one_of|path)\("([A-Z_]+)"',
            code,
        )
    )
    shown = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    assert read == shown


def test_the_readme_begins_with_the_two_commands():
    lines = (ROOT / "README.md").read_text().splitlines()
    commands = [line.strip() for line in lines if line.strip().startswith("make ")][:2]
    assert [command.split()[1] for command in commands] == ["run", "test"]


def test_relative_links_in_the_documents_lead_somewhere():
    for name in (
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/api.md",
        "docs/keys.md",
        "docs/exports.md",
        "docs/sharing.md",
    ):
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text()):
            assert (ROOT / name).parent.joinpath(link).exists(), f"{name}: {link}"


def test_every_export_format_is_described():
    table = (ROOT / "docs/exports.md").read_text()
    assert [name for name in FORMATS if f"`{name}`" not in table] == []
    path = "/indexes/{index_id}/videos/{video_id}/export/{format}"
    entry = description()["paths"][path]["parameters"][-1]
    assert entry["schema"]["enum"] == list(FORMATS)
