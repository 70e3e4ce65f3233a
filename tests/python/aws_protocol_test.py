"""boto3 and the AWS CLI read quotas through quota-oracle and see what AWS itself says.

Starts the simulated AWS and the service from the binary that $QUOTA_ORACLE_BIN names; everything
stays on loopback.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

AWS_KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
CLIENT_KEY = ("oracle-1", "the-secret-of-oracle-1")

MODES = ("legacy", "standard", "adaptive")

# The codes that dstack asks for: Standard, P, and G and VT instances.
CODES = ("L-1216C47A", "L-417A185B", "L-DB2E81BA")

# Error codes that dstack takes for "unknown" without a traceback.
TOLERATED = (
    "408",
    "TooManyRequestsException",
    "AccessDeniedException",
    "AuthFailure",
    "InvalidClientTokenId",
    "RequestExpired",
    "UnrecognizedClientException",
)

# A client that retries waits for at least half a second, and mostly for seconds.
AT_ONCE = 0.5

Client = Any
MakeClient = Callable[..., Client]


def binary() -> str:
    path = os.environ.get("QUOTA_ORACLE_BIN")
    assert path, "QUOTA_ORACLE_BIN names the quota-oracle binary"
    return path


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would lead a client elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "QUOTA_ORACLE_")) and not name.lower().endswith("_proxy")
    }
    return {**kept, **more}


@contextmanager
def running(*arguments: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [binary(), *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def call(url: str, body: object = None) -> int:
    """The status of a GET, or of a POST of the body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            status: int = response.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return 0


def read_json(url: str) -> Any:
    with urllib.request.urlopen(url) as response:
        return json.load(response)


def eventually(what: str, condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting until {what}"
        time.sleep(0.05)


def write_config(folder: Path, port: int, preload: list[str], endpoint: str) -> Path:
    (folder / "aws").write_text(AWS_KEY[1])
    (folder / "client").write_text(CLIENT_KEY[1])
    path = folder / "quota-oracle.toml"
    path.write_text(
        f"""
        [server]
        listen = "127.0.0.1:{port}"

        [[backends]]
        kind = "aws"
        regions = ["us-east-1", "us-west-2", "eu-west-1"]
        preload = {json.dumps(preload)}
        {endpoint}

        [backends.credentials]
        source = "static"
        access_key_id = "{AWS_KEY[0]}"
        secret_access_key_file = "aws"

        [aws_protocol]
        clients = [{{ access_key_id = "{CLIENT_KEY[0]}", secret_access_key_file = "client" }}]
        """
    )
    return path


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The URL of a simulated AWS."""
    with running("simulate", environment=clean_environment()) as process:
        assert process.stdout is not None
        name, url = process.stdout.readline().split()
        assert name == "aws"
        yield url


@pytest.fixture(scope="module")
def oracle(aws: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the AWS protocol of a service that reads the simulated AWS."""
    port = free_port()
    config = write_config(
        tmp_path_factory.mktemp("oracle"),
        port,
        ["us-east-1", "us-west-2"],
        f'endpoint_url = "{aws}"',
    )
    url = f"http://127.0.0.1:{port}/aws/aws"
    # As in a container that shares its environment with its clients: it must not call itself.
    environment = clean_environment(AWS_ENDPOINT_URL_SERVICE_QUOTAS=url)
    with running("--config", str(config), "serve", environment=environment):
        ready = f"http://127.0.0.1:{port}/readyz"
        eventually("the service is ready", lambda: call(ready) == 200)
        yield url


@pytest.fixture(params=MODES)
def client(request: pytest.FixtureRequest) -> MakeClient:
    """Makes boto3 clients in each of its retry modes."""

    def make(url: str, region: str, key: tuple[str, str]) -> Client:
        config = Config(retries={"mode": request.param}, proxies={})
        session = boto3.Session(key[0], key[1], region_name=region)
        return session.client("service-quotas", endpoint_url=url, config=config)

    return make


def refused(question: Callable[[], object]) -> tuple[str, int, float]:
    """The error code, how often the client tried again, and how long all of it took."""
    started = time.monotonic()
    with pytest.raises(ClientError) as caught:
        question()
    response: Any = caught.value.response
    took = time.monotonic() - started
    return (
        response["Error"]["Code"],
        response["ResponseMetadata"]["RetryAttempts"],
        took,
    )


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_quotas_are_what_aws_says(client: MakeClient, oracle: str, aws: str, region: str) -> None:
    ours = client(oracle, region, CLIENT_KEY)
    theirs = client(aws, region, AWS_KEY)
    for code in CODES:
        asked = {"ServiceCode": "ec2", "QuotaCode": code}
        quota = ours.get_service_quota(**asked)["Quota"]
        assert quota == theirs.get_service_quota(**asked)["Quota"]
        assert isinstance(quota["Value"], float)
        default = ours.get_aws_default_service_quota(**asked)["Quota"]
        assert default == theirs.get_aws_default_service_quota(**asked)["Quota"]


def test_lists_are_what_aws_says(client: MakeClient, oracle: str, aws: str) -> None:
    def listed(service_quotas: Client, operation: str, size: int) -> dict[str, object]:
        pages = service_quotas.get_paginator(operation).paginate(
            ServiceCode="ec2", PaginationConfig={"PageSize": size}
        )
        return {quota["QuotaCode"]: quota for page in pages for quota in page["Quotas"]}

    theirs = client(aws, "us-east-1", AWS_KEY)
    ours = client(oracle, "us-east-1", CLIENT_KEY)
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        expected = listed(theirs, operation, 100)
        seen = listed(ours, operation, 7)
        assert len(seen) >= 19
        assert seen == {code: expected[code] for code in seen}


def test_dstack_before_0_20_17_finds_the_class_of_every_on_demand_quota(
    client: MakeClient, oracle: str
) -> None:
    values = {}
    service_quotas = client(oracle, "us-east-1", CLIENT_KEY)
    for page in service_quotas.get_paginator("list_service_quotas").paginate(ServiceCode="ec2"):
        for quota in page["Quotas"]:
            if "On-Demand" in quota["QuotaName"]:
                values[quota["UsageMetric"]["MetricDimensions"]["Class"]] = quota["Value"]
    assert values["P/OnDemand"] == 192.0
    assert values["G/OnDemand"] == 64.0
    assert len(values) == 10


def test_what_is_unknown_is_said_once_and_in_a_code_that_dstack_tolerates(
    client: MakeClient, oracle: str, aws: str
) -> None:
    assert call(f"{aws}/_sim/fault", {"kind": "throttle", "region": "eu-west-1"}) < 300
    # A region that AWS does not let be read, and one that is not configured.
    for region in ("eu-west-1", "sa-east-1"):
        service_quotas = client(oracle, region, CLIENT_KEY)

        def ask(service_quotas: Client = service_quotas) -> object:
            return service_quotas.get_service_quota(ServiceCode="ec2", QuotaCode=CODES[0])

        # The first question waits for the first read, however that ends.
        refused(ask)
        code, retries, took = refused(ask)
        assert code in TOLERATED
        assert retries == 0
        assert took < AT_ONCE


@pytest.mark.parametrize(
    ("service", "code", "expected"),
    [
        ("ec2", "L-00000000", "NoSuchResourceException"),
        ("lambda", "L-B99A9384", "NoSuchResourceException"),
    ],
)
def test_what_is_not_read_does_not_exist(
    client: MakeClient, oracle: str, service: str, code: str, expected: str
) -> None:
    ours = client(oracle, "us-east-1", CLIENT_KEY)
    seen = refused(lambda: ours.get_service_quota(ServiceCode=service, QuotaCode=code))
    assert seen[:2] == (expected, 0)


def test_other_operations_are_refused_at_once(client: MakeClient, oracle: str) -> None:
    ours = client(oracle, "us-east-1", CLIENT_KEY)
    code, retries, took = refused(ours.list_services)
    assert (code, retries) == ("UnknownOperationException", 0)
    assert took < AT_ONCE


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ((CLIENT_KEY[0], "another-secret"), "InvalidSignatureException"),
        (("oracle-2", CLIENT_KEY[1]), "UnrecognizedClientException"),
    ],
)
def test_other_keys_are_refused(
    client: MakeClient, oracle: str, key: tuple[str, str], expected: str
) -> None:
    ours = client(oracle, "us-east-1", key)
    seen = refused(lambda: ours.get_service_quota(ServiceCode="ec2", QuotaCode=CODES[0]))
    assert seen[:2] == (expected, 0)


