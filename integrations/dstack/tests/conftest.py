"""The fixtures that most tests share."""

from __future__ import annotations

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
