import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from videos import process, restoring, upkeep


class Command(BaseCommand):
    help = "Bring back what `backup` copied to a folder. Stop the site and its workers first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--replace", action="store_true", help="over a site that is not empty")
        parser.add_argument(
            "--partial", action="store_true", help="although files are missing or damaged"
        )

    def handle(
        self, *args: Any, folder: Path, replace: bool, partial: bool, **options: Any
    ) -> None:
        Path(settings.DATA_DIR).mkdir(parents=True, exist_ok=True)
        try:
            alone = process.lock("serve", wait=False)
        except BlockingIOError:
            raise CommandError("`serve` is running on this data folder: stop it first.") from None
        with alone, _in_words():
            for sentence in restoring.restore(folder, replace=replace, partial=partial):
                self.stdout.write(sentence)
            # Others end by themselves: since the backup, deadlines went by.
            faults = list(upkeep.lasting_faults())
        self._tell(faults)

    def _tell(self, faults: list[str]) -> None:
        for sentence in faults:
            self.stdout.write(sentence)
        if count := len(faults):
            raise CommandError(f"Restored, but fsck finds {count} fault{'s' if count > 1 else ''}.")
        self.stdout.write("All is well.")


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except restoring.Refused as refusal:
        raise CommandError(str(refusal)) from refusal
    except (OSError, sqlite3.Error, DatabaseError) as error:
        raise CommandError(f"The restore is not complete: {error}. Run it again.") from error
