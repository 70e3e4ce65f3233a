"""Says each thing once: a plan is made every few seconds, an outage lasts for hours."""

from __future__ import annotations

import logging
import threading
import time

from dstack_quota_oracle.exchange import NoAnswerError
from dstack_quota_oracle.settings import SettingsError

REPEAT_SECONDS = 3600.0
"""A failure that goes on is news again after an hour."""

RELAPSE_SECONDS = 300.0
"""One that comes back is news sooner, but not at every turn of something that comes and goes."""


class Sayer:
    """Writes to a log about one thing that may fail, and keeps quiet about what it has said."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said: dict[str, float] = {}
        self._failing = False
        self._recovered_at = float("-inf")
        self._lock = threading.Lock()

    def once(self, key: str, level: int, text: str, *args: object) -> None:
        """Says `text` if nothing was said under `key` before."""
        with self._lock:
            if key in self._said:
                return
            self._said[key] = time.monotonic()
        self._log.log(level, text, *args)

    def failure(self, kind: str, text: str, *args: object) -> None:
        """Says `text` if this kind of failure was not said lately."""
        key = f"failure {kind}"
        with self._lock:
            now = time.monotonic()
            last = self._said.get(key, float("-inf"))
            quiet = RELAPSE_SECONDS if self._recovered_at >= last else REPEAT_SECONDS
            heard = now - last < quiet
            if not heard:
                self._said[key] = now
                self._failing = True
        self._log.log(logging.DEBUG if heard else logging.WARNING, text, *args)

    def recovered(self, text: str) -> None:
        """Says `text` when a failure was said since the last time."""
        with self._lock:
            if not self._failing:
                return
            self._failing = False
            self._recovered_at = time.monotonic()
        self._log.info(text)


def sayable(error: Exception) -> str:
    """What may be logged of an error: its text if that is ours, since others quote what they got.

    http.client quotes the header that it refuses, and with it the token.
    """
    ours = isinstance(error, NoAnswerError | SettingsError)
    return str(error) if ours else type(error).__name__
