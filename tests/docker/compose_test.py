"""docker-compose.yml: probe, read-only root, SIGTERM, and starting again from snapshots."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Project, docker, eventually, get, health, inspect

TOKEN = "token-of-dstack-0123456789abcdef"
QUOTAS = "/quotas/aws/us-east-1"


@pytest.fixture(scope="module")
def service(project: Path) -> Iterator[str]:
    """The container of the service, once it is healthy."""
    compose = Project("one", project, "docker-compose.yml", "tests/docker/simulated.yml")
    compose("up", "--detach", "--no-build", "quota-oracle")
    (container,) = compose.containers("quota-oracle")
    eventually("the probe succeeds", lambda: health(container) == "healthy")
    yield container
    compose.down()


def test_it_answers_the_holder_of_the_mounted_token(service: str) -> None:
    assert get(QUOTAS)[0] == 401
    status, quotas = get(QUOTAS, TOKEN)
    assert status == 200
    assert quotas["freshness"] == "fresh"


def test_it_can_write_nowhere_but_to_its_snapshots(service: str) -> None:
    refused = docker("exec", service, "touch", "/usr/local/bin/other", check=False)
    assert "Read-only file system" in refused.stderr
    assert inspect(service)["HostConfig"]["CapDrop"] == ["ALL"]
    kept = docker("exec", service, "ls", "/var/lib/quota-oracle/aws").stdout
    assert "us-east-1.json" in kept


def test_it_ends_in_time_and_starts_again_from_its_snapshots(service: str) -> None:
    before = get(QUOTAS, TOKEN)[1]["taken_at"]
    started = time.monotonic()
    docker("stop", service)
    # The drain of two seconds and nothing under way; the engine would have killed it after twenty.
    assert time.monotonic() - started < 10
    state = inspect(service)["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    assert get(QUOTAS, TOKEN)[0] == 0
    docker("start", service)
    status, after = eventually("it answers again", lambda: _answered(), seconds=10)
    assert status == 200
    assert after["taken_at"] == before
    eventually("the probe succeeds", lambda: health(service) == "healthy")


def test_it_is_started_again_when_it_is_killed(service: str) -> None:
    before = inspect(service)["State"]["Pid"]
    os.kill(before, signal.SIGKILL)
    eventually("another process runs", lambda: inspect(service)["State"]["Pid"] not in (0, before))
    eventually("it answers again", lambda: _answered())
    assert inspect(service)["RestartCount"] == 1


def _answered() -> tuple[int, dict[str, str]] | None:
    status, answer = get(QUOTAS, TOKEN)
    return (status, answer) if status else None
