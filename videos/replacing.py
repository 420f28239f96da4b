"""Find and replace over the lines of a transcript: what would change, before it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape

from django.utils.safestring import SafeString, mark_safe

from videos.engines.base import MOST_CHARACTERS
from videos.models.segment import SegmentQuerySet
from videos.wording import clean

MOST_MARKUP = 4_000_000  # a page of it; a line of letters that all change may have half a million


@dataclass(frozen=True, slots=True)
class Change:
    """A line that a replacement would change."""

    pk: int
    number: int
    start_ms: int
    version: int
    before: SafeString
    after: SafeString

    @property
    def key(self) -> str:
        """As forms name the line; another one once somebody changed it."""
        return f"{self.pk}-{self.start_ms}-{self.version}"


@dataclass(frozen=True, slots=True)
class Found:
    """The first lines that would change, and how many more there are. A line needs some words and
    has room for so many: those that would be left without any or with too many are passed over.
    """

    changes: tuple[Change, ...] = ()
    more: int = 0
    emptied: int = 0
    too_long: int = 0


@dataclass(frozen=True)
class Pattern:
    """What is looked for and what comes in its place; both are plain text, never patterns."""

    find: str
    replace: str
    match_case: bool = False
    whole_words: bool = False

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        text = r"\s+".join(re.escape(part) for part in self.find.split())
        if self.whole_words:
            text = rf"(?<!\w){text}(?!\w)"
        return re.compile(text, 0 if self.match_case else re.IGNORECASE)

    def change(self, text: str) -> str:
        return clean(self._regex.sub(lambda _: self.replace, text))

    def look(self, segments: SegmentQuerySet, most: int) -> Found:
        """At most so many changes, and MOST_MARKUP characters of them."""
        changes: list[Change] = []
        more = emptied = too_long = size = 0
        for pk, number, start_ms, version, text in segments.values_list(
            "pk", "number", "start_ms", "version", "text"
        ).iterator(2000):
            after = self.change(text) if self._regex.search(text) else text
            if after == text:
                continue
            if not after:
                emptied += 1
            elif len(after) > MOST_CHARACTERS:
                too_long += 1
            elif len(changes) == most or size > MOST_MARKUP:
                more += 1
            else:
                shown = self._marked(text, "del"), self._marked(text, "ins", self.replace)
                size += sum(map(len, shown))
                changes.append(Change(pk, number, start_ms, version, *shown))
        return Found(tuple(changes), more, emptied, too_long)

    def _marked(self, text: str, tag: str, put: str | None = None) -> SafeString:
        """The text with what goes (or comes) marked, escaped."""
        return mark_safe("".join(self._parts(text, tag, put)))  # noqa: S308 - escaped part by part

    def _parts(self, text: str, tag: str, put: str | None) -> Iterator[str]:
        at = 0
        for match in self._regex.finditer(text):
            yield escape(text[at : match.start()])
            said = match[0] if put is None else put
            if said:
                yield f"<{tag}>{escape(said)}</{tag}>"
            at = match.end()
        yield escape(text[at:])
