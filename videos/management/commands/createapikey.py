from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from videos import process
from videos.local_user import local_user, somebody_has_a_password
from videos.models import ApiKey


class Command(BaseCommand):
    help = "Make a key for the API and print it: the only time that it can be read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the key is for, as shown in lists")
        parser.add_argument("--user", help="whose key (default: the local user)")

    def handle(self, *args: Any, name: str, user: str | None, **options: Any) -> None:
        if not name.strip():
            raise CommandError("Give the key a name.")
        process.make_folders()
        process.migrate()  # it may be the first command
        self.stdout.write(ApiKey.make(self._owner(user).pk, name.strip()[:100]))

    def _owner(self, username: str | None) -> User:
        if username is None:
            return self._local_user()
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user named {username}.")
        if not user.is_active:
            raise CommandError(f"{username} may not sign in: no key of theirs would work.")
        return user

    def _local_user(self) -> User:
        """Where others sign in and nobody as this one, its key would see nothing of theirs."""
        user = local_user()
        if somebody_has_a_password() and not user.has_usable_password():
            raise CommandError(f"Nobody signs in as {user.username}: say whose key, with --user.")
        return user
