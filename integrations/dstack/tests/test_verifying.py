"""The last check before a launch: off by default, and never in a launch's way."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any

import pytest
from dstack._internal.core.errors import NoCapacityError, ProvisioningError

from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.settings import Settings
from dstack_quota_oracle.verdicts import Verdict, read_verdict

from .dstack_objects import ListedBackend, offer
from .oracle import Oracle, answer, sayer

SkipOffer: Any = pytest.importorskip("dstack._internal.core.errors").__dict__.get("SkipOffer")
knows_skipping = pytest.mark.skipif(SkipOffer is None, reason="this dstack passes no offer over")

REASON = "needs 192 vCPU of Running On-Demand P instances in us-east-1; 96 of 96 are free"


class Ledger:
    """Grants the lease `l-1` to what is not short, and hears what becomes of it."""

    def __init__(self, oracle: Oracle, availability: str = "available") -> None:
        self.asked: list[dict[str, Any]] = []
        self.changes: list[str] = []
        self.feedback: list[dict[str, Any]] = []
        self._came = threading.Semaphore(0)
        self.status = 200

        def behave(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> bool:
            if handler.path == "/verify":
                self.asked.append(body)
                lease = {"id": "l-1"} if availability in ("available", "unknown") else None
                quota = {"reason": REASON}
                verdict = {"availability": availability, "quota": quota, "lease": lease}
                return answer(handler, self.status, json.dumps(verdict))
            if handler.path.startswith("/leases/"):
                self.changes.append(f"{handler.command} {handler.path}")
                answer(handler, 200, "{}")
                self._came.release()
                return True
            if handler.path == "/feedback":
                self.feedback.append(body)
                answer(handler, 202, "{}")
                self._came.release()
                return True
            return False

        oracle.behave = behave

    def next(self) -> str:
        assert self._came.acquire(timeout=10)
        return self.changes[-1]

    def told(self) -> dict[str, Any]:
        assert self._came.acquire(timeout=10)
        return self.feedback[-1]


def _backend(outcome: Any) -> tuple[ListedBackend, list[str]]:
    backend = ListedBackend([offer()])
    tried: list[str] = []

    def create_instance(instance_offer: Any, instance_config: Any, placement_group: Any) -> Any:
        tried.append(instance_offer.instance.name)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def update_provisioning_data(provisioning_data: Any, public: str, private: str) -> None:
        raise ProvisioningError("the instance was stopped")

    compute = backend.compute()
    compute.create_instance = create_instance
    compute.update_provisioning_data = update_provisioning_data
    return backend, tried


def _watched(
    oracle: Oracle, outcome: Any, max_age: str | None = "60s", feedback: bool = False
) -> Any:
    backend, tried = _backend(outcome)
    settings = Settings(
        url=oracle.url, timeout_seconds=5.0, verify_max_age=max_age, feedback=feedback
    )
    list(Judge(settings, sayer()).judged(backend, backend.offers))
    return backend.compute(), tried


INSTANCE = SimpleNamespace(instance_id="i-1", region="us-east-1", instance_type=offer().instance)


def test_a_launch_holds_its_room_and_commits_it(oracle: Oracle) -> None:
    ledger = Ledger(oracle)
    compute, tried = _watched(oracle, INSTANCE, "30s")
    assert compute.create_instance(offer(), None, None) is INSTANCE
    assert ledger.next() == "POST /leases/l-1/commit"
    asked = ledger.asked[0]
    assert asked["offer"]["instance_type"] == "p5.48xlarge"
    assert (asked["count"], asked["max_age"], asked["lease"]) == (1, "30s", "10m")
    # Its word comes before the plugin's own deadline of five seconds.
    assert asked["timeout"] == "4500ms"
    assert tried == ["p5.48xlarge"]


def test_a_launch_that_fails_gives_its_room_back(oracle: Oracle) -> None:
    ledger = Ledger(oracle)
    compute, _ = _watched(oracle, NoCapacityError())
    with pytest.raises(NoCapacityError):
        compute.create_instance(offer(), None, None)
    assert ledger.next() == "DELETE /leases/l-1"


def test_an_instance_that_never_comes_up_gives_its_room_back(oracle: Oracle) -> None:
    ledger = Ledger(oracle)
    compute, _ = _watched(oracle, INSTANCE)
    compute.create_instance(offer(), None, None)
    assert ledger.next() == "POST /leases/l-1/commit"
    with pytest.raises(ProvisioningError):
        compute.update_provisioning_data(INSTANCE, "", "")
    assert ledger.next() == "DELETE /leases/l-1"


def test_an_instance_that_never_comes_up_is_told_with_its_error(oracle: Oracle) -> None:
    ledger = Ledger(oracle)
    compute, _ = _watched(oracle, INSTANCE, None, feedback=True)
    with pytest.raises(ProvisioningError):
        compute.update_provisioning_data(INSTANCE, "", "")
    told = ledger.told()
    assert (told["outcome"], told["instance_type"]) == ("failed", "p5.48xlarge")
    assert told["error"] == {"code": "ProvisioningError", "message": "the instance was stopped"}


@knows_skipping
@pytest.mark.parametrize("word", ["no_quota", "not_available"])
def test_an_offer_without_room_is_passed_over_with_the_verdicts_sentence(
    oracle: Oracle, word: str
) -> None:
    ledger = Ledger(oracle, word)
    compute, tried = _watched(oracle, INSTANCE)
    with pytest.raises(SkipOffer, match="needs 192 vCPU"):
        compute.create_instance(offer(), None, None)
    assert tried == []
    assert ledger.changes == []


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "the quota oracle says not_available"),
        ({"unavailable": {"reason": "no capacity"}, "quota": {"reason": "free"}}, "no capacity"),
        ({"restriction": {"reason": "not offered"}, "quota": {"reason": "free"}}, "not offered"),
    ],
)
def test_the_reason_of_what_is_not_available_is_not_the_quotas(
    members: dict[str, Any], reason: str
) -> None:
    verdict = read_verdict({"availability": "not_available", **members})
    assert verdict == Verdict("not_available", reason)


def test_what_is_not_known_is_launched(oracle: Oracle) -> None:
    ledger = Ledger(oracle, "unknown")
    compute, tried = _watched(oracle, INSTANCE)
    compute.create_instance(offer(), None, None)
    assert tried == ["p5.48xlarge"]
    assert ledger.next() == "POST /leases/l-1/commit"


@pytest.mark.parametrize("status", [404, 422, 503])
def test_an_oracle_that_cannot_verify_stops_no_launch(oracle: Oracle, status: int) -> None:
    ledger = Ledger(oracle, "no_quota")
    ledger.status = status
    compute, tried = _watched(oracle, INSTANCE)
    assert compute.create_instance(offer(), None, None) is INSTANCE
    assert tried == ["p5.48xlarge"]


def test_launches_in_a_reservation_are_not_verified(oracle: Oracle) -> None:
    ledger = Ledger(oracle, "no_quota")
    compute, tried = _watched(oracle, INSTANCE)
    compute.create_instance(offer(), SimpleNamespace(reservation="cr-1"), None)
    assert tried == ["p5.48xlarge"]
    assert ledger.asked == []


def test_several_nodes_are_verified_together_and_once(oracle: Oracle) -> None:
    ledger = Ledger(oracle)
    backend, _ = _backend(INSTANCE)
    compute = backend.compute()

    def run_jobs(run: Any, job_configurations: list[Any], instance_offer: Any) -> Any:
        for _ in job_configurations:
            compute.create_instance(instance_offer, None, None)
        return INSTANCE

    compute.run_jobs = run_jobs
    settings = Settings(url=oracle.url, timeout_seconds=5.0, verify_max_age="60s")
    list(Judge(settings, sayer()).judged(backend, backend.offers))
    compute.run_jobs("run", ["a", "b", "c"], offer())
    ledger.next()
    assert [asked["count"] for asked in ledger.asked] == [3]
    assert ledger.changes == ["POST /leases/l-1/commit"]


def test_it_is_off_unless_switched_on(oracle: Oracle) -> None:
    ledger = Ledger(oracle)
    compute, tried = _watched(oracle, INSTANCE, None)
    compute.create_instance(offer(), None, None)
    assert tried == ["p5.48xlarge"]
    assert ledger.asked == []
