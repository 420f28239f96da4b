"""No address inside is called, whatever it is called by; and no server can hold us up."""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import Any

import pytest

from tests.web import Handler, serving
from videos import fetcher
from videos.fetcher import FetchError

LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST.",
    "127。0。0。1",
    "１２７.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127.127.127.127",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::1]",
    "[2001:0:7f00:1::]",
    "[2a00:1450::5efe:127.0.0.1]",
]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[64:ff9b:1::1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[2002:c0a8:1::1]",
]
PUBLIC = "93.184.215.14"


@pytest.fixture(autouse=True)
def _short(settings):
    settings.FETCH_STALL_SECONDS = 5
    settings.FETCH_SECONDS = 30


@pytest.fixture
def dialled(monkeypatch) -> list[Any]:
    """Every address that a socket is connected to."""
    seen: list[Any] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        seen.append(address)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return seen


def fetch(url: str, largest: int = 10_000_000) -> bytes:
    pieces: list[bytes] = []
    fetcher.get(url, pieces.append, largest=largest)
    return b"".join(pieces)


def refused(url: str) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(url)
    return str(caught.value)


@pytest.fixture
def allowed(settings):
    settings.FETCH_ALLOW_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


# --- what is never called ---


@pytest.mark.parametrize("host", LOOPBACK + PRIVATE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_address_inside_is_called_by_any_of_its_names(host, scheme, dialled):
    assert refused(f"{scheme}://{host}/a.mp4") in (fetcher.NOT_PUBLIC, fetcher.NOT_READABLE)
    assert dialled == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://example.org/a.mp4",
        "//example.org/a.mp4",
        "example.org/a.mp4",
        "javascript:alert(1)",
        "http:///a.mp4",
        "http://",
        "",
        "http://user@example.org/",
        "http://example.org:pw@127.0.0.1/",
        "http://example.org\\@127.0.0.1/",
        "http://exam ple.org/",
        "http://example.org/\r\nX: y",
        "http://example.org:99999/",
        "http://example.org:x/",
        "http://[::1",
        "http://" + "a" * 2000,
        "http://.../",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url, dialled):
    with pytest.raises(FetchError) as caught:
        fetcher.check(url)
        fetch(url)
    assert caught.value.permanent
    assert dialled == []


@pytest.mark.parametrize("port", [22, 25, 6379, 8080])
def test_other_ports_are_not_called(port, monkeypatch, dialled):
    monkeypatch.setattr(fetcher, "resolve", lambda host, port: entries(port, PUBLIC))

    assert refused(f"http://example.org:{port}/") == fetcher.NOT_PUBLIC
    assert dialled == []


def entries(port: int, *addresses: str) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


def test_one_address_inside_spoils_the_name(monkeypatch, dialled):
    monkeypatch.setattr(fetcher, "resolve", lambda h, port: entries(port, PUBLIC, "10.0.0.1"))

    assert refused("http://example.org/") == fetcher.NOT_PUBLIC
    assert dialled == []


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch):
    """It is resolved once; the socket goes to what was judged, not to the name."""
    answers, seen = [PUBLIC, "127.0.0.1"], []
    monkeypatch.setattr(fetcher, "resolve", lambda h, port: entries(port, answers.pop(0)))

    def connect(self: socket.socket, address: Any) -> None:
        seen.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert refused("http://example.org/") == fetcher.NOT_REACHED
    assert seen == [(PUBLIC, 80)]
    assert answers == ["127.0.0.1"]
    assert refused("http://example.org/") == fetcher.NOT_PUBLIC  # the second time it is inside
    assert seen == [(PUBLIC, 80)]


def test_a_name_that_is_unknown_and_one_that_leads_inside_sound_alike(monkeypatch):
    def unknown(host: str, port: int) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(fetcher, "resolve", unknown)
    assert refused("http://example.org/") == fetcher.NOT_PUBLIC


def test_open_and_closed_ports_sound_alike(allowed):
    with socket.socket() as quiet, serving(lambda h: h.wfile.write(b"SSH-2.0\r\n")) as server:
        quiet.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{quiet.getsockname()[1]}/"
        secure = server.url.replace("http", "https")
        assert {refused(url) for url in (closed, secure, server.url)} == {fetcher.NOT_REACHED}


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_public(address):
    assert fetcher.is_public(ipaddress.ip_address(address))


