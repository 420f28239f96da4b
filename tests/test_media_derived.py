"""Peaks, thumbnails and playable copies: right, in bounds, and their times those of the file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
import pytest

from tests import makers
from tests.makers import Picture, media, silence, tone
from videos.media import derived, peaks_job, sprite_job
from videos.media.playable import plays
from videos.media.probe import probe
from videos.media.proxy_job import _Clock, ticks
from videos.media.sandbox import Limits, MediaError, run


def facts_of(making: derived.Making) -> dict[str, Any]:
    messages = [message for message in making if message]
    assert all("facts" in m or 0 <= m["fraction"] <= 1 for m in messages)
    return messages[-1]["facts"]


def peaks_of(path: Path, duration_ms: int) -> np.ndarray:
    target = path.with_suffix(".peaks")
    facts = facts_of(derived.peaks(path, target, duration_ms=duration_ms))
    peaks = np.frombuffer(target.read_bytes(), np.uint8)
    assert len(peaks) == facts["bins"]
    return peaks


def sheet_of(path: Path, duration_ms: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The facts, and each thumbnail as grey pixels."""
    target = path.with_suffix(".sheet.jpg")
    facts = facts_of(derived.sprite(path, target, duration_ms=duration_ms))
    with av.open(str(target)) as picture:
        sheet = next(picture.decode(video=0)).to_ndarray(format="gray")
    height, width = facts["height"], facts["width"]
    places = [divmod(n, facts["columns"]) for n in range(facts["count"])]
    return facts, [
        sheet[r * height : (r + 1) * height, c * width : (c + 1) * width] for r, c in places
    ]


def copy_of(path: Path, duration_ms: int = 2000) -> Path:
    target = path.with_name(f"{path.name}.copy.mp4")
    facts_of(derived.proxy(path, target, duration_ms=duration_ms, cores=2))
    return target


def frame_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        zero = min(float(s.start_time * s.time_base) for s in container.streams)
        return [round(frame.time - zero, 3) for frame in container.decode(video=0)]


def brightness(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="gray").mean() for f in container.decode(video=0)]


