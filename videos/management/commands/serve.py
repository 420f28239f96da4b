"""``manage.py serve``: the whole site in one command: web, worker and beat."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import DatabaseError, connection
from django.http.request import validate_host
from waitress import create_server

from videos import local_user, process, web
from videos.models import Pulse

logger = logging.getLogger(__name__)

GRACE_SECONDS = 7.0
CALM_SECONDS = 30.0  # a child that lived so long starts again at once
LONGEST_PAUSE_SECONDS = 15.0


class Command(BaseCommand):
    help = "Run the site: web server here, Celery worker and beat as children that are restarted."
    stealth_options = ("skip_checks",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--web-only", action="store_true", help="workers and beat run elsewhere"
        )

    def handle(self, *args: Any, web_only: bool, **options: Any) -> None:
        process.use_own_temp_folder()
        process.make_folders()
        alone = None if web_only else _be_alone()  # held until this process ends
        process.migrate()
        self._refuse_an_open_door()
        server = _Web()
        children = [] if web_only else [_Child("worker"), _Child("beat")]
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(
            f"Transcript desk: http://{_shown_host()}:{server.port}/  (Ctrl-C stops it)"
        )
        self.stdout.flush()
        try:
            _watch(server, children, stop)
        finally:
            _stop(children)
            server.close()
            if alone:
                alone.close()

    def _refuse_an_open_door(self) -> None:
        """Where others can reach the site, somebody must be able to sign in, and must have to."""
        if settings.REQUIRE_LOGIN and not local_user.somebody_has_a_password():
            raise CommandError(
                "No account has a password yet, so nobody could sign in. Give the local user, to\n"
                "whom all that was uploaded here belongs, a password (and the name 'local'):\n"
                f"  {sys.executable} manage.py changepassword {local_user.local_user().username}"
            )
        if not settings.PRIVATE and not settings.REQUIRE_LOGIN:
            raise CommandError(
                "REQUIRE_LOGIN=0 is only possible on this machine's own address, without a proxy."
            )


def _be_alone() -> IO[str]:
    """Its workers share the machine's speech slots and its folder's broker with nobody else."""
    try:
        return process.lock("serve", wait=False)
    except BlockingIOError:
        raise CommandError(f"Another `serve` uses {settings.DATA_DIR} already.") from None


class _Web:
    """Waitress in a thread. It buffers slow clients, so a few threads serve many of them."""

    def __init__(self) -> None:
        try:
            self.server = create_server(
                get_internal_wsgi_application(),
                host=settings.HOST,
                port=settings.PORT,
                **web.options(),
            )
        except OSError as error:
            raise CommandError(
                f"Port {settings.PORT} of {settings.HOST} cannot be used: {error.strerror}. "
                "Set PORT to another number."
            ) from error
        self.server.channel_class = web.Channel
        self.port = self.server.effective_port
        self.thread = threading.Thread(target=self.server.run, name="web", daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.task_dispatcher.shutdown(timeout=2)
        self.server.close()


class _Child:
    """A ``manage.py`` command in its own session, so that Ctrl-C reaches it through us alone."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.pause = 1.0
        self.start()

    def start(self) -> None:
        self.started = time.monotonic()
        self.popen = subprocess.Popen(
            [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), self.command],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {process.PARENT_VARIABLE: str(os.getpid())},
        )

    def restart_if_dead(self, stop: threading.Event) -> None:
        if self.popen.poll() is None:
            return
        logger.warning(
            "%s ended with code %s, starting it again", self.command, self.popen.returncode
        )
        self.kill()  # what it may have left in its session
        lived = time.monotonic() - self.started
        self.pause = 1.0 if lived > CALM_SECONDS else min(self.pause * 2, LONGEST_PAUSE_SECONDS)
        if not stop.wait(self.pause if lived < CALM_SECONDS else 0):
            self.start()

    def terminate(self) -> None:
        if self.popen.poll() is None:
            self.popen.terminate()

    def kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)


def _watch(server: _Web, children: list[_Child], stop: threading.Event) -> None:
    """Until told to stop. Raises CommandError when the web server died, rather than be mute."""
    ear = _Ear()
    while not stop.wait(0.5):
        if not server.thread.is_alive():
            raise CommandError("The web server stopped by itself; its last words are above.")
        for child in children:
            child.restart_if_dead(stop)
        if children and ear.hears_nobody():
            logger.warning(
                "No worker was heard for %g s: they are started again", settings.WORKER_MUTE_SECONDS
            )
            for child in children:
                child.kill()
            ear = _Ear()


class _Ear:
    """Notices children that run and yet get no sweep done: whatever holds them, the rows go on.

    Its patience is counted by our own clock, which stands still while the machine sleeps: the
    rows' clock alone would accuse a worker that woke up just now.
    """

    def __init__(self) -> None:
        self.heard = self.listened = time.monotonic()

    def hears_nobody(self) -> bool:
        now = time.monotonic()
        if now - self.listened >= settings.SWEEP_SECONDS:
            self.listened = now
            if _beats(3 * settings.SWEEP_SECONDS):
                self.heard = now
        return now - self.heard > settings.WORKER_MUTE_SECONDS


def _beats(within_seconds: float) -> bool:
    try:
        return Pulse.objects.heard("worker", within_seconds)
    except DatabaseError:  # then nobody can do anything
        return True
    finally:
        connection.close()


def _stop(children: list[_Child]) -> None:
    """One SIGTERM each: running steps hand their tasks back. What is left then is killed."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.popen.wait(max(0.1, deadline - time.monotonic()))
        child.kill()


def _shown_host() -> str:
    """A name that the site answers to: ALLOWED_HOSTS may leave this machine's own out."""
    everywhere = settings.HOST in ("0.0.0.0", "::")  # noqa: S104
    own = "localhost" if settings.LOOPBACK or everywhere else settings.HOST
    if validate_host(own, settings.ALLOWED_HOSTS):
        return own
    return next((host for host in settings.ALLOWED_HOSTS if host[0] not in "*."), own)
