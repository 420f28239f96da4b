"""Full-text search in transcripts: one way to read words and queries, on SQLite and Postgres.

Text is normalised here, in Python, and the databases are only given words that are separated by
spaces, so that both find the same rows: SQLite in an FTS5 table, Postgres in a tsvector that is
written out word by word (its own parser would see URLs and numbers where FTS5 sees words).
Rows are written from Python, in the transaction of their segments. Triggers would do it too,
until Django rebuilds the segments' table on SQLite and silently drops them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import islice
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.safestring import SafeString, mark_safe

from videos.folding import QUOTES, UNSEEN
from videos.models import SearchRow, Segment, Video
from videos.models.segment import SegmentQuerySet
from videos.models.video import VideoQuerySet
from videos.turns import in_turns

MAX_QUERY = 200
MAX_WORD = 100  # characters of a word that are looked at
# Characters of a line that are looked at. No file and no engine brings more, and Postgres takes
# no more than a megabyte of words: a letter may become 18 letters of two bytes (ﷺ).
MAX_LINE = 20_000
MAX_HITS = 20_000
# A tsvector holds 256 places of a word, and none beyond 16,383: fewer than in MAX_LINE characters.
MAX_SAME = 256
MAX_PLACE = 16_383
UNPLACED = "~"  # stands in such a line's tsvector, and in no word
MAX_REREAD = 1_000
BATCH = 500

# Scripts that put no spaces between words: each letter is a word, and a word is a phrase.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
VOICING, VIRAMA = 8, 9  # combining classes
# Halfwidth kana and the mark that voices it are two letters, which no composing (NFC) joins.
HALFWIDTH = re.compile("[\uff66-\uff9d][\uff9e\uff9f]")
PIECE = re.compile(f"{HALFWIDTH.pattern}|.", re.DOTALL)
TERM = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')


class QueryError(ValueError):
    """The query cannot be searched for; the message is a sentence that says why."""


# --- words ---


class _Folds(dict[int, str]):
    """For ``str.translate``: what each letter becomes, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _fold(chr(code))
        return found


def _fold(letter: str) -> str:
    """Without case, accents and compatibility forms; a space for what is in no word, and nothing
    for what is not seen.
    """
    plain = unicodedata.normalize("NFKD", UNSEEN.sub("", letter)).casefold()
    kept = [part for part in unicodedata.normalize("NFKD", plain) if not _is_accent(part)]
    whole = unicodedata.normalize("NFC", "".join(kept))
    return "".join(UNSPACED.sub(r" \g<0> ", part) if _in_word(part) else " " for part in whole)


def _is_accent(part: str) -> bool:
    """A mark on a letter. What voices kana (パ is not ハ) and joins Indic letters is none."""
    return unicodedata.combining(part) not in (0, VOICING, VIRAMA)


def _in_word(letter: str) -> bool:
    """Letters, digits, and the vowel signs of Indic scripts; accents are gone by now."""
    return unicodedata.category(letter)[0] in "LNM"


_FOLDS = _Folds()


def words(text: str) -> list[str]:
    """The words of a text as they are searched: ``Über-Boot`` is ``uber``, ``boot``."""
    folded = _folded(unicodedata.normalize("NFC", text))
    return [word[:MAX_WORD] for word in folded.split()]


def _folded(text: str) -> str:
    whole = HALFWIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return whole.translate(_FOLDS)


# --- queries ---


class Term(NamedTuple):
    """Words that stand side by side; with ``prefix`` the last may go on."""

    words: tuple[str, ...]
    prefix: bool = False


def parse(text: str) -> list[Term]:
    """``boats "go out" winter*``: all must occur in a row. Raises QueryError.

    A quote that is not closed reaches to the end. A word that holds several, such as
    ``don't`` or one of a script without spaces, is a phrase.
    """
    if len(text) > MAX_QUERY:
        raise QueryError(f"Search for at most {MAX_QUERY} characters.")
    found = []
    for phrase, star, word in TERM.findall(text.translate(QUOTES)):
        if inside := tuple(words(phrase or word)):
            found.append(Term(inside, bool(star) or word.endswith("*")))
    if not found:
        raise QueryError("Type at least one word to search for.")
    return list(dict.fromkeys(found))


