"""Words become phrases that can be read at a glance; times stay in order whatever comes in."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from videos.engines import phrases
from videos.engines.base import Word


def spoken(text, start_ms=0, word_ms=300, gap_ms=50):
    """Words one after the other; a "|" is a pause of a second, a "/" one of 0.3 s."""
    words, now = [], start_ms
    for token in text.split():
        if token in "|/":
            now += 1000 if token == "|" else 300
            continue
        words.append(Word(now, now + word_ms, token))
        now += word_ms + gap_ms
    return words


def texts(words, **options):
    return [cue.text for cue in phrases.cues(words, **options)]


def test_a_pause_of_half_a_second_ends_a_phrase():
    assert texts(spoken("call me | please call me | yes")) == ["call me", "please call me", "yes"]


def test_a_short_run_of_words_stays_together():
    assert texts(spoken("this is / one phrase, I think")) == ["this is one phrase, I think"]


def test_a_sentence_ends_a_phrase():
    words = spoken("We came to the house at noon. Nobody was there to let us in.")

    assert texts(words) == ["We came to the house at noon.", "Nobody was there to let us in."]


def test_a_long_phrase_is_split_at_its_best_place_not_where_it_is_full():
    words = spoken(
        "the first part of what is said here goes on for a while / "
        "and the second part of it is not much shorter than that"
    )

    assert texts(words) == [
        "the first part of what is said here goes on for a while",
        "and the second part of it is not much shorter than that",
    ]


def test_a_comma_is_a_better_place_than_none():
    words = spoken(
        "when all the people of the town had gone back to their houses, "
        "nobody was left in the square but the two of us"
    )

    assert texts(words)[0].endswith("houses,")


def test_no_word_is_left_alone_at_the_end():
    for count in range(10, 60):
        cues = phrases.cues(spoken("word " * count))
        assert all(len(cue.words) > 1 for cue in cues), count


def test_a_slow_speaker_is_split_by_time():
    cues = phrases.cues(spoken("so " * 40, word_ms=900, gap_ms=100))

    assert all(cue.end_ms - cue.start_ms <= phrases.LONGEST_MS for cue in cues)


def test_whispers_words_bring_their_own_spaces():
    english = [
        Word(0, 300, " Well,"),
        Word(300, 600, " it"),
        Word(600, 700, "'s"),
        Word(700, 900, " me."),
    ]
    chinese = [Word(0, 300, "你"), Word(300, 600, "好")]

    assert texts(english, joiner="") == ["Well, it's me."]
    assert texts(chinese, joiner="") == ["你好"]
    assert [w.text for w in phrases.cues(english, joiner="")[0].words] == [
        "Well,",
        "it",
        "'s",
        "me.",
    ]


def test_nothing_gives_nothing():
    assert phrases.cues([]) == [] == phrases.cues([Word(0, 10, "  ")])


any_word = st.builds(
    Word,
    start_ms=st.integers(-1000, 60_000),
    end_ms=st.integers(-1000, 60_000),
    text=st.sampled_from(["a", "is", "words,", "end.", " ", "", "x" * 100, "語言"]),
)


@given(st.lists(any_word, max_size=60))
def test_cues_are_always_in_order_apart_and_lose_no_word(words):
    cues = phrases.cues(words)

    assert all(0 <= cue.start_ms < cue.end_ms for cue in cues)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(cues))
    kept = [word.text for cue in cues for word in cue.words]
    assert sorted(kept) == sorted(word.text.strip() for word in words if word.text.strip())
    assert all(cue.text and cue.text == cue.text.strip() for cue in cues)


@given(
    st.lists(
        st.tuples(st.integers(0, 800), st.integers(50, 900), st.sampled_from("ab.,")), max_size=80
    )
)
def test_no_phrase_is_too_long_where_words_allow(steps):
    words, now = [], 0
    for gap, length, end in steps:
        words.append(Word(now + gap, now + gap + length, "word" + end))
        now += gap + length

    for cue in phrases.cues(words):
        assert len(cue.text) <= phrases.WIDEST
        assert cue.end_ms - cue.start_ms <= phrases.LONGEST_MS