def counting(path: Path, codec: str, *, pixels: str = "yuv420p", fps: Fraction | int = 25) -> Path:
    """Two seconds with sound, each frame brighter than the one before."""
    width, height = (1280, 720) if codec == "dnxhd" else (320, 180)  # it takes no small ones
    with av.open(str(path), "w") as target:
        stream = target.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.thread_count = 1
        if codec == "dnxhd":
            stream.bit_rate = 75_000_000
        voice = target.add_stream("pcm_s16le", rate=48_000)
        voice.layout = "mono"
        for number in range(int(2 * fps)):
            image = np.full((height, width, 3), 20 + number * 4, np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        target.mux(stream.encode(None))
        for frame in makers._sound_frames(voice, np.repeat(tone(2), 3), 0.0, None):
            target.mux(voice.encode(frame))
        target.mux(voice.encode(None))
    return path


# --- which files are played as they are ---


@pytest.mark.parametrize(
    "names",
    [
        ("mp4", "h264", "aac"),
        ("mov", "h264", "aac"),
        ("mp4", "av1", "opus"),
        ("mp4", "h264", ""),
        ("webm", "vp9", "opus"),
        ("wav", "", "pcm_s16le"),
        ("mp3", "", "mp3"),
        ("m4a", "", "aac"),
        ("mp4", "h264", "aac", "yuv420p"),
    ],
)
def test_what_every_browser_plays_needs_no_copy(names):
    assert plays(*names)


@pytest.mark.parametrize(
    "names",
    [
        ("mov", "prores", "pcm_s16le"),
        ("mov", "dnxhd", "aac"),
        ("mov", "hevc", "aac"),
        ("mp4", "hevc", "aac"),
        ("mov", "h264", "pcm_s24le"),
        ("mp4", "h264", "ac3"),
        ("mkv", "h264", "aac"),
        ("avi", "mpeg4", "mp3"),
        ("mxf", "mpeg2video", "pcm_s16le"),
        ("mpegts", "h264", "aac"),
        ("mpeg", "mpeg2video", "mp2"),
        ("aiff", "", "pcm_s16be"),
        ("webm", "h264", "opus"),
        ("mp4", "h264", "aac", "yuv422p10le"),
    ],
)
def test_what_some_browser_does_not_play_needs_one(names):
    assert not plays(*names)


# --- peaks ---


def test_peaks_are_loud_where_the_sound_is(tmp_path):
    path = media(tmp_path / "a.wav", np.concatenate([silence(2), tone(1), tone(1) // 4]))

    peaks = peaks_of(path, 4000)

    assert len(peaks) == 2000
    assert peaks[:990].max() == 0
    assert peaks[1010:1490].min() > 200
    assert peaks.max() == 255
    assert 50 < np.median(peaks[1510:]) < 80


def test_sound_that_starts_late_has_its_peaks_late(tmp_path):
    path = media(tmp_path / "late.mkv", tone(1), picture=Picture(seconds=2), sound_at=1.0)

    peaks = peaks_of(path, 2000)

    assert peaks[:950].max() == 0
    assert peaks[1050:].min() > 200


def test_near_silence_is_not_blown_up(tmp_path):
    noise = np.random.default_rng(1).integers(-9, 9, makers.RATE * 2).astype(np.int16)

    assert peaks_of(media(tmp_path / "n.wav", noise), 2000).max() < 5


@pytest.mark.parametrize(("duration_ms", "count"), [(0, 1), (50, 800), (9000, 2000), (10**8, 8000)])
def test_the_number_of_peaks_is_bounded(duration_ms, count):
    assert peaks_job.bins(duration_ms) == count


def test_peaks_of_a_sound_shorter_or_longer_than_said_are_in_bounds():
    loudness = np.zeros(10)
    blocks = [np.full(700, 100, np.int16), np.full(700, -200, np.int16)]

    assert list(peaks_job.fill(loudness, 1000, blocks)) == [700, 1400]
    assert loudness.tolist() == [100.0] * 7 + [200.0] * 3


def test_a_file_without_sound_has_no_peaks(tmp_path):
    with pytest.raises(MediaError, match="no sound"):
        peaks_of(media(tmp_path / "v.mp4", picture=Picture()), 2000)


# --- thumbnails ---


def test_thumbnails_show_the_frames_of_their_moments(tmp_path):
    path = media(tmp_path / "b.mp4", picture=Picture(seconds=6, black_seconds=3))

    facts, tiles = sheet_of(path, 6000)

    assert facts == {
        "count": 6, "columns": 6, "interval_ms": 1000, "width": 160, "height": 90,
        "pixels": "yuv420p",
    }  # fmt: skip
    assert [tile.mean() > 60 for tile in tiles] == [False, False, False, True, True, True]


def test_a_turned_video_has_upright_thumbnails(tmp_path):
    facts, tiles = sheet_of(media(tmp_path / "t.mp4", picture=Picture(rotation=90)), 2000)

    assert (facts["width"], facts["height"]) == (68, 120)
    assert tiles[0][:20].mean() > 200 > 60 > tiles[0][-20:].mean()


@pytest.mark.parametrize("fps", [Fraction(73, 10), 240, Fraction(30000, 1001)])
def test_thumbnails_of_odd_rates_are_at_their_moments(tmp_path, fps):
    path = media(tmp_path / "o.mkv", picture=Picture(seconds=4, fps=fps, black_seconds=1.8))

    _, tiles = sheet_of(path, 4000)

    assert [tile.mean() > 60 for tile in tiles] == [False, False, True, True]


def test_a_clock_that_starts_late_moves_no_thumbnail(tmp_path):
    path = media(tmp_path / "c.mkv", picture=Picture(seconds=4, black_seconds=2), start_at=90)

    _, tiles = sheet_of(path, 4000)

    assert [tile.mean() > 60 for tile in tiles] == [False, False, True, True]


def test_when_time_is_short_key_frames_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(sprite_job, "EXACT_SECONDS", 0.0)
    path = media(tmp_path / "k.mp4", picture=Picture(seconds=6, black_seconds=3))

    *_, last = sprite_job.make(str(path), str(tmp_path / "k.jpg"), 6000)

    assert last["facts"]["count"] == 6


def test_thumbnails_of_three_hours_take_seconds(tmp_path):
    path = makers.spoken_video(tmp_path / "long.mp4", 3 * 3600)

    facts, tiles = sheet_of(path, 3 * 3600 * 1000)

    assert (facts["count"], facts["columns"], facts["interval_ms"]) == (200, 10, 54_000)
    assert min(tile.std() for tile in tiles) > 1
    assert max(tile.shape for tile in tiles) == (90, 160)


def test_a_frame_over_64_megapixels_gets_no_thumbnails_and_no_copy(tmp_path):
    huge = media(tmp_path / "h.mkv", picture=Picture(seconds=0.04, size=(8192, 8192)))

    with pytest.raises(MediaError, match="too large"):
        sheet_of(huge, 40)
    with pytest.raises(MediaError, match="too large"):
        copy_of(huge, 40)


def test_sound_alone_has_no_thumbnails(tmp_path):
    with pytest.raises(MediaError, match="no picture"):
        sheet_of(media(tmp_path / "a.wav", tone(1)), 1000)


# --- copies ---


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("b.mkv", "libx265", "yuv420p10le"),
        ("c.mxf", "dnxhd", "yuv422p"),
        ("d.mov", "libx264", "yuv422p10le"),
    ],
)
def test_a_copy_has_the_frames_of_the_original_at_their_times(tmp_path, name, codec, pixels):
    original = counting(tmp_path / name, codec, pixels=pixels)
    copy = copy_of(original)
    found = probe(copy)

    assert plays(found.container, found.video_codec, found.audio_codec, "yuv420p")
    assert found.fps == 25
    assert frame_times(copy) == pytest.approx(frame_times(original), abs=0.002)
    assert brightness(copy) == pytest.approx(brightness(original), abs=6)


def test_a_copy_keeps_a_rate_that_varies(tmp_path):
    original = tmp_path / "vfr.mkv"
    moments = [0, 40, 80, 500, 510, 900, 1900]
    with av.open(str(original), "w") as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for moment in moments:
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = moment, Fraction(1, 1000)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))

    assert frame_times(copy_of(original)) == [moment / 1000 for moment in moments]


