"""What past calls tell about the next one: whether the oracle is there."""

from __future__ import annotations

import threading
import time

PAUSE_SECONDS = 15.0
"""Long enough that plans do not wait again and again, short enough that a restarted oracle is
found before anyone wonders."""

SILENCES = 3
"""One missed deadline may be an accident: a packet lost, a machine held up. So many in a row
are the oracle's."""


class Reachability:
    """Holds back calls while they are in vain, then lets one try while the others still wait."""

    def __init__(self, attempt_seconds: float) -> None:
        self._attempt_seconds = attempt_seconds
        self._silences = 0
        self._silent_at = 0.0
        self._paused_until: float | None = None
        self._lock = threading.Lock()

    def may_ask(self) -> bool:
        """Whether asking makes sense now."""
        with self._lock:
            now = time.monotonic()
            if self._paused_until is None:
                return True
            if now < self._paused_until:
                return False
            self._paused_until = now + self._attempt_seconds
            return True

    def heard(self) -> None:
        """There was an answer, whatever it says."""
        with self._lock:
            self._silences = 0
            self._paused_until = None

    def silent(self, since: float) -> None:
        """There was none in time to what was asked at `since`."""
        with self._lock:
            # Those that waited side by side count as one.
            if since >= self._silent_at:
                self._silences += 1
                self._silent_at = time.monotonic()
            if self._silences >= SILENCES:
                self._pause()

    def unreachable(self) -> None:
        """There was nobody to ask."""
        with self._lock:
            self._pause()

    def _pause(self) -> None:
        self._paused_until = time.monotonic() + PAUSE_SECONDS
