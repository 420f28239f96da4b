"""Celery's broker in a folder, with messages that appear whole or not at all.

kombu's own transport opens a message's file before it writes it. A worker that looks just then
reads nothing, and ends on the error: with a film's copy under way, hours later.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

TRIES, PAUSE_SECONDS = 50, 0.02
LOOK_SECONDS = 0.5


class Channel(filesystem.Channel):
    def _queue_bind(self, exchange: str, *binding: Any) -> None:
        """When several processes start at once, one may look at what another begins to write.

        What stays half written is of a disk that was full, or of a machine without power. Who
        starts writes it anew: with it no worker would ever start again.
        """
        for _ in range(TRIES - 1):
            try:
                super()._queue_bind(exchange, *binding)
            except ValueError:
                time.sleep(PAUSE_SECONDS)
            else:
                return
        Path(self.control_folder, f"{exchange}.exchange").unlink(missing_ok=True)
        super()._queue_bind(exchange, *binding)

    def _put(self, queue: str, message: Any, **_: Any) -> None:  # type: ignore[override]
        """Raises ChannelError, like kombu's own, when the folder takes no file."""
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        # A name that begins with a dot is of no queue, so nobody takes it.
        hidden = Path(self.data_folder_out, f".{name}")
        try:
            hidden.write_text(dumps(message))
            hidden.rename(hidden.with_name(name))
        except OSError as error:
            hidden.unlink(missing_ok=True)  # a full disk: nobody else would ever take it away
            raise ChannelError(f"Cannot add a message to {self.data_folder_out}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """A message that cannot be read is gone: the sweep rings again. Raises Empty."""
        try:
            return super()._get(queue)
        except ValueError:
            raise Empty from None


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """A worker asks whether it shall stop between two of these, and Celery allows each 2 s."""
        short = timeout if timeout is None else min(timeout, LOOK_SECONDS)
        super().drain_events(connection, timeout=short)


TRANSPORT_ALIASES["folder"] = f"{__name__}:Transport"
