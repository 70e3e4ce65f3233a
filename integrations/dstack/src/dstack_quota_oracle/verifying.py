"""The last check before a launch: `POST /verify`, with a lease that holds the room."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from dstack_quota_oracle.client import OracleClient
from dstack_quota_oracle.describing import describe
from dstack_quota_oracle.exchange import NoAnswerError
from dstack_quota_oracle.saying import Sayer, sayable
from dstack_quota_oracle.shapes import Offer
from dstack_quota_oracle.verdicts import read_verdict

LEASE = "10m"
"""Longer than dstack's launches take. A lease ends with its launch; this is for a server that dies
in the middle of one."""

_MOST_INSTANCES = 1_000
"""Instances whose leases are remembered until they are up; dstack launches a few at a time."""


@dataclass(frozen=True)
class Verified:
    """What the oracle has said of a launch."""

    passed_over: str | None = None
    """Why it should not be tried."""
    lease: str | None = None


class Verifier:
    """Verifies launches and keeps their leases; a launch goes on whenever it cannot."""

    def __init__(self, client: OracleClient, sayer: Sayer, max_age: str) -> None:
        self._client = client
        self._sayer = sayer
        self._max_age = max_age
        self._instances: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, offer: Offer, backend: str, count: int) -> Verified:
        """Asks whether so many instances can be launched now, and holds room for them."""
        if not self._client.available():
            return Verified()
        try:
            answer = self._client.ask(
                "/verify",
                {
                    "offer": describe(offer, backend),
                    "count": count,
                    "max_age": self._max_age,
                    # So that its word of what is known comes before nobody waits any more.
                    "timeout": f"{round(self._client.timeout_seconds * 900)}ms",
                    "lease": LEASE,
                },
            )
            return _read(answer)
        except Exception as problem:
            self._sayer.failure(
                "verify", "The quota oracle verified no launch: %s", sayable(problem)
            )
            return Verified()

    def launched(self, lease: str, instance: object) -> None:
        """Commits a lease whose launch has happened."""
        if isinstance(instance, str):
            with self._lock:
                self._instances[instance] = lease
                while len(self._instances) > _MOST_INSTANCES:
                    self._instances.popitem(last=False)
        self._change("POST", f"/leases/{lease}/commit")

    def failed(self, lease: str) -> None:
        """Gives the room of a failed launch back."""
        self._change("DELETE", f"/leases/{lease}")

    def never_came_up(self, instance: str) -> None:
        """Gives the room of an instance back that was launched and then found failed."""
        with self._lock:
            lease = self._instances.pop(instance, None)
        if lease is not None:
            self.failed(lease)

    def _change(self, method: str, path: str) -> None:
        try:
            self._client.ask(path, None, method)
        except Exception as problem:
            # It ends by itself.
            self._sayer.failure("lease", "A lease could not be ended: %s", sayable(problem))


def _read(content: bytes) -> Verified:
    try:
        answer: Any = json.loads(content)
    except ValueError:
        answer = None
    verdict = read_verdict(answer)
    if verdict is None:
        raise NoAnswerError("malformed", "its answer is no verdict")
    lease = answer.get("lease")
    held = lease.get("id") if isinstance(lease, dict) else None
    return Verified(
        passed_over=verdict.reason if verdict.against else None,
        lease=held if isinstance(held, str) else None,
    )
