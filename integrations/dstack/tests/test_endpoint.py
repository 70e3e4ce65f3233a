"""The endpoint variable beside the plugin, with a real boto3 client and nobody listening."""

from __future__ import annotations

import os
import socket

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from dstack_quota_oracle.endpoint import VARIABLE, QuotaEndpoint
from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.settings import Settings

from .dstack_objects import ListedBackend, offer
from .oracle import Oracle, answer, sayer


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address where the oracle was, with dstack's AWS client led there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/aws/aws"
    monkeypatch.setenv(VARIABLE, url)
    return url


SESSION = boto3.session.Session("AKIAEXAMPLE", "secret", region_name="us-east-1")


def _endpoint_of_a_new_client() -> str:
    # One session for all clients, as in dstack's AWS backend.
    return str(SESSION.client("service-quotas").meta.endpoint_url)


def _ask() -> str:
    """Asks where the variable leads; elsewhere, only says where that is."""
    client = SESSION.client("service-quotas", config=Config(retries={"total_max_attempts": 1}))
    if "127.0.0.1" in client.meta.endpoint_url:
        client.get_service_quota(ServiceCode="ec2", QuotaCode="L-417A185B")
    return str(client.meta.endpoint_url)


def test_with_nobody_there_aws_is_asked_directly(
    nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = QuotaEndpoint(sayer())
    assert endpoint.listed(_ask) == "https://servicequotas.us-east-1.amazonaws.com"
    assert "AWS is asked for its quotas directly" in caplog.text
    assert nobody in caplog.text


def test_the_variable_leads_to_the_oracle_again_when_it_is_back(nobody: str) -> None:
    endpoint = QuotaEndpoint(sayer())
    endpoint.listed(_ask)
    assert VARIABLE not in os.environ
    endpoint.restore()
    assert os.environ[VARIABLE] == nobody
    assert _endpoint_of_a_new_client() == nobody


def test_plans_under_way_at_the_same_time_are_all_led_past_it(nobody: str) -> None:
    """Both set out while the variable was there."""
    error = EndpointConnectionError(endpoint_url=nobody)
    endpoint = QuotaEndpoint(sayer())
    for _ in range(2):
        failures = [error]

        def under_way(failures: list[EndpointConnectionError] = failures) -> str:
            if failures:
                raise failures.pop()
            return "offers"

        assert endpoint.listed(under_way) == "offers"
    endpoint.restore()
    assert os.environ[VARIABLE] == nobody


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://ec2.us-east-1.amazonaws.com"),
        ConnectionError("reset"),
        ValueError("broken"),
    ],
)
def test_errors_that_are_not_the_oracles_are_left_to_dstack(nobody: str, error: Exception) -> None:
    def broken() -> None:
        raise error

    with pytest.raises(type(error)):
        QuotaEndpoint(sayer()).listed(broken)
    assert os.environ[VARIABLE] == nobody


def test_it_counts_as_back_once_it_answers(oracle: Oracle, settings: Settings) -> None:
    judge = Judge(settings, sayer())
    assert not judge.hears()
    list(judge.judged(ListedBackend([]), [offer()]))
    assert judge.hears()
    oracle.behave = lambda handler, _: answer(handler, 500, "{}")
    list(judge.judged(ListedBackend([]), [offer()]))
    assert not judge.hears()
