"""The endpoint variable beside the plugin: a real boto3 client, an oracle that goes away."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from dstack._internal.server.services import backends as backends_services

from dstack_quota_oracle.accounts import BackendNames
from dstack_quota_oracle.client import OracleClient
from dstack_quota_oracle.endpoint import VARIABLE, QuotaEndpoint
from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.reachability import PAUSE_SECONDS
from dstack_quota_oracle.settings import Settings
from dstack_quota_oracle.wrap import install

from .dstack_objects import ListedBackend, offer
from .oracle import Oracle, answer, close, sayer

AWS = ListedBackend([offer()])
RUNPOD = ListedBackend([offer(backend="runpod")], "runpod")

DIRECTLY = "https://servicequotas.us-east-1.amazonaws.com"

# One session for all clients, as in dstack's AWS backend.
SESSION = boto3.session.Session("AKIAEXAMPLE", "secret", region_name="us-east-1")


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever becomes of it in a test, it is undone.
    monkeypatch.setenv(VARIABLE, "")


@pytest.fixture
def led(oracle: Oracle) -> str:
    """dstack's AWS client is led to the oracle."""
    os.environ[VARIABLE] = url = f"{oracle.url}/aws/aws"
    return url


@pytest.fixture
def endpoint(led: str, settings: Settings) -> QuotaEndpoint:
    return QuotaEndpoint(OracleClient(settings), sayer())


def _asks() -> str:
    """Where a new client asks."""
    return str(SESSION.client("service-quotas").meta.endpoint_url)


def _ask() -> str:
    """Asks there, unless that is AWS; says where it was."""
    client = SESSION.client("service-quotas", config=Config(retries={"total_max_attempts": 1}))
    if "127.0.0.1" in client.meta.endpoint_url:
        client.get_service_quota(ServiceCode="ec2", QuotaCode="L-417A185B")
    return str(client.meta.endpoint_url)


def test_with_nobody_there_aws_is_asked_directly(
    nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    os.environ[VARIABLE] = f"{nobody}/aws/aws"
    endpoint = QuotaEndpoint(OracleClient(Settings(url=nobody)), sayer())
    assert endpoint.listed(AWS, _ask) == DIRECTLY
    assert endpoint.listed(AWS, _ask) == DIRECTLY
    assert caplog.text.count("AWS is asked for its quotas directly") == 1


def test_an_oracle_that_hangs_costs_one_deadline(oracle: Oracle, led: str) -> None:
    oracle.behave = lambda *_: oracle.over.wait()
    endpoint = QuotaEndpoint(OracleClient(Settings(url=oracle.url, timeout_seconds=0.5)), sayer())
    assert endpoint.listed(AWS, _ask) == DIRECTLY
    assert [path for path, _ in oracle.probes] == ["/healthz"]


def test_the_oracle_is_asked_again_when_it_is_back(
    oracle: Oracle, led: str, endpoint: QuotaEndpoint, clock: list[float]
) -> None:
    oracle.behave = lambda handler, _: close(handler)
    assert endpoint.listed(AWS, _asks) == DIRECTLY
    oracle.behave = None
    # In the pause nobody looks.
    assert endpoint.listed(AWS, _asks) == DIRECTLY
    clock[0] += PAUSE_SECONDS
    assert endpoint.listed(AWS, _asks) == led


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_who_answers_is_there_whatever_the_answer(
    oracle: Oracle, led: str, endpoint: QuotaEndpoint, status: int
) -> None:
    """dstack takes error answers for "unknown", but not the lack of an answer."""
    oracle.behave = lambda handler, _: answer(handler, status, "{}")
    assert endpoint.listed(AWS, _asks) == led


def test_no_token_is_sent_to_look(oracle: Oracle, led: str) -> None:
    client = OracleClient(Settings(url=oracle.url, token_text="secret"))
    QuotaEndpoint(client, sayer()).listed(AWS, _asks)
    ((_, headers),) = oracle.probes
    assert "Authorization" not in headers


def test_an_answer_of_a_moment_ago_does_not_count(oracle: Oracle, led: str) -> None:
    client = OracleClient(Settings(url=oracle.url, timeout_seconds=0.5))
    endpoint = QuotaEndpoint(client, sayer())
    list(Judge(Settings(url=oracle.url), sayer(), client).judged(AWS, [offer()]))
    assert endpoint.listed(AWS, _asks) == led
    oracle.behave = lambda *_: oracle.over.wait()
    assert endpoint.listed(AWS, _asks) == DIRECTLY


def test_what_a_verdict_found_out_is_not_found_out_again(
    oracle: Oracle, led: str, settings: Settings
) -> None:
    client = OracleClient(settings)
    endpoint = QuotaEndpoint(client, sayer())
    oracle.behave = lambda handler, _: close(handler)
    list(Judge(settings, sayer(), client).judged(AWS, [offer()]))
    assert endpoint.listed(AWS, _asks) == DIRECTLY
    assert oracle.probes == []


def test_one_that_goes_away_after_it_was_found_is_led_past_as_well(
    led: str, endpoint: QuotaEndpoint
) -> None:
    """And so is every plan that was under way."""
    for _ in range(2):
        failures = [EndpointConnectionError(endpoint_url=led)]

        def under_way(failures: list[EndpointConnectionError] = failures) -> str:
            if failures:
                raise failures.pop()
            return _asks()

        assert endpoint.listed(AWS, under_way) == DIRECTLY
    # What was heard before counts no more.
    assert endpoint.listed(AWS, _asks) == DIRECTLY


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://ec2.us-east-1.amazonaws.com"),
        ConnectionError("reset"),
        ValueError("broken"),
    ],
)
def test_errors_that_are_not_the_oracles_are_left_to_dstack(
    led: str, endpoint: QuotaEndpoint, error: Exception
) -> None:
    def broken() -> None:
        raise error

    with pytest.raises(type(error)):
        endpoint.listed(AWS, broken)
    assert os.environ[VARIABLE] == led


