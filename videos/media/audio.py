"""Sound of any file as blocks of 16 kHz mono, in the player's time. Child side only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from videos.media.opening import audio_stream, open_media, zero_seconds
from videos.media.sandbox import MediaError

RATE = 16_000
PER_MS = RATE // 1000
BLOCK = 256 * 512  # samples, about 8 s: a whole number of the speech detector's windows
GAP = 0.1  # seconds; timestamps that are further off than this are believed
OVERLAP = 0.5  # sound that comes twice by no more than this is dropped, not played again
BEYOND_END = 10.0
LONGEST_GAP = 3600.0
UNKNOWN_LENGTH = 60.0

Samples = np.ndarray[tuple[int], np.dtype[np.int16]]


def blocks(path: str | Path, from_ms: int = 0) -> Iterator[Samples]:
    """Yield the sound from ``from_ms`` on in int16 blocks of BLOCK samples, the last one shorter.

    Sample n of the whole is at n / 16000 s of the player's time: sound that starts late and
    gaps are filled with silence. What comes before ``from_ms`` is decoded and dropped, which
    is the only way to be at the very same sample as a run from the start. Damaged packets are
    skipped. Raises MediaError when there is no sound at all.
    """
    return reblocked(_without_first(_pieces(path), from_ms * PER_MS), BLOCK)


def reblocked(pieces: Iterable[Samples], size: int) -> Iterator[Samples]:
    """Cut and join pieces to blocks of ``size`` samples; the last one may be shorter."""
    kept: list[Samples] = []
    count = 0
    for piece in pieces:
        kept.append(piece)
        count += len(piece)
        if count >= size:
            joined = np.concatenate(kept)
            whole = count - count % size
            yield from (joined[at : at + size] for at in range(0, whole, size))
            kept, count = [joined[whole:].copy()], count - whole
    if count:
        yield np.concatenate(kept)


def _without_first(pieces: Iterable[Samples], count: int) -> Iterator[Samples]:
    for piece in pieces:
        if count < len(piece):
            yield piece[count:]
        count = max(0, count - len(piece))


def _pieces(path: str | Path) -> Iterator[Samples]:
    with open_media(path) as container:
        stream = audio_stream(container)
        if stream is None:
            raise MediaError("There is no sound in this file.")
        timeline = Timeline(length_seconds(container))
        zero = zero_seconds(container)
        for frame in _frames(container, stream):
            seconds = None if frame.time is None else frame.time - zero
            yield from timeline.place(frame, seconds)
        yield from timeline.flush()


def length_seconds(container: InputContainer) -> float:
    """Give the moment after which no sound can be meant to start."""
    if not container.duration:
        return UNKNOWN_LENGTH
    return container.duration / av.time_base + BEYOND_END


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    for packet in _packets(container, stream):
        yield from decoded(packet)


def decoded(packet: Packet[Any]) -> list[AudioFrame]:
    """The packet's frames; none of a damaged one: the gap that it leaves is filled by its time."""
    try:
        return cast(list[AudioFrame], packet.decode())
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError):
        return []


def _packets(container: InputContainer, stream: AudioStream) -> Iterator[Packet[Any]]:
    try:
        yield from container.demux(stream)
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError):
        return  # the file is cut off here; what came before is good


class Timeline:
    """Puts decoded frames where their times say, so that times never drift.

    What comes out are interleaved int16 samples at ``rate``, those of the first channel at
    time 0. ``length`` (seconds) is what ``length_seconds`` gives.
    """

    def __init__(self, length: float, rate: int = RATE, layout: str = "mono") -> None:
        self.rate = rate
        self.layout = AudioLayout(layout)
        self.length = length * rate
        self.fed = 0.0  # samples at ``rate`` that have gone in, silence included
        self.shift = 0.0  # what a jumping clock is off by
        self.resampler: AudioResampler | None = None
        self.shape: tuple[int, str, str] | None = None

    def place(self, frame: AudioFrame, seconds: float | None) -> Iterator[Samples]:
        """Yield what ``frame`` adds, after the silence that its time asks for."""
        if frame.sample_rate <= 0 or frame.samples <= 0:
            return
        late = 0.0 if seconds is None else seconds * self.rate + self.shift - self.fed
        first = self.resampler is None and not self.fed
        if not first and self._is_jump(late):
            self.shift -= late
            late = 0.0
        gap = GAP * self.rate
        if late > gap or (first and 0 < late <= self.length):
            yield from self._silence(round(late))
        elif late < -gap or (first and late < 0):
            yield from self._add(frame, skip=round(-late * frame.sample_rate / self.rate))
            return
        yield from self._add(frame)

    def _is_jump(self, late: float) -> bool:
        """Tell a clock that was set anew from a gap: far back, far on or past the file's end."""
        past_end = late > GAP * self.rate and self.fed + late > self.length
        return late < -OVERLAP * self.rate or late > LONGEST_GAP * self.rate or past_end

    def _silence(self, count: int) -> Iterator[Samples]:
        yield from self.flush()
        self.fed += count
        while count > 0:
            yield np.zeros(min(count, BLOCK) * self.layout.nb_channels, np.int16)
            count -= BLOCK

    def _add(self, frame: AudioFrame, skip: int = 0) -> Iterator[Samples]:
        if skip >= frame.samples:
            return
        if skip:
            frame = _cut(frame, skip)
        shape = (frame.sample_rate, frame.format.name, frame.layout.name)
        if shape != self.shape:  # a stream may change its mind in the middle
            yield from self.flush()
            self.shape = shape
        if self.resampler is None:
            self.resampler = AudioResampler(format="s16", layout=self.layout, rate=self.rate)
        self.fed += frame.samples * self.rate / frame.sample_rate
        frame.pts = None  # the resampler must not have a mind of its own about time
        yield from _samples(self.resampler.resample(frame))

    def flush(self) -> Iterator[Samples]:
        """Yield what the resampler still holds."""
        if self.resampler is not None:
            yield from _samples(self.resampler.resample(None))
            self.resampler = None


def _cut(frame: AudioFrame, skip: int) -> AudioFrame:
    array: np.ndarray[Any, Any] = frame.to_ndarray()
    step = 1 if frame.format.is_planar else len(frame.layout.channels)
    cut = AudioFrame.from_ndarray(
        np.ascontiguousarray(array[:, skip * step :]),
        format=frame.format.name,
        layout=frame.layout.name,
    )
    cut.sample_rate = frame.sample_rate
    return cut


def _samples(frames: Iterable[AudioFrame]) -> Iterator[Samples]:
    for frame in frames:
        yield cast(Samples, frame.to_ndarray().reshape(-1).copy())
