"""Sound comes out in the player's time, and where somebody speaks is found in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import makers
from tests.makers import RATE, Picture, media, silence, tone
from videos.media import audio, speech
from videos.media.sandbox import ROOT, MediaError

# Runs the whole listening, without an engine, and says how much memory that took at most.
LISTEN = """
import re, sys
from pathlib import Path
from videos.media import audio, speech
regions = list(r.end_ms for r in speech.regions(audio.blocks(sys.argv[1])) if len(r.samples))
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(len(regions), regions[-1], peak)
"""


def heard(path, from_ms=0):
    return np.concatenate(list(audio.blocks(path, from_ms)))


def first_sound(samples):
    """When the first loud sample comes, in seconds."""
    return int(np.argmax(np.abs(samples) > 1000)) / RATE


def spoken(regions):
    return [(r.start_ms, r.end_ms) for r in regions if len(r.samples)]


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "ts", "wav", "mp3", "flac", "avi"])
def test_sound_is_as_long_as_it_was(tmp_path, ending):
    picture = Picture() if ending in ("mp4", "mov", "mkv", "ts", "avi") else None
    path = media(tmp_path / f"x.{ending}", tone(2), picture=picture)

    assert abs(len(heard(path)) / RATE - 2) < 0.15
    assert first_sound(heard(path)) < 0.1


def test_other_rates_are_brought_to_16_khz(tmp_path):
    path = media(tmp_path / "x.webm", np.repeat(tone(2), 3), rate=48_000)

    assert abs(len(heard(path)) - 2 * RATE) < 0.05 * RATE


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_sound_that_starts_late_is_late(tmp_path, ending):
    path = media(tmp_path / f"x.{ending}", tone(2), picture=Picture(4), sound_at=1.5)

    assert first_sound(heard(path)) == pytest.approx(1.5, abs=0.08)


@pytest.mark.parametrize("ending", ["mkv", "ts"])
def test_the_players_zero_is_where_the_file_starts(tmp_path, ending):
    path = media(
        tmp_path / f"x.{ending}", tone(2), picture=Picture(4), sound_at=1, start_at=25 * 3600
    )

    assert first_sound(heard(path)) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_gap_is_filled_with_silence(tmp_path, ending):
    path = media(tmp_path / f"x.{ending}", tone(4), picture=Picture(6), gap=(2, 1.5))

    samples = heard(path)
    loud = [np.abs(samples[int(s * RATE) :][:800]).max() > 1000 for s in (1.5, 2.5, 3.2, 3.8, 5.2)]
    assert loud == [True, False, False, True, True]
    assert len(samples) / RATE == pytest.approx(5.5, abs=0.15)


@pytest.mark.parametrize("jump", [-30.0, 40_000.0], ids=["back", "absurdly far"])
def test_a_clock_that_jumps_changes_nothing(tmp_path, jump):
    """Two transport streams, one after the other, with clocks that have nothing in common."""
    first = media(tmp_path / "a.ts", tone(2), start_at=40)
    second = media(tmp_path / "b.ts", tone(2, 880), start_at=40 + jump)
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())

    assert len(heard(both)) / RATE == pytest.approx(4, abs=0.3)


def test_damaged_packets_are_skipped_and_time_goes_on(tmp_path):
    path = media(tmp_path / "x.ts", tone(6))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 188 * 188
    data[middle : middle + 188 * 8] = bytes(188 * 8)
    path.write_bytes(data)

    assert len(heard(path)) / RATE == pytest.approx(6, abs=0.2)


def test_half_a_file_is_heard_to_where_it_ends(tmp_path):
    half = makers.truncated(tmp_path / "half.mp4", makers.SAMPLE, 0.5)

    assert 5 < len(heard(half)) / RATE < 20


def test_no_sound_is_an_error_with_a_sentence(tmp_path):
    with pytest.raises(MediaError, match="no sound"):
        heard(media(tmp_path / "mute.mp4", picture=Picture()))


@pytest.mark.parametrize("from_ms", [1, 8_191, 8_192, 12_345])
def test_going_on_is_exact_to_the_sample(from_ms):
    whole = heard(makers.SAMPLE)

    assert np.array_equal(heard(makers.SAMPLE, from_ms), whole[from_ms * 16 :])


def test_going_on_past_the_end_gives_nothing():
    assert list(audio.blocks(makers.SAMPLE, 10**9)) == []


def test_blocks_are_whole_but_for_the_last():
    sizes = [len(block) for block in audio.blocks(makers.SAMPLE)]

    assert set(sizes[:-1]) == {audio.BLOCK} and 0 < sizes[-1] <= audio.BLOCK


def test_each_sentence_is_one_region():
    regions = spoken(speech.regions(audio.blocks(makers.SAMPLE)))

    assert len(regions) == len(makers.SPOKEN["cues"])
    for (start, end), cue in zip(regions, makers.SPOKEN["cues"], strict=True):
        assert abs(start - cue["start_ms"]) < 400 and abs(end - cue["end_ms"]) < 400


def test_regions_do_not_depend_on_how_the_sound_is_cut():
    whole = heard(makers.SAMPLE)
    pieces = [whole[at : at + 7_777] for at in range(0, len(whole), 7_777)]

    assert spoken(speech.regions(pieces)) == spoken(speech.regions([whole]))


def test_regions_from_a_moment_on_are_the_same_regions():
    regions = spoken(speech.regions(audio.blocks(makers.SAMPLE)))

    for number, (_, end) in enumerate(regions):
        later = spoken(speech.regions(audio.blocks(makers.SAMPLE), from_ms=end))
        assert later == regions[number + 1 :]


def test_nobody_speaks_in_silence_and_in_a_tone():
    for sound in (silence(20), tone(20)):
        regions = list(speech.regions([sound]))
        assert spoken(regions) == [] and regions[-1].end_ms == 20_000


def test_speech_without_a_pause_is_split_and_nothing_is_lost():
    """A detector that hears speech everywhere, a little less of it each 10 s."""

    def detect(block):
        times = np.arange(len(block) // speech.WINDOW) + detect.windows
        detect.windows += len(times)
        return np.where(times % 312 < 3, 0.6, 0.95).astype(np.float32)

    detect.windows = 0
    sound = np.arange(60 * RATE, dtype=np.int64).astype(np.int16)
    regions = [r for r in speech.regions([sound], detect) if len(r.samples)]

    assert np.array_equal(np.concatenate([r.samples for r in regions]), sound)
    assert all(r.end_ms - r.start_ms <= 15_500 for r in regions)
    assert [r.paused for r in regions] == [False] * (len(regions) - 1) + [True]
    assert all(abs(r.end_ms % 9984) < 200 for r in regions[:-1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_an_hour_takes_no_more_memory_than_a_few_minutes(tmp_path):
    """Decoding and finding speech in an hour stays under 250 MB, libraries included."""
    hour = makers.spoken_video(tmp_path / "hour.m4a", 3600, picture=False)

    done = subprocess.run(
        [sys.executable, "-c", LISTEN, str(hour)], cwd=ROOT, capture_output=True, text=True
    )
    regions, last_ms, kilobytes = map(int, done.stdout.split())
    assert regions > 900 and last_ms > 3_590_000
    assert kilobytes < 250_000
