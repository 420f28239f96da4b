"""static/js/time.js passes the same table as videos/timecode.py, in a real browser."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path

import pytest
from django.conf import settings

from videos import timecode

CASES = json.loads((Path(__file__).parent.parent / "timecodes.json").read_text())

RUN = """async ({ call, cases }) => {
  const time = await import("STATIC/js/time.js");
  const calls = {
    names: (c) => time.timecode(c.frame, c),
    numbers: (c) => time.parseTimecode(c.name, c),
    frames: (c) => time.frameAt(c.ms, c.rate),
    starts: (c) => time.frameMs(c.frame, c.rate),
    seeks: (c) => time.seekUs(c.ms, c.rate),
    running: (c) => time.running(c.ms, time.timebase(c.rate, c.start)),
    sources: (c) => time.source(c.ms, time.timebase(c.rate, c.start)),
    moments: (c) => time.parseMoment(
      c.text, { ...time.timebase(c.rate, c.start), length: c.length }, c.now, c.running),
    clocks: (c) => time.clock(c.ms, c.tenths),
    exacts: (c) => time.exactClock(c.ms),
  };
  return cases.map((c) => {
    try { return calls[call](c); } catch (error) {
      return error instanceof time.NoTime ? `refused: ${error.message}` : `broken: ${error}`;
    }
  });
}""".replace("STATIC/", settings.STATIC_URL)


@pytest.fixture
def run(open_page):
    page = open_page("/login/")
    return lambda call, cases: page.evaluate(RUN, {"call": call, "cases": cases})


def test_the_table_of_timecodes_holds_in_the_browser(run):
    names, frames, sources = CASES["names"], CASES["frames"], CASES["sources"]

    assert run("names", names) == [case["name"] for case in names]
    assert run("numbers", names) == [case["frame"] for case in names]
    assert run("frames", frames) == [case["frame"] for case in frames]
    assert run("seeks", CASES["seeks"]) == [case["us"] for case in CASES["seeks"]]
    assert run("running", sources) == [case["running"] for case in sources]
    assert run("sources", sources) == [case["source"] for case in sources]


def test_the_table_of_moments_holds_in_the_browser(run):
    moments = CASES["moments"]

    assert run("moments", moments) == [case["ms"] for case in moments]


def test_what_is_refused_says_the_same_sentence(run):
    refused = CASES["refused"]
    typed = [{"rate": [25, 1], "start": "", "text": text} for text in CASES["no_moments"]]

    assert run("numbers", refused) == [f"refused: {refusal(case)}" for case in refused]
    assert run("moments", typed) == [f"refused: {no_moment(case['text'])}" for case in typed]


def refusal(case) -> str:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        timecode.parse_timecode(
            case["name"], timecode.Timebase(Fraction(*case["rate"]), case["drop"])
        )
    return str(caught.value)


def no_moment(text: str) -> str:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        timecode.parse_moment(text, timecode.timebase(Fraction(25)))
    return str(caught.value)


def test_both_sides_agree_on_any_frame_of_any_rate(run):
    dice = random.Random(4)  # noqa: S311
    rates = [(24000, 1001), (24, 1), (25, 1), (30000, 1001), (60000, 1001), (16777216, 559241)]
    cases = [
        {"rate": rate, "drop": rate[1] == 1001 and rate[0] % 30000 == 0, "tenths": True}
        | {"ms": dice.randrange(timecode.MAX_MS), "frame": dice.randrange(24 * 3600 * 60)}
        for rate in rates
        for _ in range(500)
    ]
    bases = [timecode.Timebase(Fraction(*case["rate"]), case["drop"]) for case in cases]
    pairs = list(zip(cases, bases, strict=True))

    assert run("frames", cases) == [timecode.frame_at(c["ms"], b.rate) for c, b in pairs]
    assert run("starts", cases) == [timecode.frame_ms(c["frame"], b.rate) for c, b in pairs]
    begins = [case | {"ms": timecode.frame_ms(case["frame"], base.rate)} for case, base in pairs]
    assert run("seeks", begins) == [timecode.seek_us(c["ms"], Fraction(*c["rate"])) for c in begins]
    assert run("names", cases) == [timecode.timecode(c["frame"], b) for c, b in pairs]
    assert run("clocks", cases) == [timecode.clock(c["ms"], tenths=True) for c in cases]
    assert run("exacts", cases) == [timecode.exact_clock(c["ms"]) for c in cases]
