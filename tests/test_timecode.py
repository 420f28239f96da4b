from __future__ import annotations

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
