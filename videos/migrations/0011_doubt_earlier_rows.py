from itertools import groupby, islice
from operator import attrgetter

from django.db import migrations

from videos import doubt

BATCH = 500


def mark(apps, schema_editor):
    """Rows that were written before there were marks."""
    segments = apps.get_model("videos", "Segment").objects
    fields = ("pk", "task_id", "start_ms", "end_ms", "text", "words", "marks")
    rows = segments.order_by("task_id", "number").only(*fields).iterator(chunk_size=2000)
    for _, of_task in groupby(rows, key=attrgetter("task_id")):
        mark_task(segments, of_task)


def mark_task(segments, rows):
    before = []
    while batch := list(islice(rows, BATCH)):
        changed = []
        for row, letters in zip(batch, doubt.marks(batch, before), strict=True):
            if row.marks != letters:
                row.marks = letters
                changed.append(row)
        segments.bulk_update(changed, ["marks"], batch_size=BATCH)
        before = batch[-doubt.LOOK_BACK :]


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0010_make_files_of_videos"),
    ]

    operations = [
        migrations.RunPython(mark, migrations.RunPython.noop, elidable=True),
    ]
