from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos import timecode


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90", 90_000),
        ("0", 0),
        ("1:30", 90_000),
        ("00:01:30", 90_000),
        ("1:30.5", 90_500),
        ("1:30,5", 90_500),
        ("280.94", 280_940),
        (" 2:00 ", 120_000),
        ("10:00:00", 36_000_000),
        ("75:00", 4_500_000),
        ("0.0004", 0),
        ("59.9996", 60_000),
    ],
)
def test_a_time_is_read_as_editors_write_it(text, ms):
    assert timecode.parse_clock(text) == ms


@pytest.mark.parametrize(
    "text",
    ["", "abc", "-5", "1:60", "1:60:00", "1::2", "NaN", "inf", "1e309", "1e3", "٣", "1:2:3:4",
     "9" * 3000, "0x10", "1.2.3", ":30", "1:", "999999999", "1\0"],
)  # fmt: skip
def test_what_is_not_a_time_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        timecode.parse_clock(text)


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0:00"), (59_999, "0:59"), (280_940, "4:40"), (3_600_000, "1:00:00"),
     (36_061_999, "10:01:01")],
)  # fmt: skip
def test_a_clock_never_shows_a_second_that_has_not_come(ms, text):
    assert timecode.clock(ms) == text


@given(st.integers(0, timecode.MAX_MS))
def test_seconds_in_a_url_lead_back_to_the_same_millisecond(ms):
    assert timecode.parse_clock(timecode.ms_to_seconds(ms)) == ms


@given(st.integers(0, timecode.MAX_MS))
def test_a_clock_with_tenths_leads_back_to_the_same_tenth(ms):
    assert timecode.parse_clock(timecode.clock(ms, tenths=True)) == ms // 100 * 100


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (40, "40 s"), (360, "6 min"), (7800, "2 h 10 min")]
)
def test_a_wait_is_said_roughly(seconds, text):
    assert timecode.spoken(seconds) == text


# --- SMPTE timecode: the table is the browser's as well (tests/browser/test_time.py) ---

CASES = json.loads((Path(__file__).parent / "timecodes.json").read_text())


def base_of(case) -> timecode.Timebase:
    return timecode.Timebase(Fraction(*case["rate"]), case["drop"])


@pytest.mark.parametrize("case", CASES["names"], ids=lambda case: case["name"])
def test_a_frame_has_its_name_and_a_name_its_frame(case):
    assert timecode.timecode(case["frame"], base_of(case)) == case["name"]
    assert timecode.parse_timecode(case["name"], base_of(case)) == case["frame"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_a_name_that_no_frame_has_is_refused(case):
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        timecode.parse_timecode(case["name"], base_of(case))


@pytest.mark.parametrize("case", CASES["frames"], ids=str)
def test_a_moment_lies_in_its_frame(case):
    assert timecode.frame_at(case["ms"], Fraction(*case["rate"])) == case["frame"]


@pytest.mark.parametrize("case", CASES["seeks"], ids=str)
def test_a_player_is_sent_a_hair_behind_the_start_of_a_frame(case):
    assert timecode.seek_us(case["ms"], Fraction(*case["rate"])) == case["us"]


@pytest.mark.parametrize(("ms", "text"), [(0, "#t=0"), (90_500, "#t=90.5"), (83, "#t=0.083427")])
def test_a_fragment_opens_a_player_on_the_frame_that_begins_there(ms, text):
    assert timecode.fragment(ms, Fraction(24000, 1001)) == text


@pytest.mark.parametrize("case", CASES["sources"], ids=lambda case: case["source"])
def test_source_timecode_counts_from_the_files_own_start(case):
    base = timecode.timebase(Fraction(*case["rate"]), case["start"])
    assert timecode.running(case["ms"], base) == case["running"]
    assert timecode.source(case["ms"], base) == case["source"]


@pytest.mark.parametrize("case", CASES["moments"], ids=lambda case: case["text"])
def test_a_moment_is_read_as_editors_type_it(case):
    base = timecode.timebase(Fraction(*case["rate"]), case["start"])
    known = {"length_ms": case.get("length", 0), "is_running": case.get("running", False)}
    assert timecode.parse_moment(case["text"], base, now_ms=case["now"], **known) == case["ms"]


@pytest.mark.parametrize("text", CASES["no_moments"])
def test_what_is_no_moment_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        timecode.parse_moment(text, timecode.timebase(Fraction(25)))


RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(50)]


@given(
    rate=st.sampled_from([*RATES, Fraction(60000, 1001), Fraction(120000, 1001)]),
    frame=st.integers(0, 23 * 3600 * 24),
    drop=st.booleans(),
)
def test_every_frame_has_a_name_of_its_own_and_a_start_that_lies_in_it(rate, frame, drop):
    base = timecode.Timebase(rate, drop and timecode.can_drop(rate))
    name = timecode.timecode(frame, base)

    assert timecode.parse_timecode(name, base) == frame
    assert timecode.timecode(frame + 1, base) > name
    assert timecode.frame_at(timecode.frame_ms(frame, rate), rate) == frame
    assert frame <= Fraction(timecode.seek_us(timecode.frame_ms(frame, rate), rate), 10**6) * rate
    assert timecode.seek_us(timecode.frame_ms(frame, rate), rate) * rate < (frame + 1) * 10**6


@given(st.integers(0, 24 * 3600 * 30))
def test_drop_frame_names_keep_up_with_the_clock(frame):
    base = timecode.Timebase(Fraction(30000, 1001), drop=True)
    hours, minutes, seconds, frames = map(int, re.split("[:;]", timecode.timecode(frame, base)))
    named = (hours * 60 + minutes) * 60 + seconds + frames / 29.97
    assert abs(named - float((frame % base.day) / base.rate)) < 0.15
