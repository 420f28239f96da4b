"""The set-up in containers. No Docker engine is needed: only what the file says is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

ours = pytest.mark.parametrize("service", ["web", "worker", "beat"])


@ours
def test_a_setting_in_the_env_file_reaches_the_container(service):
    said = SERVICES[service]
    assert said["env_file"] == [{"path": ".env", "required": False}]
    # What stands here wins over the file, so a default would hide what the file says.
    assert [value for value in said["environment"].values() if ":-" in value] == []


@ours
def test_somebody_reaps_what_is_killed(service):
    assert SERVICES[service]["init"] is True


@ours
def test_addresses_and_folders_are_those_inside(service):
    inside = SERVICES[service]["environment"]
    assert (inside["HOST"], inside["PORT"], inside["DATA_DIR"]) == ("0.0.0.0", "8000", "/data")
    assert "@postgres:" in inside["DATABASE_URL"] and "//redis:" in inside["BROKER_URL"]
    assert SERVICES[service]["volumes"] == ["data:/data"]
    assert SERVICES["web"]["ports"] == ["${PORT:-8000}:8000"]
