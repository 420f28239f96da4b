"""Each format at each rate, and a bin of several, byte for byte.

``GOLDEN=write pytest tests/exports`` writes them anew: read the difference before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.exports.films import RATES, written
from videos.exports import FORMATS

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("what", [*RATES, "mixed"])
@pytest.mark.parametrize("name", FORMATS)
def test_it_writes_the_golden_file(name, what):
    ending = "document.xml" if name == "docx" else FORMATS[name].extension
    path = GOLDEN / f"{name}-{what}.{ending}"
    found = written(name, what)
    if os.environ.get("GOLDEN") == "write":
        path.write_bytes(found)

    assert found == path.read_bytes()
