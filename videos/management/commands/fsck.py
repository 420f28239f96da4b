from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from videos import upkeep


class Command(BaseCommand):
    help = "Tell whether what the site promises holds on these data; exit 1 if something does not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--read", action="store_true", help="read every file, compare its hash")

    def handle(self, *args: Any, read: bool, **options: Any) -> None:
        count = 0
        for sentence in upkeep.faults(read_files=read):
            count += 1
            self.stdout.write(sentence)
        if count:
            raise CommandError(f"{count} fault{'s' if count > 1 else ''}.")
        self.stdout.write("All is well.")
