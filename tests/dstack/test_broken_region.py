"""A region of AWS hangs, and another one closes its connections."""

from __future__ import annotations

import os

import pytest

from harness.account import REGIONS
from harness.dstack_server import AWS_BACKEND, PROJECT
from harness.expected import Quotas, by_dstacks_own_test
from harness.report import Report
from harness.simulated import SimulatedClouds
from harness.stage import StartDstack, StartOracle

HANGS, CLOSES = "eu-west-2", "us-east-2"

AT_ONCE_SECONDS = 10.0
"""A cold dstack takes two on a fast machine for a plan; its timeouts start at a minute."""

STORY = "A region of AWS does not answer, a plan for the first project"


def test_with_the_oracle_plans_have_their_offers_at_once(
    start_oracle: StartOracle,
    start_dstack: StartDstack,
    clouds: SimulatedClouds,
    quotas: Quotas,
    report: Report,
) -> None:
    clouds.fault("hang", HANGS)
    clouds.fault("reset", CLOSES)
    oracle = start_oracle()
    oracle.wait_until_known("aws", *(set(REGIONS) - {HANGS, CLOSES}))
    dstack = start_dstack(oracle.aws_endpoint)
    dstack.add_project(PROJECT, AWS_BACKEND)

    plan = dstack.plan(PROJECT)

    _report(report, "with the oracle, both at once", plan.total, plan.seconds)
    found = plan.availabilities()
    assert {region for region, _, _ in found} == set(REGIONS)
    for offer, availability in found.items():
        # What is not known is never said to be short.
        broken = offer[0] in (HANGS, CLOSES)
        expected = by_dstacks_own_test(offer, quotas, headroom=False)
        assert availability == ("unknown" if broken else expected), offer
    assert plan.seconds < AT_ONCE_SECONDS


@pytest.mark.parametrize(
    ("fault", "region"),
    [
        ("reset", CLOSES),
        pytest.param(
            *("hang", HANGS),
            marks=pytest.mark.skipif(
                "QUOTA_ORACLE_E2E_SLOW" not in os.environ,
                reason="takes minutes: set QUOTA_ORACLE_E2E_SLOW=1",
            ),
        ),
    ],
)
def test_without_the_oracle_plans_have_no_offers(
    start_dstack: StartDstack,
    clouds: SimulatedClouds,
    report: Report,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    region: str,
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_E2E_PATIENCE", "900")
    clouds.fault(fault, region)
    dstack = start_dstack(clouds.aws)
    dstack.add_project(PROJECT, AWS_BACKEND)

    plan = dstack.plan(PROJECT)

    does = {"hang": "hangs", "reset": "closes connections"}[fault]
    _report(report, f"dstack alone, it {does}", plan.total, plan.seconds)
    # What the oracle is there for; should a later dstack survive it, this tells it.
    assert plan.total == 0


def _report(report: Report, case: str, offers: int, seconds: float) -> None:
    report.add(STORY, case, offers=offers, plan_seconds=round(seconds, 1))
