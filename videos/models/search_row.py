from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from videos.models.segment import Segment

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler


class WordsField(models.TextField):  # type: ignore[type-arg]
    """What a database searches: FTS5's hidden column on SQLite, a tsvector on Postgres."""


@WordsField.register_lookup
class Match(models.Lookup):  # type: ignore[type-arg]
    """``words__match=query``, the query in the database's own language."""

    lookup_name = "match"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        words, params = self.process_lhs(compiler, connection)
        test = "@@ %s::tsquery" if connection.vendor == "postgresql" else "MATCH %s"
        return f"{words} {test}", [*params, self.rhs]


class SearchRow(models.Model):
    """A segment's words, ready to be searched. Only ``videos.search`` writes and reads these.

    The table is made by hand in a migration, of another kind on each database. Nothing in the
    database ties it to the segments; each search joins them, so a row whose segment is gone is
    never found.
    """

    segment = models.OneToOneField(
        Segment,
        primary_key=True,
        db_column="rowid",
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="+",
    )
    words = WordsField(db_column="videos_search")

    class Meta:
        managed = False
        db_table = "videos_search"

    if TYPE_CHECKING:
        segment_id: int

    def __str__(self) -> str:
        return str(self.segment_id)
