"""What is found in files of all kinds, and which are refused with which sentence."""

from __future__ import annotations

import itertools
import os
import random
import struct
import time
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from tests import makers
from tests.makers import Picture, media, silence, tone
from videos.media import opening, probe_job, timecode_tracks
from videos.media.probe import CONTENT_TYPES, probe
from videos.media.sandbox import ChildDied, MediaError
from videos.timecode import frame_at

FORMATS = {
    "mp4": ("mp4", "video/mp4", "h264", "aac"),
    "mov": ("mov", "video/mp4", "h264", "aac"),
    "mkv": ("mkv", "video/x-matroska", "h264", "aac"),
    "webm": ("webm", "video/webm", "vp8", "opus"),
    "ts": ("mpegts", "video/mp2t", "h264", "aac"),
    "mpg": ("mpeg", "video/mpeg", "mpeg2video", "mp2"),
    "avi": ("avi", "video/x-msvideo", "mpeg4", "mp3"),
    "mxf": ("mxf", "application/mxf", "h264", "pcm_s16le"),
}
SOUNDS = {
    "wav": ("wav", "audio/wav", "pcm_s16le"),
    "mp3": ("mp3", "audio/mpeg", "mp3"),
    "flac": ("flac", "audio/flac", "flac"),
    "ogg": ("ogg", "audio/ogg", "opus"),
    "m4a": ("m4a", "audio/mp4", "aac"),
    "aac": ("aac", "audio/aac", "aac"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("media")


def test_the_sample_is_what_it_is():
    found = probe(makers.SAMPLE)

    assert (found.container, found.content_type) == ("mp4", "video/mp4")
    assert (found.width, found.height, found.fps) == (640, 360, 10)
    assert abs(found.duration_ms - makers.SPOKEN["duration_ms"]) < 50
    assert found.audio_codec and found.has_picture and not found.warning


@pytest.mark.parametrize("ending", FORMATS)
def test_videos_are_known_by_their_content_whatever_their_name(folder, ending):
    made = media(folder / f"video.{ending}", np.repeat(tone(2), 3), picture=Picture(), rate=48_000)
    named = made.rename(folder / f"{ending}.txt")

    found = probe(named)

    names = (found.container, found.content_type, found.video_codec, found.audio_codec)
    assert names == FORMATS[ending]
    assert found.fps == 25 and (found.width, found.height) == (160, 90)
    assert 1950 <= found.duration_ms <= 2150


@pytest.mark.parametrize("ending", SOUNDS)
def test_sound_alone_has_no_picture(folder, ending):
    found = probe(media(folder / f"sound.{ending}", np.repeat(tone(2), 3), rate=48_000))

    assert (found.container, found.content_type, found.audio_codec) == SOUNDS[ending]
    assert not found.has_picture and found.fps is None and found.width == 0
    assert 1950 <= found.duration_ms <= 2100


def test_each_format_that_may_be_opened_has_a_content_type():
    others = {"mj2", "m4a", "3g2", "matroska", "mpeg", "asf"}
    allowed = set(opening.FORMATS.split(",")) - others

    assert allowed <= set(CONTENT_TYPES)


def test_a_picture_without_sound_and_silence_are_both_fine(folder):
    mute = probe(media(folder / "mute.mp4", picture=Picture()))
    quiet = probe(media(folder / "quiet.mp4", silence(2), picture=Picture()))

    assert (mute.audio_codec, mute.has_picture) == ("", True)
    assert quiet.audio_codec


def test_cover_art_is_no_picture(folder):
    found = probe(media(folder / "cover.mp3", np.repeat(tone(2), 3), rate=48_000, cover=True))

    assert found.audio_codec and not found.has_picture and found.content_type == "audio/mpeg"


@pytest.mark.parametrize(
    ("fps", "start"),
    [(25, "10:11:12:13"), (Fraction(30000, 1001), "01:00:00;02"), (24, "23:59:59:23"),
     (120, "10:00:00:110"), (8, "10:00:00:05")],
)  # fmt: skip
def test_the_cameras_timecode_is_read(folder, fps, start):
    found = probe(media(folder / "tc.mov", picture=Picture(fps=fps, timecode=start)))

    assert (found.start_timecode, found.fps) == (start, fps)


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}])
@pytest.mark.parametrize(
    ("counts", "start"), [(25, "10:00:00:24"), (100, "10:00:00:06"), (50, "10:00:00:12")]
)
def test_a_timecode_track_that_counts_otherwise_is_read_as_the_picture_counts(
    folder, counts, start, options
):
    picture = Picture(fps=50, timecode="10:00:00:12")
    data = bytearray(media(folder / "tc.mov", picture=picture, options=options).read_bytes())
    entry = data.index(b"tmcd", data.index(b"stsd", data.index(b"gmhd"))) + 4
    data[entry + 16 : entry + 25] = struct.pack(">IIB", counts, 1, counts)
    sample = data.index((50 * 36_000 + 12).to_bytes(4, "big"))
    data[sample : sample + 4] = (counts * 36_000 + 12).to_bytes(4, "big")
    (folder / "other.mov").write_bytes(data)

    assert probe(folder / "other.mov").start_timecode == start


