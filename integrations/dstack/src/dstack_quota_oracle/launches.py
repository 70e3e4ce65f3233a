"""The one place where launches are seen. Off unless switched on.

Every launch of dstack's goes through a method of the backend's compute object, whether for a job
or for a fleet. That method is replaced on the object, so that a launch can be verified before it
is tried (`POST /verify`), and what it met told to the oracle (`POST /feedback`).
"""

from __future__ import annotations

import functools
import importlib
import inspect
import threading
from collections.abc import Callable
from typing import Any

from dstack_quota_oracle.client import OracleClient
from dstack_quota_oracle.launch_errors import LoggedErrors, describe_error
from dstack_quota_oracle.saying import Sayer, sayable
from dstack_quota_oracle.shapes import Backend, Offer
from dstack_quota_oracle.verdicts import kept_reason
from dstack_quota_oracle.verifying import Verified, Verifier

_MARK = "_quota_oracle_watched"

_SKIPPED = "SkipOffer"
"""dstack's exception for an offer that it did not try to launch."""

_NEVER_UP = "ProvisioningError"
"""dstack's exception for an instance that was launched and will not come up."""

Arguments = dict[str, Any]


class LaunchWatch:
    """Verifies launches and reports how they end, each as far as it is switched on."""

    def __init__(
        self,
        client: OracleClient,
        sayer: Sayer,
        *,
        feedback: bool = True,
        verify_max_age: str | None = None,
    ) -> None:
        self._client = client
        self._sayer = sayer
        self._feedback = feedback
        self._verifier = Verifier(client, sayer, verify_max_age) if verify_max_age else None
        self._logged = LoggedErrors()
        self._inside = threading.local()
        self._lock = threading.Lock()

    def passes_over(self) -> bool:
        """Whether an offer that is advised against is passed over, and dstack knows how."""
        return self._verifier is not None and _skip_offer() is not None

    def watch(self, backend: Backend, name: str) -> None:
        """Sees to it that the launches of this backend are watched; again does nothing."""
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
            if callable(update := getattr(compute, "update_provisioning_data", None)):
                compute.update_provisioning_data = self._watched_until_up(update, name)

    def _watched(self, launch: Callable[..., Any], name: str) -> Callable[..., Any]:
        signature = inspect.signature(launch)

        @functools.wraps(launch)
        def watched(*args: Any, **kwargs: Any) -> Any:
            # A launch of several may go through the method for one.
            if getattr(self._inside, "launch", False):
                return launch(*args, **kwargs)
            arguments = _bound(signature, args, kwargs)
            verified = self._verified(arguments, name)
            if verified.passed_over is not None and (skip := _skip_offer()) is not None:
                raise skip(verified.passed_over)
            self._inside.launch = True
            try:
                with self._logged.during() as logged:
                    result = launch(*args, **kwargs)
            except BaseException as error:
                skipped = type(error).__name__ == _SKIPPED
                # Each zone's own error, where dstack has logged them; else what it raised.
                errors = [] if skipped else [*logged] or [error]
                self._failed(arguments, name, verified, errors)
                raise
            finally:
                self._inside.launch = False
            self._launched(arguments, name, verified, result)
            return result

        return watched

    def _watched_until_up(self, update: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The same for the method that dstack asks until an instance is up."""

        @functools.wraps(update)
        def watched(provisioning_data: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return update(provisioning_data, *args, **kwargs)
            except Exception as error:
                if type(error).__name__ == _NEVER_UP:
                    told = functools.partial(self._never_came_up, name, provisioning_data, error)
                    self._behind(told)
                raise

        return watched

    def _verified(self, arguments: Arguments, name: str) -> Verified:
        if self._verifier is None or "instance_offer" not in arguments:
            return Verified()
        # A reservation counts as usage already, and launches in it need no room beside it.
        if _is_reserved(arguments):
            return Verified()
        # Judged a moment ago, when it was listed for this launch.
        if (reason := kept_reason(arguments["instance_offer"])) is not None:
            return Verified(passed_over=reason)
        return self._verifier.verify(arguments["instance_offer"], name, _count(arguments))

    # What follows a launch is done behind it.

    def _launched(self, arguments: Arguments, name: str, verified: Verified, result: Any) -> None:
        def tell() -> None:
            if self._verifier is not None and verified.lease is not None:
                self._verifier.launched(verified.lease, getattr(result, "instance_id", None))
            if self._feedback:
                self._send(_outcome(name, arguments["instance_offer"], None))

        self._behind(tell)

    def _failed(
        self, arguments: Arguments, name: str, verified: Verified, errors: list[BaseException]
    ) -> None:
        def tell() -> None:
            if self._verifier is not None and verified.lease is not None:
                self._verifier.failed(verified.lease)
            for error in _distinct(errors) if self._feedback else []:
                self._send(_outcome(name, arguments["instance_offer"], error))
            # The next plan is to hear what was learnt.
            self._client.forget()

        self._behind(tell)

    def _never_came_up(self, name: str, launched: Any, error: Exception) -> None:
        if self._verifier is not None:
            self._verifier.never_came_up(launched.instance_id)
        if self._feedback:
            self._send(
                {
                    "backend": name,
                    "region": launched.region,
                    "instance_type": launched.instance_type.name,
                    "spot": launched.instance_type.resources.spot,
                    "outcome": "failed",
                    "error": describe_error(error),
                }
            )

    def _behind(self, work: Callable[[], None]) -> None:
        def safely() -> None:
            try:
                work()
            except Exception as problem:
                self._sayer.failure(
                    "launch", "A launch could not be described: %s", sayable(problem)
                )

        threading.Thread(target=safely, name="quota-oracle", daemon=True).start()

    def _send(self, body: dict[str, Any]) -> None:
        try:
            self._client.ask("/feedback", body)
        except Exception as problem:
            self._sayer.failure(
                "feedback", "The quota oracle took no feedback: %s", sayable(problem)
            )


def _outcome(name: str, offer: Offer, error: dict[str, Any] | None) -> dict[str, Any]:
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
        body["error"] = error
    return body


def _distinct(errors: list[BaseException]) -> list[dict[str, Any]]:
    """The errors as they are told, each once: zones mostly fail alike."""
    told: list[dict[str, Any]] = []
    for error in map(describe_error, errors):
        if error not in told:
            told.append(error)
    return told


def _bound(signature: inspect.Signature, args: tuple[Any, ...], kwargs: Arguments) -> Arguments:
    try:
        return dict(signature.bind(*args, **kwargs).arguments)
    except TypeError:
        # dstack's own mistake; the launch itself has the words for it.
        return {}


def _is_reserved(arguments: Arguments) -> bool:
    config = arguments.get("instance_config")
    requirements = getattr(getattr(arguments.get("job"), "job_spec", None), "requirements", None)
    return any(getattr(holder, "reservation", None) for holder in (config, requirements))


def _count(arguments: Arguments) -> int:
    """How many instances one call launches."""
    for name in ("job_configurations", "jobs"):
        if isinstance(batch := arguments.get(name), list) and batch:
            return len(batch)
    return 1


def _skip_offer() -> Callable[[str], Exception] | None:
    """Dstack's way to pass an offer over; older releases have none, and launch."""
    errors = importlib.import_module("dstack._internal.core.errors")
    found: Callable[[str], Exception] | None = getattr(errors, _SKIPPED, None)
    return found
