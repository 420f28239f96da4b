import django.db.models.deletion
from django.db import migrations, models

import videos.models.search_row
from videos import search

SQLITE = """
    CREATE VIRTUAL TABLE videos_search USING fts5 (
        text, tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
    )
"""
# Without fastupdate no search has to read through a list of pending rows.
POSTGRES = """
    CREATE TABLE videos_search (
        rowid bigint PRIMARY KEY, videos_search tsvector NOT NULL
    );
    CREATE INDEX videos_search_words ON videos_search USING gin (videos_search)
        WITH (fastupdate = off)
"""


def create(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    schema_editor.execute(POSTGRES if postgres else SQLITE)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE videos_search")


def fill(apps, schema_editor):
    """Transcripts that were made before are found as well."""
    segments = apps.get_model("videos", "Segment").objects.order_by()
    rows = segments.values_list("pk", "text")
    search.store(rows.iterator(chunk_size=search.BATCH))


class Migration(migrations.Migration):
    dependencies = [("videos", "0012_remember_places")]

    operations = [
        migrations.CreateModel(
            name="SearchRow",
            fields=[
                (
                    "segment",
                    models.OneToOneField(
                        db_column="rowid",
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="videos.segment",
                    ),
                ),
                ("words", videos.models.search_row.WordsField(db_column="videos_search")),
            ],
            options={"db_table": "videos_search", "managed": False},
        ),
        migrations.RunPython(create, drop),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
