"""The Celery app: reads every ``CELERY_*`` setting, finds ``videos.tasks``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribe_site.settings")

app = Celery("transcribe_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
