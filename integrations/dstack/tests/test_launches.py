"""The seam for feedback: off by default, and never in a launch's way."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from dstack._internal.core.errors import NoCapacityError

from dstack_quota_oracle.client import OracleClient
from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.launches import LaunchWatch
from dstack_quota_oracle.settings import Settings

try:
    from dstack._internal.core.errors import SkipOffer
except ImportError:  # dstack 0.20 knows no such thing

    class SkipOffer(Exception):  # type: ignore[no-redef]  # noqa: N818
        pass


from .dstack_objects import ListedBackend, offer
from .oracle import Oracle, answer, sayer


class Heard:
    """Waits for feedback, which is sent behind the launch."""

    def __init__(self, oracle: Oracle, status: int = 202) -> None:
        self.bodies: list[dict[str, Any]] = []
        self._came = threading.Semaphore(0)

        def behave(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> bool:
            if handler.path != "/feedback":
                return False
            answer(handler, status, "")
            self.bodies.append(body)
            self._came.release()
            return True

        oracle.behave = behave

    def next(self) -> dict[str, Any]:
        assert self._came.acquire(timeout=10)
        return self.bodies[-1]


def _backend(outcome: Any) -> ListedBackend:
    backend = ListedBackend([offer()])

    def create_instance(instance_offer: Any, instance_config: Any, placement_group: Any) -> Any:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    compute = backend.compute()
    compute.create_instance = create_instance
    compute.run_job = lambda run, job, instance_offer: compute.create_instance(
        instance_offer, run, None
    )
    return backend


def test_a_launch_that_fails_is_told_with_the_clouds_own_code(oracle: Oracle) -> None:
    heard = Heard(oracle)
    error = NoCapacityError()
    error.__context__ = ClientError(
        {"Error": {"Code": "VcpuLimitExceeded", "Message": "your current vCPU limit of 16"}},
        "RunInstances",
    )
    backend = _backend(error)
    list(Judge(Settings(url=oracle.url, feedback=True), sayer()).judged(backend, backend.offers))

    with pytest.raises(NoCapacityError):
        backend.compute().run_job("run", "job", offer())
    body = heard.next()
    assert body.pop("error")["code"] == "VcpuLimitExceeded"
    assert body == {
        "backend": "aws",
        "region": "us-east-1",
        "zone": None,
        "instance_type": "p5.48xlarge",
        "spot": False,
        "outcome": "failed",
    }


def test_a_launch_that_succeeds_is_told_once_however_often_offers_are_listed(
    oracle: Oracle,
) -> None:
    heard = Heard(oracle)
    backend = _backend("launched")
    judge = Judge(Settings(url=oracle.url, feedback=True), sayer())
    for _ in range(3):
        list(judge.judged(backend, backend.offers))
    assert backend.compute().run_job("run", "job", offer()) == "launched"
    assert heard.next()["outcome"] == "launched"
    assert len(heard.bodies) == 1


def test_the_first_plans_of_a_backend_side_by_side_watch_its_launches_once(
    oracle: Oracle, settings: Settings
) -> None:
    both_look = threading.Barrier(2)

    class Compute:
        watched = False

        @property
        def _quota_oracle_watched(self) -> bool:
            found = self.watched
            # Two that may look at the same time do so; one alone waits for the other in vain.
            with contextlib.suppress(threading.BrokenBarrierError):
                both_look.wait(timeout=0.2)
            return found

        @_quota_oracle_watched.setter
        def _quota_oracle_watched(self, watched: bool) -> None:
            self.watched = watched

        def create_instance(self, instance_offer: Any) -> str:
            return "launched"

    compute = Compute()
    backend: Any = SimpleNamespace(compute=lambda: compute)
    watch = LaunchWatch(OracleClient(settings), sayer())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: watch.watch(backend, "aws"), range(2)))
    launch: Any = compute.create_instance
    assert not hasattr(launch.__wrapped__, "__wrapped__")


def test_an_offer_that_was_not_tried_is_not_told(oracle: Oracle) -> None:
    heard = Heard(oracle)
    backend = _backend(SkipOffer("not suitable"))
    list(Judge(Settings(url=oracle.url, feedback=True), sayer()).judged(backend, backend.offers))
    with pytest.raises(SkipOffer):
        backend.compute().create_instance(offer(), None, None)
    assert heard.bodies == []


def test_it_is_off_unless_switched_on(oracle: Oracle, settings: Settings) -> None:
    backend = _backend("launched")
    create_instance = backend.compute().create_instance
    list(Judge(settings, sayer()).judged(backend, backend.offers))
    assert backend.compute().create_instance is create_instance


def test_an_oracle_that_takes_no_feedback_harms_no_launch(oracle: Oracle) -> None:
    heard = Heard(oracle, status=404)
    backend = _backend("launched")
    list(Judge(Settings(url=oracle.url, feedback=True), sayer()).judged(backend, backend.offers))
    assert backend.compute().create_instance(offer(), None, None) == "launched"
    heard.next()
