"""Subtitles and documents, read back by others' code; whatever is said, nothing breaks out."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import docx
import opentimelineio as otio
import pysubs2
import pytest
from docx.oxml.ns import qn
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.exports.films import RATES, SPOKEN, clips, film, mixed, range_clip
from videos import exports
from videos.exports import FORMATS, Clip, Line, subtitles
from videos.exports.snippets import COPIES

NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("<>&-=+@\t\r\n\x00\x0b\x1b\x85\u2028\ud800{}\\|*`[]\"';"),
    ),
    max_size=60,
) | st.sampled_from(["-->", "a\n\nb", "1\n\n2", "<b>x</b>", "{\\an8}x", "]]>", "&lt;", "12"])
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def one(text: str, **fields) -> list[Clip]:
    return [Clip(film(), 0, 1000, "before"), Clip(film(), 1000, 2000, text, **fields),
            Clip(film(), 2000, 3000, "after")]  # fmt: skip


def words(text: str) -> str:
    return " ".join(exports.clips.printable(text).split())


# --- subtitles ---


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_subtitles_parse_back_to_the_same_cues(name):
    data = exports.write(name, clips(), title="T").decode()

    cues = pysubs2.SSAFile.from_string(data, format_=name)

    assert [(cue.start, cue.end) for cue in cues] == [(start, end) for start, end, _ in SPOKEN]
    assert "東京" in cues[2].text and "Right." in cues[3].text


@given(NASTY)
@MANY
def test_no_text_breaks_out_of_its_cue(text):
    spoken = 3 if words(text) else 2
    for name in ("srt", "vtt"):
        data = exports.write(name, one(text), title="T").decode()
        blocks = [b for b in data.split("\n\n") if b.strip() and b.strip() != "WEBVTT"]
        assert len(blocks) == spoken
        assert data.count("-->") == spoken
        assert not re.search(r"<[A-Za-z/!?]", data)


def test_webvtt_says_what_was_said():
    data = exports.write("vtt", one("a < b && c > d"), title="T").decode()

    assert "a &lt; b &amp;&amp; c &gt; d" in data


def test_long_hours_keep_their_digits():
    assert subtitles._clock(360_000_000 + 1) == "100:00:00.001"


# --- documents ---


@given(NASTY, NASTY)
@MANY
def test_csv_reads_back_and_holds_no_formula(text, note):
    data = exports.write("csv", one(text, note=note), title="T").decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(data, newline="")))

    assert len(rows) == 4 and all(len(row) == 8 for row in rows)
    said, noted = rows[2][5], rows[2][6]
    for cell in (said, noted):
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))
        assert not cell.startswith(("\t", "\r", "\n"))
    assert said.removeprefix("'") == exports.clips.printable(text).removeprefix("'")


def test_csv_marks_formulas_as_text():
    data = exports.write("csv", one(" =1+1"), title="T").decode("utf-8-sig")

    assert "' =1+1" in data


@given(NASTY, NASTY)
@settings(MANY, max_examples=15)
def test_docx_reads_back(text, title):
    data = exports.write("docx", one(text, note="look here"), title=title)

    found = [p.text for p in docx.Document(io.BytesIO(data)).paragraphs]

    assert found[1:] == [
        "10:00:00:00\tbefore", "\tlook here", f"10:00:01:00\t{words(text)}", "10:00:02:00\tafter",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "leftwards"),
    [("שלום world", True), ("«12 مرحبا»", True), ("Say שלום", False), ("12…", False), ("", False)],
)
def test_docx_lays_hebrew_and_arabic_from_right_to_left(text, leftwards):
    data = exports.write("docx", one(text, note=text), title="T")
    paragraphs = docx.Document(io.BytesIO(data)).paragraphs[2 : 4 if text else 3]

    for paragraph in paragraphs:
        properties = paragraph._p.pPr
        assert leftwards == (properties is not None and len(properties.findall(qn("w:bidi"))) == 1)
        assert [run.font.rtl for run in paragraph.runs][-1] == (leftwards or None)
    code = paragraphs[-1].runs[0]
    assert code.text.endswith("\t") and code.font.rtl is None


def test_documents_name_each_of_several_videos():
    two = [clips()[0], clips("2997df", name="second.mov", id="b")[1]]

    text = exports.write("txt", two, title="T").decode()
    document = docx.Document(io.BytesIO(exports.write("docx", two, title="T")))
    data = json.loads(exports.write("json", two, title="T"))

    assert text.index("riverside") < text.index("second.mov") < text.index("Tom & Anna")
    assert "second.mov" in [p.text for p in document.paragraphs]
    assert [video["drop_frame"] for video in data["videos"]] == [False, True]


def test_subtitles_of_a_cut_come_when_they_are_said_in_it():
    """The second clip is 4 s of the video, from 100 s on: the cut has it at 2 s, after handles."""
    lines = (Line(100_000, 101_000, "one"), Line(103_500, 104_000, "two"))
    cut = [Clip(film(), 50_000, 52_000, "first"), Clip(film(), 100_000, 104_000, lines=lines)]

    for name in ("srt", "vtt"):
        for handles, later in ((0, 0), (25, 1000)):
            data = exports.write(name, cut, title="T", handles=handles, by_record=True).decode()
            cues = [(c.start, c.end) for c in pysubs2.SSAFile.from_string(data, format_=name)]
            assert cues == [
                (later, later + 2000),
                (later * 3 + 2000, later * 3 + 3000),
                (later * 3 + 5500, later * 3 + 6000),
            ]


def test_several_videos_are_never_written_with_their_own_times():
    two = [clips()[2], clips(name="second.mov", id="b")[0]]

    data = exports.write("srt", two, title="T").decode()

    starts = [cue.start for cue in pysubs2.SSAFile.from_string(data, format_="srt")]
    assert starts == sorted(starts) and starts[0] < 50


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_refused_with_a_sentence(name):
    with pytest.raises(ValueError, match="no line"):
        exports.write(name, [], title="T")


# --- editing programs and markers ---


@given(NASTY, NASTY)
@example("half a pair: \ud800", "and \udfff")
@MANY
def test_no_text_breaks_a_timeline(text, title):
    what = one(text, note=text, colour="red")
    for name in ("xmeml", "fcpxml"):
        tree = ET.fromstring(exports.write(name, what, title=title))
        found = {
            each.text or each.get("value") for each in [*tree.iter("comment"), *tree.iter("marker")]
        }
        assert not words(text) or words(text) in found
    assert len(json.loads(exports.write("otio", what, title=title))["tracks"]["children"]) == 2
    assert len(json.loads(exports.write("json", what, title=title))["segments"]) == 3
    edl = exports.write("edl", what, title=title).decode()
    assert len(re.findall(r"^\d{3}  ", edl, re.M)) == 3
    assert all(not line or line[:3].isdigit() or line.startswith(("* ", "TITLE", "FCM"))
               for line in edl.splitlines())  # fmt: skip


@given(NASTY)
@settings(MANY, max_examples=20)
def test_opentimelineio_reads_an_edl_of_any_text(text):
    edl = exports.write("edl", one(text), title="T").decode()

    timeline = otio.adapters.read_from_string(edl, adapter_name="cmx_3600", rate=25)

    assert len(list(timeline.tracks[0].find_clips())) == 3


@given(NASTY)
@MANY
def test_a_marker_is_one_line_of_its_list(text):
    what = one(text)

    resolve = exports.write("markers-resolve", what, title="T").decode()
    assert len(re.findall(r"^ \|C:ResolveColorBlue \|M:[^|]* \|D:25\r$", resolve, re.M)) == 3
    avid = exports.write("markers-avid", what, title="T").decode().split("\r\n")
    assert [len(line.split("\t")) for line in avid] == [6, 6, 6, 1]
    rows = list(csv.reader(io.StringIO(exports.write("markers-csv", what, title="T").decode())))
    assert [row[2:5] for row in rows[1:]] == [
        ["10:00:00:00", "10:00:01:00", "00:00:01:00"],
        ["10:00:01:00", "10:00:02:00", "00:00:01:00"],
        ["10:00:02:00", "10:00:03:00", "00:00:01:00"],
    ]


def test_markers_end_where_the_file_does():
    media = film(duration_ms=20_000, picture_ms=20_000)
    lines = (Line(19_000, 25_000, "one"), Line(26_000, 28_000, "two"))
    what = [Clip(media, each.start_ms, each.end_ms, each.text) for each in lines]

    avid = exports.write("markers-avid", what, title="T").decode().splitlines()
    assert [line.split("\t")[1::3] for line in avid] == [["10:00:19:00", "one"]]
    assert [line.split("\t")[5] for line in avid] == ["25"]


def test_markers_tell_the_note_and_the_colour_and_how_long_they_are():
    lines = (Line(0, 1000, "one"), Line(1000, 3000, "two"))
    what = [Clip(film(), 0, 3000, note="look", colour="orange", lines=lines)]

    resolve = exports.write("markers-resolve", what, title="T").decode()
    assert " |C:ResolveColorSand |M:look: one |D:25\r\n" in resolve
    assert " |C:ResolveColorSand |M:two |D:50\r\n" in resolve
    avid = exports.write("markers-avid", what, title="T").decode().splitlines()
    assert avid == [
        "Transcript\t10:00:00:00\tV1\tyellow\tlook: one\t25",
        "Transcript\t10:00:01:00\tV1\tyellow\ttwo\t50",
    ]
    data = exports.write("markers-csv", what, title="T").decode("utf-8-sig")
    first, second = list(csv.reader(io.StringIO(data)))[1:]
    assert (first[0], first[1], first[6]) == ("look", "one", "Orange")
    assert (second[0], second[1], second[6]) == ("", "two", "Orange")


@pytest.mark.parametrize("handles", [0, 12])
@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("markers")])
def test_markers_of_a_cut_lie_where_its_edl_has_the_clip(name, handles):
    edl = exports.write("edl", mixed(), title="T", handles=handles).decode()
    places = [line[7:18] for line in edl.splitlines() if line.startswith("* LOC")]

    found = exports.write(name, mixed(), title="T", handles=handles, by_record=True).decode()

    at = re.findall(r"\d\d:\d\d:\d\d;\d\d", found)
    # A line of markers-resolve names four moments, one of markers-csv three.
    starts = at[:: {"markers-resolve": 4, "markers-avid": 1, "markers-csv": 3}[name]]
    assert len(starts) == 7 and starts[0] == places[0]
    assert [place for place in places if place not in starts] == []


@pytest.mark.parametrize("by_record", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_markers_reach_from_in_to_out_of_their_clips_in_the_edl(rate, by_record):
    edl = exports.write("edl", clips(rate), title="T").decode()
    events = [line.split()[4:] for line in edl.splitlines() if re.match(r"\d{3} ", line)]
    places = [event[2:] if by_record else event[:2] for event in events]

    data = exports.write("markers-csv", clips(rate), title="T", by_record=by_record)
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))[1:]
    assert [row[2:4] for row in rows] == places


@pytest.mark.parametrize("mark", '\\/:*?"<>|\x00\x1f\n')
def test_a_file_has_a_name_that_every_system_takes(mark):
    name = exports.filename("txt", f"a{mark}b")

    assert re.fullmatch(r"a[- ]?b\.txt", name)


@pytest.mark.parametrize("letter", ["a", "é", "語", "🎬"])
def test_no_file_has_a_longer_name_than_file_systems_take(letter):
    for form in FORMATS:
        name = exports.filename(form, letter * 250)
        assert len(f"{name} 1000".encode()) <= 255
        assert name.startswith(letter * 50) and set(name.split(".")[0]) <= {*letter, *" markers"}


# --- words for the clipboard ---


def test_what_is_copied():
    url = "https://desk.example/videos/1/?start=1&end=62"
    clip = range_clip("2997df")
    copied = {kind: make(clip, url) for kind, (_, make) in COPIES.items()}

    assert copied["text"].startswith("So we came down to the river. Tom & Anna said")
    assert copied["timecode"].splitlines()[0] == "00:59:56;12  So we came down to the river."
    assert copied["markdown"].startswith(
        r"[A001\_C002 riverside \& co.mov, 00:59:57;11](<https://desk.example/videos/1/?start=1&end=62>)"
    )
    assert copied["srt"].startswith("1\n00:00:00,000 --> 00:00:01,980\nSo we came")
    assert copied["ffmpeg"] == (
        "ffmpeg -ss 1 -to 62 -i 'A001_C002 riverside & co.mov' -c copy"
        " 'A001_C002 riverside & co 0.01.mov'"
    )


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("-y.mp4", "file:-y.mp4"),
        ("http://x/a.mp4", "file:http://x/a.mp4"),
        ("a'; rm -rf $HOME.mp4", "'a'\"'\"'; rm -rf $HOME.mp4'"),
        ("a\nb.mp4", "'a b.mp4'"),
    ],
)
def test_a_file_name_is_nothing_but_a_name_to_a_shell_and_to_ffmpeg(name, argument):
    command = COPIES["ffmpeg"][1](Clip(film(name=name), 0, 1000), "")

    assert f"-i {argument} -c copy" in command
