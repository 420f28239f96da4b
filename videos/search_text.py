"""Text as it is searched: blind to case and accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def normalise(text: str) -> str:
    if text.isascii():
        return text.casefold()
    apart = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", bare)


def holds(text: str, words: Iterable[str]) -> bool:
    """Whether each of the words, which are normalised, occurs somewhere in the text."""
    found = normalise(text)
    return all(word in found for word in words)
