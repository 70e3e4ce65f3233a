"""Launching with the oracle asked before each launch, and told how it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from harness.account import REGIONS
from harness.catalog import CatalogServer
from harness.dstack_server import AWS_BACKEND, DstackServer
from harness.ec2 import Ec2, Launch
from harness.moto import Moto
from harness.oracle import Oracle
from harness.relay import Answer, Relay, Request
from harness.simulated import SimulatedClouds

RESOURCES = {"gpu": "H100:8", "cpu": "1..", "memory": "1GB..", "disk": "100GB.."}
EIGHT_H100: dict[str, Any] = {"resources": RESOURCES, "spot_policy": "on-demand"}
"""p5.48xlarge with 192 vCPU of the quota of P instances."""

TYPE = "p5.48xlarge"

CONTESTED, SHORT, FULL = "eu-north-1", "us-east-1", "us-east-2"
"""The simulated account has room for just one in the first and the last, and for half a one in the
middle; in the last EC2 has no capacity."""

OFFER = (FULL, TYPE, False)

PATIENCE_SECONDS = 60.0


class Starter(Relay):
    """Between the plugin and the oracle: lets verifications go on two at a time.

    So both have seen the offer with room before either holds it.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self._line = threading.Barrier(2)
        self.racing = False

    def answer(self, request: Request) -> Answer:
        if self.racing and request.path == "/verify":
            self._line.wait(PATIENCE_SECONDS)
        return self.passed_on(request)


@dataclass
class Stage:
    """A dstack server whose plugin verifies launches and reports them, and those it asks."""

    dstack: DstackServer
    oracle: Oracle
    starter: Starter
    ec2: Ec2

    def add_project(self, name: str) -> None:
        """A project in the one account, with a fleet of its own that has nothing yet."""
        self.dstack.add_project(name, AWS_BACKEND)
        self.dstack.open_fleet(name, "fleet", **EIGHT_H100)

    def launch(self, project: str, region: str) -> dict[str, Any]:
        """What becomes of a run that may be launched in that region only."""
        self.dstack.run(project, "run", regions=[region], **EIGHT_H100)
        return self.dstack.wait_until_launched_or_over(project, "run")


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory,
    all_clouds: SimulatedClouds,
    moto: Moto,
    catalog: CatalogServer,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("launches")
    all_clouds.reset()
    oracle = Oracle(folder / "oracle", all_clouds, scope="verify")
    starter, ec2 = Starter(oracle.url), Ec2(moto)
    dstack = DstackServer(
        folder / "dstack",
        {
            **ec2.environment(),
            "GPUHUNT_CATALOG_URL": catalog.url,
            # moto knows no quotas: each refusal is the oracle's.
            "AWS_ENDPOINT_URL_SERVICE_QUOTAS": moto.url,
            **oracle.for_the_plugin,
            "QUOTA_ORACLE_URL": starter.url,
            "QUOTA_ORACLE_VERIFY": "on",
            "QUOTA_ORACLE_FEEDBACK": "on",
            # Two projects list their offers one after the other on a slow machine.
            "QUOTA_ORACLE_TIMEOUT": "30s",
        },
        plugins=("quota_oracle",),
        launches=True,
    )
    try:
        oracle.wait_until_known("aws", *REGIONS)
        yield Stage(dstack, oracle, starter, ec2)
    finally:
        dstack.stop()
        oracle.stop()
        starter.stop()
        ec2.stop()


def test_of_two_projects_that_race_for_one_instance_the_loser_does_not_ask_ec2(
    stage: Stage,
) -> None:
    projects = ["first", "second"]
    for project in projects:
        stage.add_project(project)
    stage.starter.racing = True

    with ThreadPoolExecutor(2) as pool:
        jobs = dict(zip(projects, pool.map(stage.launch, projects, [CONTESTED] * 2), strict=True))
    stage.starter.racing = False

    winner, loser = sorted(projects, key=lambda project: jobs[project]["status"] != "provisioning")
    assert jobs[winner]["status"] == "provisioning"
    assert stage.ec2.launches(winner) == [Launch(winner, CONTESTED, TYPE)]
    assert stage.ec2.launches(loser) == []
    assert jobs[loser]["termination_reason_message"].startswith(
        "None of the 1 offers in fleet 'fleet' could be tried: needs 192 vCPU of Running On-Demand"
        f" P instances in {CONTESTED}; 0 of 192 are free."
    )


def test_a_run_none_of_whose_offers_fits_ends_with_the_sentence_of_the_quota(
    stage: Stage,
) -> None:
    stage.add_project("hopeless")

    job = stage.launch("hopeless", SHORT)

    assert job["termination_reason_message"].startswith(
        "None of the 1 offers in fleet 'fleet' could be tried: needs 192 vCPU of Running On-Demand"
        f" P instances in {SHORT}; 96 of 192 are free."
    )
    assert stage.ec2.launches("hopeless") == []


def test_a_region_without_capacity_is_passed_over_by_the_next_plan_of_another_project(
    stage: Stage,
) -> None:
    for project in ("unlucky", "warned"):
        stage.add_project(project)
    assert stage.dstack.plan("warned", RESOURCES).availabilities()[OFFER] == "unknown"
    stage.ec2.run_out_of_capacity(FULL)

    job = stage.launch("unlucky", FULL)

    # Each zone was tried.
    assert set(stage.ec2.launches("unlucky")) == {Launch("unlucky", FULL, TYPE)}
    assert "tried 1 of 1 offers, all failed" in job["termination_reason_message"]
    unavailable = stage.oracle.wait_until_unavailable(FULL, TYPE)
    assert unavailable - datetime.now(timezone.utc) > timedelta(minutes=2)
    found = stage.dstack.plan("warned", RESOURCES).availabilities()
    assert found[OFFER] == "not_available"
    # Spot is other capacity.
    assert found[FULL, TYPE, True] == "unknown"

    job = stage.launch("warned", FULL)

    assert stage.ec2.launches("warned") == []
    assert (
        f"could be tried: the cloud has just had no capacity for {TYPE} in {FULL}"
        in job["termination_reason_message"]
    )


def test_with_the_oracle_stopped_launches_go_as_without_it(stage: Stage) -> None:
    stage.add_project("alone")
    stage.oracle.stop()

    job = stage.launch("alone", SHORT)

    assert job["status"] == "provisioning"
    assert stage.ec2.launches("alone") == [Launch("alone", SHORT, TYPE)]
