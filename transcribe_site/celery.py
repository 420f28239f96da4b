"""The Celery app: reads every ``CELERY_*`` setting, finds ``videos.tasks``."""

import os

from celery import Celery

import transcribe_site.folder_broker  # noqa: F401 - makes folder:// known

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribe_site.settings")

app = Celery("transcribe_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
