"""A stand-in for Twelve Labs on loopback that answers as a test tells it to, fault by fault."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "tlk_SCRIPTEDKEY0123456789"
KEPT_BYTES = 1_000_000


@dataclass
class Answer:
    """What goes over the wire; ``play`` writes it by itself instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    play: Callable[[BaseHTTPRequestHandler], None] | None = None


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Cloud:
    """A small Twelve Labs: what it has, what it was asked, and what it shall answer instead.

    ``script["POST /tasks"]`` is a list of answers that come first, one a call; ``always`` has
    those that stay. ``"GET *"`` is any path.
    """

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    script: dict[str, list[Answer]] = field(default_factory=dict)
    always: dict[str, Answer] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: str = "ready"
    transcript: Any = field(
        default_factory=lambda: [
            {"start": 2.5, "end": 4, "value": " and the second."},
            {"start": 0.0, "end": 2.25, "value": " The first phrase"},
        ]
    )

    def asked(self, method: str, path: str = "") -> list[Call]:
        return [c for c in self.calls if c.method == method and re.search(path, c.path)]

    def answer(self, call: Call) -> Answer:
        path = re.sub(r"^/v[\d.]+", "", call.path)
        for name in (f"{call.method} {path}", f"{call.method} *"):
            if answers := self.script.get(name):
                return answers.pop(0)
            if stays := self.always.get(name):
                return stays
        return self._usual(call, path)

    def _usual(self, call: Call, path: str) -> Answer:
        match (call.method, path.strip("/").split("/")):
            case ("GET", ["indexes"]):
                wanted = call.query.get("index_name", [""])[0]
                rows = [{"_id": i, "index_name": n} for i, n in self.indexes.items() if n == wanted]
                return Answer(body=_page(rows))
            case ("POST", ["indexes"]):
                new = f"{len(self.indexes):024x}"
                self.indexes[new] = json.loads(call.body)["index_name"]
                return Answer(201, {"_id": new})
            case ("GET", ["indexes", index_id]):
                if index_id not in self.indexes:
                    return _absent()
                return Answer(body={"_id": index_id, "index_name": self.indexes[index_id]})
            case ("DELETE", ["indexes", index_id]):
                return Answer(204) if self.indexes.pop(index_id, None) else _absent()
            case ("POST", ["tasks"]):
                return self.keep(call)
            case ("GET", ["tasks"]):
                wanted = call.query.get("filename", [""])[0]
                rows = [t for t in self.tasks.values() if not wanted or _name(t) == wanted]
                return Answer(body=_page(rows))
            case ("GET", ["tasks", task_id]):
                if task_id not in self.tasks:
                    return _absent()
                return Answer(body=self.tasks[task_id] | {"status": self.status})
            case ("DELETE", ["tasks", task_id]):
                return Answer(204) if self.tasks.pop(task_id, None) else _absent()
            case ("GET", ["indexes", _, "videos", video_id]):
                return Answer(body={"_id": video_id, "transcription": self.transcript})
            case ("GET", ["indexes", _, "videos", video_id, "transcription"]):
                return Answer(body={"_id": video_id, "data": self.transcript})
            case ("DELETE", ["indexes", _, "videos", _]):
                return Answer(204)
        return _absent()

    def keep(self, call: Call) -> Answer:
        """Take an upload in as the real one does."""
        name = re.search(rb'filename="([^"]+)"', call.body)
        number = len(self.tasks) + 1
        task_id, video_id = f"{number:024x}", f"{number + 1000:024x}"
        self.tasks[task_id] = {
            "_id": task_id,
            "status": "pending",
            "system_metadata": {"filename": name[1].decode() if name else ""},
        }
        self.tasks[task_id]["video_id"] = video_id
        return Answer(201, {"_id": task_id, "video_id": video_id})


def _name(task: dict[str, Any]) -> str:
    return str(task["system_metadata"].get("filename", ""))


def _page(rows: list[Any]) -> dict[str, Any]:
    info = {"limit_per_page": 50, "page": 1, "total_page": 1, "total_results": len(rows)}
    return {"data": rows, "page_info": info}


def _absent() -> Answer:
    return Answer(404, {"code": "resource_not_exists", "message": "Resource does not exist."})


@contextmanager
def scripted_cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    handler = type("Handler", (_Handler,), {"cloud": cloud})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def log_message(self, *arguments: object) -> None:
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        self.close_connection = True
        url = urlsplit(self.path)
        body = self._body(int(self.headers.get("Content-Length", 0)))
        call = Call(self.command, url.path, parse_qs(url.query), dict(self.headers), body)
        self.cloud.calls.append(call)
        if call.headers.get("x-api-key") != KEY:
            answer = Answer(401, {"code": "api_key_invalid", "message": "The API key is invalid."})
        else:
            answer = self.cloud.answer(call)
        if answer.play:
            answer.play(self)
        else:
            self._say(answer)

    def _body(self, size: int) -> bytes:
        """The first of it; a long one's rest is dropped."""
        kept = self.rfile.read(min(size, KEPT_BYTES))
        left = size - len(kept)
        while left > 0 and (piece := self.rfile.read(min(left, 1_000_000))):
            left -= len(piece)
        return kept

    do_POST = do_DELETE = do_GET

    def _say(self, answer: Answer) -> None:
        body = answer.body
        if not isinstance(body, bytes):
            body = b"" if body is None else json.dumps(body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# --- ways of misbehaving ---


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Hang up without a word."""
    handler.connection.close()


def truncated(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"_id": "')


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for longer than anybody waits."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(300):
        time.sleep(0.1)
        try:
            handler.wfile.write(b" ")
        except OSError:
            return


def huge(handler: BaseHTTPRequestHandler) -> None:
    """More than any transcript has."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n")
    try:
        for _ in range(900):
            handler.wfile.write(b" " * 1_000_000)
    except OSError:
        return
