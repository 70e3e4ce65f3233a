"""The one place where launches are seen, for `POST /feedback`. Off unless switched on.

Every launch of dstack's goes through a method of the backend's compute object, whether for a
job or for a fleet. That method is replaced on the object, so that what a launch met can be
told to the oracle. A last check before launching (`POST /verify`) belongs in the same place.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

from dstack_quota_oracle.client import OracleClient
from dstack_quota_oracle.saying import Sayer, sayable
from dstack_quota_oracle.shapes import Backend, Offer

_MARK = "_quota_oracle_watched"

_SKIPPED = "SkipOffer"
"""dstack's exception for an offer that it did not try to launch."""


class LaunchWatch:
    """Reports how launches end; launches themselves are neither delayed nor changed."""

    def __init__(self, client: OracleClient, sayer: Sayer) -> None:
        self._client = client
        self._sayer = sayer
        self._lock = threading.Lock()

    def watch(self, backend: Backend, name: str) -> None:
        """Sees to it that the launches of this backend are reported; again does nothing."""
        compute = backend.compute()
        # The first plans of a backend come side by side.
        with self._lock:
            if getattr(compute, _MARK, False):
                return
            setattr(compute, _MARK, True)
            # Where instances are created apart from running a job, `run_job` does so through
            # `create_instance`: watching both would report a launch twice.
            methods = ("create_instance",) if hasattr(compute, "create_instance") else ("run_job",)
            for method in (*methods, "run_jobs"):
                if callable(launch := getattr(compute, method, None)):
                    setattr(compute, method, self._watched(launch, name))

    def _watched(self, launch: Callable[..., Any], name: str) -> Callable[..., Any]:
        signature = inspect.signature(launch)

        @functools.wraps(launch)
        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                result = launch(*args, **kwargs)
            except Exception as error:
                if type(error).__name__ != _SKIPPED:
                    self._report(name, signature, args, kwargs, error)
                raise
            self._report(name, signature, args, kwargs, None)
            return result

        return watched

    def _report(
        self,
        name: str,
        signature: inspect.Signature,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        error: Exception | None,
    ) -> None:
        try:
            offer = signature.bind(*args, **kwargs).arguments["instance_offer"]
            body = _outcome(name, offer, error)
        except Exception as problem:
            self._sayer.failure("launch", "A launch could not be described: %s", sayable(problem))
            return
        threading.Thread(target=self._send, args=(body,), daemon=True).start()

    def _send(self, body: dict[str, Any]) -> None:
        try:
            self._client.send("/feedback", body)
        except Exception as problem:
            self._sayer.failure(
                "feedback", "The quota oracle took no feedback: %s", sayable(problem)
            )


def _outcome(name: str, offer: Offer, error: Exception | None) -> dict[str, Any]:
    zones = getattr(offer, "availability_zones", None) or []
    body: dict[str, Any] = {
        "backend": name,
        "region": offer.region,
        "zone": zones[0] if len(zones) == 1 else None,
        "instance_type": offer.instance.name,
        "spot": offer.instance.resources.spot,
        "outcome": "launched" if error is None else "failed",
    }
    if error is not None:
        cause = next((e for e in _chain(error) if _cloud_code(e) is not None), error)
        body["error"] = {
            "code": _cloud_code(cause) or type(error).__name__,
            "message": str(cause),
        }
    return body


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _cloud_code(error: BaseException) -> str | None:
    """The code in a botocore ClientError, the one kind of error that carries it apart."""
    response = getattr(error, "response", None)
    described = response.get("Error") if isinstance(response, dict) else None
    code = described.get("Code") if isinstance(described, dict) else None
    return code if isinstance(code, str) else None
