"""The cloud's own error in what dstack raises, as each cloud's SDK spells it."""

from __future__ import annotations

import enum
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from dstack._internal.core.errors import ComputeError, NoCapacityError

from dstack_quota_oracle.launch_errors import LoggedErrors, describe_error


def client_error(code: str, message: str = "refused") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(response, "RunInstances")


class Grpc(enum.Enum):
    RESOURCE_EXHAUSTED = (8, "resource exhausted")


class NebiusError(Exception):
    def __init__(self) -> None:
        super().__init__("Resource exhausted: quota limit")
        self.status = SimpleNamespace(
            code=Grpc.RESOURCE_EXHAUSTED, message="quota limit", service_errors=["QuotaFailure"]
        )


class GoogleError(Exception):
    code = 403
    message = "Quota 'GPUS_ALL_REGIONS' exceeded."
    reason = None
    grpc_status_code = None
    errors = ({"reason": "quotaExceeded", "domain": "usageLimits"},)


class AzureError(Exception):
    status_code = 409
    message = "(SkuNotAvailable) The requested size is currently not available"
    error = SimpleNamespace(code="SkuNotAvailable")
    reason = "Conflict"


class OciError(Exception):
    status = 500
    code = "InternalError"
    message = "Out of host capacity."


NEBIUS = {
    "code": "NebiusError",
    "grpc_code": "RESOURCE_EXHAUSTED",
    "message": "quota limit",
    "details": ["QuotaFailure"],
}


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (
            client_error("VcpuLimitExceeded", "limit of 16"),
            {"code": "VcpuLimitExceeded", "message": "limit of 16", "http_status": 400},
        ),
        (NebiusError(), NEBIUS),
        (
            GoogleError(),
            {
                "code": "quotaExceeded",
                "message": "Quota 'GPUS_ALL_REGIONS' exceeded.",
                "http_status": 403,
                "details": [{"reason": "quotaExceeded", "domain": "usageLimits"}],
            },
        ),
        (
            AzureError(),
            {"code": "SkuNotAvailable", "message": AzureError.message, "http_status": 409},
        ),
        (
            OciError(),
            {"code": "InternalError", "message": "Out of host capacity.", "http_status": 500},
        ),
        (ComputeError("disk too small"), {"code": "ComputeError", "message": "disk too small"}),
    ],
)
def test_each_cloud_is_understood_wherever_its_error_stands(
    cause: BaseException, told: dict[str, Any]
) -> None:
    assert describe_error(cause) == told
    if type(cause) is ComputeError:
        return
    inside, behind = NoCapacityError(cause), NoCapacityError()
    behind.__context__ = RuntimeError("in between")
    behind.__context__.__cause__ = cause
    assert describe_error(inside) == told
    assert describe_error(behind) == told


def test_causes_that_go_round_and_long_texts_come_to_an_end() -> None:
    first, second = RuntimeError("x" * 100_000), RuntimeError("second")
    first.__context__, second.__context__ = second, first
    assert len(describe_error(first)["message"]) == 8_000


def test_errors_that_are_only_logged_are_heard_in_their_thread_and_their_time() -> None:
    logged = LoggedErrors()
    log = logging.getLogger("dstack._internal.core.backends.aws.compute")

    def warn(code: str) -> None:
        log.warning("Got botocore.exceptions.ClientError: %s", client_error(code))

    warn("Before")
    with logged.during() as errors:
        warn("InsufficientInstanceCapacity")
        warn("VcpuLimitExceeded")
    warn("After")
    codes = [describe_error(error)["code"] for error in errors]
    assert codes == ["InsufficientInstanceCapacity", "VcpuLimitExceeded"]
    logging.getLogger("dstack._internal.core.backends.aws.compute").removeHandler(logged)
