from __future__ import annotations

import pytest

from videos.search_text import holds, normalise


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Größe und Maß", "GROSSE mass"),
        ("Où est le café ?", "ou CAFE"),
        ("the river bank", "bank river"),
        ("ﬁlm", "film"),
        ("が", "か"),  # a voiced sound is a mark on the plain one
        ("東京タワー", "東京"),
        ("anything", ""),
    ],
)
def test_case_accents_and_order_do_not_matter(text, query):
    assert holds(text, normalise(query).split())


def test_every_word_must_occur():
    assert not holds("the river", normalise("river boat").split())
