"""Errors of failed launches as `POST /feedback` takes them: the cloud's own, not dstack's.

dstack wraps what a cloud has refused, or only logs it and raises an error without it. The SDKs of
the clouds spell code, status and message each in its own way.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

_AWS_LOGGER = "dstack._internal.core.backends.aws.compute"
"""Where dstack logs the error of each zone before it raises one that has none of them."""

_MOST_CAUSES = 20
_LONGEST_MESSAGE = 8_000
"""The oracle looks at no more of a message."""


def describe_error(error: BaseException) -> dict[str, Any]:
    """The error of the cloud in what dstack has raised, or else what dstack has raised."""
    found = ((cause, _facts(cause)) for cause in _causes(error))
    cause, facts = next(((cause, facts) for cause, facts in found if facts), (error, {}))
    facts.setdefault("code", type(cause).__name__)
    message = facts.get("message") or str(cause)
    facts["message"] = message[:_LONGEST_MESSAGE]
    return facts


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised with, from, or in the handling of."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_CAUSES:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = [arg for arg in cause.args if isinstance(arg, BaseException)]
        waiting += [*inner, *filter(None, (cause.__cause__, cause.__context__))]


def _facts(error: BaseException) -> dict[str, Any]:
    """Code, status and the like, as far as the cloud's SDK tells them apart."""
    for read in (_of_botocore, _of_grpc, _of_http):
        with contextlib.suppress(Exception):
            if facts := {key: value for key, value in read(error).items() if value is not None}:
                return facts
    return {}


def _of_botocore(error: Any) -> dict[str, Any]:
    """`botocore.exceptions.ClientError`."""
    response = error.response
    return {
        "code": _text(response["Error"]["Code"]),
        "message": _text(response["Error"].get("Message")),
        "http_status": _status(response.get("ResponseMetadata", {}).get("HTTPStatusCode")),
    }


def _of_grpc(error: Any) -> dict[str, Any]:
    """Nebius's `RequestError`, whose `status` has a code of gRPC and details."""
    status = error.status
    code = _text(getattr(status.code, "name", None))
    if code is None:
        return {}
    services = [str(service) for service in getattr(status, "service_errors", None) or []]
    return {
        "grpc_code": code,
        "message": _text(getattr(status, "message", None)),
        "details": services or None,
    }


def _of_http(error: Any) -> dict[str, Any]:
    """The errors of Google, Azure, OCI and of plain HTTP clients."""
    inner = getattr(error, "error", None)
    numbers = (getattr(error, name, None) for name in ("status_code", "status", "code"))
    words = (getattr(inner, "code", None), *(getattr(error, n, None) for n in ("reason", "code")))
    grpc = getattr(error, "grpc_status_code", None)
    details = [item for item in getattr(error, "errors", None) or [] if isinstance(item, dict)]
    reasons = [item.get("reason") or item.get("code") for item in details]
    http_status = next(filter(None, map(_status, numbers)), None)
    code = next(filter(None, map(_text, [*reasons, *words])), None)
    # A reason alone is a member of many errors that are no cloud's.
    if http_status is None and not isinstance(getattr(inner, "code", None), str):
        return {}
    return {
        "code": code,
        "message": _text(getattr(error, "message", None)),
        "http_status": http_status,
        "grpc_code": _text(getattr(grpc, "name", None)),
        "details": details or None,
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _status(value: object) -> int | None:
    is_status = isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600
    return int(value) if is_status else None  # type: ignore[call-overload]


class LoggedErrors(logging.Handler):
    """Keeps the errors that dstack logs in this thread while an instance is launched."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept = threading.local()
        logging.getLogger(_AWS_LOGGER).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the errors of a record, if this thread launches something."""
        kept = getattr(self._kept, "errors", None)
        if kept is not None and isinstance(record.args, tuple):
            kept += [arg for arg in record.args if isinstance(arg, BaseException)]

    @contextlib.contextmanager
    def during(self) -> Iterator[list[BaseException]]:
        """The errors that this thread logs from now on."""
        errors: list[BaseException] = []
        self._kept.errors = errors
        try:
            yield errors
        finally:
            self._kept.errors = None
