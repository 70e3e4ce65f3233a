"""The image: a demo in one command, and a configuration that is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from engine import docker, eventually, get, inspect


@pytest.fixture
def demo() -> Iterator[str]:
    """A container that was started as the README says."""
    docker(
        "run",
        "--detach",
        "--name=demo",
        "--publish=127.0.0.1:8080:8080",
        "quota-oracle:0.1.0",
        "demo",
        "--listen=0.0.0.0:8080",
    )
    yield "demo"
    docker("rm", "--force", "demo")


def test_the_demo_answers_the_holder_of_its_token(demo: str) -> None:
    def said() -> str:
        return docker("logs", demo).stdout

    eventually("the demo is ready", lambda: "Ready after " in said())
    found = re.search("token: ([0-9a-f]{32})", said())
    assert found, said()
    assert get("/quotas/aws/us-east-1")[0] == 401
    status, quotas = get("/quotas/aws/us-east-1", found[1])
    assert status == 200
    assert len(quotas["quotas"]) > 10


def test_the_image_runs_as_nobody_and_needs_a_configuration() -> None:
    ended = docker("run", "--rm", "quota-oracle:0.1.0", check=False)
    assert ended.returncode == 2
    assert "quota-oracle.toml" in ended.stderr
    who = docker("run", "--rm", "--entrypoint=id", "quota-oracle:0.1.0", "-u").stdout
    assert who.strip() == "65532"


def test_the_image_tells_its_health(demo: str) -> None:
    config = inspect(demo)["Config"]
    assert config["Healthcheck"]["Test"] == ["CMD", "quota-oracle", "healthcheck"]
    # The demo listens where the probe looks.
    eventually("the probe has looked", lambda: inspect(demo)["State"]["Health"]["Log"])
