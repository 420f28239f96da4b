"""Environment variables -> Python values. A wrong value stops the start with a sentence."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def text(name: str, default: str = "") -> str:
    """The variable ``name``, or what the file named by ``name``_FILE holds (for secrets)."""
    if named := os.environ.get(f"{name}_FILE"):
        try:
            return _beside(named).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}") from error
    return os.environ.get(name, default).strip()


def path(name: str, default: Path) -> Path:
    return _beside(value) if (value := text(name)) else default


def _beside(value: str) -> Path:
    """A relative path begins beside manage.py, as ``.env`` lies there: a command that is started
    from another folder, as by cron, would make a new and empty site there.
    """
    return (BASE_DIR / Path(value).expanduser()).resolve()


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value == "":
        return default
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}")


def number(name: str, default: float, *, least: float = 0) -> float:
    value = text(name)
    try:
        result = float(value) if value else float(default)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}") from None
    if not least <= result < 1e15:
        bound = "below 1e15" if result > least else f"at least {least:g}"
        raise ImproperlyConfigured(f"{name} must be {bound}, not {value!r}")
    return result


def whole(name: str, default: int, *, least: int = 0) -> int:
    result = number(name, default, least=least)
    if not result.is_integer():
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text(name)!r}")
    return int(result)


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


Networks = list[ipaddress.IPv4Network | ipaddress.IPv6Network]


def hosts_and_networks(name: str) -> tuple[list[str], Networks]:
    """``nas.local, 192.168.1.0/24, 10.0.0.7`` as host names and as networks."""
    hosts: list[str] = []
    networks: Networks = []
    for word in words(name):
        try:
            networks.append(ipaddress.ip_network(word.strip("[]")))
        except ValueError:
            if "/" in word or ":" in word:
                message = f"{name} may hold host names and networks, not {word!r}"
                raise ImproperlyConfigured(message) from None
            hosts.append(word.lower())
    return hosts, networks


def token(name: str) -> str:
    """A secret that goes into an HTTP header; a complaint about it never shows it."""
    value = text(name)
    if not all("!" <= char <= "~" for char in value):
        raise ImproperlyConfigured(f"{name} must be printable ASCII without spaces")
    return value


def address(name: str, default: str) -> str:
    """An http(s) URL without user, query and slash at the end."""
    value = text(name).rstrip("/") or default
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname or url.username or url.query:
        raise ImproperlyConfigured(f"{name} must be an address such as {default}")
    return value


def without_version(url: str) -> str:
    """The address of an API of any version: no ``/v1.3`` at its end."""
    return re.sub(r"/v\d+(\.\d+)?$", "", url)


def one_of(name: str, choices: tuple[str, ...]) -> str:
    """One of the choices; the first one if nothing is said."""
    value = text(name) or choices[0]
    if value not in choices:
        known = ", ".join(filter(None, choices))
        raise ImproperlyConfigured(f"{name} must be one of {known}, not {value!r}")
    return value


LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


def all_loopback(hosts: list[str]) -> bool:
    """Whether all these host names, as in ALLOWED_HOSTS, mean this machine alone."""
    return all(host.strip("[]") in LOOPBACK_NAMES for host in hosts)


def cores() -> int:
    """CORES, or as many as this process may use (a container may have fewer than its machine)."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return whole("CORES", 0) or allowed or 1


def secret_key(data_dir: Path) -> str:
    """SECRET_KEY, or one made at the first start and kept in ``data_dir`` for its owner alone."""
    if key := text("SECRET_KEY"):
        if len(key) < 50:
            raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters")
        return key
    path = data_dir / "secret_key"
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(64))
    return path.read_text().strip()


def _write_once(path: Path, content: str) -> None:
    """Write a file that only its owner can read; of several writers the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


# Read-then-write transactions take the write lock at once (IMMEDIATE): a deferred one fails
# with "database is locked" when another writer came between. FULL: a commit outlives a power cut.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;"
        "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=-20000;"
    ),
}


def database(data_dir: Path) -> dict[str, Any]:
    """DATABASE_URL (``postgres://user:password@host:port/name``) as Django wants it, or SQLite."""
    url = urlsplit(text("DATABASE_URL"))
    if not url.scheme:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": data_dir / "db.sqlite3",
            "OPTIONS": SQLITE_OPTIONS,
            "TEST": {"NAME": data_dir / "test.sqlite3"},
        }
    if url.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres://")
    options = dict(parse_qsl(url.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": options.pop("host", "") or unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


REDIS_OPTIONS = {
    # Far above any run, or Redis hands a running task's message out a second time.
    "visibility_timeout": 6 * 3600,
    # A page that rings does not wait for a broker that is away or stands still: the sweep rings
    # again. `retry=False` alone does not reach the first connection. A worker connects by
    # CELERY_BROKER_CONNECTION_MAX_RETRIES, for ever, and waits for messages without blocking.
    "max_retries": 0,
    "socket_connect_timeout": 2,
    "socket_timeout": 2,
}


def broker(data_dir: Path) -> tuple[str, dict[str, Any]]:
    """BROKER_URL with its transport options; without one, a folder serves as the broker.

    The folder loses what a killed worker had taken, and that is fine: a message is only a
    doorbell, the sweep rings again (ARCHITECTURE.md, "Rows are the truth").
    """
    if url := text("BROKER_URL"):
        return url, REDIS_OPTIONS
    folder = data_dir / "broker"
    return "folder://", {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
