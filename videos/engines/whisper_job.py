"""Fetch a whisper model, and recognise with one. Child side of ``whisper``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.utils import download_model
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

from videos.disk import is_full
from videos.engines import jobs, phrases
from videos.engines.base import Word
from videos.media import audio, speech
from videos.media.audio import PER_MS
from videos.media.sandbox import MediaError
from videos.media.speech import Region

# Blocks end in a pause, but somebody who never pauses must not fill the memory.
PATIENCE = 1.2
DISK_FULL = "The disk is full: there is no room for the whisper model."

Sound = np.ndarray[tuple[int], np.dtype[np.float32]]


def fetch(name: str, folder: str) -> dict[str, str]:
    """Download the model into the hub's cache under ``folder``; give where its files are."""
    try:
        path = Path(download_model(name, cache_dir=folder))
    except RepositoryNotFoundError as error:
        raise MediaError(
            f"The model hub has no whisper model '{name}'.", detail=repr(error)
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        if _for_want_of_room(error):
            raise MediaError(DISK_FULL, permanent=False, detail=repr(error)) from error
        raise _not_fetched(name, repr(error)) from error
    if not (path / "model.bin").is_file():
        raise _not_fetched(name, "model.bin is not among what was fetched")
    return {"path": str(path)}


def _for_want_of_room(error: BaseException | None) -> bool:
    """Whether it was the disk: the hub's library may say something else of that."""
    while error is not None:
        if is_full(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _not_fetched(name: str, detail: str) -> MediaError:
    sentence = f"The whisper model '{name}' could not be fetched from the model hub."
    return MediaError(sentence, permanent=False, detail=detail)


def recognise(
    path: str, model: str, cores: int, language: str, from_ms: int, block_ms: int
) -> Iterator[dict[str, Any]]:
    """Yield cues with ``done_ms``; the first answer also brings the language.

    The sound is taken in blocks of about ``block_ms`` that end in a pause: faster-whisper
    holds all it is given, hours would need gigabytes.
    """
    whisper = _load(model, cores)
    language = _known_language(whisper, language)
    yield {"language": language}
    regions = speech.regions(audio.blocks(path), from_ms=from_ms)
    for block in _blocks(regions, block_ms):
        if not block.regions:
            yield {"done_ms": block.end_ms}
            continue
        segments, info = whisper.transcribe(
            block.sound(),
            language=language or None,
            beam_size=1,
            condition_on_previous_text=False,
            vad_filter=True,
            word_timestamps=True,
        )
        if not language:
            language = info.language
            yield {"language": language}
        yield from _told(block, segments)


def _load(model: str, cores: int) -> WhisperModel:
    try:
        return WhisperModel(
            model, device="cpu", compute_type="int8", cpu_threads=cores, local_files_only=True
        )
    except (RuntimeError, ValueError, OSError) as error:
        sentence = "The whisper model cannot be loaded: are its files complete?"
        raise MediaError(sentence, permanent=False, detail=repr(error)) from error


def _known_language(whisper: WhisperModel, language: str) -> str:
    """Check a code that was asked for; a model of one language listens to no other."""
    code = language.lower().replace("_", "-").partition("-")[0]
    known = whisper.supported_languages
    if code and code not in known:
        raise MediaError(f"This Whisper model knows no language with the code '{language}'.")
    return known[0] if len(known) == 1 else code


@dataclass
class _Block:
    """Some minutes of sound: its regions of speech, with nothing between them."""

    start_ms: int
    end_ms: int
    regions: list[Region] = field(default_factory=list)

    def sound(self) -> Sound:
        """Give the samples from ``start_ms`` to ``end_ms``; pauses are made quite silent."""
        sound: Sound = np.zeros((self.end_ms - self.start_ms) * PER_MS, np.float32)
        for region in self.regions:
            at = (region.start_ms - self.start_ms) * PER_MS
            part = region.samples[: len(sound) - at]
            sound[at : at + len(part)] = part / np.float32(32768)
        return sound


def _blocks(regions: Iterable[Region], block_ms: int) -> Iterator[_Block]:
    """Gather regions; one without any says that there was silence up to its end."""
    block: _Block | None = None
    end_ms = 0
    for region in regions:
        end_ms = region.end_ms
        if not len(region.samples):
            if block is None:
                yield _Block(end_ms, end_ms)
            elif end_ms - block.start_ms >= block_ms:  # or hours of silence would be held as sound
                yield block
                block = None
            continue
        block = block or _Block(region.start_ms, region.end_ms)
        block.regions.append(region)
        block.end_ms = region.end_ms
        length = block.end_ms - block.start_ms
        if length >= block_ms * PATIENCE or (length >= block_ms and region.paused):
            yield block
            block = None
    if block is not None:
        yield block
    yield _Block(end_ms, end_ms)


def _told(block: _Block, segments: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Yield the words of finished regions as cues, the rest at the end of the block.

    Words are held back until a word after the next pause has been heard: only then is it sure
    that going on from that pause neither loses nor repeats one. Nothing new is a sign of life:
    who speaks for minutes without a pause is not stuck.
    """
    pauses = [region.end_ms for region in block.regions if region.paused]
    held: list[Word] = []
    for segment in segments:
        held += _words(segment, block)
        count, pause_ms = _last_pause(held, pauses)
        yield _message(held[:count], pause_ms) if count else {}
        held = held[count:]
    yield _message(held, block.end_ms)


def _last_pause(words: list[Word], pauses: list[int]) -> tuple[int, int]:
    """Find the last pause with words on both sides: how many come before it, and where it is."""
    for count in range(len(words) - 1, 0, -1):
        before, after = words[count - 1].end_ms, words[count].start_ms
        between = [pause for pause in pauses if before <= pause <= after]
        if between:
            return count, between[-1]
    return 0, 0


def _message(words: list[Word], done_ms: int) -> dict[str, Any]:
    return {"cues": jobs.packed(phrases.cues(words, joiner="")), "done_ms": done_ms}


def _words(segment: Any, block: _Block) -> list[Word]:
    """Put a segment's words into the video's time, within the block."""
    if not segment.words:
        return [_word(block, segment.start, segment.end, segment.text, None)]
    return [_word(block, w.start, w.end, w.word, w.probability) for w in segment.words]


def _word(block: _Block, start: Any, end: Any, text: str, probability: Any) -> Word:
    # Times are numpy's: plain numbers before they go anywhere.
    start_ms = block.start_ms + max(0, round(float(start) * 1000))
    start_ms = min(start_ms, block.end_ms - 1)
    end_ms = min(max(start_ms + 1, block.start_ms + round(float(end) * 1000)), block.end_ms)
    share = None if probability is None else round(min(1.0, max(0.0, float(probability))), 3)
    return Word(start_ms, end_ms, text, share)
