"""docker-compose.replicas.yml: one port, one Valkey, and an upgrade without a failed request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Project, docker, eventually, get, health

TOKEN = "token-of-dstack-0123456789abcdef"
QUOTAS = "/quotas/aws/us-east-1"


@pytest.fixture(scope="module")
def replicas(project: Path) -> Iterator[Project]:
    compose = Project(
        "replicas", project, "docker-compose.replicas.yml", "tests/docker/simulated.yml"
    )
    compose("up", "--detach", "--no-build", "--scale", "quota-oracle=3")
    eventually("all are healthy", lambda: _healthy(compose) == 3)
    yield compose
    compose.down()


def test_each_answers_behind_one_port(replicas: Project) -> None:
    def shown() -> set[str]:
        return {get(QUOTAS, TOKEN)[1]["taken_at"] for _ in range(9)}

    # What one has read the others show; the first may have been read before Valkey was there.
    eventually("all show the same reading", lambda: len(shown()) == 1)


def test_an_upgrade_fails_no_request(replicas: Project) -> None:
    old = replicas.containers("quota-oracle")
    failed: list[object] = []
    asked = 0
    done = threading.Event()

    def ask() -> None:
        nonlocal asked
        while not done.is_set():
            status, answer = get(QUOTAS, TOKEN)
            asked += 1
            if status != 200:
                failed.append((status, answer))

    caller = threading.Thread(target=ask)
    caller.start()
    try:
        replicas("up", "--detach", "--no-build", "--no-recreate", "--scale", "quota-oracle=6")
        eventually("the new ones are healthy", lambda: _healthy(replicas) == 6)
        docker("stop", *old)
        docker("rm", *old)
    finally:
        done.set()
        caller.join()
    assert failed == [], replicas("logs", "--no-color", "--tail=20", "proxy")
    assert asked > 100


def test_a_store_that_is_away_is_told_and_costs_no_answer(replicas: Project) -> None:
    replicas("stop", "valkey")
    assert get(QUOTAS, TOKEN)[0] == 200
    assert get("/readyz")[0] == 200
    replicas("start", "valkey")
    assert get(QUOTAS, TOKEN)[0] == 200


def _healthy(compose: Project) -> int:
    return [health(one) for one in compose.containers("quota-oracle")].count("healthy")
