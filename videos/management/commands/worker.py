import warnings
from typing import Any

from celery import current_app
from celery.exceptions import SecurityWarning
from celery.signals import worker_shutting_down
from django.core.management.base import BaseCommand

from videos import process


class _Worker(current_app.Worker):  # type: ignore[misc, name-defined]
    """Celery tells what runs of a stop that was asked for. So of one after an error, too.

    Or the worker would wait for a run of hours, and take nothing meanwhile.
    """

    def stop(self, in_sighandler: bool = False, exitcode: int | None = None) -> None:
        worker_shutting_down.send(sender=self.hostname, sig="", how="stop", exitcode=exitcode)
        super().stop(in_sighandler, exitcode)


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Run a Celery worker: takes tasks step by step. `serve` starts one; more may be added."

    def handle(self, *args: Any, **options: Any) -> None:
        process.die_with_parent()
        process.adopt_orphans()
        process.know_no_pages()
        process.use_own_temp_folder()
        process.make_folders()
        # Celery warns root of pickled messages; only JSON is accepted here.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        worker = _Worker(loglevel="WARNING", quiet=True, without_gossip=True, without_mingle=True)
        worker.start()
        raise SystemExit(worker.exitcode)
