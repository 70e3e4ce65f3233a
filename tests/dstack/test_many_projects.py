"""Twenty projects share one AWS account, and each asks for a plan at the same moment."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from harness.account import REGIONS
from harness.dstack_server import AWS_BACKEND, DstackServer, Plan
from harness.expected import (
    Offer,
    Quotas,
    by_both,
    by_dstacks_own_test,
    by_the_oracle,
    differences,
)
from harness.moto import Moto
from harness.oracle import Oracle
from harness.report import Report
from harness.simulated import Calls, SimulatedClouds
from harness.stage import StartDstack, StartOracle

PROJECTS = [f"project-{number}" for number in range(20)]

ONE_READ = {"GetServiceQuota": 21, "StartQuotaUtilizationReport": 1}
"""What one read of a region calls: 19 quotas that count vCPUs, elastic addresses and storage, and
the report that tells the usage of them all. docs/aws.md says so, too."""

LOOK = "GetQuotaUtilizationReport"
"""The simulated AWS takes a second for a report. A look after half of it comes too early and is
followed by another; on a machine that was held up meanwhile it is the only one."""

STORY = "20 projects on one AWS account, a plan for each at once"


def test_with_the_oracle_each_region_is_read_once_and_every_offer_is_right(
    start_oracle: StartOracle,
    start_dstack: StartDstack,
    clouds: SimulatedClouds,
    quotas: Quotas,
    unjudged: Plan,
    report: Report,
) -> None:
    # Nothing is read beforehand: the twenty projects are the first to ask.
    oracle = start_oracle(aws=["preload = false"])
    dstack = _with_projects(start_dstack(oracle.aws_endpoint))

    plans = dstack.plans_at_once(PROJECTS)

    calls = clouds.calls()
    _report(report, "with the oracle", calls, plans, quotas, unjudged, dstack)
    assert _wrong(plans, quotas, unjudged) == []
    _assert_that_each_region_was_read_once(calls, oracle)
    assert clouds.outcomes() == {"ok"}


def test_with_the_plugin_every_offer_is_right_within_its_deadline(
    oracle: Oracle,
    start_dstack: StartDstack,
    clouds: SimulatedClouds,
    moto: Moto,
    quotas: Quotas,
    unjudged: Plan,
) -> None:
    """Twenty plans at once leave no thread of dstack's much time to read an answer."""
    # moto knows no quotas: each `no_quota` is the plugin's.
    dstack = _with_projects(start_dstack(moto.url, "quota_oracle", **oracle.for_the_plugin))

    plans = dstack.plans_at_once(PROJECTS)

    _assert_that_all_are_judged(dstack, plans, unjudged, lambda o, n: by_the_oracle(o, n, quotas))
    _assert_that_each_region_was_read_once(clouds.calls(), oracle)


def test_with_variable_and_plugin_each_region_is_read_once_and_every_offer_is_right(
    start_oracle: StartOracle,
    start_dstack: StartDstack,
    clouds: SimulatedClouds,
    quotas: Quotas,
    unjudged: Plan,
) -> None:
    oracle = start_oracle(aws=["preload = false"])
    # What is asked past the oracle would be counted, too.
    environment = {**oracle.for_the_plugin, "AWS_ENDPOINT_URL": clouds.aws}
    dstack = _with_projects(start_dstack(oracle.aws_endpoint, "quota_oracle", **environment))

    plans = dstack.plans_at_once(PROJECTS)

    _assert_that_all_are_judged(dstack, plans, unjudged, lambda o, n: by_both(o, n, quotas))
    _assert_that_each_region_was_read_once(clouds.calls(), oracle)


def test_without_the_oracle_the_same_plans_are_throttled(
    start_dstack: StartDstack,
    clouds: SimulatedClouds,
    quotas: Quotas,
    unjudged: Plan,
    report: Report,
) -> None:
    dstack = _with_projects(start_dstack(clouds.aws))

    plans = dstack.plans_at_once(PROJECTS)

    calls = clouds.calls()
    _report(report, "dstack alone", calls, plans, quotas, unjudged, dstack)
    # What the oracle is there for; should a later dstack share its reads, this tells it.
    assert calls.throttled > 0
    assert calls.total > 20 * len(REGIONS)


def _assert_that_each_region_was_read_once(calls: Calls, oracle: Oracle) -> None:
    # The simulated AWS has counted one read of each region, and nothing else.
    assert calls.by_region.keys() == set(REGIONS)
    for region, operations in calls.by_region.items():
        looks = operations.pop(LOOK)
        assert operations == ONE_READ, region
        assert looks in (1, 2), region
    assert calls.throttled == 0
    assert oracle.reads() == len(REGIONS)


def _assert_that_all_are_judged(
    dstack: DstackServer,
    plans: list[Plan],
    unjudged: Plan,
    expected: Callable[[Offer, int], str],
) -> None:
    # First, since it tells the reason.
    assert dstack.said("offers stay as they are") == []
    offers = unjudged.of("aws").vcpus()
    for plan in plans:
        found = plan.availabilities()
        assert found.keys() == offers.keys()
        assert differences(found, lambda offer: expected(offer, offers[offer])) == []


def _with_projects(dstack: DstackServer) -> DstackServer:
    for project in PROJECTS:
        dstack.add_project(project, AWS_BACKEND)
    return dstack


def _wrong(plans: list[Plan], quotas: Quotas, unjudged: Plan) -> list[int]:
    """The plans in which an offer is missing, or marked otherwise than the limits say."""
    expected = {
        offer: by_dstacks_own_test(offer, quotas, headroom=False)
        for offer in unjudged.of("aws").availabilities()
    }
    return [number for number, plan in enumerate(plans) if plan.availabilities() != expected]


def _report(
    report: Report,
    case: str,
    calls: Calls,
    plans: list[Plan],
    quotas: Quotas,
    unjudged: Plan,
    dstack: DstackServer,
) -> None:
    seconds = [plan.seconds for plan in plans]
    report.add(
        STORY,
        case,
        calls=calls.total,
        throttled=calls.throttled,
        wrong_projects=f"{len(_wrong(plans, quotas, unjudged))} of {len(plans)}",
        plan_seconds_median=round(statistics.median(seconds), 1),
        plan_seconds_worst=round(max(seconds), 1),
        dstack_memory_mb=round(dstack.memory_mb()),
    )
