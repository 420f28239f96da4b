"""`manage.py serve` as a user starts it."""

from __future__ import annotations

import resource
import socket
import stat
import subprocess
import sys

import pytest
import requests

from tests.faults.conftest import wait_ready
from tests.faults.stack import CAPTIONS, ROOT, Stack, is_alive, wait_for
from videos.management.commands import serve


def manage(stack: Stack, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run(stack, "manage.py", *arguments, **env)


def run(stack: Stack, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Python in the site's environment, however it ends."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=stack.environment() | env,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_spoken_video_becomes_a_transcript_from_an_empty_folder(embedded, sample):
    embedded.from_nothing = True
    embedded.start()
    answer = embedded.upload(sample)
    assert answer.status_code == 303
    url = embedded.url + answer.headers["Location"]
    assert "/videos/" in url
    wait_ready(embedded)
    text = " ".join(embedded.texts())
    assert "welcome to the transcript desk" in text
    shown = requests.get(url, timeout=10).text
    assert "welcome to the transcript desk" in shown
    state = requests.get(f"{embedded.url}/readyz", timeout=10).json()
    assert {part: state[part]["ok"] for part in ("database", "broker", "worker")} == {
        "database": True,
        "broker": True,
        "worker": True,
    }
    embedded.check()


def test_the_secret_key_is_made_once_and_for_its_owner_alone(embedded):
    embedded.start()
    path = embedded.data_dir / "secret_key"
    key = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(key) >= 50
    embedded.stop()
    embedded.start()
    assert path.read_text() == key


def test_a_worker_that_runs_and_does_nothing_is_started_again(embedded, sample):
    embedded.start(WORKER_MUTE_SECONDS="6")
    wait_for(embedded.ready, 30, "a worker that is heard")
    stuck = embedded.child("worker")
    embedded.freeze(stuck)

    embedded.upload(sample, captions=CAPTIONS)
    wait_ready(embedded)

    assert not is_alive(stuck)
    assert "No worker was heard for 6 s" in embedded.log()
    embedded.check()


def test_a_port_in_use_is_a_sentence(embedded):
    embedded.start()
    other = Stack(embedded.data_dir.parent / "other", port=embedded.port)
    done = manage(other, "serve")
    assert done.returncode != 0
    assert f"Port {embedded.port} of 127.0.0.1 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_refuses_to_serve_others_before_somebody_can_sign_in(embedded):
    embedded.data_dir.mkdir()
    for env in ({"HOST": "0.0.0.0"}, {"REQUIRE_LOGIN": "1"}):
        done = manage(embedded, "serve", **env)
        assert done.returncode != 0
        assert "No account has a password yet" in done.stderr
        assert "changepassword local" in done.stderr
    done = manage(embedded, "serve", HOST="0.0.0.0", REQUIRE_LOGIN="0")
    assert "REQUIRE_LOGIN=0" in done.stderr


@pytest.mark.parametrize(
    ("env", "login"),
    [
        ({}, False),
        ({"HTTPS": "1"}, True),
        ({"TRUSTED_PROXY": "127.0.0.1"}, True),
        ({"ALLOWED_HOSTS": "localhost,desk.example.org"}, True),
        ({"HOST": "192.0.2.1"}, True),
    ],
)
def test_who_can_be_reached_by_others_asks_them_to_sign_in(embedded, env, login):
    ask = "from transcribe_site.settings import REQUIRE_LOGIN; print(REQUIRE_LOGIN)"
    done = run(embedded, "-c", ask, **env)
    assert done.stdout.strip() == str(login), done.stderr


@pytest.mark.parametrize(
    ("host", "allowed", "shown"),
    [
        ("127.0.0.1", ["localhost", "127.0.0.1"], "localhost"),
        ("0.0.0.0", ["*"], "localhost"),
        ("0.0.0.0", [".example.org", "desk.example.org"], "desk.example.org"),
        ("127.0.0.1", ["desk.example.org"], "desk.example.org"),
        ("192.0.2.1", ["desk.example.org", "192.0.2.1"], "192.0.2.1"),
    ],
)
def test_it_says_an_address_at_which_it_answers(settings, host, allowed, shown):
    settings.HOST, settings.ALLOWED_HOSTS = host, allowed
    settings.LOOPBACK = host == "127.0.0.1"
    assert serve._shown_host() == shown


def test_a_second_serve_on_the_same_folder_is_a_sentence(embedded):
    embedded.start()
    done = manage(Stack(embedded.data_dir), "serve")
    assert done.returncode != 0
    assert "Another `serve` uses" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_large_body_is_taken_only_where_files_are_sent(embedded):
    embedded.start()
    answer = requests.post(f"{embedded.url}/login/", data=iter([bytes(2**20)] * 4), timeout=20)
    assert answer.status_code == 413


def test_captions_for_a_video_may_be_as_large_as_on_the_upload_form(embedded, sample):
    embedded.start()
    url = embedded.url + embedded.upload(sample, captions=CAPTIONS).headers["Location"]
    wait_ready(embedded)
    for size, status in ((9, 303), (12, 413)):
        note = "\n".join(["NOTE", *["x" * 9999] * 100 * size])
        said = f"WEBVTT\n\n{note}\n\n00:00.500 --> 00:02.500\nIn a file of {size} MB.\n"
        session, token = embedded.session()
        answer = session.post(
            f"{url}captions",
            data={"csrfmiddlewaretoken": token},
            files={"captions": ("a.vtt", said)},
            timeout=20,
            allow_redirects=False,
        )
        assert answer.status_code == status
    assert sorted(embedded.texts()) == ["In a file of 9 MB.", "Written by somebody."]


def test_a_strangers_large_body_gets_a_strangers_answer(embedded):
    embedded.start()
    embedded.stop()
    known = (
        "from django.contrib.auth.models import User; from videos.models import ApiKey; "
        "user = User.objects.create_user('eva', password='long enough'); "
        "print(ApiKey.make(user.pk, 'any'))"
    )
    key = embedded.manage("shell", "--no-imports", "-c", known).strip()
    embedded.start(REQUIRE_LOGIN="1")
    for path, headers, status in (
        ("/v1.3/tasks", {}, 401),
        ("/v1.3/tasks", {"x-api-key": key}, 400),
        ("/upload/", {}, 403),
    ):
        url, body = f"{embedded.url}{path}", iter([bytes(2**20)] * 40)
        assert requests.post(url, data=body, headers=headers, timeout=20).status_code == status


def test_many_connections_do_not_silence_the_web_server(embedded):
    embedded.start()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    resource.prlimit(embedded.process.pid, resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    head = b"POST /upload/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"
    connections = []
    try:
        for _ in range(700):
            connection = socket.create_connection(("127.0.0.1", embedded.port), timeout=10)
            connection.sendall(head + bytes(540_000))
            connections.append(connection)
        assert requests.get(f"{embedded.url}/healthz", timeout=20).ok
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_createapikey_prints_the_key_alone(embedded):
    done = manage(embedded, "createapikey", "editing bay")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("tlk_")
    assert embedded.rows("SELECT name FROM videos_apikey") == [("editing bay",)]


def test_a_wrong_setting_stops_the_start_with_a_sentence(embedded):
    done = manage(embedded, "check", LEASE_SECONDS="soon")
    assert done.returncode != 0
    assert "LEASE_SECONDS must be a number, not 'soon'" in done.stderr
    done = manage(embedded, "check", LEASE_SECONDS="5", HEARTBEAT_SECONDS="4")
    assert "LEASE_SECONDS must be at least twice HEARTBEAT_SECONDS" in done.stderr
