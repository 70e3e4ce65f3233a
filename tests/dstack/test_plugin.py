"""The second way: the plugin asks the oracle about every offer, of every cloud it knows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import nebius
from harness.account import REGIONS
from harness.catalog import CatalogServer
from harness.dstack_server import AWS_BACKEND, GPU_TASK, PROJECT, DstackServer, Plan
from harness.expected import PREEMPTIBLE, Quotas, by_nebius, by_the_oracle, differences, gpus_of
from harness.moto import Moto
from harness.oracle import Oracle
from harness.simulated import SimulatedClouds
from harness.stage import StartDstack

EIGHT_H100 = {**GPU_TASK, "gpu": "H100:8"}
ANY_A100 = {**GPU_TASK, "gpu": "A100"}

NEBIUS = {
    # One H100 fits and eight do not, no H200 is left, and no spot machine.
    ("eu-north1", gpus_of("h100")): (8, 1),
    ("eu-north1", gpus_of("h200")): (16, 16),
    ("eu-north1", gpus_of("l40s")): (2, 1),
    ("eu-north1", PREEMPTIBLE): (8, 8),
    # What is used up on demand may be had on spot,
    ("eu-west1", gpus_of("h200")): (8, 8),
    ("eu-west1", PREEMPTIBLE): (2, 1),
    # and the other way round.
    ("us-central1", gpus_of("h200")): (16, 0),
    ("us-central1", gpus_of("b200")): (7, 0),
    ("us-central1", PREEMPTIBLE): (0, 0),
}
"""Limit and usage of what the Nebius offers of the catalog draw on, as these stories set them."""

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
    nebius_projects: str,
    moto: Moto,
    catalog: CatalogServer,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("plugin")
    for (region, name), (limit, usage) in NEBIUS.items():
        all_clouds.set_nebius(region, name, limit=limit, usage=usage)
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
                **oracle.for_the_plugin,
                "PYTHONPATH": nebius_projects,
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
    known: Stage, quotas: Quotas, unjudged: Plan
) -> None:
    plan = known.dstack.plan(PROJECT)

    offers = plan.of("aws")
    found, vcpus = offers.availabilities(), offers.vcpus()
    assert differences(found, lambda o: by_the_oracle(o, vcpus[o], quotas)) == []
    assert set(found.values()) == {"no_quota", "unknown"}
    assert found.keys() == unjudged.of("aws").availabilities().keys()

    # dstack sorts what cannot be launched to the end.
    launchable = [offer["availability"] != "no_quota" for offer in plan.offers]
    assert launchable == sorted(launchable, reverse=True)

    log = known.dstack.log()
    assert f"offers are judged by {known.oracle.url}" in log
    assert log.count("The quota oracle judges offers") == 1


def test_nebius_offers_have_no_quota_exactly_where_there_is_no_room(
    known: Stage, unjudged: Plan
) -> None:
    offers = known.dstack.plan(PROJECT).of("nebius")

    found = offers.availabilities()
    assert found.keys() == unjudged.of("nebius").availabilities().keys()
    gpus = {
        (offer["region"], offer["instance"]["name"]): len(offer["instance"]["resources"]["gpus"])
        for offer in offers.offers
    }
    assert differences(found, lambda o: by_nebius(o, gpus[o[:2]], NEBIUS)) == []
    # Both words for both markets, so that neither is only ever guessed.
    assert {(spot, found[region, name, spot]) for region, name, spot in found} == {
        (False, "no_quota"),
        (False, "unknown"),
        (True, "no_quota"),
        (True, "unknown"),
    }


def test_a_run_plan_whose_nebius_offers_have_no_quota_says_so(known: Stage) -> None:
    offers = known.dstack.plan(PROJECT, EIGHT_H100).of("nebius")

    assert {spot for _, _, spot in offers.availabilities()} == {False, True}
    assert set(offers.availabilities().values()) == {"no_quota"}


def test_fleets_and_the_list_of_gpus_are_judged_alike(known: Stage) -> None:
    plan = known.dstack.plan(PROJECT, EIGHT_H100)
    fleet = known.dstack.fleet_plan(PROJECT, EIGHT_H100)
    listed = known.dstack.gpus(PROJECT, EIGHT_H100)

    assert set(plan.of("aws").availabilities().values()) == {"no_quota", "unknown"}
    assert set(plan.of("nebius").availabilities().values()) == {"no_quota"}
    assert fleet.total == len(fleet.offers)
    assert fleet.shown() == plan.shown()
    words: dict[tuple[str, str], set[str]] = {}
    for offer in plan.offers:
        words.setdefault((offer["backend"], offer["region"]), set()).add(offer["availability"])
    assert {(gpu["backend"], gpu["region"]): set(gpu["availability"]) for gpu in listed} == words


def test_with_the_oracle_stopped_dstack_behaves_as_without_the_plugin(
    known: Stage, unjudged: Plan
) -> None:
    judged = known.dstack.plan(PROJECT)
    for backend in ("aws", "nebius"):
        assert judged.of(backend).shown() != unjudged.of(backend).shown()

    known.oracle.stop()
    try:
        # Another question than before, whose answer is kept for a moment.
        assert set(known.dstack.plan(PROJECT, ANY_A100).availabilities().values()) == {"unknown"}
        plan = known.dstack.plan(PROJECT)
        assert plan.shown() == unjudged.shown()
        assert plan.seconds < DEADLINE_SECONDS + 1

        # It does not wait for the oracle again and again.
        started = time.monotonic()
        for _ in range(5):
            known.dstack.plan(PROJECT)
        assert time.monotonic() - started < 5 * DEADLINE_SECONDS
        assert known.dstack.log().count("offers stay as they are") == 1
    finally:
        known.oracle.start()


@pytest.fixture(scope="module")
def alone(
    folder: Path,
    all_clouds: SimulatedClouds,
    moto: Moto,
    catalog: CatalogServer,
    unjudged: Plan,
) -> Plan:
    """The plan of a dstack that asks the simulated AWS itself."""
    dstack = DstackServer(
        folder / "alone",
        {
            **moto.environment(),
            "AWS_ENDPOINT_URL_SERVICE_QUOTAS": all_clouds.aws,
            "GPUHUNT_CATALOG_URL": catalog.url,
        },
    )
    try:
        dstack.add_project(PROJECT, AWS_BACKEND)
        plan = dstack.plan(PROJECT)
    finally:
        dstack.stop()
    assert plan.shown() != unjudged.of("aws").shown()
    return plan


def test_with_both_ways_and_the_oracle_stopped_dstack_behaves_as_without_it(
    oracle: Oracle,
    start_dstack: StartDstack,
    clouds: SimulatedClouds,
    nebius_projects: str,
    alone: Plan,
    unjudged: Plan,
) -> None:
    dstack = start_dstack(
        oracle.aws_endpoint,
        "quota_oracle",
        nebius.PLUGIN,
        **oracle.for_the_plugin,
        # A backend of which the oracle is not asked is listed beside AWS in every plan.
        QUOTA_ORACLE_BACKENDS="nebius=-",
        PYTHONPATH=nebius_projects,
        # Where dstack finds AWS itself.
        AWS_ENDPOINT_URL=clouds.aws,
    )
    for project in ("warm", "cold", "another-cold"):
        dstack.add_project(project, AWS_BACKEND, nebius.BACKEND)
    assert dstack.plan("warm").of("aws").shown() != alone.shown()

    oracle.stop()

    # dstack has not read any quota for these projects yet, and asks AWS for them itself.
    for project in ("cold", "another-cold", "warm"):
        plan = dstack.plan(project)
        assert plan.of("aws").shown() == alone.shown(), project
        assert plan.of("nebius").shown() == unjudged.of("nebius").shown(), project
    assert dstack.log().count("AWS is asked for its quotas directly") == 1


def test_with_both_ways_an_oracle_that_hangs_costs_a_cold_project_a_few_deadlines(
    oracle: Oracle, start_dstack: StartDstack, clouds: SimulatedClouds, alone: Plan
) -> None:
    environment = {**oracle.for_the_plugin, "AWS_ENDPOINT_URL": clouds.aws}
    dstack = start_dstack(oracle.aws_endpoint, "quota_oracle", **environment)
    for project in ("warm", "cold", "another-cold"):
        dstack.add_project(project, AWS_BACKEND)
    warm = dstack.plan("warm")

    oracle.freeze()

    # Another question than before: its answer is not known yet, and does not come.
    assert dstack.plan("warm", EIGHT_H100).total > 0
    for project in ("cold", "another-cold"):
        plan = dstack.plan(project)
        assert plan.shown() == alone.shown(), project
        # botocore alone waits a minute, three times over.
        assert plan.seconds < 5 * DEADLINE_SECONDS, project
    # What dstack itself has read before stays.
    assert dstack.plan("warm").availabilities().keys() == warm.availabilities().keys()
    log = dstack.log()
    assert log.count("it did not answer in time") == 1
    assert log.count("AWS is asked for its quotas directly") == 1
