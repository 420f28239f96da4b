from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand

from videos import process


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Run Celery beat: it calls the sweep every few seconds. One is enough, two do no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        process.die_with_parent()
        process.know_no_pages()
        process.make_folders()
        current_app.Beat(loglevel="WARNING", quiet=True).run()
