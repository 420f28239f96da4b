from typing import Any

from django.core.management.base import BaseCommand

from videos import search


class Command(BaseCommand):
    help = "Write the full-text rows of all transcripts anew, from their segments."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{search.rebuild():,} lines can be searched.")
