import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0006_keep_selects"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="asset",
            name="method",
            field=models.CharField(default="direct", max_length=10),
        ),
        migrations.AlterField(
            model_name="task",
            name="step",
            field=models.CharField(
                choices=[
                    ("fetch", "Fetching the file"),
                    ("prepare", "Preparing the picture"),
                    ("transcribe", "Listening"),
                    ("done", "Done"),
                ],
                default="prepare",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Fetch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("lease_no", models.PositiveBigIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("media_url", models.CharField(blank=True, max_length=2000)),
                ("captions_url", models.CharField(blank=True, max_length=2000)),
                (
                    "asset",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fetch",
                        to="videos.asset",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "task",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fetch",
                        to="videos.task",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "fetches",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("asset__isnull", False), ("task__isnull", True))
                        | models.Q(("asset__isnull", True), ("task__isnull", False)),
                        name="fetch_is_for_one",
                    )
                ],
            },
        ),
    ]
