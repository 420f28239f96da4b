"""Draw thumbnails of a whole video on one sheet. Child side of ``videos.media.derived``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videos.media.nice import be_nice
from videos.media.opening import open_media, picture_stream, zero_seconds
from videos.media.pictures_job import Image, decoded, jpeg, refuse_huge, turned
from videos.media.sandbox import MediaError

WIDTH, HEIGHT = 160, 120  # the box that a thumbnail fits into
COLUMNS = 10
MOST = 200
SHORTEST_MS = 1000  # between two thumbnails
NEAR_SECONDS = 5.0  # so far ahead it decodes on instead of seeking
# Within this time it draws the very frames; after it the key frames before them.
EXACT_SECONDS = 15.0


def make(path: str, target: str, duration_ms: int) -> Iterator[dict[str, Any]]:
    """Write the sheet as JPEG to ``target``; tell how far it is, then how to read it.

    Thumbnail n shows the video at n * interval_ms; it lies in row n // columns of the sheet.
    """
    be_nice()
    count = max(1, min(MOST, -(-duration_ms // SHORTEST_MS)))
    interval_ms = max(1, -(-duration_ms // count))
    sheet: _Sheet | None = None
    with open_media(path) as container:
        picture = picture_stream(container)
        if picture is None:
            raise MediaError("There is no picture in this file.")
        refuse_huge(picture.width, picture.height)
        pixels = picture.codec_context.pix_fmt or ""
        finder = _Finder(container, picture, count)
        for number in range(count):
            frame = finder.at(number * interval_ms / 1000)
            if frame is not None:
                aspect = picture.sample_aspect_ratio or Fraction(1)
                tile = turned(frame, aspect, WIDTH, HEIGHT, step=2)
                sheet = sheet or _Sheet(count, tile)
                sheet.put(number, tile)
            yield {"fraction": (number + 1) / count}
    if sheet is None:
        raise MediaError("No picture in this file could be decoded.")
    Path(target).write_bytes(sheet.jpeg())
    facts = {"count": count, "columns": sheet.columns, "interval_ms": interval_ms}
    yield {"facts": facts | {"width": sheet.width, "height": sheet.height, "pixels": pixels}}


class _Finder:
    """Finds the frames that are shown at rising moments, as well as the time allows."""

    def __init__(self, container: InputContainer, picture: VideoStream, count: int) -> None:
        self.container, self.picture = container, picture
        self.zero = zero_seconds(container)
        self.began, self.count, self.asked = time.monotonic(), count, 0
        self.frames = self._frames()
        self.last: VideoFrame | None = None
        self.next: VideoFrame | None = None
        picture.thread_count = 1

    def at(self, seconds: float) -> VideoFrame | None:
        """Give the frame that is shown at ``seconds``, or one not long before; None if none is."""
        self.asked += 1
        deadline = self.began + EXACT_SECONDS * self.asked / self.count
        late = time.monotonic() > deadline
        if seconds and (late or seconds - self._position() > NEAR_SECONDS):
            self._seek(seconds)
        while self._read() and self._time(self.next) <= seconds:
            if self._time(self.next) >= self._position():  # with one key frame it went back
                self.last = self.next
            self.next = None
            if time.monotonic() > deadline:
                break
        return self.last or self.next

    def _read(self) -> bool:
        """Have the frame that comes next; False at the end."""
        if self.next is None:
            self.next = next(self.frames, None)
        return self.next is not None

    def _position(self) -> float:
        return self._time(self.last) if self.last else 0.0

    def _time(self, frame: VideoFrame | None) -> float:
        return 0.0 if frame is None or frame.time is None else frame.time - self.zero

    def _seek(self, seconds: float) -> None:
        """Go to the key frame before; what cannot seek goes on from where it is."""
        try:
            self.container.seek(round((self.zero + seconds) * av.time_base))
        except (av.error.FFmpegError, OverflowError):
            return
        self.frames, self.next = self._frames(), None

    def _frames(self) -> Iterator[VideoFrame]:
        try:
            for packet in self.container.demux(self.picture):
                yield from decoded(packet)
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            return


class _Sheet:
    """The thumbnails in rows; the first one decides how large they are."""

    def __init__(self, count: int, first: Image) -> None:
        self.count, self.columns = count, min(COLUMNS, count)
        self.height, self.width = first.shape[:2]
        rows = -(-count // self.columns)
        self.pixels = np.zeros((rows * self.height, self.columns * self.width, 3), np.uint8)

    def put(self, number: int, tile: Image) -> None:
        """Put a thumbnail to its place; of one that is larger than the first a part is cut."""
        row, column = divmod(number, self.columns)
        top, left = row * self.height, column * self.width
        tile = tile[: self.height, : self.width]
        self.pixels[top : top + tile.shape[0], left : left + tile.shape[1]] = tile

    def jpeg(self) -> bytes:
        return jpeg(VideoFrame.from_ndarray(self.pixels, format="rgb24"))
