"""The one way to call an address that a user named. Nothing else here calls one.

Only http and https, only public addresses, only ports 80 and 443, unless FETCH_ALLOW says more.
The check is made on the very address that is connected to, at each hop: a name is resolved
once, all its addresses are judged, and the socket goes to one of those; so a name that means
something else a moment later gains nothing. Proxies of the environment are not used: they would
resolve the name once more. What is said about a failure does not tell an open port from a
closed one, nor a name that is unknown from one that leads inside.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeAlias
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import certifi
from django.conf import settings

logger = logging.getLogger(__name__)

MAX_URL = 2000
MAX_REDIRECTS = 3
PORTS = (80, 443)
CONNECT_SECONDS = 10.0
CHUNK_BYTES = 256 * 1024
LOOK_SECONDS = 0.5
SLOWEST = 1000  # bytes a second, over FETCH_STALL_SECONDS
AGENT = "transcript-desk"
REDIRECTS = (301, 302, 303, 307, 308)

OFF = "This server calls no addresses: send the file itself."
NOT_HTTP = "Only http and https addresses are fetched."
NOT_READABLE = "This is not a complete web address."
NO_PASSWORDS = "An address may not hold a user name or a password."
NOT_PUBLIC = "Only addresses on the public internet, at ports 80 and 443, are fetched."
NOT_REACHED = "The server at this address could not be reached, or broke off."
TOO_SLOW = "The server at this address sends too slowly."
TOO_LATE = "This address could not be fetched in the time there is."
TOO_MANY_HOPS = f"This address redirects more than {MAX_REDIRECTS} times."

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchError(Exception):
    """Why nothing came, as a sentence. ``permanent``: asking again would not help."""

    def __init__(self, sentence: str, *, permanent: bool = False) -> None:
        super().__init__(sentence)
        self.permanent = permanent


@dataclass
class Line:
    """An open call, as two threads see it: one talks, the other watches and may hang up."""

    received: int = 0
    total: int | None = None  # if the other side said it
    hung_up: bool = False
    _socket: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, sock: socket.socket) -> None:
        with self._lock:
            self._socket = sock
            if self.hung_up:
                sock.close()
                raise FetchError(TOO_LATE)

    def hang_up(self) -> None:
        with self._lock:
            self.hung_up = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


Keep = Callable[[bytes], None]
Watch = Callable[[Line], None]


def get(url: str, keep: Keep, watch: Watch = lambda line: None, *, largest: int) -> None:
    """Give ``keep`` what lies at the address, in pieces, at most ``largest`` bytes.

    ``keep`` runs in a thread of its own; ``watch`` is called here twice a second. Whatever
    either raises ends the call. Raises FetchError.
    """
    _watched(partial(_get, url, keep, largest), watch, settings.FETCH_SECONDS)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send the body and return the answer's status; a redirect is not followed.

    Raises FetchError.
    """
    status: list[int] = []
    call = partial(_post, url, body, headers, status)
    _watched(call, lambda line: None, settings.WEBHOOK_SECONDS)
    return status[0]


def check(url: str) -> SplitResult:
    """The parts of an address that may be tried. Raises FetchError for one that never may.

    What a name leads to is not known yet: that is judged when it is called.
    """
    if len(url) > MAX_URL or re.search(r"[\x00-\x20\x7f\\]", url):
        raise FetchError(NOT_READABLE, permanent=True)
    try:
        parts = urlsplit(url)
        host, port = _host(parts), _port(parts)
    except ValueError:
        raise FetchError(NOT_READABLE, permanent=True) from None
    if parts.scheme not in ("http", "https"):
        raise FetchError(NOT_HTTP, permanent=True)
    if "@" in parts.netloc:
        raise FetchError(NO_PASSWORDS, permanent=True)
    if not host:
        raise FetchError(NOT_READABLE, permanent=True)
    with suppress(ValueError):
        _judge(host, port, [ipaddress.ip_address(host)])
    return parts


