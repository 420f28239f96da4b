from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from videos.folding import _pattern, fold, holds, terms

CASES = json.loads((Path(__file__).parent / "foldings.json").read_text())


@pytest.mark.parametrize(("text", "other"), CASES["same"])
def test_writings_of_the_same_are_the_same(text, other):
    assert fold(text) == fold(other)


@pytest.mark.parametrize(("text", "other"), CASES["different"])
def test_other_letters_stay_other_letters(text, other):
    assert fold(text) != fold(other)


@pytest.mark.parametrize(("query", "found"), CASES["terms"])
def test_a_query_is_words_and_phrases(query, found):
    assert terms(query) == found


@pytest.mark.parametrize(("query", "text", "part"), CASES["holds"])
def test_a_star_ends_a_beginning_and_a_gap_in_a_phrase_is_any_gap(query, text, part):
    assert holds(text, terms(query)) is (part is not None)


@pytest.mark.parametrize(("query", "text", "part"), CASES["cases"])
def test_case_counts_where_it_is_asked_for(query, text, part):
    wanted = terms(query, match_case=True)
    assert holds(text, wanted, match_case=True) is (part is not None)


@pytest.mark.parametrize("gap", ["-", " , "])
def test_many_gaps_make_no_long_pattern(gap):
    """A list of all letters for each of them took more than a second to compile."""
    term = f"a{gap}" * 99 + "b"

    assert len(_pattern(term).pattern) < 10 * len(term)
    assert holds("a … " * 99 + "bc", [term]) and not holds("a … " * 98 + "bc", [term])


@given(st.text(), st.booleans())
def test_folding_twice_changes_nothing_more(text, match_case):
    once = fold(text, match_case=match_case)
    assert fold(once, match_case=match_case) == once


@given(st.text(), st.text(), st.booleans())
def test_folding_goes_letter_by_letter(one, other, match_case):
    both = fold(one, match_case=match_case) + fold(other, match_case=match_case)
    assert fold(one + other, match_case=match_case) == both


@given(st.text())
def test_any_query_gives_clean_terms_each_once(query):
    found = terms(query)

    assert len(found) == len(set(found))
    assert all(term and term == term.strip() and fold(term) == term for term in found)


@given(st.text(), st.text(min_size=1), st.text())
def test_a_text_holds_what_it_was_made_of(before, middle, after):
    assume(not middle.endswith("*"))
    assert holds(before + middle + after, [fold(middle)])
