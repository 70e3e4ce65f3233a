"""Twenty projects share one AWS account, and each asks for a plan at the same moment."""

from __future__ import annotations

import statistics

from harness.account import REGIONS
from harness.dstack_server import AWS_BACKEND, DstackServer, Plan
from harness.expected import Quotas, by_dstacks_own_test, differences
from harness.report import Report
from harness.simulated import Calls, SimulatedClouds
from harness.stage import StartDstack, StartOracle

PROJECTS = [f"project-{number}" for number in range(20)]

STORY = "20 projects on one AWS account, a plan for each at once"


def test_with_the_oracle_each_region_is_read_once_and_every_offer_is_right(
    start_oracle: StartOracle,
    start_dstack: StartDstack,
    clouds: SimulatedClouds,
    quotas: Quotas,
    report: Report,
) -> None:
    # Nothing is read beforehand: the twenty projects are the first to ask.
    oracle = start_oracle(aws=["preload = false"])
    dstack = _with_projects(start_dstack(oracle.aws_endpoint))

    plans = dstack.plans_at_once(PROJECTS)

    calls = clouds.calls()
    _report(report, "with the oracle", calls, plans, quotas, dstack)
    assert _wrong(plans, quotas) == []
    assert {plan.total for plan in plans} == {len(plans[0].offers)}
    assert calls.throttled == 0
    assert set(calls.by_region) <= set(REGIONS)
    assert oracle.reads() == len(REGIONS)


def test_without_the_oracle_the_same_plans_are_throttled(
    start_dstack: StartDstack, clouds: SimulatedClouds, quotas: Quotas, report: Report
) -> None:
    dstack = _with_projects(start_dstack(clouds.aws))

    plans = dstack.plans_at_once(PROJECTS)

    calls = clouds.calls()
    _report(report, "dstack alone", calls, plans, quotas, dstack)
    # What the oracle is there for; should a later dstack share its reads, this tells it.
    assert calls.throttled > 0
    assert calls.total > 20 * len(REGIONS)


def _with_projects(dstack: DstackServer) -> DstackServer:
    for project in PROJECTS:
        dstack.add_project(project, AWS_BACKEND)
    return dstack


def _wrong(plans: list[Plan], quotas: Quotas) -> list[int]:
    return [
        number
        for number, plan in enumerate(plans)
        if not plan.offers
        or differences(
            plan.availabilities(), lambda o: by_dstacks_own_test(o, quotas, headroom=False)
        )
    ]


def _report(
    report: Report,
    case: str,
    calls: Calls,
    plans: list[Plan],
    quotas: Quotas,
    dstack: DstackServer,
) -> None:
    seconds = [plan.seconds for plan in plans]
    report.add(
        STORY,
        case,
        calls=calls.total,
        throttled=calls.throttled,
        wrong_projects=f"{len(_wrong(plans, quotas))} of {len(plans)}",
        plan_seconds_median=round(statistics.median(seconds), 1),
        plan_seconds_worst=round(max(seconds), 1),
        dstack_memory_mb=round(dstack.memory_mb()),
    )
