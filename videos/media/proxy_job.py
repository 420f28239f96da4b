"""Make a copy that every browser plays: H.264 and AAC in MP4. Child side of ``derived``.

Its times are those of the player on the original: zero is the earliest start of sound and
picture, frames keep their own times (also where their rate varies), sound is laid on the same
timeline as the recogniser's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from typing import Any

import av
import av.error
import av.filter
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from videos.media.audio import Samples, Timeline, length_seconds
from videos.media.audio import decoded as sounds
from videos.media.nice import be_nice
from videos.media.opening import audio_stream, open_media, picture_stream, zero_seconds
from videos.media.pictures_job import decoded, refuse_huge
from videos.media.sandbox import MediaError

SIDE = 720  # of the shorter side
SOUND_RATE = 48_000
# Key frames each second or so: an editor jumps more than plays.
KEY_SECONDS = 1
PICTURE_OPTIONS = {
    "preset": "veryfast",
    "crf": "23",
    "maxrate": "6M",
    "bufsize": "12M",
    "bf": "0",
}
TICKS = 90_000  # at least so many a second
DEFAULT_RATE = Fraction(25)
JUMP_BACK, JUMP_ON = 0.5, 3600.0  # seconds beyond which a clock was set anew
NEWS_SECONDS = 0.5
FIRST_PACKETS = 2000
# By quarter turns to the left.
TURNS: list[list[tuple[str, str]]] = [
    [],
    [("transpose", "cclock")],
    [("hflip", ""), ("vflip", "")],
    [("transpose", "clock")],
]
# An anamorphic or odd shape ends with even sides of at least these pixels.
SMALLEST = 16


def make(path: str, target: str, duration_ms: int, cores: int) -> Iterator[dict[str, Any]]:
    """Write the copy to ``target``; tell how far it is. Raises MediaError when nothing came."""
    be_nice()
    told, first = 0.0, _first_frame(path)
    with (
        open_media(path) as source,
        av.open(target, "w", format="mp4", options={"movflags": "+faststart"}) as copy,
    ):
        tracks = _tracks(source, copy, first, cores)
        for packet in _packets(source, [track.stream for track in tracks.values()]):
            done = tracks[packet.stream_index].take(packet)
            if time.monotonic() - told >= NEWS_SECONDS:
                told = time.monotonic()
                yield {"fraction": min(1.0, done * 1000 / max(1, duration_ms))}
        for track in tracks.values():
            track.finish()
        if not any(track.written for track in tracks.values()):
            raise MediaError("Neither sound nor a picture in this file could be decoded.")
    yield {"facts": {"height": _height(tracks)}}


def _first_frame(path: str) -> VideoFrame | None:
    """The muxer wants to know the picture's size before the first sound comes."""
    with open_media(path) as source:
        picture = picture_stream(source)
        if picture is None:
            return None
        refuse_huge(picture.width, picture.height)
        packets = islice(_packets(source, [picture]), FIRST_PACKETS)
        return next((frame for packet in packets for frame in decoded(packet)), None)


def _tracks(
    source: InputContainer, copy: OutputContainer, first: VideoFrame | None, cores: int
) -> dict[int, _Picture | _Sound]:
    """The streams that a player would play, by their number; ``first`` is the picture's."""
    zero = zero_seconds(source)
    tracks: dict[int, _Picture | _Sound] = {}
    if (picture := picture_stream(source)) and first:
        tracks[picture.index] = _Picture(picture, first, copy, zero, cores)
    if sound := audio_stream(source):
        tracks[sound.index] = _Sound(sound, copy, zero, length_seconds(source))
    if not tracks:
        raise MediaError("There is neither sound nor a picture in this file.")
    return tracks


def _height(tracks: dict[int, _Picture | _Sound]) -> int:
    return max((t.copy.height for t in tracks.values() if isinstance(t, _Picture)), default=0)


def _packets(source: InputContainer, streams: list[Any]) -> Iterator[Packet[Any]]:
    try:
        yield from source.demux(*streams)
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError):
        return  # the file is cut off here; what came before is good