@pytest.mark.parametrize("start_at", [0.0, 90_000.0])
def test_a_copy_starts_at_zero_with_sound_where_it_was(tmp_path, start_at):
    sound = np.concatenate([silence(0.5), tone(1)])
    original = media(
        tmp_path / "s.mkv", sound, picture=Picture(seconds=2), sound_at=0.25, start_at=start_at
    )

    peaks = peaks_of(copy_of(original), 2000)

    assert peaks[:730].max() < 20
    assert peaks[770:1720].min() > 150


def test_a_gap_in_the_sound_stays_a_gap_in_the_copy(tmp_path):
    original = media(tmp_path / "g.mkv", tone(2), picture=Picture(seconds=3), gap=(1.0, 1.0))

    peaks = peaks_of(copy_of(original, 3000), 3000)

    assert peaks[:650].min() > 150
    assert np.median(peaks[720:1300]) == 0
    assert peaks[1400:1950].min() > 150


def test_a_copy_of_a_turned_picture_is_upright(tmp_path):
    copy = copy_of(media(tmp_path / "t.mkv", picture=Picture(rotation=90)))

    with av.open(str(copy)) as container:
        frame = next(container.decode(video=0))
    image = frame.to_ndarray(format="gray")
    assert (image.shape, frame.rotation) == ((160, 90), 0)
    assert image[:20].mean() > 200 > 60 > image[-20:].mean()


def test_a_copy_is_at_most_720_high_with_square_pixels_and_its_index_in_front(tmp_path):
    copy = copy_of(media(tmp_path / "l.mkv", picture=Picture(seconds=0.2, size=(1920, 1080))), 200)

    assert (probe(copy).width, probe(copy).height) == (1280, 720)
    assert copy.read_bytes().index(b"moov") < copy.read_bytes().index(b"mdat")


def test_sound_alone_is_copied_as_sound(tmp_path):
    found = probe(copy_of(media(tmp_path / "a.mkv", tone(2))))

    assert (found.video_codec, found.audio_codec) == ("", "aac")
    assert found.duration_ms == pytest.approx(2000, abs=50)