def _is_postgres() -> bool:
    return connection.vendor == "postgresql"


def _compile(terms: Sequence[Term]) -> str:
    """In the database's language. Words hold letters and digits alone, so none needs escapes."""
    if _is_postgres():
        return " & ".join(f"({_tsquery(term, ' <-> ')})" for term in terms)
    return " AND ".join(f'"{" ".join(term.words)}"{" *" * term.prefix}' for term in terms)


def _tsquery(term: Term, between: str) -> str:
    return between.join(f"'{word}'" for word in term.words) + ":*" * term.prefix


# --- what is found ---


def hits(terms: Sequence[Term], videos: VideoQuerySet) -> SegmentQuerySet:
    """Segments of the videos' shown transcripts that hold all the terms."""
    return Segment.objects.filter(pk__in=_rows(terms, videos).values("segment"))


def _rows(terms: Sequence[Term], videos: VideoQuerySet) -> QuerySet[SearchRow]:
    shown = videos.filter(transcript__isnull=False).order_by().values("transcript")
    rows = SearchRow.objects.filter(segment__task__in=shown)
    unplaced = _reread(terms, rows) if _is_postgres() else []
    return rows.filter(Q(words__match=_compile(terms)) | Q(pk__in=unplaced))


def _reread(terms: Sequence[Term], rows: QuerySet[SearchRow]) -> list[int]:
    """Those with the phrases of the terms among the lines whose words have no places.

    The index leads to these alone, and hardly any transcript has one; of many the newest are
    read, within a quarter of a second. No SQL folds text as ``words`` does.
    """
    if all(len(term.words) == 1 for term in terms):
        return []
    wanted = " & ".join([f"'{UNPLACED}'", *(_tsquery(term, " & ") for term in terms)])
    texts = rows.filter(words__match=wanted).order_by("-pk").values_list("pk", "segment__text")
    return [pk for pk, text in texts[:MAX_REREAD] if _holds(text, terms)]


def _holds(text: str, terms: Sequence[Term]) -> bool:
    found = words(text[:MAX_LINE])
    return all(any(True for _ in _matches(found, term)) for term in terms)


class Hit(NamedTuple):
    """A row that holds the terms: where it is, and how well it fits."""

    task_id: str
    number: int
    start_ms: int
    score: float


@dataclass(slots=True)
class Found:
    """The hits in one transcript, in the order of time."""

    task_id: str
    hits: list[Hit] = field(default_factory=list)

    @property
    def score(self) -> float:
        return sum(hit.score for hit in self.hits)


def find(terms: Sequence[Term], videos: VideoQuerySet) -> tuple[list[Found], bool]:
    """Transcripts with hits, best first: those that say most of it most densely.

    How well a row fits is the database's own measure, bm25 or ts_rank; a transcript's is the
    sum of its rows'. Of a word that is everywhere the newest MAX_HITS rows are looked at; then
    the second value is True. So no question costs more, however much there is.
    """
    fields = ("segment__task_id", "segment__number", "segment__start_ms", "score")
    rows = _rows(terms, videos).annotate(score=_score(terms)).order_by("-pk")
    newest = list(map(Hit._make, rows.values_list(*fields)[: MAX_HITS + 1]))
    groups: dict[str, Found] = {}
    for hit in sorted(newest[:MAX_HITS]):
        groups.setdefault(hit.task_id, Found(hit.task_id)).hits.append(hit)
    best = sorted(groups.values(), key=lambda found: (found.score, found.task_id), reverse=True)
    return best, len(newest) > MAX_HITS


def _score(terms: Sequence[Term]) -> RawSQL:
    if _is_postgres():
        sql = 'ts_rank("videos_search"."videos_search", %s::tsquery, 1)'
        return RawSQL(sql, [_compile(terms)])  # noqa: S611 - the query is a parameter
    return RawSQL('-"videos_search"."rank"', [])  # noqa: S611 - nothing of the user's in it


# --- words in a text that is shown ---


def marked(text: str, terms: Sequence[Term]) -> SafeString:
    """The text as HTML with the terms' words in ``<mark>``."""
    text, found = spans(text, terms)
    parts, done = [], 0
    for start, end in found:
        parts += [escape(text[done:start]), "<mark>", escape(text[start:end]), "</mark>"]
        done = end
    return mark_safe("".join([*parts, escape(text[done:])]))  # noqa: S308 - all of it is escaped


