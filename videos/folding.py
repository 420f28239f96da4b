"""What somebody looks for in a text, blind to case, accents and typography.

``static/js/find.js`` folds in the same way; ``tests/foldings.json`` holds the cases that both
must pass. Letters are folded one by one, so that a place in the folded text can be traced back
to its letter. Only the accents of Latin, Greek and Cyrillic letters go: the marks of other
scripts are letters of their own (が is not か).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MOST_TERMS = 5
ACCENTS = re.compile("[\u0300-\u036f]")
UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # soft hyphens, joiners and the like
NOT_ASCII = re.compile(r"[^\x00-\x7f]")
SPACES = re.compile(r"\s")
TERM = re.compile(r'"([^"]*)"?|(\S+)')
ALIKE = str.maketrans("‘’ʼ“”„«»‐‑–—", '\'\'\'"""""----')  # noqa: RUF001 - meant so


@lru_cache(maxsize=4096)
def _letter(letter: str) -> str:
    apart = unicodedata.normalize("NFKD", letter).translate(ALIKE)
    bare = UNSEEN.sub("", ACCENTS.sub("", apart))
    folded = "".join(each.lower().upper().lower() for each in bare)  # ẞ, ß and ss
    return unicodedata.normalize("NFC", ACCENTS.sub("", folded))


def fold(text: str) -> str:
    """``Straße`` and ``STRASSE`` become ``strasse``, ``café`` becomes ``cafe``."""
    folded = NOT_ASCII.sub(lambda found: _letter(found[0]), text)
    return SPACES.sub(" ", folded.lower())


def terms(query: str) -> list[str]:
    """The words and ``"quoted phrases"`` of a query, folded, each once, MOST_TERMS at most."""
    said = (phrase or word for phrase, word in TERM.findall(query))
    folded = (" ".join(fold(term).split()) for term in said)
    return list(dict.fromkeys(term for term in folded if term))[:MOST_TERMS]


def holds(text: str, wanted: list[str]) -> bool:
    """Whether a text has all the terms, in any order, also inside words."""
    folded = fold(text)
    return all(term in folded for term in wanted)
