from __future__ import annotations

import time
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videos import wording

HELLO = [[0, 400, " hello", 0.9], [500, 900, " big", 0.8], [1000, 1600, " world.", 0.7]]
texts = st.lists(st.sampled_from(["one", "two", "Ana", "12.5", "über"]), min_size=1).map(" ".join)


def spoken(words):
    return "".join(word[2] for word in words).strip()


def test_a_text_is_one_line_that_every_database_takes():
    assert wording.clean("  one\r\ntwo\0\ud800 three ") == "one two ? three"


@pytest.mark.parametrize("name", ["👩\u200d💻", "می\u200cخواهم"])
def test_a_name_keeps_the_joiners_inside_of_it_and_nothing_else_that_is_not_seen(name):
    assert wording.printable(f"\u200d{name}\0\u202e\n \u200c") == name
    assert wording.printable(f"{name}\0{name}", " ") == f"{name} {name}"


def test_words_that_stay_keep_their_times_and_new_ones_take_their_place():
    words = wording.retimed(HELLO, "hello small round world.", 0, 1600)

    assert words[0] == HELLO[0] and words[-1] == HELLO[2]
    assert [word[2] for word in words] == [" hello", " small", " round", " world."]
    assert (words[1][0], words[1][1], words[2][1]) == (500, 700, 900)
    assert words[1][3] is None  # nobody knows how probable an editor's word is


def test_a_word_put_in_lies_between_its_neighbours():
    words = wording.retimed(HELLO, "hello big blue world.", 0, 1600)

    assert words[2] == [900, 1000, " blue", None]


@settings(deadline=None)
@given(texts, texts, st.integers(0, 5000))
def test_retimed_words_say_the_text_in_the_order_of_time(old, new, start):
    end = start + 4000
    words = list(wording._spread([f" {word}" for word in old.split()], start, end))

    found = wording.retimed(words, new, start, end)

    assert spoken(found) == new
    moments = [ms for word in found for ms in word[:2]]
    assert moments == sorted(moments) and start <= moments[0] and moments[-1] <= end


def test_a_script_without_spaces_is_cut_between_characters():
    words = [[0, 500, "你好", 0.9], [500, 900, "世界", 0.9]]

    assert [word[2] for word in wording.retimed(words, "你好地球", 0, 900)] == list("你好地球")
    assert wording.split_moment(words, "你好", "世界", 0, 900) == 500
    assert wording.glued("你好，", "世界") == "你好，世界"


def test_letters_that_stay_in_a_script_without_spaces_keep_their_times():
    words = [[1000, 1600, "今日は", 0.9], [2000, 2400, "良い", 0.4], [2500, 3300, "天気です", 0.8]]

    found = wording.retimed(words, "今日は悪い天気です", 0, 5000)

    assert found == [
        [1000, 1200, "今", 0.9], [1200, 1400, "日", 0.9], [1400, 1600, "は", 0.9],
        [2000, 2200, "悪", None], [2200, 2400, "い", 0.4],
        [2500, 2700, "天", 0.8], [2700, 2900, "気", 0.8],
        [2900, 3100, "で", 0.8], [3100, 3300, "す", 0.8],
    ]  # fmt: skip


def test_korean_is_written_with_spaces():
    assert wording.glued("저는 학생입니다", "만나서") == "저는 학생입니다 만나서"


@pytest.mark.parametrize(
    ("text", "at", "place"),
    [
        ("Please use this", 8, 7),
        ("Please use this", 9, 10),
        ("Please use this", 7, 7),
        ("Please use this", 6, 6),
        ("Please use this", 1, 0),
        ("Please use this", 14, 15),
        ("Please use this", -1, 0),
        ("Please use this", 99, 15),
        ("你好世界", 1, 1),
        ("今日はAI技術", 3, 3),
        ("今日はAI技術", 4, 3),
        ("저는 학생입니다", 5, 3),
        ("", 3, 0),
    ],
)
def test_a_text_is_cut_at_the_nearer_edge_of_a_word(text, at, place):
    assert wording.place_to_cut(text, at) == place


def test_a_split_follows_the_words_times_and_else_the_letters():
    assert wording.split_moment(HELLO, "hello", "big world.", 0, 2000) == 450
    assert wording.split_moment(HELLO, "hello b", "ig world.", 0, 2000) == 875
    assert wording.split_moment([], "abc", "d", 0, 1000) == 750


@settings(deadline=None)
@given(st.text(min_size=1), st.text(min_size=1), st.integers(0, 10**7), st.integers(2, 10**6))
def test_a_split_leaves_two_lines_with_a_length(left, right, start, length):
    assert start < wording.split_moment([], left, right, start, start + length) < start + length


@pytest.mark.parametrize(
    ("new", "first"), [((0, 1700), [0, 400]), ((1000, 1800), [1000, 1200]), ((0, 800), [0, 200])]
)
def test_words_move_with_their_line_only_when_they_must(new, first):
    words = wording.rescaled(HELLO, (0, 1600), new)

    assert words[0][:2] == first and words[-1][1] <= new[1]


@settings(deadline=None)
@given(texts, st.floats(0, 1))
def test_a_text_is_cut_between_words_and_nothing_is_lost(text, share):
    left, right = wording.split_text(text, share)

    assert f"{left} {right}".strip() == text


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("ab漢字"), min_size=1), min_size=1))
def test_words_are_joined_as_they_are_glued_one_by_one(tokens):
    assert wording.joined(tokens) == reduce(wording.glued, tokens)


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefgh")), st.lists(st.sampled_from("abcdefgh")))
def test_past_its_bound_a_comparison_is_coarser_and_as_true(a, b):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wording, "MOST_PAIRS", 4)
        found = list(wording.opcodes(a, b))

    assert all(a[i1:i2] == b[j1:j2] for tag, i1, i2, j1, j2 in found if tag == "equal")
    assert [word for _, i1, i2, _, _ in found for word in a[i1:i2]] == a
    assert [word for _, _, _, j1, j2 in found for word in b[j1:j2]] == b


def test_one_word_between_others_that_all_differ_takes_no_cube_of_time():
    one, two = ([x for n in range(1000) for x in ("x", f"{side}{n}")] for side in "ab")
    begun = time.monotonic()
    list(wording.opcodes(one, two))
    assert time.monotonic() - begun < 1


def test_of_a_long_line_only_what_differs_is_found():
    one = [f"word {n}" for n in range(1000)]
    two = [*one[:300], "new", *one[300:700], "other", *one[701:]]
    found = [part for part in wording.opcodes(one, two) if part[0] != "equal"]
    assert found == [("insert", 300, 300, 300, 301), ("replace", 700, 701, 701, 702)]


def test_any_number_of_words_is_retimed_in_a_moment():
    words = [[n, n + 1, " a", None] for n in range(30_000)]
    begun = time.monotonic()
    assert len(wording.retimed(words, "a b " * 2500, 0, 30_000)) == 5000
    assert time.monotonic() - begun < 2