def spans(text: str, terms: Sequence[Term]) -> tuple[str, list[tuple[int, int]]]:
    """The text, composed (NFC), and where the terms' words stand in it, in order, not touching."""
    text = unicodedata.normalize("NFC", text)
    found = list(_placed(text))
    marked = sorted(
        (found[at][1], found[at + len(term.words) - 1][2])
        for term in terms
        for at in _matches([word for word, _, _ in found], term)
    )
    return text, _joined(marked)


def _placed(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word with its place in the text: several may share one (``½``)."""
    folded, origin = [], []
    for piece in PIECE.finditer(text):
        for part in _folded(piece[0]):
            folded.append(part)
            origin.append(piece.span())
    for word in re.finditer(r"\S+", "".join(folded)):
        yield word[0][:MAX_WORD], origin[word.start()][0], origin[word.end() - 1][1]


def _matches(found: Sequence[str], term: Term) -> Iterator[int]:
    *whole, last = term.words
    for at in range(len(found) - len(term.words) + 1):
        end = found[at + len(whole)]
        fits = end.startswith(last) if term.prefix else end == last
        if fits and list(found[at : at + len(whole)]) == whole:
            yield at


def _joined(marked: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in marked:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


# --- writing ---


def index_segments(segments: Iterable[Segment]) -> None:
    """Make saved segments findable by their text; again after each change of it.

    Call it in the transaction that writes them.
    """
    store((each.pk, each.text) for each in segments)


def forget(segments: SegmentQuerySet) -> None:
    """Drop the rows of segments that are about to be deleted: call it before."""
    SearchRow.objects.filter(segment__in=segments.order_by().values("pk")).delete()


def store(rows: Iterable[tuple[int, str]]) -> None:
    """Rows as (segment's key, text); those that are there are replaced."""
    sql, write = (POSTGRES, _tsvector) if _is_postgres() else (SQLITE, _spaced)
    with connection.cursor() as cursor:
        made = ((pk, write(text[:MAX_LINE])) for pk, text in rows)
        while some := list(islice(made, BATCH)):
            cursor.executemany(sql, some)


SQLITE = "INSERT OR REPLACE INTO videos_search (rowid, text) VALUES (%s, %s)"
POSTGRES = """
    INSERT INTO videos_search (rowid, videos_search) VALUES (%s, %s::tsvector)
    ON CONFLICT (rowid) DO UPDATE SET videos_search = excluded.videos_search
"""


def _spaced(text: str) -> str:
    return " ".join(words(text))


def _tsvector(text: str) -> str:
    """With places, by which phrases are found, unless they would not all be kept."""
    found = words(text)
    if len(found) > MAX_PLACE or max(Counter(found).values(), default=0) > MAX_SAME:
        return " ".join(f"'{word}'" for word in {UNPLACED, *found})
    return " ".join(f"'{word}':{place}" for place, word in enumerate(found, 1))


def rebuild() -> int:
    """Write all rows anew, from the segments; returns how many.

    A transaction for each video: the site may run, and others write in between.
    """
    _drop_left_behind()
    videos = list(Video.objects.order_by().values_list("pk", flat=True))
    return sum(_write_anew(video_id) for video_id in in_turns(videos))


def _drop_left_behind() -> None:
    """Rows whose segments are gone; no segment gets the key of an earlier one."""
    there = Segment.objects.filter(pk=OuterRef("pk"))
    gone = iter(list(SearchRow.objects.filter(~Exists(there)).values_list("pk", flat=True)))
    for some in in_turns(iter(lambda: list(islice(gone, BATCH)), [])):
        SearchRow.objects.filter(pk__in=some).delete()


def _write_anew(video_id: str) -> int:
    with transaction.atomic():
        Video.objects.filter(pk=video_id).lock()  # nobody corrects a line that was read already
        segments = Segment.objects.filter(task__video=video_id)
        forget(segments)
        rows = segments.order_by().values_list("pk", "text")
        store(rows.iterator(chunk_size=BATCH))
        return rows.count()
