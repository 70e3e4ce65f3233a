"""The first way: one environment variable of dstack's points at the oracle.

What dstack makes of applied limits is in the story of the many projects.
"""

from __future__ import annotations

from harness import nebius
from harness.account import REGIONS
from harness.dstack_server import AWS_BACKEND, PROJECT, Plan
from harness.expected import Quotas, by_dstacks_own_test, differences
from harness.oracle import Oracle
from harness.stage import StartDstack, StartOracle


def test_with_headroom_plans_show_no_quota_exactly_where_all_of_it_is_in_use(
    start_oracle: StartOracle, start_dstack: StartDstack, quotas: Quotas, unjudged: Plan
) -> None:
    oracle = start_oracle(aws=['aws_protocol = { value = "headroom" }'])
    oracle.wait_until_known("aws", *REGIONS)
    dstack = start_dstack(oracle.aws_endpoint)
    dstack.add_project(PROJECT, AWS_BACKEND)

    plan = dstack.plan(PROJECT)

    found = plan.availabilities()
    assert found.keys() == unjudged.of("aws").availabilities().keys()
    assert set(found.values()) == {"no_quota", "unknown"}
    assert differences(found, lambda o: by_dstacks_own_test(o, quotas, headroom=True)) == []
    # Used up is not the same as never granted: dstack's own reading would not tell.
    assert differences(found, lambda o: by_dstacks_own_test(o, quotas, headroom=False)) != []


def test_the_variable_alone_and_the_oracle_stopped_cost_a_cold_project_its_aws_offers(
    oracle: Oracle, start_dstack: StartDstack, unjudged: Plan, nebius_projects: str
) -> None:
    """What docs/dstack.md warns of, and how little of it a short restart shows.

    dstack takes an error answer for "unknown", but botocore's error for the lack of one costs it
    all offers of the backend. Nothing that listens nowhere can mend that; the plugin does.
    """
    dstack = start_dstack(oracle.aws_endpoint, nebius.PLUGIN, PYTHONPATH=nebius_projects)
    for project in ("warm", "cold"):
        dstack.add_project(project, AWS_BACKEND, nebius.BACKEND)
    before = dstack.plan("warm")
    assert before.of("aws").total == unjudged.of("aws").total

    oracle.stop()

    plan = dstack.plan("cold")
    assert plan.of("aws").total == 0
    assert "EndpointConnectionError" in dstack.log()
    # Other clouds' offers stay, and so do those of a project that has asked before.
    assert plan.of("nebius").shown() == unjudged.of("nebius").shown()
    assert dstack.plan("warm").shown() == before.shown()

    oracle.start()
    oracle.wait_until_known("aws", *REGIONS)

    # The failure is not remembered.
    assert dstack.plan("cold").shown() == before.shown()
