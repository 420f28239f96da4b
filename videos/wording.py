"""The words of a line and their times, when its text or its times change. Pure.

A word is ``[start_ms, end_ms, text, probability or None]``; Whisper's texts begin with a space.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate, chain, pairwise
from operator import itemgetter
from typing import Any

Word = list[Any]
Opcode = tuple[str, int, int, int, int]  # as SequenceMatcher has them

# Chinese and Japanese, with their punctuation and wide forms, are written without spaces. Korean,
# whose letters lie between theirs, has spaces; so has Thai, between what is a line here.
_DENSE = re.compile(
    "[\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
# They cannot be seen, but Persian and pictures of several signs fall apart without them.
_JOINERS = "\u200c\u200d"
MOST_PAIRS = 4000  # of words that are compared with each other: sixty a side take two milliseconds


def clean(text: str) -> str:
    """A line is one line: every run of white space is one space. No NUL, no lone surrogate."""
    storable = text.replace("\0", " ").encode("utf-8", "replace").decode()
    return " ".join(storable.split())


def printable(text: str, instead: str = "") -> str:
    """A name without control characters, each of which becomes ``instead``. Joiners stay inside."""
    kept = (letter if letter.isprintable() or letter in _JOINERS else instead for letter in text)
    return "".join(kept).strip(f" {_JOINERS}")


def bare(text: str) -> str:
    """Without white space: what two spellings of the same words have in common."""
    return "".join(text.split())


def is_dense(letter: str) -> bool:
    """Whether the letter's script puts no spaces between words."""
    return _DENSE.match(letter) is not None


def glued(left: str, right: str) -> str:
    """Two texts as one line, with a space between them where the script has spaces."""
    dense = left and right and _is_seamless(left, right)
    return left + right if dense else f"{left} {right}".strip()


def joined(tokens: Sequence[str]) -> str:
    """Words in a row, ``glued``: at least one, none of them empty."""
    seams = ("" if _is_seamless(one, two) else " " for one, two in pairwise(tokens))
    return "".join(chain.from_iterable(zip(tokens, [*seams, ""], strict=True)))


def _is_seamless(left: str, right: str) -> bool:
    return is_dense(left[-1]) and is_dense(right[0])


def place_to_cut(text: str, at: int) -> int:
    """Where to cut a text near ``at``: inside of a word at its nearer edge, since the halves of a
    word would not be one again when they are glued. Scripts without spaces are cut anywhere.
    """
    at = min(max(0, at), len(text))
    before = next(n for n in range(at, -1, -1) if _is_edge(text, n))
    behind = next(n for n in range(at, len(text) + 1) if _is_edge(text, n))
    return before if at - before <= behind - at else behind


def _is_edge(text: str, at: int) -> bool:
    beside = text[max(0, at - 1) : at + 1]
    return len(beside) < 2 or any(each.isspace() or is_dense(each) for each in beside)


def match(words: Sequence[Word], text: str) -> bool:
    return bare("".join(word[2] for word in words)) == bare(text)


