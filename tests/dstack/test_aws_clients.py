"""Unmodified AWS clients read quotas through the oracle, as dstack does with boto3."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import old_dstack
from harness.account import ACCESS_KEY_ID, CLOSES, REGIONS, SECRET_ACCESS_KEY
from harness.binary import cache
from harness.expected import P4_SPOT, STANDARD, G, P, Quotas
from harness.oracle import Oracle
from harness.processes import clean_environment
from harness.simulated import SimulatedClouds
from harness.stage import StartOracle

AWS_CLI = "awscli==1.46.3"

CODES = (STANDARD, G, P, P4_SPOT)


def _client(oracle: Oracle, region: str, mode: str, secret: str = SECRET_ACCESS_KEY) -> Any:
    session = boto3.session.Session(ACCESS_KEY_ID, secret, region_name=region)
    return session.client(
        "service-quotas",
        endpoint_url=oracle.aws_endpoint,
        config=Config(retries={"mode": mode}),
    )


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_boto3_reads_what_the_simulated_aws_says(
    oracle: Oracle, quotas: Quotas, mode: str
) -> None:
    for region in REGIONS:
        client = _client(oracle, region, mode)
        for code in CODES:
            found = client.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
            assert found["Value"] == quotas[region][code][0], (region, code)
        pages = client.get_paginator("list_service_quotas").paginate(ServiceCode="ec2")
        listed = {row["QuotaCode"]: row for page in pages for row in page["Quotas"]}
        assert {code: listed[code]["Value"] for code in CODES} == {
            code: quotas[region][code][0] for code in CODES
        }


def test_an_old_dstack_reads_the_quotas_of_the_regions_that_are_known(
    start_oracle: StartOracle, clouds: SimulatedClouds, quotas: Quotas
) -> None:
    """Releases before 0.20.17 list the quotas of a region instead of asking for three."""
    read = old_dstack.get_regions_to_quotas()
    clouds.fault("reset", CLOSES)
    oracle = start_oracle()
    known = sorted(set(REGIONS) - {CLOSES})
    oracle.wait_until_known("aws", *known)

    found = read(_AtTheOracle(oracle), [CLOSES, *known])

    # It takes the error of a region that is not known for "unknown".
    assert found.pop(CLOSES) == {}
    classes = {"Standard/OnDemand": STANDARD, "P/OnDemand": P, "G/OnDemand": G}
    assert {region: {name: of[name] for name in classes} for region, of in found.items()} == {
        region: {name: quotas[region][code][0] for name, code in classes.items()}
        for region in known
    }


class _AtTheOracle:
    """A session whose clients are led to the oracle, as by the endpoint variable."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def client(self, service: str, region_name: str) -> Any:
        assert service == "service-quotas"
        return _client(self._oracle, region_name, "legacy")


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_boto3_is_told_of_an_unknown_quota_without_retries(oracle: Oracle, mode: str) -> None:
    with pytest.raises(ClientError) as error:
        _client(oracle, "us-east-1", mode).get_service_quota(
            ServiceCode="ec2", QuotaCode="L-00000000"
        )
    assert error.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_wrong_secret_is_refused(oracle: Oracle) -> None:
    with pytest.raises(ClientError) as error:
        _client(oracle, "us-east-1", "legacy", secret="another").get_service_quota(
            ServiceCode="ec2", QuotaCode=P
        )
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


@pytest.fixture(scope="session")
def aws_cli() -> Path:
    """The AWS CLI apart from everything else: it demands another botocore than dstack gets."""
    packages = cache() / f"{AWS_CLI}-python{sys.version_info.major}.{sys.version_info.minor}"
    if not (packages / "awscli").exists():
        print(f"installing {AWS_CLI} into {packages}")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", str(packages), AWS_CLI], check=True, timeout=300)
    return packages


def test_the_aws_cli_reads_what_the_simulated_aws_says(
    aws_cli: Path, oracle: Oracle, quotas: Quotas
) -> None:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "awscli"),
            *("service-quotas", "get-service-quota", "--service-code", "ec2"),
            *("--quota-code", P, "--region", "us-east-1", "--output", "json"),
        ],
        env={
            **clean_environment(),
            "PYTHONPATH": str(aws_cli),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL_SERVICE_QUOTAS": oracle.aws_endpoint,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["Quota"]["Value"] == quotas["us-east-1"][P][0]
