"""Calls that several threads wait for: each as long as it likes, the call until the last."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from dstack_quota_oracle.exchange import timed_out
from dstack_quota_oracle.patience import Patience

MAX_KEPT = 32
"""Different questions whose answers are kept: plans at one moment ask a few."""

T = TypeVar("T")


class Call(Generic[T]):
    """Work in a thread of its own, which can be left behind at any time.

    The timeouts of an HTTP library are per read and leave out name resolution.
    """

    def __init__(self, work: Callable[[], T], hang_up: Callable[[], None]) -> None:
        self.began = time.monotonic()
        self.waiting = 0
        self._ended = self.began
        self._result: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._hang_up = hang_up
        threading.Thread(target=self._run, args=(work,), name="quota-oracle", daemon=True).start()

    def _run(self, work: Callable[[], T]) -> None:
        try:
            found = work()
        except BaseException as error:
            self._result.set_exception(error)
        else:
            self._ended = time.monotonic()
            self._result.set_result(found)
        # With it goes the question, which is longer than the answer.
        self._hang_up = _nothing

    def result(self, patience: Patience) -> T:
        """What the work gives, if it does so in time."""
        if not patience.lasts_until(self._ends_within):
            raise timed_out()
        return self._result.result()

    def _ends_within(self, seconds: float) -> bool:
        return bool(concurrent.futures.wait((self._result,), seconds).done)

    def is_under_way(self) -> bool:
        """Whether there is something to wait for."""
        return not self._result.done()

    def answered_since(self, moment: float) -> bool:
        """Whether it gave a result, and not before `moment`."""
        return self._result.done() and self._result.exception() is None and self._ended >= moment

    def hang_up(self) -> None:
        """Ends it: nobody waits any more."""
        self._hang_up()


class Shared(Generic[T]):
    """Lets all who ask the same at about the same time have one call's answer."""

    def __init__(self, join_seconds: float, keep_seconds: float) -> None:
        self._join_seconds = join_seconds
        self._keep_seconds = keep_seconds
        self._calls: dict[bytes, Call[T]] = {}
        self._lock = threading.Lock()

    def ask(self, key: bytes, patience: Patience, begin: Callable[[], Call[T]]) -> T:
        """The answer to the question `key`; `begin` asks it unless that was just done."""
        if patience.is_over():
            raise timed_out()
        with self._lock:
            now = time.monotonic()
            call = self._calls.get(key)
            if call is None or not self._serves(call, now):
                call = self._add(key, begin(), now)
            call.waiting += 1
        try:
            return call.result(patience)
        finally:
            with self._lock:
                call.waiting -= 1
                if not call.waiting and call.is_under_way():
                    if self._calls.get(key) is call:
                        del self._calls[key]
                    call.hang_up()

    def forget(self) -> None:
        """Lets no answer to a question of before now serve for one that is asked from now on."""
        with self._lock:
            self._calls.clear()

    def _serves(self, call: Call[T], now: float) -> bool:
        if call.is_under_way():
            # One that has been silent for long is likelier to stay so than another try.
            return now - call.began < self._join_seconds
        return call.answered_since(now - self._keep_seconds)

    def _add(self, key: bytes, call: Call[T], now: float) -> Call[T]:
        self._calls = {k: c for k, c in self._calls.items() if self._serves(c, now)}
        while len(self._calls) >= MAX_KEPT:
            del self._calls[next(iter(self._calls))]
        self._calls[key] = call
        return call


def _nothing() -> None:
    pass