def opcodes(a: Sequence[str], b: Sequence[str]) -> Iterator[Opcode]:
    """What ``SequenceMatcher.get_opcodes`` tells, but in bounded time: where words repeat it takes
    the cube of their number. Two "equal" may follow each other.

    Longer texts are cut at the words that each has once, in the order that both have (a patience
    diff); what then lies between two of those and is still too much is one ``replace``.
    """
    if len(a) * len(b) <= MOST_PAIRS:
        yield from SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
        return
    begin = (0, 0)
    for i, j in _anchors(a, b):
        yield from _between_anchors(a, b, begin, (i, j))
        yield "equal", i, i + 1, j, j + 1
        begin = (i + 1, j + 1)
    yield from _between_anchors(a, b, begin, (len(a), len(b)))


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Places of the words that stand once on each side: as many as have one order on both."""
    here, there = Counter(a), Counter(b)
    place = {word: j for j, word in enumerate(b) if there[word] == 1}
    once = ((i, place[word]) for i, word in enumerate(a) if here[word] == 1 and word in place)
    # The longest rising subsequence: tops[n] ends the lowest one of n + 1 places.
    tops: list[tuple[int, int]] = []
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for each in once:
        at = bisect_left(tops, each[1], key=itemgetter(1))
        before[each] = tops[at - 1] if at else None
        tops[at : at + 1] = [each]
    found, last = [], tops[-1] if tops else None
    while last:
        found.append(last)
        last = before[last]
    return found[::-1]


def _between_anchors(
    a: Sequence[str], b: Sequence[str], begin: tuple[int, int], end: tuple[int, int]
) -> Iterator[Opcode]:
    one, two = a[begin[0] : end[0]], b[begin[1] : end[1]]
    found: Iterable[Opcode] = _ends(one, two)
    if len(one) * len(two) <= MOST_PAIRS:
        found = SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
    for tag, i1, i2, j1, j2 in found:
        yield tag, begin[0] + i1, begin[0] + i2, begin[1] + j1, begin[1] + j2


def _ends(a: Sequence[str], b: Sequence[str]) -> Iterator[Opcode]:
    """A common beginning, a common end, and one ``replace`` between them."""
    most = min(len(a), len(b))
    head = next((n for n in range(most) if a[n] != b[n]), most)
    tail = next((n for n in range(most - head) if a[-1 - n] != b[-1 - n]), most - head)
    yield "equal", 0, head, 0, head
    yield "replace", head, len(a) - tail, head, len(b) - tail
    yield "equal", len(a) - tail, len(a), len(b) - tail, len(b)


def retimed(words: Sequence[Word], text: str, start_ms: int, end_ms: int) -> list[Word]:
    """The words of a corrected text: those that stayed keep their times, others share the time
    of the words that they stand for, or what is free between their neighbours.
    """
    if match(words, text):
        return list(words)
    new = text.split()
    if _is_unspaced(words, text):  # the engine cut words of its own, which a correction cuts again
        words, new = _letters(words), list(text)
    old = [bare(word[2]) for word in words]
    space = " " if any(word[2].startswith(" ") for word in words) else ""
    found: list[Word] = []
    for same, i1, i2, j1, j2 in opcodes(old, new):
        if same == "equal":
            found += words[i1:i2]
        else:
            low = words[i1][0] if i1 < i2 else words[i1 - 1][1] if i1 else start_ms
            high = words[i2 - 1][1] if i1 < i2 else words[i1][0] if i1 < len(words) else end_ms
            found += _spread([space + token for token in new[j1:j2]], low, max(low, high))
    return found


def _is_unspaced(words: Sequence[Word], text: str) -> bool:
    unspaced = len(words) > 1 and " " not in text and not any(" " in word[2] for word in words)
    return unspaced and any(map(is_dense, text))


def _letters(words: Sequence[Word]) -> list[Word]:
    """Each letter of them with its share of its word's time, and as probable as that."""
    return [
        [begin, end, letter, word[3]]
        for word in words
        for begin, end, letter, _ in _spread(bare(word[2]), word[0], word[1])
    ]


def _spread(texts: Sequence[str], low: int, high: int) -> Iterator[Word]:
    total, done = sum(map(len, texts)), 0
    for text in texts:
        begin = low + (high - low) * done // total
        done += len(text)
        yield [begin, low + (high - low) * done // total, text, None]


def rescaled(words: Sequence[Word], old: tuple[int, int], new: tuple[int, int]) -> list[Word]:
    """The words of a line whose times changed: as they are while they fit, else in proportion."""
    if all(new[0] <= word[0] and word[1] <= new[1] for word in words):
        return list(words)
    factor = (new[1] - new[0]) / (old[1] - old[0])

    def moved(ms: int) -> int:
        return min(new[1], max(new[0], new[0] + round((ms - old[0]) * factor)))

    return [[moved(word[0]), moved(word[1]), *word[2:]] for word in words]


def split_moment(words: Sequence[Word], left: str, right: str, start_ms: int, end_ms: int) -> int:
    """When the words of ``left`` end and those of ``right`` begin, inside (start_ms, end_ms).

    By the words' own times when they are known and the cut lies between two of them, else in
    proportion to the letters. The line must be two milliseconds long at least.
    """
    if (moment := _between(words, left, right)) is None:
        letters = len(left) / (len(left) + len(right))
        moment = start_ms + round((end_ms - start_ms) * letters)
    return min(end_ms - 1, max(start_ms + 1, moment))


def _between(words: Sequence[Word], left: str, right: str) -> int | None:
    if not match(words, left + right):
        return None
    wanted, length = len(bare(left)), 0
    for word, after in zip(words, words[1:], strict=False):
        length += len(bare(word[2]))
        if length == wanted:
            return int(word[1] + after[0]) // 2
    return None


def split_text(text: str, share: float) -> tuple[str, str]:
    """Cut between two words, as near to ``share`` of the letters as can be."""
    words = text.split()
    ends = list(accumulate(map(len, words), initial=0))
    cut = min(range(len(ends)), key=lambda n: abs(ends[n] - share * ends[-1]))
    return " ".join(words[:cut]), " ".join(words[cut:])
