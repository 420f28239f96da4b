"""One HTTP call to a service: watched, bounded in time and size, its failures in our words.

The call runs in a thread of its own while the worker's thread ticks: so the lease is renewed
while two gigabytes go out, a cancelled task stops within a second, and a service that drips a
byte a second costs no more than the time that was allowed. Knows no Django.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from videos.engines.base import Call, CloudConfig, EngineError, NotNow, Sent

CONNECT_SECONDS = 10.0  # also how long a piece of an upload may stand still
TICK_SECONDS = 0.25
MAX_BYTES = 64 * 1024**2  # of an answer; a transcript of twelve hours has about one
MAX_MESSAGE = 300
LONGEST_WAIT = 900.0  # whatever they ask for, where asking costs little: a limit may end sooner
PASSING = (408, 425, 429)
GARBLED_TRIES = 8
GONE_TRIES = 5
SENDING_TRIES = 5
SENDING_WAIT = 300.0  # before all of a video is sent again, unless they ask for another time

Json = dict[str, Any]
T = TypeVar("T")


class GivenUp(Exception):
    """Nobody waits for this call any more."""


class Refusal(EngineError):
    """An answer of ``status`` 4xx, in their own words. Asking the same again cannot help."""

    def __init__(self, message: str, status: int, detail: str) -> None:
        super().__init__(message, permanent=True, detail=detail)
        self.status = status


class Watch:
    """What the calling thread tells the waiting one, and is told by it."""

    def __init__(self) -> None:
        self.sent = Sent()
        self.given_up = threading.Event()

    def progress(self, sent: int, total: int) -> None:
        """Note what was sent; raises GivenUp to break the call off."""
        self.sent = Sent(sent, total)
        self.check()

    def check(self) -> None:
        if self.given_up.is_set():
            raise GivenUp


def watched(work: Callable[[Watch], T], who: str, seconds: float) -> Call[T]:
    """Run ``work`` aside, tick until it is done and return what it returns.

    It may take ``seconds`` in which nothing is sent. A thread that hangs in the network when
    it is given up ends at its next byte or its socket's timeout.
    """
    watch, answer = Watch(), Future[T]()
    threading.Thread(target=_run, args=(work, watch, answer), name="call", daemon=True).start()
    try:
        sent, since = watch.sent, time.monotonic()
        while not wait([answer], TICK_SECONDS).done:
            if watch.sent != sent:
                sent, since = watch.sent, time.monotonic()
            if time.monotonic() - since > seconds:
                raise _silent(who, seconds, watch.sent)
            yield watch.sent
        return answer.result()
    finally:
        watch.given_up.set()


def _silent(who: str, seconds: float, sent: Sent) -> NotNow:
    if not sent.bytes:
        return NotNow(f"{who} did not answer within {seconds:g} s.")
    sentence = f"{who} did not say within {seconds:g} s that it took the video."
    return NotNow(sentence, wait_seconds=SENDING_WAIT, most=SENDING_TRIES)


def _run(work: Callable[[Watch], T], watch: Watch, answer: Future[T]) -> None:
    try:
        answer.set_result(work(watch))
    except BaseException as error:
        answer.set_exception(error)


class Caller:
    """Calls one service with our key. Says everything that fails as an EngineError."""

    def __init__(self, who: str, config: CloudConfig, watch: Watch) -> None:
        self.who, self.config, self.watch = who, config, watch

    def __call__(
        self,
        method: str,
        path: str,
        *,
        read_seconds: float = 30.0,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Json:
        """The answer's JSON object; an empty one for an answer without a body."""
        self.watch.check()
        url = f"{self.config.base_url}/{self.config.version}{path}"
        try:
            with (
                requests.Session() as session,
                session.request(
                    method,
                    url,
                    # A redirect would carry the key elsewhere; gzip would hide a body's size.
                    allow_redirects=False,
                    headers={
                        "x-api-key": self.config.key,
                        "Accept-Encoding": "identity",
                        **(headers or {}),
                    },
                    auth=_no_other_credentials,
                    stream=True,
                    timeout=(CONNECT_SECONDS, read_seconds),
                    **options,
                ) as response,
            ):
                return self._understand(response)
        # Reading ``raw`` gives urllib3's own errors.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> NotNow:
        name = type(error).__name__
        host = urlsplit(self.config.base_url).hostname
        detail = self.clean(f"{host}: {name} {error}")
        if self.watch.sent.bytes:
            # It may be a refusal that was not waited for: not worth a day of gigabytes.
            sentence = f"{self.who} hung up while the video was sent."
            return NotNow(sentence, detail=detail, most=SENDING_TRIES)
        return NotNow(f"{self.who} cannot be reached.", detail=detail)

    def _understand(self, response: requests.Response) -> Json:
        body = self._read(response)
        status = response.status_code
        if 200 <= status < 300:
            return self._json(body) if body.strip() else {}
        detail = self.clean(f"{status} {body[:2000].decode(errors='replace')}")
        if 300 <= status < 400:
            sentence = f"{self.who} redirects elsewhere, which is not followed: check its address."
            raise EngineError(sentence, permanent=True, detail=detail)
        if status == HTTPStatus.NOT_FOUND:
            sentence = f"{self.who} does not know this video any more."
            raise NotNow(sentence, detail=detail, most=GONE_TRIES, gone=True)
        if status in PASSING or status >= 500:
            raise self._busy(response, detail)
        raise Refusal(self._refusal(status, body), status, detail)

    def _busy(self, response: requests.Response, detail: str) -> NotNow:
        limited = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        wait = asked_wait(response.headers)
        if self.watch.sent.bytes:
            return self._not_taken(limited, wait, detail)
        sentence = f"{self.who} {'asks us to wait' if limited else 'has a fault'}."
        wait = None if wait is None else min(wait, LONGEST_WAIT)
        return NotNow(sentence, detail=detail, wait_seconds=wait)

    def _not_taken(self, limited: bool, wait: float | None, detail: str) -> NotNow:
        """All of the video has to be sent again: once the limit ends, or else a few times only.

        The sentences are no other call's: those are not counted with it.
        """
        said = "asks us to send the video later" if limited else "had a fault and took no video"
        most = 0 if limited and wait else SENDING_TRIES
        wait = wait or SENDING_WAIT
        return NotNow(f"{self.who} {said}.", detail=detail, wait_seconds=wait, most=most)

    def _read(self, response: requests.Response) -> bytes:
        """The body, as it comes, until it is too large or nobody waits for it."""
        body = bytearray()
        while piece := response.raw.read1(65536, decode_content=True):
            self.watch.check()
            body += piece
            if len(body) > MAX_BYTES:
                raise self.garbled("It is larger than any transcript.")
        announced = response.headers.get("Content-Length", "")
        packed = "Content-Encoding" in response.headers  # then the length is that of other bytes
        short = announced.isdigit() and int(announced) > len(body) and not packed
        if short and response.status_code != 204:
            raise self.garbled("It was cut off.")
        return bytes(body)

    def _json(self, body: bytes) -> Json:
        try:
            found = json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise self.garbled(body[:500].decode(errors="replace")) from None
        if not isinstance(found, dict):
            raise self.garbled(body[:500].decode(errors="replace"))
        return found

    def garbled(self, detail: str) -> NotNow:
        """An answer that makes no sense: a proxy's page, half of it, or another API's."""
        sentence = f"{self.who} gave an answer that cannot be read."
        return NotNow(sentence, detail=self.clean(detail), most=GARBLED_TRIES)

    def _refusal(self, status: int, body: bytes) -> str:
        """Their own words, when there are some."""
        try:
            found = json.loads(body)
            words = found.get("message") if isinstance(found, dict) else None
        except (ValueError, RecursionError):
            words = None
        if not isinstance(words, str) or not words.strip():
            words = f"HTTP {status}"
        return f"{self.who} refused: {self.clean(words)[:MAX_MESSAGE]}"

    def clean(self, text: str) -> str:
        """One line, and without our key, should they send it back."""
        if self.config.key:
            text = text.replace(self.config.key, "(key)")
        return re.sub(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", text).strip()


def _no_other_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Given as ``auth``, or requests would look into the user's .netrc."""
    return request


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds from ``Retry-After`` (seconds or a date) or ``X-Ratelimit-Reset`` (epoch)."""
    after = headers.get("Retry-After", "").strip()
    reset = headers.get("X-Ratelimit-Reset", "").strip()
    wait = _seconds(after)
    if wait is None and after:
        wait = _until(after)
    if wait is None and (moment := _seconds(reset)) is not None:
        wait = moment - time.time()
    return None if wait is None else max(1.0, wait)


def _seconds(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text, re.ASCII) else None


def _until(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
