import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import videos.models.ids


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0005_mark_and_correct_segments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Select",
            fields=[
                (
                    "id",
                    videos.models.ids.IdField(
                        default=videos.models.ids.new_id,
                        editable=False,
                        max_length=24,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("start_ms", models.PositiveBigIntegerField()),
                ("end_ms", models.PositiveBigIntegerField()),
                ("words", models.TextField(blank=True)),
                ("note", models.CharField(blank=True, max_length=500)),
                (
                    "colour",
                    models.CharField(
                        choices=[
                            ("green", "Green"),
                            ("red", "Red"),
                            ("orange", "Orange"),
                            ("yellow", "Yellow"),
                            ("blue", "Blue"),
                            ("purple", "Purple"),
                        ],
                        default="green",
                        max_length=10,
                    ),
                ),
                ("position", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kept_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "video",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="selects",
                        to="videos.video",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "id"],
                "indexes": [models.Index(fields=["video", "start_ms"], name="select_of_video")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end_ms__gt", models.F("start_ms"))),
                        name="select_has_length",
                    )
                ],
            },
        ),
    ]
