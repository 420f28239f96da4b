from itertools import islice

from django.db import migrations, models

from videos import doubt

BATCH = 500


def underline(apps, schema_editor):
    """In rows that were written before, and whose words are the engine's still."""
    segments = apps.get_model("videos", "Segment").objects
    heard = segments.filter(words__isnull=False, heard__isnull=True).exclude(marks=doubt.CONFIRMED)
    rows = heard.only("pk", "text", "words").iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        for row in batch:
            row.unsure = doubt.unsure_places(row.text, row.words)
        segments.bulk_update([row for row in batch if row.unsure], ["unsure"], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0022_confirm_lines"),
    ]

    operations = [
        migrations.AddField(
            model_name="segment",
            name="unsure",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.RunPython(underline, migrations.RunPython.noop, elidable=True),
    ]
