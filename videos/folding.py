"""What somebody looks for in a text, blind to case, accents and typography; or not to case.

``static/js/find.js`` folds in the same way; ``tests/foldings.json`` holds the cases that both
must pass. Letters are folded one by one, so that a place in the folded text can be traced back
to its letter. Only the accents of Latin, Greek and Cyrillic letters go: the marks of other
scripts are letters of their own (が is not か).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

ACCENTS = re.compile("[\u0300-\u036f]")
UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # soft hyphens, joiners and the like
NOT_ASCII = re.compile(r"[^\x00-\x7f]")
SPACES = re.compile(r"\s")
TERM = re.compile(r'"([^"]*)"?(\*?)|(\S+)')
QUOTES = str.maketrans("“”„‟«»＂", '"""""""')  # noqa: RUF001 - meant so
ALIKE = str.maketrans("‘’ʼ“”„«»‐‑–—", '\'\'\'"""""----')  # noqa: RUF001 - meant so


@lru_cache(maxsize=4096)
def _letter(letter: str, match_case: bool) -> str:  # noqa: FBT001 - the cache's key
    apart = unicodedata.normalize("NFKD", letter).translate(ALIKE)
    bare = UNSEEN.sub("", ACCENTS.sub("", apart))
    low = (each.lower().upper().lower() for each in bare)  # ẞ, ß and ss
    folded = bare if match_case else "".join(low)
    return unicodedata.normalize("NFC", ACCENTS.sub("", folded))


def fold(text: str, *, match_case: bool = False) -> str:
    """``Straße`` and ``STRASSE`` become ``strasse``, ``café`` becomes ``cafe``."""
    folded = NOT_ASCII.sub(lambda found: _letter(found[0], match_case), text)
    return SPACES.sub(" ", folded if match_case else folded.lower())


def terms(query: str, *, match_case: bool = False) -> list[str]:
    """The words and ``"quoted phrases"`` of a query, folded, each once.

    A phrase is its words with a space between them; ``*`` ends what a word may begin with.
    """
    found = (
        _phrase(fold(phrase, match_case=match_case), star)
        if phrase
        else fold(word, match_case=match_case).strip()
        for phrase, star, word in TERM.findall(query.translate(QUOTES))
    )
    return list(dict.fromkeys(term for term in found if term))


@cache
def _words() -> re.Pattern[str]:
    """Splits a text into a gap, a word, a gap, and so on: what stands at its ends may be empty."""
    # Vowel signs and the like belong to their word; ``\w`` does not know them.
    marks = (each for each in map(chr, range(0x10000)) if unicodedata.category(each)[0] == "M")
    return re.compile(rf"([\w{''.join(marks)}]+)")


def _phrase(folded: str, star: str) -> str:
    """Its words; what holds none, as ``"…"``, is looked for as it is."""
    words = " ".join(_words().split(folded)[1::2])
    return words + star if words else " ".join(folded.split())


def holds(text: str, wanted: list[str], *, match_case: bool = False) -> bool:
    """Whether a text has all the terms (folded as they are), in any order, also inside words.

    Whatever stands between two words of a term, as in ``well-known``, may be any other gap.
    """
    folded = fold(text, match_case=match_case)
    cut = "" if all(map(str.isalnum, wanted)) else _cut(folded)
    return all(term in folded if term.isalnum() else _pattern(term).search(cut) for term in wanted)


def _cut(folded: str) -> str:
    """With a line feed, which folding leaves nowhere, before and behind each word: so patterns
    need no list of all letters for each of their gaps, which would take long to compile.
    """
    return "\n".join(_words().split(folded))


@lru_cache(maxsize=256)
def _pattern(term: str) -> re.Pattern[str]:
    """For a text that is cut."""
    begins = len(term) > 1 and term.endswith("*")
    parts = _words().split(term[:-1] if begins else term)
    inside = range(2, len(parts) - 1, 2)
    cut = "\n".join("[^\n]+" if n in inside else re.escape(part) for n, part in enumerate(parts))
    if not begins:
        return re.compile(cut.strip("\n"))
    return re.compile((r"(?<!\n)" if parts[0] else "") + cut.rstrip("\n"))
