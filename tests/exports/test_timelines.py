"""What OpenTimelineIO reads from our timelines: the same frames of the same files, in order."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from functools import cache

import opentimelineio as otio
import pytest

from tests.exports.films import RATES, clips, film, mixed, range_clip
from videos import exports
from videos.exports import Clip
from videos.exports.laying import lay
from videos.timecode import Timebase, frame_ms, parse_timecode, timecode

HANDLES = 12
PERFORATED = Fraction(30000, 1001)


@cache
def expected(rate: str) -> list[tuple[int, int]]:
    """First frame, counted as the source does, and length: by hand from the times."""
    media = film(rate)
    times = [frame_ms(f, media.base.rate) for f in range(media.frames + 1)]
    found = []
    for clip in clips(rate):
        frames = range(media.frames)
        inside = [f for f in frames if times[f + 1] > clip.start_ms]
        first = max(0, inside[0] - HANDLES)
        ends = [f for f in frames if times[f] >= clip.end_ms]
        last = min(media.frames, (ends[0] if ends else media.frames) + HANDLES)
        found.append((media.base.start + first, last - first))
    return found


def read(name: str, film_rate: str, adapter: str, what=None, **options) -> otio.schema.Timeline:
    data = exports.write(name, what or clips(film_rate), title="Riverside & <co>", handles=HANDLES)
    found = otio.adapters.read_from_string(data.decode(), adapter_name=adapter, **options)
    if isinstance(found, otio.schema.SerializableCollection):
        found = next(iter(found.find_children(descended_from_type=otio.schema.Timeline)))
    return found


def pieces(timeline: otio.schema.Timeline, kind: str = "Video") -> list[otio.schema.Clip]:
    tracks = [track for track in timeline.tracks if track.kind == kind]
    return list(tracks[0].find_clips())


def frames(timeline: otio.schema.Timeline, kind: str = "Video") -> list[tuple[int, int]]:
    spans = [piece.source_range for piece in pieces(timeline, kind)]
    return [(round(span.start_time.value), round(span.duration.value)) for span in spans]


@pytest.mark.parametrize("kind", ["Video", "Audio"])
@pytest.mark.parametrize("rate", RATES)
def test_an_edl_parses_back_to_the_same_frames(rate, kind):
    number = float(film(rate).base.rate)

    timeline = read("edl", rate, "cmx_3600", rate=number)

    day = film(rate).base.day
    assert frames(timeline, kind) == [(first % day, length) for first, length in expected(rate)]


@pytest.mark.parametrize("kind", ["Video", "Audio"])
@pytest.mark.parametrize("rate", RATES)
def test_opentimelineio_parses_back_to_the_same_frames(rate, kind):
    timeline = read("otio", rate, "otio_json")

    assert frames(timeline, kind) == expected(rate)
    start = timeline.global_start_time
    assert start.value == parse_timecode("01:00:00:00", film(rate).base)
    assert pieces(timeline)[0].media_reference.target_url.endswith(
        "A001_C002%20riverside%20%26%20co.mov"
    )


@pytest.mark.parametrize("kind", ["Video", "Audio"])
@pytest.mark.parametrize("rate", RATES)
def test_xmeml_parses_back_to_the_same_frames(rate, kind):
    timeline = read("xmeml", rate, "fcp_xml")

    # In and out count from 0; the reader adds the start timecode that stands beside the file.
    assert frames(timeline, kind) == expected(rate)


@pytest.mark.parametrize("rate", RATES)
def test_fcpxml_parses_back_to_the_same_frames(rate):
    base = film(rate).base
    tree = ET.fromstring(exports.write("fcpxml", clips(rate), title="T", handles=HANDLES))

    def count(element, name: str) -> int:
        frames = Fraction(element.get(name).removesuffix("s")) * base.rate
        assert frames.denominator == 1  # Final Cut refuses what is no whole frame
        return int(frames)

    found = [(count(each, "start"), count(each, "duration")) for each in tree.iter("asset-clip")]
    assert found == expected(rate)
    asset, sequence = next(tree.iter("asset")), next(tree.iter("sequence"))
    assert count(asset, "start") == base.start
    assert {each.get("tcFormat") for each in tree.iter("asset-clip")} == {sequence.get("tcFormat")}
    at = count(sequence, "tcStart")
    for each in tree.iter("asset-clip"):
        assert count(each, "offset") == at
        at += count(each, "duration")


@pytest.mark.parametrize("rate", RATES)
def test_fcpxml_is_read_by_opentimelineio_in_the_same_order(rate):
    """Its frames are counted above: the adapter takes 29.97 for 29 and rounds 36001.52 s down."""
    timeline = read("fcpxml", rate, "fcpx_xml")

    texts = [marker.name for piece in pieces(timeline) for marker in piece.markers]
    assert texts == [" ".join(clip.text.split()) for clip in clips(rate)]


@pytest.mark.parametrize(
    ("rate", "timebase", "ntsc", "display", "duration"),
    [
        ("25", "25", "FALSE", "NDF", "1/25s"),
        ("23976", "24", "TRUE", "NDF", "1001/24000s"),
        ("2997df", "30", "TRUE", "DF", "1001/30000s"),
        ("2997ndf", "30", "TRUE", "NDF", "1001/30000s"),
        ("5994df", "60", "TRUE", "DF", "1001/60000s"),
    ],
)
def test_rates_are_named_as_each_program_has_it(rate, timebase, ntsc, display, duration):
    tree = ET.fromstring(exports.write("xmeml", clips(rate), title="T"))
    assert {each.text for each in tree.iter("timebase")} == {timebase}
    assert {each.text for each in tree.iter("ntsc")} == {ntsc}
    assert {each.text for each in tree.iter("displayformat")} == {display}

    tree = ET.fromstring(exports.write("fcpxml", clips(rate), title="T"))
    assert {each.get("frameDuration") for each in tree.iter("format")} == {duration}


@pytest.mark.parametrize("rate", RATES)
def test_the_record_side_begins_at_one_hour_and_has_no_hole(rate):
    base = film(rate).base
    text = exports.write("edl", clips(rate), title="T").decode()

    places = [event[-4:] for event in events(text.encode())]

    drops = "FCM: DROP FRAME" if base.drop else "FCM: NON-DROP FRAME"
    assert text.splitlines()[:2] == ["TITLE: T", drops]
    assert places[0][2] == ("01:00:00;00" if base.drop else "01:00:00:00")
    assert [place[3] for place in places[:-1]] == [place[2] for place in places[1:]]


def test_handles_stop_at_both_ends_of_the_video():
    whole = [replace(clips()[0], start_ms=0, end_ms=601_500)]

    for handles in (0, 12, 1000):
        [edit] = lay(exports.Cut("", whole, handles)).edits
        assert (edit.first, edit.last) == (0, film().frames)


def test_sound_that_goes_on_behind_the_picture_adds_no_frames():
    a_bit, long = film(picture_ms=601_440), film(picture_ms=500_000)

    for media, frames in ((film(), 15_037), (a_bit, 15_036), (long, 15_037)):
        [edit] = lay(exports.Cut("", [Clip(media, 0, 601_500)], handles=12)).edits
        assert edit.last == frames


def test_a_line_beyond_the_end_of_its_video_is_one_frame_of_it():
    [edit] = lay(exports.Cut("", [Clip(film(), 700_000, 800_000, "late")])).edits

    assert (edit.first, edit.last) == (film().frames - 1, film().frames)


def test_a_clip_of_another_rate_keeps_its_own_frames_and_the_file_says_so():
    two = [clips("25")[0], clips("2997df", name="b.mov", id="b")[1], clips("25")[2]]
    sequence = lay(exports.Cut("", two))
    film_edit = sequence.edits[1]

    assert (film_edit.last - film_edit.first) * 25 / PERFORATED == pytest.approx(
        film_edit.until - film_edit.at, abs=0.5
    )
    for name in ("edl", "xmeml", "fcpxml", "otio"):
        text = exports.write(name, two, title="T").decode()
        assert "several frame rates (25, 29.97)" in text
    assert (
        '<conform-rate scaleEnabled="0" srcFrameRate="29.97"/>'
        in exports.write("fcpxml", two, title="T").decode()
    )
    timeline = read("otio", "", "otio_json", two)
    rates = [piece.source_range.start_time.rate for piece in pieces(timeline)]
    assert rates == pytest.approx([25, 29.97, 25], abs=0.001)


def test_one_clip_carries_its_lines_as_markers():
    base = film("2997df").base
    clip = range_clip("2997df")

    for name, adapter in (("otio", "otio_json"), ("xmeml", "fcp_xml")):
        [piece] = pieces(read(name, "", adapter, [clip]))
        assert len(piece.markers) == 3
    tree = ET.fromstring(exports.write("fcpxml", [clip], title="T"))
    assert [each.get("value") for each in tree.iter("marker")][0] == "So we came down to the river."
    assert next(tree.iter("note")).text == "The river"
    text = exports.write("edl", [clip], title="T").decode()
    # The first line begins before the clip: its marker is at the clip's first frame.
    assert [line[:18] for line in text.splitlines() if line.startswith("* LOC")] == [
        f"* LOC: {timecode(parse_timecode('01:00:00;00', base) + n, base)}"
        for n in (0, 59 - 29, 1800 - 29)
    ]


def events(data: bytes) -> list[list[str]]:
    return [line.split() for line in data.decode().splitlines() if line[:3].isdigit()]


def test_a_picture_decides_how_the_sequence_counts_and_sound_follows_it():
    """The recorder began at 01:00:00:00 of 23.976: 3603.6 s after midnight."""
    sound = film(
        has_picture=False,
        width=0,
        base=Timebase(Fraction(25), start=90_090),
        sound_start_ms=3_603_600,
    )
    cut = [Clip(sound, 0, 2002, "wild"), clips("23976")[0]]
    sequence = lay(exports.Cut("", cut))

    assert sequence.base.rate == Fraction(24000, 1001) and not sequence.warning
    first, second = events(exports.write("edl", cut, title="T"))
    assert first[4:] == ["01:00:00:00", "01:00:02:00", "01:00:00:00", "01:00:02:00"]
    assert second[4] == "01:02:03:04"
    # A sequence of sound alone counts as such a file does everywhere else.
    assert events(exports.write("edl", cut[:1], title="T"))[0][4] == "01:00:03:15"


def test_an_edl_says_where_the_counting_changes():
    what = [clips(rate)[0] for rate in ("2997df", "2997ndf", "2997ndf", "2997df")]
    text = exports.write("edl", what, title="T").decode()

    said = [line for line in text.splitlines() if line.startswith("FCM") or line[:3].isdigit()]
    assert [line[:9] for line in said] == [
        "FCM: DROP", "001  A001", "FCM: NON-", "002  A001", "003  A001", "FCM: DROP", "004  A001",
    ]  # fmt: skip
    for name in ("edl", "xmeml", "fcpxml", "otio"):
        found = exports.write(name, what, title="T").decode()
        assert "this sequence is drop-frame" in found
        assert "this sequence is" not in exports.write(name, what[:1], title="T").decode()


def test_a_varying_frame_rate_is_told_in_every_timeline():
    what = [Clip(film(varies=True), 0, 1000, "x")]

    for name in ("edl", "xmeml", "fcpxml", "otio"):
        assert "timecodes are approximate" in exports.write(name, what, title="T").decode()


def test_the_mixed_bin_parses_back_to_the_same_frames():
    sequence = lay(exports.Cut("", mixed(), HANDLES))
    spans = [(e.media.base.start + e.first, e.last - e.first) for e in sequence.edits]
    pictures = spans[1:]
    sounds = [*spans[:3], spans[4]]

    for name, adapter in (("otio", "otio_json"), ("xmeml", "fcp_xml")):
        timeline = read(name, "", adapter, mixed())
        kinds = {kind: pieces(timeline, kind) for kind in ("Video", "Audio")}
        assert [p.source_range.start_time.value for p in kinds["Video"]] == [s for s, _ in pictures]
        assert [p.source_range.duration.value for p in kinds["Audio"]] == [n for _, n in sounds]
    urls = {p.media_reference.target_url for p in kinds["Video"] if p.media_reference}
    assert "file://localhost/Gr%C3%B6%C3%9Fe%20%E6%9D%B1%E4%BA%AC%20%231.mov" in urls


def test_each_channel_of_sound_is_a_track_and_all_are_linked():
    tree = ET.fromstring(exports.write("xmeml", mixed(), title="T", handles=HANDLES))

    tracks = tree.findall("sequence/media/audio/track")
    assert [len(track) for track in tracks] == [4, 4, 1, 1]
    for number, track in enumerate(tracks, 1):
        assert {each.findtext("sourcetrack/trackindex") for each in track} == {str(number)}
    four = tracks[3][0]
    assert len(four.findall("link")) == 5  # the picture and four of sound
    known = {each.get("id") for each in tree.iter("clipitem")}
    assert {each.text for each in tree.iter("linkclipref")} <= known
    counts = {each.findtext("name"): each.findtext("media/audio/channelcount")
              for each in tree.iter("file") if each.findtext("name")}  # fmt: skip
    assert counts["CLIP0002.mov"] == "4" and counts["CLIP0002 (1).mov"] is None
    fcpxml = ET.fromstring(exports.write("fcpxml", mixed(), title="T"))
    sounds = [each.get("audioChannels") for each in fcpxml.iter("asset")]
    assert sounds == ["2", "2", "4", None, "2"]
    channels = [event[2] for event in events(exports.write("edl", mixed(), title="T"))]
    assert channels == ["AA", "AA/V", "AA/V", "V", "AA/V"]


@pytest.mark.parametrize(("clips_of_it", "tracks"), [(1, 8), (2001, 2)])
def test_tracks_of_sound_have_a_limit(clips_of_it, tracks):
    poly = film(channels=24)
    what = [Clip(poly, n * 100, n * 100 + 100, "x") for n in range(clips_of_it)]

    tree = ET.fromstring(exports.write("xmeml", what, title="T"))

    assert len(tree.findall("sequence/media/audio/track")) == tracks
    assert tree.findtext(".//file/media/audio/channelcount") == "24"


def test_notes_and_colours_go_along():
    what = mixed()
    edl = exports.write("edl", what, title="T").decode()
    assert "GREEN   So we came down" in edl and "YELLOW  hands, nobody speaks" in edl
    assert "MAGENTA kept words" in edl and "* COMMENT: all of it" not in edl
    tree = ET.fromstring(exports.write("xmeml", what, title="T"))
    noted = [each for each in tree.iter("clipitem") if each.find("comments") is not None]
    assert (
        {each.findtext("comments/mastercomment1") for each in noted}
        == {each.findtext("logginginfo/lognote") for each in noted}
        == {"wild track", "The river", "hands, nobody speaks"}
    )


def test_the_reel_that_a_file_names_is_its_reel_everywhere():
    """Two files of one card share it; two whose eight signs are alike do not."""
    what = [
        Clip(film(name=f"{n}.mov", id=str(n), reel=reel), 0, 1000, "x")
        for n, reel in enumerate(["A003C001_2403", "A003C001_2403", "A003C001_9999", ""])
    ]

    reels = [event[1] for event in events(exports.write("edl", what, title="T"))]
    assert reels == ["A003C001", "A003C001", "A0030003", "3"]
    names = [each.text for each in ET.fromstring(exports.write("xmeml", what, title="T")).iterfind(
        ".//file/timecode/reel/name")]  # fmt: skip
    assert names == ["A003C001_2403", "A003C001_2403", "A003C001_9999"]
    found = ET.fromstring(exports.write("fcpxml", what, title="T")).iterfind(".//asset/metadata/md")
    assert [md.get("value") for md in found] == names
    timeline = read("otio", "", "otio_json", what)
    assert [p.metadata.get("cmx_3600", {}).get("reel") for p in pieces(timeline)] == [*names, None]


def test_beyond_999_events_an_edl_says_so_and_still_counts():
    what = [Clip(film(), n * 100, n * 100 + 100, "x") for n in range(1000)]
    text = exports.write("edl", what, title="T").decode()

    assert "* 1000 events: some programs read no number beyond 999." in text
    assert len(list(otio.adapters.read_from_string(
        text, adapter_name="cmx_3600", rate=25).tracks[0].find_clips())) == 1000  # fmt: skip
    assert "some programs" not in exports.write("edl", what[:999], title="T").decode()


def test_reels_are_eight_letters_and_each_its_own():
    names = ["A001_C002.mov", "a001-c002.mp4", "東京.mov", "AX.mov", "an interview with Jane.mov",
             "CLIP0007.mov", "CLIP0007 (1).mov"]  # fmt: skip
    media = [film(name=name, id=name) for name in names]
    text = exports.write("edl", [Clip(m, 0, 1000, "x") for m in media], title="T").decode()

    reels = [line[5:13].strip() for line in text.splitlines() if line[:3].isdigit()]

    assert reels == ["A001C002", "A0010002", "0003", "AX0004", "ANINTERV"] + [
        "CLIP0007", "CLIP0008",
    ]  # fmt: skip
    for name in names:
        assert f"* FROM CLIP NAME: {name}" in text
        assert f"* SOURCE FILE: {name}" in text


def test_sound_alone_and_picture_alone_have_one_track():
    sound, picture = clips(has_picture=False, width=0, height=0), clips(has_sound=False)

    for what, kind, channel in ((sound, "Audio", "A"), (picture, "Video", "V")):
        timeline = read("otio", "", "otio_json", what)
        assert [track.kind for track in timeline.tracks] == [kind]
        assert len(pieces(timeline, kind)[0].markers) == 1
        assert f"A001C002 {channel}     C" in exports.write("edl", what, title="T").decode()
        assert len(pieces(read("xmeml", "", "fcp_xml", what), kind)) == 4
        ET.fromstring(exports.write("fcpxml", what, title="T"))
