import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Something that a test needs is not on this machine: said elsewhere, a failure in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")