class _Picture:
    """Takes the packets of the picture; writes it upright, with square pixels, in H.264."""

    def __init__(
        self,
        stream: VideoStream,
        first: VideoFrame,
        container: OutputContainer,
        zero: float,
        cores: int,
    ) -> None:
        stream.thread_type, stream.thread_count = "AUTO", cores
        self.stream, self.container, self.zero = stream, container, zero
        rate = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
        self.rate = rate if 1 <= rate <= 480 else DEFAULT_RATE
        self.copy = container.add_stream("libx264", rate=self.rate, options=dict(PICTURE_OPTIONS))
        self.copy.codec_context.thread_count = cores
        self.copy.codec_context.gop_size = max(1, round(self.rate * KEY_SECONDS))
        self.ticks = ticks(self.rate)
        self.copy.codec_context.time_base = self.copy.time_base = Fraction(1, self.ticks)
        self._dress(first)
        self.clock = _Clock(float(1 / self.rate), self.ticks)
        self.shape: tuple[object, ...] = ()
        self.graph: av.filter.Graph | None = None
        self.written = 0

    def take(self, packet: Packet[Any]) -> float:
        """Decode and write; give the moment that it came to."""
        for frame in decoded(packet):
            seconds = None if frame.time is None else frame.time - self.zero
            if (at := self.clock.place(seconds)) is not None:
                self._write(frame, at)
        return self.clock.last or 0.0

    def finish(self) -> None:
        self._drain()
        if self.written:
            self.container.mux(self.copy.encode(None))

    def _write(self, frame: VideoFrame, at: float) -> None:
        size = (frame.width, frame.height)
        shape = (*size, frame.format.name, frame.rotation, frame.interlaced_frame)
        if shape != self.shape:  # a stream may change its mind in the middle
            self._drain()
            self.shape, self.graph = shape, self._graph(frame)
        assert self.graph is not None
        frame.pts, frame.time_base = round(at * self.ticks), Fraction(1, self.ticks)
        self.graph.vpush(frame)
        self._encode()

    def _graph(self, frame: VideoFrame) -> av.filter.Graph:
        """Undo interlacing, turn, scale."""
        steps = [("yadif", "send_frame")] if frame.interlaced_frame else []
        steps += TURNS[round(frame.rotation / 90) % 4]
        steps += [("scale", f"{self.copy.width}:{self.copy.height}")]
        steps += [("setsar", "1"), ("format", "yuv420p")]
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=Fraction(1, self.ticks),
        )
        filters = [graph.add(name, arguments or None) for name, arguments in steps]
        graph.link_nodes(source, *filters, graph.add("buffersink")).configure()
        return graph

    def _drain(self) -> None:
        """Encode what the filters still hold."""
        if self.graph is not None:
            self.graph.vpush(None)
            self._encode()

    def _encode(self) -> None:
        assert self.graph is not None
        with suppress(av.error.BlockingIOError, av.error.EOFError):
            while True:
                frame = self.graph.vpull()
                frame.pict_type = PictureType.NONE  # or key frames lie where the original's did
                self.container.mux(self.copy.encode(frame))
                self.written += 1

    def _dress(self, first: VideoFrame) -> None:
        """Give the copy its size and the original's colours (HDR stays told as HDR)."""
        self.copy.width, self.copy.height = fitted(
            first, self.stream.sample_aspect_ratio or Fraction(1)
        )
        self.copy.pix_fmt = "yuv420p"
        context = self.copy.codec_context
        context.color_primaries, context.color_trc = first.color_primaries, first.color_trc
        if first.format.name.startswith(("yuv", "nv", "p0", "p2")):
            context.colorspace = first.colorspace


def ticks(rate: Fraction) -> int:
    """Give a time scale in which each frame of a steady rate begins at a whole number."""
    if rate.numerator > TICKS:
        return TICKS
    return rate.numerator * -(-TICKS // rate.numerator)


def fitted(frame: VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Width and height of the copy: upright, the shorter side SIDE at most, both even."""
    sides = (frame.width * aspect, Fraction(frame.height))
    if round(frame.rotation / 90) % 2:
        sides = sides[::-1]
    scale = min(Fraction(1), SIDE / min(sides))
    width, height = (max(SMALLEST, round(side * scale / 2) * 2) for side in sides)
    return width, height


class _Clock:
    """Gives frames their moments: rising, without the jumps of a clock that was set anew."""

    def __init__(self, frame_seconds: float, ticks: int) -> None:
        self.frame_seconds, self.ticks = frame_seconds, ticks
        self.shift = 0.0
        self.last: float | None = None

    def place(self, seconds: float | None) -> float | None:
        """The moment at which the frame is shown, or None when it is to be dropped."""
        if self.last is None:
            self.last = max(0.0, seconds or 0.0)
            return self.last
        due = self.last + self.frame_seconds
        at = due if seconds is None else seconds + self.shift
        if not -JUMP_BACK < at - self.last < JUMP_ON:
            self.shift += due - at
            at = due
        if round(at * self.ticks) <= round(self.last * self.ticks):
            return None
        self.last = at
        return at


class _Sound:
    """Takes the packets of the sound; writes it in AAC, silence where there is a gap."""

    def __init__(
        self, stream: AudioStream, container: OutputContainer, zero: float, length: float
    ) -> None:
        self.stream, self.container, self.zero = stream, container, zero
        layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        self.timeline = Timeline(length, SOUND_RATE, layout)
        self.copy = container.add_stream("aac", rate=SOUND_RATE)
        self.copy.layout = layout
        self.copy.bit_rate = 96_000 if layout == "mono" else 160_000
        self.written = 0  # samples

    def take(self, packet: Packet[Any]) -> float:
        """Decode and write; give the moment that it came to."""
        for frame in sounds(packet):
            seconds = None if frame.time is None else frame.time - self.zero
            for samples in self.timeline.place(frame, seconds):
                self._write(samples)
        return self.written / SOUND_RATE

    def finish(self) -> None:
        for samples in self.timeline.flush():
            self._write(samples)
        if self.written:
            self.container.mux(self.copy.encode(None))

    def _write(self, samples: Samples) -> None:
        if not len(samples):
            return
        layout = self.timeline.layout
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.reshape(1, -1)), format="s16", layout=layout.name
        )
        frame.sample_rate, frame.time_base = SOUND_RATE, Fraction(1, SOUND_RATE)
        frame.pts = self.written
        self.written += len(samples) // layout.nb_channels
        self.container.mux(self.copy.encode(frame))
