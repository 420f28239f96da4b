"""A stand-in for the model hub on loopback, so that the real download code runs in tests."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def fake_hub(folder: Path, mode: str = "ok") -> Iterator[str]:
    """Serve ``folder`` under any repository's name; give the address.

    ``mode``: "ok"; "missing" answers 404 to everything below the front page; "silent" takes
    such requests and never answers; "drip" stops in the middle of model.bin.
    """
    handler = type("Handler", (_Handler,), {"folder": folder, "mode": mode})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path
    mode: str

    def log_message(self, *arguments: object) -> None:
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/":
            self._answer(200, b"a hub", "text/plain")
        elif self.mode == "silent":
            time.sleep(600)
        elif self.mode == "missing":
            headers = {"X-Error-Code": "RepoNotFound"}
            self._answer(404, b"{}", "application/json", headers)
        elif match := re.fullmatch(r"/api/models/(.+?)(/revision/.*|/tree/.*)?", path):
            self._describe(match[1], tree=(match[2] or "").startswith("/tree"))
        elif match := re.fullmatch(r"/.+?/resolve/[^/]+/([\w.]+)", path):
            self._file(self.folder / match[1])
        else:
            self._answer(404, b"{}", "application/json")

    do_HEAD = do_GET

    def _describe(self, name: str, *, tree: bool) -> None:
        files = sorted(self.folder.iterdir())
        listing = [
            {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": COMMIT} for f in files
        ]
        about = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": f.name} for f in files]}
        self._answer(200, json.dumps(listing if tree else about).encode(), "application/json")

    def _file(self, path: Path) -> None:
        if not path.is_file():
            self._answer(404, b"{}", "application/json", {"X-Error-Code": "EntryNotFound"})
            return
        body = path.read_bytes()
        headers = {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": COMMIT}
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if start:
            offset = int(start[1])
            headers["Content-Range"] = f"bytes {offset}-{len(body) - 1}/{len(body)}"
            self._answer(206, body[offset:], "application/octet-stream", headers)
        else:
            self._answer(200, body, "application/octet-stream", headers)

    def _answer(
        self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.mode == "drip" and self.path.endswith("model.bin"):
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            time.sleep(600)
        self.wfile.write(body)
