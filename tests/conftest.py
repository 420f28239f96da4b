from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections, transaction
from django.test import TransactionTestCase
from whitenoise.middleware import WhiteNoiseMiddleware

from tests.api import Caller
from tests.factories import make_user

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """The tests' own database need not outlive a power cut; those of the fault tests would."""
    options = connections.settings["default"]["OPTIONS"]
    if command := options.get("init_command"):
        command = command.replace("synchronous=FULL", "synchronous=OFF")
        connections.settings["default"]["OPTIONS"] = {**options, "init_command": command}


def _once(add_files: Callable[[WhiteNoiseMiddleware], None]) -> Callable[..., None]:
    found: dict[str, Any] = {}

    def add(self: WhiteNoiseMiddleware) -> None:
        if not found:
            add_files(self)
            found.update(self.files)
        self.files.update(found)

    return add


# Each test's client has middleware of its own, which would look for all static files again.
WhiteNoiseMiddleware.add_files_from_finders = _once(WhiteNoiseMiddleware.add_files_from_finders)

KEPT = {"django_content_type", "auth_permission"}  # what `migrate` itself wrote


def _empty_tables(test_case: TransactionTestCase) -> None:
    """As Django's own, which also makes the kept rows anew each time, as if it had migrated."""
    for alias in test_case._databases_names(include_mirrors=False):
        tables = connections[alias].introspection.django_table_names(only_existing=True)
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            for table in set(tables) - KEPT:
                cursor.execute(f"DELETE FROM {connections[alias].ops.quote_name(table)}")


TransactionTestCase._fixture_teardown = _empty_tables


@pytest.fixture(autouse=True)
def _own_folders(settings, tmp_path):
    """Each test has media, derived and incoming folders of its own."""
    for name in ("MEDIA_ROOT", "DERIVED_ROOT", "INCOMING_ROOT", "TEMP_ROOT"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        setattr(settings, name, folder)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def sample() -> Path:
    """The spoken clip that ships with the site."""
    return ROOT / "static" / "sample" / "sample.mp4"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Rate limits count in the cache and answers wait in it; ids come again in each test."""
    cache.clear()


@pytest.fixture
def user(client, db):
    """Somebody who is signed in with ``client``."""
    user = make_user()
    client.force_login(user)
    return user


@pytest.fixture
def caller(db, settings) -> Caller:
    """Somebody with an API key; the engine is a known one, or the network would be asked."""
    settings.DEFAULT_ENGINE = "sphinx"
    return Caller(make_user())
