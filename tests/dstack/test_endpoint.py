"""The first way: one environment variable of dstack's points at the oracle.

What dstack makes of applied limits is in the story of the many projects.
"""

from __future__ import annotations

from harness.account import REGIONS
from harness.dstack_server import AWS_BACKEND, PROJECT
from harness.expected import Quotas, by_dstacks_own_test, differences
from harness.stage import StartDstack, StartOracle


def test_with_headroom_plans_show_no_quota_exactly_where_all_of_it_is_in_use(
    start_oracle: StartOracle, start_dstack: StartDstack, quotas: Quotas
) -> None:
    oracle = start_oracle(aws=['aws_protocol = { value = "headroom" }'])
    oracle.wait_until_known("aws", *REGIONS)
    dstack = start_dstack(oracle.aws_endpoint)
    dstack.add_project(PROJECT, AWS_BACKEND)

    plan = dstack.plan(PROJECT)

    found = plan.availabilities()
    assert len(found) == plan.total
    assert set(found.values()) == {"no_quota", "unknown"}
    assert differences(found, lambda o: by_dstacks_own_test(o, quotas, headroom=True)) == []
    # Used up is not the same as never granted: dstack's own reading would not tell.
    assert differences(found, lambda o: by_dstacks_own_test(o, quotas, headroom=False)) != []
