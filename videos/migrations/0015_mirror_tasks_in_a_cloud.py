from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0014_tag_videos"),
    ]

    operations = [
        migrations.CreateModel(
            name="RemoteDeletion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("engine", models.CharField(max_length=20)),
                ("index_id", models.CharField(blank=True, max_length=64)),
                ("task_id", models.CharField(blank=True, max_length=64)),
                ("video_id", models.CharField(blank=True, max_length=64)),
                ("tag", models.CharField(blank=True, max_length=64)),
                ("index_tag", models.CharField(blank=True, max_length=64)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("error_detail", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.AddField(
            model_name="index",
            name="remote_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="task",
            name="remote_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="task",
            name="remote_faults",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="task",
            name="remote_id",
            field=models.CharField(blank=True, db_index=True, max_length=64),
        ),
        migrations.AddField(
            model_name="task",
            name="remote_video_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AlterField(
            model_name="task",
            name="step",
            field=models.CharField(
                choices=[
                    ("fetch", "Fetching the file"),
                    ("prepare", "Preparing the picture"),
                    ("transcribe", "Listening"),
                    ("submit", "Uploading"),
                    ("poll", "Waiting for the cloud"),
                    ("receive", "Fetching the transcript"),
                    ("done", "Done"),
                ],
                default="prepare",
                max_length=10,
            ),
        ),
    ]