def refusal(url: str) -> str:
    """Why the address will never be called, or an empty string: said before a row is made."""
    if not settings.FETCH_URLS:
        return OFF
    try:
        check(url)
    except FetchError as error:
        return str(error)
    return ""


def file_name(url: str) -> str:
    """What a file from this address is called: the last part of its path, else its host."""
    parts = urlsplit(url)
    return unquote(parts.path.rpartition("/")[2]) or parts.hostname or ""


def shown(url: str) -> str:
    """The address for logs and pages: what follows the path may be a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


# --- which addresses ---


def is_public(address: Address) -> bool:
    """Whether it is on the public internet, and so is an address that travels in it."""
    if isinstance(address, ipaddress.IPv4Address):
        special = address.is_multicast or any(address in network for network in _SPECIAL)
        return address.is_global and not special
    if inner := _carried(address):
        return is_public(inner)
    forbidden = address.teredo is not None or address in _DOCUMENTATION
    return address.is_global and address in _GLOBAL_UNICAST and not forbidden


# For protocols' own ends, and 6to4's way out of the public internet.
_SPECIAL = [ipaddress.IPv4Network(text) for text in ("192.0.0.0/24", "192.88.99.0/24")]
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_DOCUMENTATION = ipaddress.ip_network("3fff::/20")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a packet to this one ends at: mapped, NAT64, 6to4 and ISATAP."""
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64 or (int(address) >> 32) & 0xFCFFFFFF == 0x00005EFE:
        return last
    return address.ipv4_mapped or address.sixtofour


def _judge(host: str, port: int, addresses: list[Address]) -> None:
    """All addresses of a name must be allowed: which one is tried is not ours to choose."""
    if host in settings.FETCH_ALLOW_HOSTS:
        return
    allowed = [address for address in addresses if _is_allowed(address)]
    others = [address for address in addresses if address not in allowed]
    if not addresses or others and not (port in PORTS and all(map(is_public, others))):
        raise FetchError(NOT_PUBLIC, permanent=True)


def _is_allowed(address: Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in settings.FETCH_ALLOW_NETWORKS)


def _host(parts: SplitResult) -> str:
    """As it is looked up: full-width digits and dots become plain ones here, not later."""
    host = (parts.hostname or "").removesuffix(".")
    return host if ":" in host else host.encode("idna").decode().lower()


def _port(parts: SplitResult) -> int:
    return parts.port if parts.port is not None else 443 if parts.scheme == "https" else 80


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """All addresses of a name, as ``socket.getaddrinfo`` gives them."""
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def dial(host: str, port: int, line: Line, seconds: float) -> socket.socket:
    """A socket that is connected to an address of the host that was judged. Raises FetchError."""
    try:
        found = resolve(host, port)
    except (OSError, UnicodeError):
        raise FetchError(NOT_PUBLIC) from None  # a name server may come back: not permanent
    judged = [ipaddress.ip_address(entry[4][0].partition("%")[0]) for entry in found]
    _judge(host, port, judged)
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            line.hold(sock)
            sock.settimeout(min(CONNECT_SECONDS, seconds))
            sock.connect(address)
            sock.settimeout(seconds)
            return sock
        except OSError:
            sock.close()
    raise FetchError(NOT_REACHED)


# --- one call ---


class _Plain(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, line: Line, seconds: float) -> None:
        super().__init__(host, port)
        self.line, self.seconds = line, seconds

    def connect(self) -> None:
        self.sock = dial(self.host, self.port, self.line, self.seconds)


class _Secure(_Plain):
    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        """The name goes along (SNI) and is what the certificate must be for."""
        super().connect()
        self.sock = tls().wrap_socket(self.sock, server_hostname=self.host)
        self.line.hold(self.sock)


