"""A region of AWS hangs, or closes its connections, and somebody asks for a plan."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import pytest

from harness.account import CLOSES, HANGS, REGIONS
from harness.dstack_server import AWS_BACKEND, PROJECT, Plan
from harness.expected import Offer, Quotas, by_both, by_dstacks_own_test, differences
from harness.oracle import Oracle
from harness.report import Report
from harness.simulated import SimulatedClouds
from harness.stage import StartDstack, StartOracle

AT_ONCE_SECONDS = 10.0
"""A cold dstack takes two on a fast machine for a plan; its timeouts start at a minute."""

BROKEN = {"hang": HANGS, "reset": CLOSES}

STORIES = {
    "hang": "A region of AWS hangs, the first plan of a project",
    "reset": "A region of AWS closes its connections, the first plan of a project",
}

ALONE, WITH_THE_ORACLE = "dstack alone", "with the oracle"


@pytest.fixture(params=BROKEN)
def fault(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def oracle(start_oracle: StartOracle, clouds: SimulatedClouds, fault: str) -> Oracle:
    """One that knows every region but the broken one."""
    clouds.fault(fault, BROKEN[fault])
    oracle = start_oracle()
    oracle.wait_until_known("aws", *(set(REGIONS) - {BROKEN[fault]}))
    return oracle


def test_with_the_oracle_every_plan_has_its_offers_at_once(
    oracle: Oracle,
    start_dstack: StartDstack,
    quotas: Quotas,
    unjudged: Plan,
    report: Report,
    fault: str,
) -> None:
    dstack = start_dstack(oracle.aws_endpoint)
    projects = (PROJECT, "another-team")
    for project in projects:
        dstack.add_project(project, AWS_BACKEND)

    plans = [dstack.plan(project) for project in projects]

    _report(report, fault, WITH_THE_ORACLE, plans[0])
    for plan in plans:
        _assert_that_the_plan_is_whole_and_at_once(
            plan, unjudged, fault, lambda o: by_dstacks_own_test(o, quotas, headroom=False)
        )


def test_with_variable_and_plugin_every_plan_has_its_offers_at_once(
    oracle: Oracle, start_dstack: StartDstack, quotas: Quotas, unjudged: Plan, fault: str
) -> None:
    dstack = start_dstack(oracle.aws_endpoint, "quota_oracle", **oracle.for_the_plugin)
    dstack.add_project(PROJECT, AWS_BACKEND)

    plan = dstack.plan(PROJECT)

    vcpus = plan.vcpus()
    _assert_that_the_plan_is_whole_and_at_once(
        plan, unjudged, fault, lambda o: by_both(o, vcpus[o], quotas)
    )


def test_without_the_oracle_plans_have_no_offers_when_a_region_closes_its_connections(
    start_dstack: StartDstack, clouds: SimulatedClouds, report: Report
) -> None:
    clouds.fault("reset", CLOSES)
    dstack = start_dstack(clouds.aws)
    dstack.add_project(PROJECT, AWS_BACKEND)

    plan = dstack.plan(PROJECT)

    _report(report, "reset", ALONE, plan)
    # What the oracle is there for; should a later dstack survive it, this tells it.
    assert plan.total == 0


def test_without_the_oracle_plans_have_no_offers_after_minutes_when_a_region_hangs(
    alone_while_a_region_hangs: Future[Plan], report: Report
) -> None:
    plan = alone_while_a_region_hangs.result()

    _report(report, "hang", ALONE, plan)
    assert plan.total == 0
    assert plan.seconds > 60


def _assert_that_the_plan_is_whole_and_at_once(
    plan: Plan, unjudged: Plan, fault: str, expected: Callable[[Offer], str]
) -> None:
    found = plan.availabilities()
    assert found.keys() == unjudged.of("aws").availabilities().keys()
    # What is not known is never said to be short.
    broken = BROKEN[fault]
    assert differences(found, lambda o: "unknown" if o[0] == broken else expected(o)) == []
    assert plan.seconds < AT_ONCE_SECONDS


def _report(report: Report, fault: str, case: str, plan: Plan) -> None:
    report.add(STORIES[fault], case, offers=plan.total, plan_seconds=round(plan.seconds, 1))
