"""How the oracle is asked: the same question once, and nothing for a while if it is away."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from dstack_quota_oracle.calls import Call, Shared
from dstack_quota_oracle.exchange import Exchange, NoAnswerError
from dstack_quota_oracle.patience import Patience
from dstack_quota_oracle.reachability import Reachability
from dstack_quota_oracle.settings import Settings
from dstack_quota_oracle.verdicts import Verdict, read_verdict

MAX_OFFERS_PER_CALL = 10_000
"""The oracle's own bound on one call."""

KEEP_SECONDS = 2.0
"""So long an answer serves for the same question: the plans of many projects come together."""

T = TypeVar("T")


class OracleClient:
    """Asks the oracle; safe to share among threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reachability = Reachability(settings.timeout_seconds)
        self._verdicts: Shared[tuple[Verdict, ...]] = Shared(
            settings.timeout_seconds, KEEP_SECONDS
        )
        self._probes: Shared[None] = Shared(settings.timeout_seconds, 0.0)

    def at(self, url: str) -> OracleClient:
        """The client for an address, which may be the one that this is for."""
        return (
            self if url == self._settings.url else OracleClient(replace(self._settings, url=url))
        )

    @property
    def timeout_seconds(self) -> float:
        """How long somebody waits for an answer."""
        return self._settings.timeout_seconds

    def available(self) -> bool:
        """Whether asking makes sense now; false for a while after it was in vain."""
        return self._reachability.may_ask()

    def reachable(self) -> bool:
        """Whether the oracle answers now.

        An answer of a moment ago would not do: one that stands still since costs minutes.
        """
        if not self._reachability.may_ask():
            return False
        try:
            self._asked(self._probes, "/healthz", None, lambda _: None, self._patience())
        except NoAnswerError as error:
            return error.heard
        return True

    def lost(self) -> None:
        """Takes note that somebody else has asked it in vain."""
        self._reachability.unreachable()

    def verdicts(self, offers: Sequence[dict[str, Any]]) -> list[Verdict]:
        """The oracle's word on each offer, in order; all calls share one patience."""
        patience = self._patience()
        found: list[Verdict] = []
        for start in range(0, len(offers), MAX_OFFERS_PER_CALL):
            batch = offers[start : start + MAX_OFFERS_PER_CALL]
            body = _json({"count": 1, "offers": batch})
            read = _verdicts_of(len(batch))
            verdicts = self._asked(self._verdicts, "/offers", body, read, patience)
            found += verdicts
        return found

    def forget(self) -> None:
        """Asks anew even what was asked a moment ago."""
        self._verdicts.forget()

    def ask(self, path: str, body: dict[str, Any] | None, method: str = "POST") -> bytes:
        """The answer to a question that nobody else asks."""
        alone: Shared[bytes] = Shared(0.0, 0.0)
        content = b"" if body is None else _json(body)
        return self._asked(alone, path, content, lambda answer: answer, self._patience(), method)

    def _asked(
        self,
        shared: Shared[T],
        path: str,
        body: bytes | None,
        read: Callable[[bytes], T],
        patience: Patience,
        method: str | None = None,
    ) -> T:
        def begin() -> Call[T]:
            exchange = Exchange(self._settings, path, body, method)

            def work() -> T:
                try:
                    content = exchange.run(self._settings.timeout_seconds)
                except NoAnswerError as error:
                    if error.heard:
                        self._reachability.heard()
                    raise
                self._reachability.heard()
                return read(content)

            return Call(work, exchange.hang_up)

        asked_at = time.monotonic()
        try:
            return shared.ask(hashlib.sha256(body or b"").digest(), patience, begin)
        except NoAnswerError as error:
            if error.kind == "unreachable":
                self._reachability.unreachable()
            elif not error.heard:
                self._reachability.silent(asked_at)
            raise

    def _patience(self) -> Patience:
        return Patience(self._settings.timeout_seconds)


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _verdicts_of(expected: int) -> Callable[[bytes], tuple[Verdict, ...]]:
    def read(content: bytes) -> tuple[Verdict, ...]:
        try:
            answer = json.loads(content)
        except ValueError:
            raise NoAnswerError("malformed", "its answer is not JSON") from None
        verdicts = answer.get("verdicts") if isinstance(answer, dict) else None
        if not isinstance(verdicts, list) or len(verdicts) != expected:
            raise NoAnswerError("malformed", f"its answer does not hold {expected} verdicts")
        # Few verdicts, many times: each is kept once.
        kept: dict[Verdict, Verdict] = {}
        found: list[Verdict] = []
        for row in verdicts:
            verdict = read_verdict(row)
            if verdict is None:
                raise NoAnswerError("malformed", "a verdict in its answer has no availability")
            found.append(kept.setdefault(verdict, verdict))
        return tuple(found)

    return read
