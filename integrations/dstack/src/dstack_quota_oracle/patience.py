"""How long somebody waits, in time that this process lets pass unhindered."""

from __future__ import annotations

import time
from collections.abc import Callable

MOMENT_SECONDS = 0.05
"""Many more of them are in a deadline than times that reading an answer takes a turn of the
interpreter."""


class Patience:
    """Bounds all of several waits together.

    A deadline on the clock would blame the oracle for what this process does: with twenty plans
    at once each thread of it waits for its turn again and again, and an answer that has long
    come is not read. So waiting goes by moments, and one that took longer counts as one: who
    waits is held up as often as who reads.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def is_over(self) -> bool:
        """Whether nothing is left to wait."""
        return self._left <= 0.0

    def lasts_until(self, happened: Callable[[float], bool]) -> bool:
        """Whether that happens in time; `happened` waits for it as long as it is told."""
        while not self.is_over():
            moment = min(MOMENT_SECONDS, self._left)
            began = time.monotonic()
            if happened(moment):
                self._left -= min(moment, time.monotonic() - began)
                return True
            self._left -= moment
        return happened(0.0)