def test_proxies_of_the_environment_are_not_used(allowed, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(lambda h: h.reply(b"hello")) as server:
        assert fetch(server.url) == b"hello"


# --- redirects ---


def test_redirects_are_followed_three_times(allowed):
    def play(handler: Handler) -> None:
        left = int(handler.path.strip("/"))
        if left:
            handler.reply(b"", 302, Location=f"/{left - 1}")
        else:
            handler.reply(b"there")

    with serving(play) as server:
        assert fetch(f"{server.url}/3") == b"there"
        assert refused(f"{server.url}/4") == fetcher.TOO_MANY_HOPS


@pytest.mark.parametrize(
    "target",
    [f"http://{host}/" for host in ("10.0.0.1", "[::1]", "169.254.169.254", "0xA9FEA9FE")]
    + ["//10.0.0.1/", "http://127.0.0.1:1/x", "file:///etc/passwd", "http://u:p@example.org/"],
)
def test_each_hop_is_judged(settings, monkeypatch, target):
    """The first hop is allowed by its name, the next by nothing."""
    settings.FETCH_ALLOW_HOSTS = ["nas.example"]
    real = fetcher.resolve
    monkeypatch.setattr(
        fetcher,
        "resolve",
        lambda host, port: real("127.0.0.1" if host == "nas.example" else host, port),
    )
    with serving(lambda h: h.reply(b"", 307, Location=target)) as server:
        url = f"http://nas.example:{server.server_port}/"
        assert refused(url) in (fetcher.NOT_PUBLIC, fetcher.NOT_HTTP, fetcher.NO_PASSWORDS)
        assert [asked.path for asked in server.asked] == ["/"]
        assert server.asked[0].headers["Host"] == f"nas.example:{server.server_port}"


@pytest.mark.parametrize("target", ["http://[", "//[", "http://[zz]/"])
def test_a_redirect_to_what_is_no_address_is_a_fault_of_that_address(allowed, target):
    with serving(lambda h: h.reply(b"", 302, Location=target)) as server:
        assert refused(f"{server.url}/") == fetcher.NOT_READABLE


# --- bodies ---


@pytest.mark.parametrize("length", [True, False])
def test_a_body_that_is_too_large_is_not_read_to_its_end(allowed, length):
    sent = []

    def play(handler: Handler) -> None:
        handler.send_response(200)
        if length:
            handler.send_header("Content-Length", str(10**12))
        else:
            handler.send_header("Connection", "close")
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(65536))
            sent.append(65536)

    with serving(play) as server, pytest.raises(FetchError, match="too large") as caught:
        fetch(server.url, largest=1_000_000)
    assert caught.value.permanent
    assert sum(sent) < 20_000_000


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.1)


def slow_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-More: x\r\n")
        time.sleep(0.2)


@pytest.mark.parametrize("play", [drip, slow_headers, lambda handler: time.sleep(30)])
def test_a_server_that_drips_is_given_up(allowed, settings, play):
    settings.FETCH_STALL_SECONDS = 1
    begun = time.monotonic()
    with serving(play) as server:
        assert refused(server.url) in (fetcher.TOO_SLOW, fetcher.NOT_REACHED)
    assert time.monotonic() - begun < 15


def test_the_time_in_all_is_limited(allowed, settings):
    settings.FETCH_SECONDS = 1
    with serving(drip) as server:
        assert refused(server.url) == fetcher.TOO_LATE


def test_who_watches_can_hang_up(allowed):
    """Cancelled: the call ends at the next look, though nothing comes."""

    class Cancelled(Exception):
        pass

    def watch(line: fetcher.Line) -> None:
        raise Cancelled

    begun = time.monotonic()
    with serving(lambda handler: time.sleep(20)) as server, pytest.raises(Cancelled):
        fetcher.get(server.url, lambda piece: None, watch, largest=10)
    assert time.monotonic() - begun < 10


def test_a_body_that_breaks_off_is_no_file(allowed):
    def play(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 500)
        handler.close_connection = True

    with serving(play) as server, pytest.raises(FetchError) as caught:
        fetch(server.url)
    assert str(caught.value) == fetcher.NOT_REACHED and not caught.value.permanent


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (403, True), (503, False)])
def test_another_status_is_said(allowed, status, permanent):
    server = serving(lambda h: h.reply(b"<h1>no</h1>", status))
    with server as served, pytest.raises(FetchError, match=str(status)) as caught:
        fetch(served.url)
    assert caught.value.permanent is permanent


def test_a_file_comes_as_it_is(allowed):
    body = bytes(range(256)) * 5000
    with serving(lambda h: h.reply(body)) as server:
        assert fetch(f"{server.url}/caf\u00e9 %20?sig=a%2Fb&x=ö".replace(" ", "")) == body
    asked = server.asked[0]
    assert asked.path == "/caf%C3%A9%20?sig=a%2Fb&x=%C3%B6"
    assert asked.headers["Accept-Encoding"] == "identity"


def test_what_receives_it_may_refuse(allowed):
    def keep(piece: bytes) -> None:
        raise RuntimeError("the disk is full")

    with serving(lambda h: h.reply(b"x")) as server, pytest.raises(RuntimeError):
        fetcher.get(server.url, keep, largest=10)


def test_a_post_is_answered_by_its_status_and_follows_nothing(allowed):
    with serving(lambda h: h.reply(b"", 302, Location="/again")) as server:
        assert (
            fetcher.post(f"{server.url}/hook", b"{}", {"Content-Type": "application/json"}) == 302
        )
    assert [asked.path for asked in server.asked] == ["/hook"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/a/Day%201.mov?sig=1", "Day 1.mov"),
        ("https://example.org/", "example.org"),
    ],
)
def test_a_file_is_called_by_its_path(url, name):
    assert fetcher.file_name(url) == name


def test_what_is_shown_holds_no_signature():
    assert fetcher.shown("https://example.org/a.mp4?sig=secret#x") == "https://example.org/a.mp4"
