"""How the oracle is asked: within a deadline, and not at all for a while after a failure."""

from __future__ import annotations

import concurrent.futures
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter

from dstack_quota_oracle import __version__
from dstack_quota_oracle.settings import Settings

MAX_OFFERS_PER_CALL = 10_000
"""The oracle's own bound on one call."""

PAUSE_SECONDS = 15.0
"""After a failure: long enough that plans do not wait again and again, short enough that a
restarted oracle is found before anyone wonders."""

_MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Eight times what 10,000 verdicts take; beyond it, it is no answer of the oracle's."""

_POOLED_CONNECTIONS = 32
"""As many plans as dstack's thread pool works on at once."""

T = TypeVar("T")


class NoAnswerError(Exception):
    """The oracle gave no usable answer; `kind` groups what is alike for the log."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class OracleClient:
    """Asks the oracle; safe to share among threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = requests.Session()
        adapter = HTTPAdapter(pool_maxsize=_POOLED_CONNECTIONS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._answered = False
        self._pause = _Pause(PAUSE_SECONDS, settings.timeout_seconds)

    @property
    def answered(self) -> bool:
        """Whether the last call was answered; not so before the first."""
        return self._answered

    def available(self) -> bool:
        """Whether asking makes sense now; false for a while after a failure."""
        return self._pause.over()

    def availabilities(self, offers: Sequence[dict[str, Any]]) -> list[str]:
        """The oracle's word on each offer, in order; all calls share one deadline."""
        deadline = time.monotonic() + self._settings.timeout_seconds

        def ask() -> list[str]:
            found: list[str] = []
            for start in range(0, len(offers), MAX_OFFERS_PER_CALL):
                batch = offers[start : start + MAX_OFFERS_PER_CALL]
                answer = self._post("/offers", {"count": 1, "offers": batch}, deadline)
                found += _availabilities(answer, len(batch))
            return found

        try:
            found = _within(deadline, ask)
        except Exception:
            self._answered = False
            self._pause.begin()
            raise
        self._answered = True
        self._pause.end()
        return found

    def send(self, path: str, body: dict[str, Any]) -> None:
        """Posts `body` and expects nothing back but success."""
        deadline = time.monotonic() + self._settings.timeout_seconds
        _within(deadline, lambda: self._post(path, body, deadline))

    def _post(self, path: str, body: dict[str, Any], deadline: float) -> Any:
        try:
            with self._session.post(
                self._settings.url + path,
                json=body,
                auth=self._authorize,
                headers={"User-Agent": f"dstack-quota-oracle/{__version__}"},
                timeout=_left(deadline),
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.status_code // 100 != 2:
                    raise _refusal(response)
                return json.loads(_read(response, deadline) or b"null")
        except requests.Timeout:
            raise _timed_out() from None
        except requests.RequestException as error:
            raise NoAnswerError("unreachable", _cause(error)) from None
        except json.JSONDecodeError:
            raise NoAnswerError("malformed", "its answer is not JSON") from None

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # As a function, so that an entry in .netrc does not take the header's place.
        if (token := self._settings.token()) is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return request


class _Pause:
    """Holds back calls after a failure, then lets one try while the others still wait."""

    def __init__(self, seconds: float, attempt_seconds: float) -> None:
        self._seconds = seconds
        self._attempt_seconds = attempt_seconds
        self._until: float | None = None
        self._lock = threading.Lock()

    def over(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if self._until is None:
                return True
            if now < self._until:
                return False
            self._until = now + self._attempt_seconds
            return True

    def begin(self) -> None:
        with self._lock:
            self._until = time.monotonic() + self._seconds

    def end(self) -> None:
        with self._lock:
            self._until = None


def _within(deadline: float, work: Callable[[], T]) -> T:
    # The timeouts of an HTTP library are per read and leave out name resolution; only
    # another thread can be left behind at a fixed time.
    result: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, name="quota-oracle", daemon=True).start()
    try:
        return result.result(timeout=_left(deadline))
    except concurrent.futures.TimeoutError:
        raise _timed_out() from None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise _timed_out()
    return left


def _read(response: requests.Response, deadline: float) -> bytearray:
    content = bytearray()
    for piece in response.iter_content(65_536):
        content += piece
        _left(deadline)
        if len(content) > _MAX_ANSWER_BYTES:
            raise NoAnswerError("malformed", "its answer is too long")
    return content


def _availabilities(answer: Any, expected: int) -> list[str]:
    verdicts = answer.get("verdicts") if isinstance(answer, dict) else None
    if not isinstance(verdicts, list) or len(verdicts) != expected:
        raise NoAnswerError("malformed", f"its answer does not hold {expected} verdicts")
    found = [v.get("availability") if isinstance(v, dict) else None for v in verdicts]
    if not all(isinstance(availability, str) for availability in found):
        raise NoAnswerError("malformed", "a verdict in its answer has no availability")
    return [str(availability) for availability in found]


def _refusal(response: requests.Response) -> NoAnswerError:
    status = response.status_code
    kind = "refused" if status in (401, 403) else f"status {status}"
    hint = "; look at QUOTA_ORACLE_TOKEN" if kind == "refused" else ""
    return NoAnswerError(kind, f"it answered HTTP {status}{hint}")


def _timed_out() -> NoAnswerError:
    return NoAnswerError("timeout", "it did not answer in time")


def _cause(error: BaseException) -> str:
    """The innermost reason; the outer ones repeat addresses and object names."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return f"{type(error).__name__}: {reason or error}"
