import warnings
from typing import Any

from celery import current_app
from celery.exceptions import SecurityWarning
from django.core.management.base import BaseCommand

from videos import process


class Command(BaseCommand):
    help = "Run a Celery worker: takes tasks step by step. `serve` starts one; more may be added."

    def handle(self, *args: Any, **options: Any) -> None:
        process.die_with_parent()
        process.use_own_temp_folder()
        process.make_folders()
        # Celery warns root of pickled messages; only JSON is accepted here.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        worker = current_app.Worker(
            loglevel="WARNING", quiet=True, without_gossip=True, without_mingle=True
        )
        worker.start()
        raise SystemExit(worker.exitcode)
