"""What the local engines share on the parent's side: a job in the sandbox, told as reports."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from videos.engines.base import Cue, EngineConfig, EngineCrashed, EngineError, Report, Word
from videos.media import sandbox
from videos.media.sandbox import ChildDied, Limits, MediaError

# An utterance or a window takes seconds; a child that says nothing for this long is stuck.
STALL_SECONDS = 300.0


def limits(config: EngineConfig) -> Limits:
    """Give what each process of a recognising job may use: time without end, if it gets on."""
    return Limits(
        seconds=None,
        stall_seconds=STALL_SECONDS,
        memory_bytes=config.memory_bytes,
        file_bytes=0,
    )


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn the sandbox's errors into the engines'."""
    try:
        yield
    except ChildDied as error:
        raise EngineCrashed(str(error), detail=error.detail) from error
    except MediaError as error:
        raise EngineError(str(error), permanent=error.permanent, detail=error.detail) from error


def reports(
    job: str,
    arguments: Mapping[str, Any],
    limits: Limits,
    *,
    env: Mapping[str, str] | None = None,
) -> Generator[Report, None, None]:
    """Run a recognising job; its messages have Report's fields. A tick is an empty report."""
    with engine_errors():
        for message in sandbox.stream(job, arguments, limits, env=env):
            yield Report() if message is None else _report(message)


def _report(message: dict[str, Any]) -> Report:
    cues = tuple(_cue(*fields) for fields in message.pop("cues", ()))
    return Report(cues=cues, **message)


def _cue(start_ms: int, end_ms: int, text: str, words: list[list[Any]]) -> Cue:
    return Cue(start_ms, end_ms, text, tuple(Word(*word) for word in words))


def packed(cues: list[Cue]) -> list[list[Any]]:
    """Give cues as plain lists for a job's message (the child's side)."""
    return [[cue.start_ms, cue.end_ms, cue.text, [_packed(w) for w in cue.words]] for cue in cues]


def _packed(word: Word) -> list[Any]:
    return [word.start_ms, word.end_ms, word.text, word.probability]
