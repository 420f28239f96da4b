"""Caption files: what is read from good ones, and which line of a bad one is named."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_index, make_transcript
from videos import captions
from videos.captions import CaptionError
from videos.engines.base import Cue, Word

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
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("<inaudible> and <Music playing> <Nobody>", "<inaudible> and <Music playing> <Nobody>"),
        ("<c.loud.red>so</c> <v Anna B>she</v> <00:01.500>said <B>it</B><u/>", "so she said it"),
        ("<i>in</i><br>two", "in<br>two"),
        ("{laughs} {\\i1}well{\\i0}", "{laughs} well"),
        ("one\\Ntwo\\hthree C:\\new", "one two three C:\\new"),
        ("before\n\nbehind\n \nand on", "before behind and on"),
        ("in\n\n1984\n\nor so", "in 1984 or so"),
    ],
)
def test_markup_is_dropped_and_text_is_kept(text, plain):
    assert texts(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n\n2\n".encode()) == [plain]


def test_a_number_apart_from_its_times_is_no_text():
    assert texts(b"1\n\n0:0:1,0 --> 0:0:2,0\none\n\n2\n\n0:0:3,0 --> 0:0:4,0\n5\n") == ["one", "5"]


@pytest.mark.parametrize("text", ["\n\n1", "\n1", "\n\n", "\n\nNOTE", "\n-->", "\n\n00:00:01,000"])
@pytest.mark.parametrize("head", ["", "WEBVTT\n\n"])
def test_whatever_stands_in_a_file_is_read_in_a_time_by_its_length(head, text):
    """A number behind a blank line once took a copy of all that comes after it."""
    started = time.process_time()
    with suppress(CaptionError):
        captions.read(f"{head}1\n00:00:01,000 --> 00:00:02,000\nhi\n{text * 100_000}\nx".encode())

    assert time.process_time() - started < 5  # measured: 0.3; it was a minute


@pytest.mark.parametrize("head", ["", "WEBVTT\n\n"])
def test_a_caption_of_no_length_lasts_a_millisecond_as_in_json(head):
    data = f"{head}00:01.500 --> 00:01.500\nHm.\n\n00:02.000 --> 00:02.000\n\n".encode()

    assert captions.read(data) == [Cue(1500, 1501, "Hm.")]


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("data", [b"1\n0:0:1,0 --> 0:0:2,0\n", b"WEBVTT\n\n0:1.0 --> 0:2.0\n"])
def test_digits_at_the_very_end_are_text_also_without_a_line_end(data, end):
    assert texts(data + b"1984" + end.encode()) == ["1984"]
    assert texts(data + b"in\n1984" + end.encode()) == ["in 1984"]


def test_what_stands_behind_a_blank_line_of_webvtt_is_no_caption():
    assert texts(b"WEBVTT\n\n00:01.000 --> 00:02.000\n{a}\n\nb\n\n7\n") == ["{a}"]


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
        (b"1\n00:00:05,000 --> 00:00:02,000\nx\n", "Line 2: the caption ends before it starts"),
        (b"1\n00:00:01,000 --> 00:61:02,000\nx\n", "Line 2: there is no such time"),
        (b"1\n00:00:01,000 --> 100:00:02,000\nx\n", "Line 2: there is no such time"),
        (b"1\n00:00:01,000 --> " + b"9" * 3000 + b":00:02,000\nx\n", "Line 2: these are not"),
        (b"1\n-00:00:01,000 --> 00:00:02,000\nx\n", "Line 2: these are not two times"),
        (b"1\n00:00:01,000 --> soon\nx\n", "Line 2: these are not two times"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nx --> y\n", "Line 4: these are not two times"),
        (SRT.encode() + b"\0", "Line 9: this is not a text file"),
        (bytes(range(256)) * 4, "this is not a text file"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n" + b"x" * 40_001, "Line 3: the line is longer"),
        (SRT.encode() + b"\n0:0:5,0 --> 0:0:6,0\n" + b"w1 w\n" * 4001, "Line 10: it has more than"),
        (b"WEBVTT\n\n0:01.0 --> 0:02.0\n" + b"w1 w\n" * 9000, "Line 3: it has more than 20,000"),
        (b"\xff\xfe" + "1\n".encode("utf-16-le") + b"\x00\xd8", "Line 2: this is not UTF-16"),
        (b"x" * 10_000_001, "larger than 10 MB"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(data, sentence):
    with pytest.raises(CaptionError, match=sentence):
        captions.read(data)


def test_a_caption_of_many_lines_takes_as_much_text_as_a_segment_of_json():
    assert texts(b"00:00:01,0 --> 00:00:02,0\n" + b"w1 w\n" * 4000) == [" ".join(["w1 w"] * 4000)]


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


# --- JSON ---

WHISPER = {
    "text": " Hello there. Second.",
    "language": "en",
    "segments": [
        {
            "id": 0, "seek": 0, "start": 1.0, "end": 2.5, "text": " Hello there.",
            "tokens": [1, 2], "avg_logprob": -0.2, "no_speech_prob": 0.01,
            "words": [
                {"word": " Hello", "start": 1.0, "end": 1.4, "probability": 0.93},
                {"word": " there.", "start": 1.4, "end": 2.5, "probability": 0.12},
            ],
        },
        {"id": 1, "start": 3, "end": 3, "text": " Second.", "words": [{"word": "Second."}]},
        {"id": 2, "start": 4, "end": 5, "text": " "},
    ],
}  # fmt: skip
TWELVE_LABS = {"_id": "x", "index_id": "y", "data": [{"start": 1.0, "end": 2.5, "value": "Hi\n"}]}


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def test_whispers_json_is_read_with_its_words_where_they_are_whole():
    words = (Word(1000, 1400, "Hello", 0.93), Word(1400, 2500, "there.", 0.12))
    cues = [Cue(1000, 2500, "Hello there.", words), Cue(3000, 3001, "Second.")]

    assert captions.read(as_json(WHISPER)) == cues
    assert captions.read(b"\xef\xbb\xbf" + as_json(WHISPER["segments"])) == cues  # as a list


def test_more_words_than_the_text_has_letters_are_not_its_words():
    word = {"word": "Hi", "start": 1.0, "end": 1.1}
    segment = {"start": 1.0, "end": 2.5, "text": "Hi", "words": [word] * 3}
    assert captions.read(as_json([segment])) == [Cue(1000, 2500, "Hi")]


def test_twelve_labs_json_is_read():
    assert captions.read(as_json(TWELVE_LABS)) == [Cue(1000, 2500, "Hi")]
    told = {"transcription": TWELVE_LABS["data"]}
    assert captions.read(as_json(told)) == [Cue(1000, 2500, "Hi")]


@pytest.mark.django_db
def test_our_own_export_comes_back_as_it_went(client):
    video = make_transcript([(0, 1500, "One & two"), (61_250, 62_000, "drei 🎬")], make_index())
    client.force_login(video.index.owner)

    file = client.get(f"/videos/{video.pk}/export/json").getvalue()

    assert captions.read(file) == [Cue(0, 1500, "One & two"), Cue(61_250, 62_000, "drei 🎬")]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"segments": [{"start": 1, "end": 2}]}, "Segment 1: it has no text"),
        ({"segments": [{"start": 1, "end": 2, "text": 5}]}, "Segment 1: it has no text"),
        ({"segments": [{"start": 1, "end": 2, "text": "x" * 20_001}]}, "more than 20,000"),
        ([{"start": "1", "end": 2, "text": "x"}], "Segment 1: its start and end are not times"),
        ([{"start": True, "end": 2, "text": "x"}], "are not times in seconds"),
        ([{"start": -1, "end": 2, "text": "x"}], "are not times in seconds"),
        ([{"start": 1, "end": 360_000, "text": "x"}], "are not times in seconds"),
        ([{"start": 2, "end": 1, "text": "x"}], "Segment 1: it ends before it starts."),
        ([{"text": "x", "start": 0, "end": 1}, 5], "Segment 2: it has no text"),
        ({"segments": "none"}, "There are no captions in this file."),
        ({"data": None}, "There are no captions in this file."),
        ([], "There are no captions in this file."),
        ([{"video": ["x"], "start": 10**400, "end": 1, "text": "x"}], "are not times in seconds"),
        ({"name": "x"}, "There is no list of segments in this JSON."),
        ({"segments": [{"video": v, "start": 0, "end": 1, "text": "x"} for v in "ab"]}, "several"),
    ],
)
def test_json_that_is_no_transcript_is_refused_with_a_sentence(value, sentence):
    with pytest.raises(CaptionError, match=sentence):
        captions.read(as_json(value))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b'{"segments": [\n  oops]}', "Line 2: this is not JSON."),
        (b'[{"start": NaN}]', "This is not JSON that can be read."),
        (b'{"a": ' + b"[" * 100_000, "not JSON"),
        (b'[{"start": 1e999, "end": 1e999, "text": "x"}]', "are not times in seconds"),
        (b"[{" + b'"start": ' + b"9" * 5000 + b"}]", "not JSON"),
    ],
)
def test_json_that_is_broken_is_refused_with_a_sentence(data, sentence):
    with pytest.raises(CaptionError, match=sentence):
        captions.read(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["start", "end", "text", "words", "video"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(value):
    try:
        found = captions.read(as_json({"segments": [value]}))
    except CaptionError as refusal:
        assert str(refusal)
    else:
        assert all(0 <= cue.start_ms < cue.end_ms and cue.text for cue in found)


def test_text_from_json_can_be_stored():
    data = b'[{"start": 0, "end": 1, "text": "a\\ud800\\u0000b\\nc"}]'

    assert captions.read(data) == [Cue(0, 1000, "a? b c")]


def test_a_caption_file_that_begins_with_a_bracket_is_none_of_json():
    assert texts(b"[Music]\n\n" + SRT.encode()) == ["Hello there", "second line of two"]
