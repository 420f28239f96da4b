"""The file of settings, as every command of manage.py reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from transcribe_site import dotenv, environment

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    path = tmp_path / ".env"
    monkeypatch.setattr(os, "environ", {"ENV_FILE": str(path), "PORT": "1"})
    return path


def test_it_is_read_as_a_shell_reads_it_and_the_environment_wins(file):
    file.write_text("# mine\n\nPORT=2\nexport HOST='a b'  # here\nSECRET_KEY=\"x#y=z\"\nEMPTY=\n")
    dotenv.load()

    known = {name: os.environ[name] for name in ("PORT", "HOST", "SECRET_KEY", "EMPTY")}
    assert known == {"PORT": "1", "HOST": "a b", "SECRET_KEY": "x#y=z", "EMPTY": ""}


def test_none_is_needed(file):
    dotenv.load()


@pytest.mark.parametrize("line", ["PORT", "PORT = 2", "PO-RT=2", "HOST='open"])
def test_a_line_that_is_none_is_said_with_its_number(file, line):
    file.write_text(f"PORT=2\n{line}\n")

    with pytest.raises(SystemExit, match="line 2: "):
        dotenv.load()


def make_key(folder: Path) -> None:
    """By a command that is started in that folder, with its ``.env``."""
    ours = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    del ours["DATA_DIR"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "createapikey", "local"],
        cwd=folder,
        env=ours | {"ENV_FILE": str(folder / ".env")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_command_works_on_the_data_that_the_file_names(tmp_path):
    (tmp_path / ".env").write_text(f"DATA_DIR={tmp_path / 'data'}\n")
    make_key(tmp_path)

    assert any((tmp_path / "data").iterdir())


def test_a_relative_path_begins_beside_manage_py_wherever_a_command_is_started(tmp_path):
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text(
        f"DATA_DIR={os.path.relpath(data, ROOT)}\n"
        f"SECRET_KEY_FILE={os.path.relpath(elsewhere / 'key', ROOT)}\n"
    )
    (elsewhere / "key").write_text("k" * 50)
    make_key(elsewhere)

    assert (data / "db.sqlite3").exists() and not (data / "secret_key").exists()
    assert sorted(path.name for path in elsewhere.iterdir()) == [".env", "key"]


@pytest.mark.parametrize(
    ("value", "why"),
    [("8000.7", "a whole number"), ("1e16", "below"), ("-1", "at least 0"), ("x", "a number")],
)
def test_a_number_that_cannot_be_stops_the_start_with_what_it_must_be(monkeypatch, value, why):
    monkeypatch.setenv("PORT", value)

    with pytest.raises(ImproperlyConfigured, match=f"PORT must be {why}"):
        environment.whole("PORT", 8000)
