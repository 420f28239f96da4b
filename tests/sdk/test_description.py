"""The API holds to its own description whatever is sent: schemathesis, against the real site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from tests.faults.stack import ROOT, running, wait_for

DESCRIPTION = ROOT / "videos" / "api" / "openapi.yaml"
EXAMPLES = os.environ.get("API_EXAMPLES", "6")
# Fields that are not known are passed over on purpose (SDKs send spare ones), and an invented
# id is refused however well it is formed.
NOT_PROMISED = "negative_data_rejection,positive_data_acceptance"


def fill(url: str, key: str, phrase: Path) -> dict[str, str]:
    """Something of each kind, and its ids as the description calls them."""

    def send(path: str, **form: Any) -> dict[str, Any]:
        response = requests.post(f"{url}{path}", headers={"x-api-key": key}, timeout=60, **form)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    models = [{"model_name": "marengo3.0", "model_options": ["audio"]}]
    index = send("/indexes", json={"index_name": "All of it", "models": models})["_id"]
    file = ("a.mp4", phrase.read_bytes())
    task = send("/tasks", data={"index_id": index}, files={"video_file": file})
    asset = send("/assets", files={"file": file})["_id"]
    upload = send("/assets/multipart-uploads", json={"filename": "a.mp4", "total_size": 9})
    wait_for(lambda: status(url, key, task["_id"]) == "ready", 90, "the transcript")
    path = f"/indexes/{index}/videos/{task['video_id']}/segments"
    lines = requests.get(f"{url}{path}", headers={"x-api-key": key}, timeout=10).json()["data"]
    return {
        "index_id": index,
        "task_id": task["_id"],
        "video_id": task["video_id"],
        "segment_id": lines[0]["_id"],
        "asset_id": asset,
        "upload_id": upload["upload_id"],
        "name": "sphinx",
    }


def status(url: str, key: str, task_id: str) -> str:
    answer = requests.get(f"{url}/tasks/{task_id}", headers={"x-api-key": key}, timeout=10)
    return str(answer.json()["status"])


def test_schemathesis_finds_no_answer_that_is_not_described(tmp_path, phrase):
    """All phases and checks: no 5xx, the schemas hold, 401 without a key, 405 with Allow."""
    limits = {"API_REQUESTS_PER_MINUTE": "0", "API_UPLOADS_PER_DAY": "0", "FETCH_URLS": "0"}
    with running(tmp_path / "data", **limits) as stack:
        key = stack.manage("createapikey", "description").strip()
        ids = fill(f"{stack.url}/v1.3", key, phrase)
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run", DESCRIPTION),
                *("--url", f"{stack.url}/v1.3", "-H", f"x-api-key: {key}"),
                *("--max-examples", EXAMPLES, "--seed", "1", "--no-color"),
                *("--exclude-checks", NOT_PROMISED, "--continue-on-failure", "--warnings", "off"),
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "SCHEMATHESIS_HOOKS": "tests.sdk.known_ids",
                "PYTHONPATH": str(ROOT),
                "KNOWN_IDS": json.dumps(ids),
            },
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert "Coverage" in done.stdout and "Stateful" in done.stdout
        assert stack.answers()
