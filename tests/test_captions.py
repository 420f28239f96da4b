"""Caption files: what is read from good ones, and which line of a bad one is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos import captions
from videos.captions import CaptionError
from videos.engines.base import Cue

SRT = """1
00:00:01,000 --> 00:00:02,500
Hello <i>there</i>

2
00:00:03,000 --> 00:00:04,000
second line
of two
"""

VTT = """WEBVTT - a title

STYLE
::cue { background: url(http://example.org/x) }

NOTE 00:00:00.000 --> 00:00:09.000 is not a caption

intro
00:01.000 --> 00:02.500 align:start position:0%
<v Alice>Fish &amp; chips</v>

01:00:03.250 --> 01:00:04.000
<c.yellow>kara<00:00:03.500>oke <00:00:03.700>line</c>
"""


def texts(data: bytes) -> list[str]:
    return [cue.text for cue in captions.read(data)]


def test_srt_is_read_as_plain_text():
    assert captions.read(SRT.encode()) == [
        Cue(1000, 2500, "Hello there"),
        Cue(3000, 4000, "second line of two"),
    ]


def test_webvtt_is_read_without_its_notes_styles_names_and_settings():
    assert captions.read(VTT.encode()) == [
        Cue(1000, 2500, "Fish & chips"),
        Cue(3603250, 3604000, "karaoke line"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        SRT.encode(),
        SRT.encode("utf-8-sig"),
        SRT.encode("utf-16"),
        b"\xfe\xff" + SRT.encode("utf-16-be"),
        SRT.replace("\n", "\r\n").encode(),
        SRT.replace("\n", "\r").encode(),
        SRT.replace("\n\n", "\n").encode(),
    ],
    ids=["utf8", "utf8-bom", "utf16-le", "utf16-be", "crlf", "cr", "no blank lines"],
)
def test_encodings_and_line_ends_make_no_difference(data):
    assert texts(data) == ["Hello there", "second line of two"]


def test_what_is_not_utf8_is_taken_for_latin1():
    assert texts("1\n00:00:01,0 --> 00:00:02,0\ncafé “now”\n".encode("cp1252")) == ["café “now”"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("{\\an8}up there", "up there"),
        ("<font color='red'>red</font> <b>bold</b>", "red bold"),
        ("a < b and 3 > 2", "a < b and 3 > 2"),
        ("&lt;b&gt; stays", "<b> stays"),
        ("I <3 you", "I <3 you"),
        ("hello\n7", "hello 7"),
        ("7", "7"),
        ("see a --> b", "see a --> b"),
        ("<script>alert(1)</script>", "alert(1)"),
    ],
)
def test_markup_is_dropped_and_text_is_kept(text, plain):
    assert texts(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n\n2\n".encode()) == [plain]


def test_overlapping_captions_are_kept_and_sorted():
    data = b"00:05.000 --> 00:09.000\nb\n\n00:01.000 --> 00:06.000\na\n"

    assert texts(b"WEBVTT\n\n" + data) == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no captions"),
        (b"WEBVTT\n\n", "no captions"),
        (b"just a letter\nto you\n", "no captions"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n\n", "no captions"),
        (b"1\n00:00:05,000 --> 00:00:02,000\nx\n", "Line 2: the caption does not end after"),
        (b"1\n00:00:01,000 --> 00:61:02,000\nx\n", "Line 2: there is no such time"),
        (b"1\n00:00:01,000 --> 100:00:02,000\nx\n", "Line 2: there is no such time"),
        (b"1\n00:00:01,000 --> " + b"9" * 3000 + b":00:02,000\nx\n", "Line 2: these are not"),
        (b"1\n-00:00:01,000 --> 00:00:02,000\nx\n", "Line 2: these are not two times"),
        (b"1\n00:00:01,000 --> soon\nx\n", "Line 2: these are not two times"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nx --> y\n", "Line 4: these are not two times"),
        (SRT.encode() + b"\0", "Line 9: this is not a text file"),
        (bytes(range(256)) * 4, "this is not a text file"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n" + b"x" * 10_001, "Line 3: the line is longer"),
        (b"\xff\xfe" + "1\n".encode("utf-16-le") + b"\x00\xd8", "Line 2: this is not UTF-16"),
        (b"x" * 10_000_001, "larger than 10 MB"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(data, sentence):
    with pytest.raises(CaptionError, match=sentence):
        captions.read(data)


def test_more_than_a_hundred_thousand_captions_are_refused():
    line = "00:00:01,000 --> 00:00:02,000\nx\n\n"

    assert len(captions.read((line * 100_000).encode())) == 100_000
    with pytest.raises(CaptionError, match="Line 300001: there are more than 100000"):
        captions.read((line * 100_001).encode())


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
def test_any_bytes_are_read_or_refused(data):
    try:
        cues = captions.read(data)
    except CaptionError:
        return
    assert all(0 <= cue.start_ms < cue.end_ms and cue.text for cue in cues)
