"""Settings from the file ``.env`` beside manage.py, for every command alike."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

BESIDE = Path(__file__).resolve().parent.parent / ".env"


def load() -> None:
    """Add what the file says and the environment does not; ENV_FILE names another file.

    Lines are a shell's: ``NAME=value``, quoted where it has spaces, ``#`` before a remark. Nothing
    in them is expanded. Ends with a sentence when a line is none.
    """
    path = Path(os.environ.get("ENV_FILE", BESIDE))
    text = path.read_text() if path.exists() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise SystemExit(f"{path}, line {number}: {error}.") from error
        for word in words[1:] if words[:1] == ["export"] else words:
            name, is_set, value = word.partition("=")
            if not is_set or not name.isidentifier():
                raise SystemExit(f"{path}, line {number}: write it as NAME=value.")
            os.environ.setdefault(name, value)
