"""The fixtures that most tests share."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from dstack_quota_oracle.settings import Settings

from .oracle import Oracle


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    server = Oracle()
    yield server
    server.stop()


@pytest.fixture
def settings(oracle: Oracle) -> Settings:
    return Settings(url=oracle.url, timeout_seconds=5.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lets a test move the clock of pauses and the log; its one item is added to the time."""
    start = time.monotonic
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: start() + now[0])
    return now


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"
