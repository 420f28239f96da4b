from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0028_find_what_is_under_way_by_video")]

    operations = [
        migrations.AddField(
            model_name="task",
            name="begun_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
