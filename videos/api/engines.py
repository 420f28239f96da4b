"""/engines: who listens on this machine."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpResponse

from videos import engines, pipeline
from videos.api import ApiRequest, dialects, errors
from videos.api.endpoint import answer

READY_SECONDS = 60  # whether a model can be had is asked of the network


def list_all(request: ApiRequest) -> HttpResponse:
    return answer({"data": [_engine(name) for name in _offered()]})


def show(request: ApiRequest, name: str) -> HttpResponse:
    if name not in _offered():
        raise errors.no_such(name, "engines")
    return answer(_engine(name))


def _offered() -> list[str]:
    return list(engines.offered(pipeline.engine_config()))


def _engine(name: str) -> dialects.Json:
    engine = engines.get(name)
    key = f"engine-ready-{name}"
    ready = cache.get(key)
    if ready is None:
        ready = engine.availability(pipeline.engine_config()).ok
        cache.set(key, ready, READY_SECONDS)
    return dialects.engine(name, engine.label, ready=ready)