def test_boxes_that_lie_name_no_rate(folder):
    film = media(folder / "tc.mov", picture=Picture(timecode="10:00:00:12"))
    data, path = film.read_bytes(), folder / "lie.mov"
    assert timecode_tracks.frames_counted(str(film)) == 25

    for at in range(data.index(b"moov") - 4, len(data), 5):
        for lie in (data[:at], data[:at] + bytes(3) + b"\1" + data[at + 4 :]):
            path.write_bytes(lie)
            assert timecode_tracks.frames_counted(str(path)) >= 0


def test_a_turned_picture_has_its_upright_size(folder):
    found = probe(media(folder / "turned.mp4", picture=Picture(rotation=90)))

    assert (found.width, found.height) == (90, 160)


@pytest.mark.parametrize("fps", [10, Fraction(15000, 1001), Fraction(24000, 1001), 60, 240])
def test_frame_rates_are_exact(folder, fps):
    assert probe(media(folder / "rate.mp4", picture=Picture(fps=fps))).fps == fps


VARYING = {
    "a phone that slows down": ("mp4", [20] * 200 + [22] * 100, 30),
    "each frame somewhat odd": ("mp4", [20, 20, 21, 19, 22] * 60, Fraction(30000, 1001)),
    "the same in whole milliseconds": ("mkv", [20, 20, 21, 19, 22] * 60, 30),
    "a screen that stands still now and then": ("mp4", ([20] * 9 + [200]) * 30, 30),
}
KEPT = {
    "a last frame that lasts longer": ([24] * 40 + [40], 25),
    "12": ([50] * 60, 12),
}


@pytest.mark.parametrize("name", VARYING)
def test_a_varying_rate_is_counted_at_the_standard_one_and_the_page_is_warned(folder, name):
    ending, lengths, rate = VARYING[name]
    found = probe(makers.varying(folder / f"varying.{ending}", lengths))

    if ending == "mp4":  # Matroska's rate is what its maker wrote into it
        assert found.rate_varies and "frame rate of this file varies or is" in found.warning
    assert found.fps == rate


@pytest.mark.parametrize("name", KEPT)
def test_a_constant_rate_is_not_called_varying(folder, name):
    lengths, rate = KEPT[name]
    found = probe(makers.varying(folder / "kept.mp4", lengths))

    assert (found.fps, found.rate_varies, found.warning) == (rate, False, "")


@pytest.mark.parametrize(("fps", "whole"), [("12.5", 12), ("7.5", 8), ("17.3", 17), ("29.7", 30)])
def test_an_odd_rate_is_counted_at_a_whole_one_and_the_page_is_warned(folder, fps, whole):
    found = probe(media(folder / "odd.mp4", picture=Picture(8, fps=Fraction(fps))))

    assert (found.fps, found.rate_varies) == (whole, True)
    assert "is an odd one" in found.warning


@pytest.mark.parametrize("ending", ["mov", "mxf"])
def test_the_reel_is_read_from_a_timecode_track_or_a_source_package(folder, ending):
    picture = Picture(timecode="01:00:00:00", reel="A003R1XY")

    assert probe(media(folder / f"reel.{ending}", picture=picture)).reel_name == "A003R1XY"
    assert probe(media(folder / "none.mov", picture=Picture())).reel_name == ""


def test_channels_of_all_tracks_are_counted(folder):
    sounds = [tone(1)] * 3

    assert probe(media(folder / "three.mov", *sounds, picture=Picture())).audio_channels == 3
    assert probe(makers.broadcast_wav(folder / "pair.wav", 0, channels=2)).audio_channels == 2
    assert probe(media(folder / "no sound.mp4", picture=Picture())).audio_channels == 0


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_a_broadcast_wav_begins_when_its_recorder_says(folder, rate):
    begins = 10 * 3600 * rate + rate // 2

    assert probe(makers.broadcast_wav(folder / "a.wav", begins, rate)).sound_start_ms == 36_000_500
    assert probe(makers.broadcast_wav(folder / "b.wav", 0, rate)).sound_start_ms == 0


def test_a_clock_that_starts_at_25_hours_adds_nothing(folder):
    found = probe(media(folder / "late.ts", tone(3), picture=Picture(), start_at=25 * 3600))

    assert 2900 <= found.duration_ms <= 3200


def test_a_stream_without_a_length_is_measured(folder):
    live = media(folder / "live.mkv", tone(3), picture=Picture(3), options={"live": "1"})

    assert 2950 <= probe(live).duration_ms <= 3200


def test_a_length_that_takes_too_long_to_find_is_guessed_and_the_page_is_warned(
    folder, monkeypatch
):
    live = media(folder / "long.aac", tone(30))
    ticks = itertools.count()
    monkeypatch.setattr(probe_job.time, "monotonic", lambda: next(ticks) / 10)

    found = probe_job.probe(str(live))
    assert 25_000 < found["duration_ms"] < 35_000
    assert "its length is a guess" in found["warning"]


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "ts", "webm"])
def test_the_picture_ends_where_its_last_frame_does(folder, ending):
    sound = np.repeat(tone(2.08), 3)
    found = probe(media(folder / f"tail.{ending}", sound, picture=Picture(), rate=48_000))

    assert (
        frame_at(found.picture_ms, Fraction(25)) == 50 < frame_at(found.duration_ms, Fraction(25))
    )


