"""A transcript in three grains: words, sentences, utterances. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from videos import wording

ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
CLOSERS = "\"'”’»)]"
PAUSE_MS = 1500  # who is silent for so long has ended a sentence, whatever the engine wrote

Spoken = tuple[int, int, str]
Segment = tuple[int, int, str, list[list[Any]] | None]  # with the words, if its engine hears them


def layers(segments: Sequence[Segment]) -> dict[str, list[Spoken] | None]:
    """Words are None where the engine heard none; a sentence then ends with a segment at best.

    A line that has none among lines that do, as one that was merged, is not left out.
    """
    heard = any(segment[3] for segment in segments)
    words = [word for segment in segments for word in _words(segment)] if heard else []
    tokens = [token for segment in segments for token in _tokens(segment)]
    return {
        "words": [(word[0], word[1], word[2].strip()) for word in words] if words else None,
        "sentences": list(_sentences(tokens)),
        "utterances": [(start_ms, end_ms, text) for start_ms, end_ms, text, _ in segments],
    }


def _words(segment: Segment) -> Sequence[wording.Word]:
    """The segment's own, or those of its text over its time, as a corrected line has them."""
    start_ms, end_ms, text, words = segment
    return words or wording.retimed((), text, start_ms, end_ms)


def _tokens(segment: Segment) -> list[Spoken]:
    """The segment's words with a space in front where one belongs, or itself as one."""
    start_ms, end_ms, text, words = segment
    if not words:
        return [(start_ms, end_ms, f" {text}")]
    # Whisper's words bring their own spaces, and none in scripts that are written without.
    spaced = any(word[2].startswith(" ") for word in words)
    space = "" if spaced or " " not in text.strip() and len(words) > 1 else " "
    return [(word[0], word[1], f"{space}{word[2]}") for word in words]


def _sentences(tokens: Sequence[Spoken]) -> Iterator[Spoken]:
    first = 0
    for at, (_, end_ms, text) in enumerate(tokens, 1):
        last = at == len(tokens)
        if last or _ends(text) or tokens[at][0] - end_ms > PAUSE_MS:
            words = tokens[first:at]
            yield words[0][0], words[-1][1], "".join(word[2] for word in words).strip()
            first = at


def _ends(text: str) -> bool:
    return text.strip().rstrip(CLOSERS).endswith(ENDS)
