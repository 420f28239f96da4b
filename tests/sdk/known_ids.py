"""Hook for schemathesis: three calls of four name what is really there, or all would be 404.

What deletes keeps its invented ids, so that the rest stays.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from typing import Any

import schemathesis

IDS: dict[str, str] = json.loads(os.environ["KNOWN_IDS"])


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    if case.operation.method.upper() == "DELETE":
        return
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            _name_known(place)


def _name_known(place: dict[str, Any]) -> None:
    for name, known in IDS.items():
        invented = place.get(name)
        if not isinstance(invented, str) or re.fullmatch(r"[0-9a-f]{24}", invented):
            continue  # an answer before gave it
        if zlib.crc32(invented.encode(errors="replace")) % 4:
            place[name] = known
