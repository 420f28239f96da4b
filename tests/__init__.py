import os
from typing import NoReturn


def missing(what: str) -> NoReturn:
    """Something that a test needs is not on this machine: said elsewhere, a failure in CI."""
    import pytest  # not above: children of the sandbox import this package, and nothing of tests

    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")