@pytest.mark.parametrize("lie", [1, 500, 100_000], ids=["short", "near", "long"])
def test_a_lying_length_is_not_believed(folder, lie):
    """The length in an MP4's header and tracks is overwritten; the packets tell the truth."""
    data = bytearray(media(folder / "true.mp4", tone(5), picture=Picture(5)).read_bytes())
    at = data.index(b"mvhd") + 4 + 12
    scale = int.from_bytes(data[at : at + 4], "big")
    data[at + 4 : at + 8] = (lie * scale).to_bytes(4, "big")
    (folder / "lie.mp4").write_bytes(data)

    assert 4900 <= probe(folder / "lie.mp4").duration_ms <= 5200


def test_a_length_past_all_limits_is_not_taken_for_none(folder):
    """A few kilobytes of pictures, each an hour after the one before."""
    with av.open(str(folder / "weeks.mkv"), "w") as out:
        stream = out.add_stream("mjpeg", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        (packet,) = stream.encode(av.VideoFrame(16, 16, "yuvj420p"))
        for number in range(1010):
            still = av.Packet(bytes(packet))
            still.stream, still.time_base, still.pts = stream, Fraction(1, 1), number * 3599
            still.dts, still.is_keyframe = still.pts, True
            out.mux(still)

    assert probe(folder / "weeks.mkv").duration_ms >= 1000 * 3600 * 1000


def test_tiny_many_and_odd_tracks_are_fine(folder):
    short = probe(media(folder / "short.wav", tone(0.12)))
    many = probe(media(folder / "many.mkv", *[tone(0.3)] * 60, picture=Picture(1)))
    small = probe(media(folder / "small.mp4", picture=Picture(size=(2, 2))))

    assert 110 <= short.duration_ms <= 130
    assert many.audio_codec and many.has_picture
    assert (small.width, small.height) == (2, 2)


def test_a_huge_picture_breaks_nothing(folder):
    huge = media(folder / "huge.mkv", picture=Picture(seconds=0.04, size=(8192, 8192)))

    assert probe(huge).width == 8192


def test_half_a_file_is_used_with_a_warning(folder):
    whole = makers.spoken_video(folder / "whole.ts")
    half = makers.truncated(folder / "half.mp4", makers.SAMPLE, 0.5)

    assert probe(whole).warning == ""
    found = probe(half)
    assert 5_000 < found.duration_ms < 20_000
    assert "ends early" in found.warning


def test_broken_files_get_a_sentence_and_never_hang(folder):
    whole = media(folder / "index_last.mp4", tone(2), picture=Picture())
    noise = random.Random(1).randbytes(200_000)
    broken = {
        "empty": (b"", "empty"),
        "one byte": (b"x", "not a video or audio file"),
        "cut": (whole.read_bytes()[:6_000], "ends too early"),
        "noise": (noise, "not a video or audio file|ends too early"),
        "zip": (b"PK\x03\x04" + noise, "not a video or audio file|ends too early"),
        "elf": (b"\x7fELF" + noise, "not a video or audio file|ends too early"),
        "boxes": (b"\x00\x00\x00\x08moov" * 5000, "ends too early|not a video|neither sound"),
    }
    for name, (data, sentence) in broken.items():
        (folder / name).write_bytes(data)
        with pytest.raises(MediaError, match=sentence) as caught:
            probe(folder / name)
        assert not isinstance(caught.value, ChildDied), name


def test_a_missing_file_is_said_to_be_missing(folder):
    with pytest.raises(MediaError, match="missing"):
        probe(folder / "none.mp4")


def test_playlists_are_refused_at_once_also_when_they_name_a_neighbours_video(folder):
    victim = folder / "victim.mp4"
    victim.write_bytes(makers.SAMPLE.read_bytes())
    for name, path in makers.playlists(folder, victim).items():
        started = time.monotonic()
        with pytest.raises(MediaError, match="not a video or audio file"):
            probe(path)
        assert time.monotonic() - started < 10, name


def test_a_name_cannot_be_an_option_or_a_protocol(folder, monkeypatch):
    monkeypatch.chdir(folder)
    name = folder / "concat:a|b -i x.mp4"
    name.write_bytes(makers.SAMPLE.read_bytes())

    assert probe(name).audio_codec
    os.remove(name)


@pytest.mark.parametrize("aspect", [Fraction(2**31 - 1), Fraction(1, 2**31 - 1)])
def test_an_aspect_that_is_no_pictures_is_left_out(aspect):
    picture = SimpleNamespace(sample_aspect_ratio=aspect, width=640, height=360)

    assert probe_job._size(None, picture) == {"width": 640, "height": 360}
