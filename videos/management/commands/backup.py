import sqlite3
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from videos import upkeep


class Command(BaseCommand):
    help = "Copy the database and the media to a folder, while the site runs; again: only the new."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            for sentence in upkeep.back_up(folder):
                self.stdout.write(sentence)
        except upkeep.Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        except (OSError, sqlite3.Error, DatabaseError, upkeep.Incomplete) as error:
            raise CommandError(f"The backup is not complete: {error}.") from error
