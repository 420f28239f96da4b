"""The child's side of ``videos.media.sandbox``: ``python -m videos.media.child``.

Reads one JSON line from standard input, limits itself, runs the job and writes JSON lines.
Standard input stays open for as long as the parent lives.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, BinaryIO

from videos.disk import is_full
from videos.media import guard
from videos.media.sandbox import MediaError


def main() -> None:
    """Run the one job that the parent asks for, then leave without waiting for threads."""
    request = json.loads(_read_line(0))
    guard.die_at_end_of(0)
    channel = _take_channel()
    guard.limit_resources(request["limits"])
    send = partial(_send, channel)
    if not request["network"]:
        _leave_network(send)
    guard.die_with(request["parent"])
    _perform(request, send)
    sys.stderr.flush()
    os._exit(0)


def _leave_network(send: Callable[[str, Any], None]) -> None:
    """Where the kernel keeps us on it, our parent says so: the other limits hold all the same."""
    if not guard.leave_network():
        send("network", "open")


def _take_channel() -> BinaryIO:
    """Keep standard output for ourselves: what a C library prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return channel


def _read_line(descriptor: int) -> bytes:
    """Read to the first newline without buffering past it."""
    line = bytearray()
    while not line.endswith(b"\n"):
        data = os.read(descriptor, 65536)
        if not data:
            os._exit(1)
        line += data
    return bytes(line)


def _send(channel: BinaryIO, kind: str, value: Any) -> None:
    data = memoryview(json.dumps({"kind": kind, "value": value}, allow_nan=False).encode() + b"\n")
    while data:
        data = data[channel.write(data) :]


def _perform(request: dict[str, Any], send: Callable[[str, Any], None]) -> None:
    try:
        for message in _messages(request["job"], request["arguments"]):
            send("message", message)
    except MediaError as error:
        value = {"sentence": str(error), "permanent": error.permanent, "detail": error.detail}
        send("error", value)
    except MemoryError:
        send("limit", "memory")
    except OSError as error:
        if not is_full(error):
            raise
        value = {"sentence": "The disk is full.", "permanent": False, "detail": str(error)}
        send("error", value)
    else:
        send("done", None)


def _messages(job: str, arguments: dict[str, Any]) -> Iterable[dict[str, Any]]:
    module, _, name = job.partition(":")
    result = getattr(importlib.import_module(module), name)(**arguments)
    return [result] if isinstance(result, dict) else result


if __name__ == "__main__":
    main()
