from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0004_keep_uploads_in_chunks"),
    ]

    operations = [
        migrations.AddField(
            model_name="segment",
            name="heard",
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name="segment",
            name="marks",
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name="segment",
            name="version",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
