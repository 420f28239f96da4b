"""One pocketsphinx decoder in a process of its own: ``python -m videos.engines.sphinx_decoder``.

Reads utterances from standard input (4 bytes of length, then 16 kHz mono s16) and answers
each with one JSON line of [start_ms, end_ms, word, probability], times within the utterance.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO

import pocketsphinx

from videos.media import guard

FRAME_MS = 10
# Measured best of many on read and free speech; see the README on how rough it stays.
SETTINGS = {"fwdflat": False, "wip": 0.2, "maxhmmpf": 5000, "loglevel": "FATAL"}
NOISE = ("<", "[", "+")


def main(parent: int) -> None:
    """Answer utterances until the pipe ends."""
    guard.die_with(parent)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a C library's chatter must not get between the answers
    decoder = pocketsphinx.Decoder(**SETTINGS)
    while (sound := _read_utterance(sys.stdin.buffer)) is not None:
        answers.write(json.dumps(_words(decoder, sound)) + "\n")


def _read_utterance(pipe: BinaryIO) -> bytes | None:
    head = pipe.read(4)
    return pipe.read(int.from_bytes(head, "big")) if len(head) == 4 else None


def _words(decoder: Any, sound: bytes) -> list[list[Any]]:
    # Forget the utterance before: what is heard must not depend on which decoder was free.
    decoder.reinit_feat()
    decoder.start_utt()
    # The whole utterance at once: its mean is then known before the first frame is scored.
    decoder.process_raw(sound, no_search=False, full_utt=True)
    decoder.end_utt()
    return [
        [s.start_frame * FRAME_MS, (s.end_frame + 1) * FRAME_MS, _plain(s.word), _share(s.prob)]
        for s in decoder.seg() or ()
        if not s.word.startswith(NOISE)
    ]


def _plain(word: str) -> str:
    """Drop the mark of a second pronunciation, as in "the(2)"."""
    return word.partition("(")[0]


def _share(probability: float) -> float:
    return round(min(1.0, max(0.0, float(probability))), 3)


if __name__ == "__main__":
    main(int(sys.argv[1]))
