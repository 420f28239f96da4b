from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery


def remember(apps, schema_editor):
    """What was sent to a cloud so far is in the mirror of the index that its video is in."""
    task = apps.get_model("videos", "Task")
    sent = task.objects.filter(Q(remote_asked_at__isnull=False) | ~Q(remote_id=""))
    mirror = task.objects.filter(pk=OuterRef("pk")).order_by().values("video__index__remote_id")
    sent.update(remote_index_id=Subquery(mirror[:1]))


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0023_underline_unsure_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="remote_index_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.RunPython(remember, migrations.RunPython.noop, elidable=True),
    ]
