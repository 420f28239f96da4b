from __future__ import annotations

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from videos.comparing import Line, Piece, Stretch, align, differences, same, words

texts = st.sampled_from(["yes", "no, never", "the river", "He stands at 12.5", "–", ""])
cues = st.lists(st.tuples(st.integers(0, 200_000), st.integers(1, 9000), texts), max_size=40).map(
    lambda found: sorted(Line(start, start + length, text) for start, length, text in found)
)


def talk(count: int, seed: int, *, shift: int = 0) -> list[Line]:
    """Lines end to end whose cuts lie elsewhere for each seed."""
    dice = random.Random(seed)
    at, found = shift, []
    for number in range(count):
        length = dice.randrange(1500, 5000)
        found.append(Line(at, at + length, f"word{number} and a few others {dice.random()}"))
        at += length
    return found


@settings(deadline=None)
@given(cues, cues)
def test_each_line_is_in_one_stretch_in_its_order(a, b):
    stretches = align(a, b)

    assert [n for s in stretches for n in range(s.a0, s.a1)] == list(range(len(a)))
    assert [n for s in stretches for n in range(s.b0, s.b1)] == list(range(len(b)))
    assert all((s.a0, s.b0) != (s.a1, s.b1) for s in stretches)


@settings(deadline=None)
@given(cues, cues)
def test_it_does_not_matter_which_transcript_comes_first(a, b):
    turned = [Stretch(s.b0, s.b1, s.a0, s.a1) for s in align(b, a)]

    assert align(a, b) == turned


@settings(deadline=None)
@given(cues)
def test_a_transcript_does_not_differ_from_itself(a):
    assert all((s.a0, s.a1) == (s.b0, s.b1) for s in align(a, a))
    assert all(same(a[s.a0 : s.a1], a[s.b0 : s.b1], strict=True) for s in align(a, a))


@settings(deadline=None)
@given(cues, cues)
def test_the_pieces_of_a_side_are_its_words(a, b):
    left, right = differences(a, b)

    assert " ".join(piece.text for piece in left).split() == words(a)
    assert " ".join(piece.text for piece in right).split() == words(b)


def test_lines_are_matched_by_time_and_not_by_number():
    a = [Line(0, 2000, "one"), Line(2000, 4000, "two"), Line(6000, 8000, "three")]
    b = [Line(100, 3900, "one two"), Line(5900, 8000, "free")]

    assert align(a, b) == [Stretch(0, 2, 0, 1), Stretch(2, 3, 1, 2)]
    assert same(a[:2], b[:1])
    assert not same(a[2:], b[1:])


def test_what_only_one_engine_heard_stands_alone():
    a = [Line(0, 1000, "yes"), Line(9000, 9500, "hm"), Line(20_000, 21_000, "no")]

    assert align(a, [a[0], a[2]])[1] == Stretch(1, 2, 1, 1)


def test_cuts_that_never_agree_still_end_a_stretch():
    stretches = align(talk(300, 1), talk(300, 2, shift=700))

    assert len(stretches) > 30
    assert max(s.a1 - s.a0 for s in stretches) < 25


def test_punctuation_and_capitals_differ_only_when_asked():
    a, b = [Line(0, 1, "Well – no, never!")], [Line(0, 1, "well no never")]

    assert same(a, b) and not same(a, b, strict=True)
    assert not any(piece.differs for side in differences(a, b) for piece in side)


def test_a_script_without_spaces_is_compared_by_characters():
    a, b = [Line(0, 1, "저는 학생입니다")], [Line(0, 1, "저는 선생입니다")]
    assert [piece.text for piece in differences(a, b)[1]] == ["저는", "선생입니다"]
    a, b = [Line(0, 1, "你好世界")], [Line(0, 1, "你好视界")]

    assert [piece.text for piece in differences(a, b)[1]] == ["你好", "视", "界"]


def test_the_words_that_differ_are_marked():
    a, b = [Line(0, 1, "to the rivver at noon")], [Line(0, 1, "to the river noon")]

    assert differences(a, b) == (
        [Piece("to the", False), Piece("rivver at", True), Piece("noon", False)],
        [Piece("to the", False), Piece("river", True), Piece("noon", False)],
    )


def test_ten_thousand_lines_are_aligned_in_a_moment():
    a, b = talk(10_000, 1), talk(10_000, 2)

    started = time.process_time()
    stretches = align(a, b)
    for s in stretches:
        same(a[s.a0 : s.a1], b[s.b0 : s.b1])

    assert time.process_time() - started < 2  # measured: 0.2


def test_two_transcripts_of_one_moment_are_compared_in_a_moment():
    """Nothing cuts them into stretches: all words of one side meet all of the other."""
    a = [Line(0, 1000, f"one two {n} " * 20) for n in range(2000)]
    b = [Line(0, 1000, f"two one {n} " * 20) for n in range(2000)]
    begun = time.process_time()
    (stretch,) = align(a, b)
    left, _ = differences(a[stretch.a0 : stretch.a1], b[stretch.b0 : stretch.b1])
    assert time.process_time() - begun < 5
    assert [piece.differs for piece in left] == [True, False]  # the last word is the same