@cache
def tls() -> ssl.SSLContext:
    """This machine's certificates and, where it has none, those that come with requests."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _watched(call: Callable[[Line], None], watch: Watch, seconds: float) -> None:
    """Make the call in a thread of its own and look after it: a slow server sends forever."""
    line, failed = Line(), list[BaseException]()

    def talk() -> None:
        try:
            call(line)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=talk, name="fetch", daemon=True)
    thread.start()
    try:
        _look_after(thread, line, watch, seconds)
    finally:
        line.hang_up()
        thread.join(2)  # a name server may hold it longer: it writes nothing any more
    if failed:
        raise _known(failed[0])


def _look_after(thread: threading.Thread, line: Line, watch: Watch, seconds: float) -> None:
    begun = since = time.monotonic()
    before = 0
    while True:
        thread.join(LOOK_SECONDS)
        if not thread.is_alive():
            return
        now = time.monotonic()
        if now - begun > seconds:
            raise FetchError(TOO_LATE, permanent=True)
        if now - since > settings.FETCH_STALL_SECONDS:
            if line.received - before < SLOWEST * settings.FETCH_STALL_SECONDS:
                raise FetchError(TOO_SLOW)
            since, before = now, line.received
        watch(line)


def _known(error: BaseException) -> BaseException:
    """Whatever the network does is one sentence; what it was is for the log."""
    if not isinstance(error, OSError | http.client.HTTPException):
        return error
    logger.info("fetch: %s", type(error).__name__)
    return FetchError(NOT_REACHED)


def _get(url: str, keep: Keep, largest: int, line: Line) -> None:
    for _ in range(MAX_REDIRECTS + 1):
        connection, response = _ask("GET", url, line)
        try:
            if response.status not in REDIRECTS:
                return _take(response, keep, largest, line)
            url = _next_hop(url, response.headers.get("Location", ""))
        finally:
            connection.close()
    raise FetchError(TOO_MANY_HOPS, permanent=True)


def _next_hop(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # such as "http://["
        raise FetchError(NOT_READABLE, permanent=True) from None


def _take(response: http.client.HTTPResponse, keep: Keep, largest: int, line: Line) -> None:
    _refuse_status(response.status)
    line.total = response.length
    if line.total is not None and line.total > largest:
        raise FetchError(f"This file is too large: {_size(line.total, largest)}", permanent=True)
    while piece := response.read1(CHUNK_BYTES):
        line.received += len(piece)
        if line.hung_up:
            return
        if line.received > largest:
            raise FetchError(f"This file is too large: {_size(None, largest)}", permanent=True)
        keep(piece)
    if line.total is not None and line.received < line.total:
        raise FetchError(NOT_REACHED)


def _size(size: int | None, largest: int) -> str:
    limit = f"the limit is {largest // 1_000_000:,} MB."
    return limit if size is None else f"{size // 1_000_000:,} MB, {limit}"


def _refuse_status(status: int) -> None:
    if status == 200:
        return
    again = status in (408, 425, 429) or status >= 500
    raise FetchError(f"The server at this address answered {status}.", permanent=not again)


def _post(url: str, body: bytes, headers: Mapping[str, str], status: list[int], line: Line) -> None:
    connection, response = _ask("POST", url, line, body, headers)
    connection.close()
    status.append(response.status)


def _ask(
    method: str,
    url: str,
    line: Line,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[_Plain, http.client.HTTPResponse]:
    parts = check(url)
    kind = _Secure if parts.scheme == "https" else _Plain
    seconds = settings.FETCH_STALL_SECONDS if method == "GET" else settings.WEBHOOK_SECONDS
    connection = kind(_host(parts), _port(parts), line, seconds)
    own = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
    try:
        connection.request(method, _target(parts), body, {**own, **(headers or {})})
        return connection, connection.getresponse()
    except BaseException:
        connection.close()
        raise


def _target(parts: SplitResult) -> str:
    """The request's first line takes ASCII alone; what is escaped already stays as it is."""
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    return f"{path}?{quote(parts.query, safe='/%:@!$&()*+,;=~?[]')}" if parts.query else path
