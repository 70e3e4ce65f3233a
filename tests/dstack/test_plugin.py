"""The second way: the plugin asks the oracle about every offer, of every cloud it knows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness import nebius
from harness.account import REGIONS
from harness.catalog import CatalogServer
from harness.dstack_server import AWS_BACKEND, PROJECT, DstackServer, Plan
from harness.expected import Quotas, by_dstacks_own_test, by_the_oracle, differences
from harness.moto import Moto
from harness.oracle import Oracle
from harness.processes import free_port
from harness.simulated import SimulatedClouds
from harness.stage import StartDstack

DEADLINE_SECONDS = 2.0
"""The plugin's own default."""


@dataclass
class Stage:
    """A dstack server with the plugin, and the oracle that it asks."""

    oracle: Oracle
    dstack: DstackServer


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory,
    all_clouds: SimulatedClouds,
    nebius_settings: list[str],
    moto: Moto,
    catalog: CatalogServer,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("plugin")
    oracle = Oracle(folder / "oracle", all_clouds, nebius=nebius_settings)
    try:
        dstack = DstackServer(
            folder / "dstack",
            {
                **moto.environment(),
                "GPUHUNT_CATALOG_URL": catalog.url,
                # moto knows no quotas, and dstack then takes them for unknown: each `no_quota`
                # is the plugin's.
                "AWS_ENDPOINT_URL_SERVICE_QUOTAS": moto.url,
                "QUOTA_ORACLE_URL": oracle.url,
                "QUOTA_ORACLE_TOKEN_FILE": str(oracle.token_file),
                "PYTHONPATH": nebius.install(folder),
            },
            plugins=("quota_oracle", nebius.PLUGIN),
        )
        try:
            dstack.add_project(PROJECT, AWS_BACKEND, nebius.BACKEND)
            yield Stage(oracle, dstack)
        finally:
            dstack.stop()
    finally:
        oracle.stop()


@pytest.fixture
def known(stage: Stage) -> Stage:
    """With the oracle running, and knowing all that it is asked about."""
    stage.oracle.wait_until_known("aws", *REGIONS)
    stage.oracle.wait_until_known("nebius", *nebius.REGIONS)
    return stage


def test_aws_offers_have_no_quota_exactly_where_there_is_no_room(
    known: Stage, quotas: Quotas
) -> None:
    plan = known.dstack.plan(PROJECT)

    wrong = {}
    for offer in _of(plan, "aws"):
        resources = offer["instance"]["resources"]
        named = (offer["region"], offer["instance"]["name"], resources["spot"])
        expected = by_the_oracle(named, resources["cpus"], quotas)
        if offer["availability"] != expected:
            wrong[named] = (offer["availability"], expected)
    assert wrong == {}
    assert {offer["availability"] for offer in _of(plan, "aws")} == {"no_quota", "unknown"}

    # dstack sorts what cannot be launched to the end.
    launchable = [offer["availability"] != "no_quota" for offer in plan.offers]
    assert launchable == sorted(launchable, reverse=True)

    log = known.dstack.log()
    assert f"offers are judged by {known.oracle.url}" in log
    assert log.count("The quota oracle judges offers") == 1


def test_nebius_offers_without_quota_say_so(known: Stage) -> None:
    offers = _of(known.dstack.plan(PROJECT), "nebius")

    room = _room_for_gpus(known.oracle)
    for offer in offers:
        resources = offer["instance"]["resources"]
        family = offer["instance"]["name"].split("-")[1]
        if not resources["spot"]:
            short = len(resources["gpus"]) > room[offer["region"], family]
            assert offer["availability"] == ("no_quota" if short else "unknown"), offer
    assert {offer["availability"] for offer in offers} == {"no_quota", "unknown"}


def test_without_the_oracle_dstack_behaves_as_without_the_plugin(
    known: Stage, start_dstack: StartDstack, moto: Moto
) -> None:
    plain = start_dstack(moto.url)
    plain.add_project(PROJECT, AWS_BACKEND)
    expected = plain.plan(PROJECT)
    assert _shown(known.dstack.plan(PROJECT)) != _shown(expected)

    known.oracle.stop()
    try:
        plan = known.dstack.plan(PROJECT)
        assert _shown(plan) == _shown(expected)
        assert plan.seconds < DEADLINE_SECONDS + 1

        # It does not wait for the oracle again and again.
        started = time.monotonic()
        for _ in range(5):
            known.dstack.plan(PROJECT)
        assert time.monotonic() - started < 5 * DEADLINE_SECONDS
        assert known.dstack.log().count("offers stay as they are") == 1
    finally:
        known.oracle.start()


def test_with_both_ways_and_no_oracle_dstack_asks_aws_itself(
    start_dstack: StartDstack, clouds: SimulatedClouds, quotas: Quotas
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    dstack = start_dstack(
        f"{nobody}/aws/aws", "quota_oracle", QUOTA_ORACLE_URL=nobody, AWS_ENDPOINT_URL=clouds.aws
    )
    dstack.add_project(PROJECT, AWS_BACKEND)

    found = dstack.plan(PROJECT).availabilities()

    assert {region for region, _, _ in found} == set(REGIONS)
    assert differences(found, lambda o: by_dstacks_own_test(o, quotas, headroom=False)) == []
    assert "AWS is asked for its quotas directly" in dstack.log()


def _of(plan: Plan, backend: str) -> list[dict[str, Any]]:
    return [offer for offer in plan.offers if offer["backend"] == backend]


def _room_for_gpus(oracle: Oracle) -> dict[tuple[str, str], float]:
    prefix = "compute.instance.gpu."
    return {
        (region["region"], row["code"].removeprefix(prefix)): row["available"]
        for region in oracle.get("/quotas/nebius")["regions"]
        for row in region["quotas"]
        if row["code"].startswith(prefix) and row["available"] is not None
    }


def _shown(plan: Plan) -> list[tuple[object, ...]]:
    """The AWS offers of a plan, as far as a user sees them."""
    return sorted(
        (
            offer["region"],
            offer["instance"]["name"],
            offer["instance"]["resources"]["spot"],
            offer["price"],
            offer["availability"],
        )
        for offer in plan.offers
        if offer["backend"] == "aws"
    )