@pytest.mark.parametrize("path", ["", "/", "/awsome", "/quotas"])
def test_a_variable_that_leads_elsewhere_is_left_alone(nobody: str, path: str) -> None:
    os.environ[VARIABLE] = nobody + path
    endpoint = QuotaEndpoint(OracleClient(Settings(url=nobody)), sayer())
    endpoint.listed(AWS, lambda: None)
    assert os.environ[VARIABLE] == nobody + path


def test_the_variable_may_lead_to_another_oracle_than_the_plugin(
    oracle: Oracle, nobody: str
) -> None:
    os.environ[VARIABLE] = led = f"{oracle.url}/aws"
    client = OracleClient(Settings(url=nobody))
    client.lost()
    assert QuotaEndpoint(client, sayer()).listed(AWS, _asks) == led


class TestInsideDstack:
    """As installed, with backends that the oracle is not asked about beside AWS."""

    @pytest.fixture(autouse=True)
    def _uninstalled(self) -> Iterator[None]:
        original = backends_services.get_offers_tracked
        yield
        backends_services.get_offers_tracked = original

    @staticmethod
    def _install(settings: Settings) -> None:
        client = OracleClient(settings)
        install(Judge(settings, sayer(), client), QuotaEndpoint(client, sayer()))

    @staticmethod
    def _list(backend: Any) -> None:
        list_offers: Any = backends_services.get_offers_tracked
        # dstack 0.20 takes fewer arguments.
        others = len(inspect.signature(list_offers).parameters) - 1
        list(list_offers(backend, *[None] * others))

    def test_plans_of_other_backends_do_not_put_the_variable_back(
        self, oracle: Oracle, led: str, settings: Settings
    ) -> None:
        asked: list[str] = []

        def get_offers(*_: object) -> list[Any]:
            # Beside it another plan comes, of a backend that the oracle is not asked about.
            self._list(RUNPOD)
            asked.append(_ask())
            return [offer()]

        aws = ListedBackend([])
        aws.compute().get_offers = get_offers
        self._install(settings)
        self._list(AWS)
        oracle.behave = lambda handler, _: close(handler)
        for _ in range(3):
            self._list(aws)
        assert asked == [DIRECTLY] * 3

    @pytest.mark.parametrize("reason", ["not asked about", "refused"])
    def test_the_variable_comes_back_where_the_oracle_has_no_say(
        self, oracle: Oracle, led: str, clock: list[float], reason: str
    ) -> None:
        rules = "aws=-" if reason == "not asked about" else ""
        self._install(Settings(url=oracle.url, backends=BackendNames.parse(rules)))
        oracle.behave = lambda handler, _: close(handler)
        self._list(AWS)
        assert VARIABLE not in os.environ
        oracle.behave = lambda handler, _: answer(handler, 401, "{}")
        clock[0] += PAUSE_SECONDS
        self._list(AWS)
        assert os.environ[VARIABLE] == led