def test_a_copy_of_a_cut_off_file_has_what_can_be_read(tmp_path):
    whole = counting(tmp_path / "whole.mkv", "libx264")
    half = makers.truncated(tmp_path / "half.mkv", whole, 0.5)

    assert 5 < len(frame_times(copy_of(half))) < 50


def test_a_file_in_which_nothing_can_be_decoded_has_no_copy(tmp_path):
    noise = tmp_path / "noise.mkv"
    noise.write_bytes(bytes(range(256)) * 100)

    with pytest.raises(MediaError):
        copy_of(noise)


def test_frames_have_rising_moments_when_the_files_clock_jumps():
    clock = _Clock(0.04, 90_000)
    seen = [clock.place(at) for at in (0.0, 0.04, None, 0.1, 90_000.0, 90_000.04, 2.0, 1.99)]

    assert seen[:3] == pytest.approx([0.0, 0.04, 0.08])
    assert seen[3:7] == pytest.approx([0.1, 0.14, 0.18, 0.22])
    assert seen[7] is None


def interlaced(path: Path) -> Path:
    """Half a second of MPEG-2 in fields: every other line of a moving bar is a field later."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=128, height=96, format="yuv420p", time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink")).configure()
    with av.open(str(path), "w") as target:
        stream = target.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(12):
            image = np.zeros((96, 128, 3), np.uint8)
            image[0::2, number * 8 : number * 8 + 20] = 255
            image[1::2, number * 8 + 4 : number * 8 + 24] = 255
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.vpush(frame)
            target.mux(stream.encode(graph.vpull()))
        target.mux(stream.encode(None))
    return path


def test_a_copy_of_fields_shows_whole_frames(tmp_path):
    original = interlaced(tmp_path / "fields.mpg")
    with av.open(str(original)) as container:
        first = next(container.decode(video=0))
    assert first.interlaced_frame

    copy = copy_of(original, 480)

    assert frame_times(copy) == pytest.approx(frame_times(original), abs=0.002)
    with av.open(str(copy)) as container:
        image = list(container.decode(video=0))[5].to_ndarray(format="gray").astype(int)
    combs = np.abs(np.diff(image, axis=0)).mean()
    assert combs < 10


def test_surround_sound_becomes_stereo(tmp_path):
    path = tmp_path / "surround.mkv"
    with av.open(str(path), "w") as target:
        stream = target.add_stream("flac", rate=96_000)
        stream.layout = "5.1"
        sound = np.tile((8000 * np.sin(np.arange(96_000) / 20)).astype(np.int16), (6, 1)).T
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound.reshape(1, -1)), format="s16", layout="5.1"
        )
        frame.sample_rate, frame.pts = 96_000, 0
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    copy = copy_of(path, 1000)

    with av.open(str(copy)) as container:
        context = container.streams.audio[0].codec_context
        assert (context.layout.name, context.sample_rate) == ("stereo", 48_000)
    assert probe(copy).duration_ms == pytest.approx(1000, abs=50)


def test_a_picture_of_a_few_pixels_is_copied(tmp_path):
    path = media(tmp_path / "tiny.avi", picture=Picture(seconds=0.2, size=(16, 2)))

    assert probe(copy_of(path, 200)).width == 16


def test_a_long_copy_needs_little_memory(tmp_path):
    """A gigabyte of address space holds libav and a few frames, not a file."""
    path = makers.spoken_video(tmp_path / "long.mkv", 60)
    limits = Limits(seconds=120, memory_bytes=1500 * 1024**2, file_bytes=None)
    arguments = {"target": str(tmp_path / "c.mp4"), "duration_ms": 60_000, "cores": 2}

    last = run("videos.media.proxy_job:make", {"path": str(path), **arguments}, limits)

    assert last == {"facts": {"height": 360}}


def test_a_steady_rates_frames_begin_at_whole_ticks():
    rates = [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(73, 10)]

    for rate in rates:
        assert (ticks(rate) / rate).denominator == 1
        assert 90_000 <= ticks(rate) < 180_000
    assert ticks(Fraction(9_922_123, 1_000_000)) == 90_000