def test_keeping_a_slash_at_the_end_of_the_address_does_no_harm(
    client: MakeClient, oracle: str
) -> None:
    ours = client(f"{oracle}/", "us-east-1", CLIENT_KEY)
    assert ours.get_service_quota(ServiceCode="ec2", QuotaCode=CODES[1])["Quota"]["Value"] == 192.0


@pytest.mark.parametrize("mode", MODES)
def test_the_aws_cli_sees_what_aws_says(oracle: str, aws: str, mode: str) -> None:
    def ask(url: str, key: tuple[str, str], *command: str) -> Any:
        environment = clean_environment(
            AWS_ENDPOINT_URL_SERVICE_QUOTAS=url,
            AWS_ACCESS_KEY_ID=key[0],
            AWS_SECRET_ACCESS_KEY=key[1],
            AWS_DEFAULT_REGION="us-east-1",
            AWS_RETRY_MODE=mode,
        )
        line = ["aws", "service-quotas", *command, "--service-code", "ec2", "--output", "json"]
        done = subprocess.run(line, env=environment, capture_output=True, check=True)
        return json.loads(done.stdout)

    one = ("get-service-quota", "--quota-code", CODES[1])
    assert ask(oracle, CLIENT_KEY, *one) == ask(aws, AWS_KEY, *one)
    ours = ask(oracle, CLIENT_KEY, "list-service-quotas")["Quotas"]
    theirs = ask(aws, AWS_KEY, "list-service-quotas")["Quotas"]
    assert len(ours) >= 19
    assert [quota for quota in ours if quota not in theirs] == []


def test_the_service_does_not_follow_the_variable_that_is_meant_for_its_clients(
    aws: str, tmp_path: Path
) -> None:
    port = free_port()
    config = write_config(tmp_path, port, [], "")
    # Without an endpoint in its configuration it would call AWS, through this proxy, which is not
    # there; with the variable followed, the simulated AWS.
    environment = clean_environment(
        AWS_ENDPOINT_URL_SERVICE_QUOTAS=aws,
        AWS_ENDPOINT_URL=aws,
        HTTPS_PROXY=f"http://127.0.0.1:{free_port()}",
    )

    def calls() -> int:
        counted: int = read_json(f"{aws}/_sim/calls")["calls"]
        return counted

    before = calls()
    with running("--config", str(config), "serve", environment=environment):
        home = f"http://127.0.0.1:{port}"
        eventually("the service answers", lambda: call(f"{home}/healthz") == 200)
        assert call(f"{home}/quotas/aws/us-east-1") in (502, 503)
    assert calls() == before
