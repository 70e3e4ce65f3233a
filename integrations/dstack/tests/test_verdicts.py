"""What becomes of offers when the oracle answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from dstack._internal.core.models.resources import ResourcesSpec
from dstack._internal.core.models.runs import Requirements

from dstack_quota_oracle.accounts import BackendNames
from dstack_quota_oracle.client import KEEP_SECONDS
from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.settings import Settings

from .dstack_objects import ListedBackend, availabilities, offer
from .oracle import Oracle, sayer


def test_only_the_offers_that_the_oracle_advises_against_are_marked(
    oracle: Oracle, settings: Settings
) -> None:
    said = {"a": "no_quota", "b": "available", "c": "unknown", "d": "not_available"}
    oracle.verdict = lambda asked: said[asked["instance_type"]]
    offers = [offer(name, availability="unknown") for name in said]

    judged = Judge(settings, sayer()).judged(ListedBackend(offers), iter(offers))

    assert availabilities(judged) == ["no_quota", "unknown", "unknown", "not_available"]


@pytest.mark.parametrize(
    ("had", "said", "becomes"),
    [
        ("not_available", "no_quota", "no_quota"),
        ("not_available", "available", "not_available"),
        ("available", "unknown", "available"),
        ("available", "no_quota", "no_quota"),
        ("available", "not_available", "not_available"),
        ("no_quota", "available", "no_quota"),
    ],
)
def test_what_dstack_found_stays_unless_the_oracle_advises_against_it(
    oracle: Oracle, settings: Settings, had: str, said: str, becomes: str
) -> None:
    oracle.verdict = lambda _: said
    offers = [offer(availability=had)]
    assert availabilities(Judge(settings, sayer()).judged(ListedBackend(offers), offers)) == [
        becomes
    ]


def test_an_offer_is_copied_and_the_cached_one_stays_as_it_was(
    oracle: Oracle, settings: Settings
) -> None:
    oracle.verdict = lambda _: "no_quota"
    cached = offer()
    (judged,) = Judge(settings, sayer()).judged(ListedBackend([cached]), [cached])
    assert judged is not cached
    assert (judged.availability.value, cached.availability.value) == ("no_quota", "unknown")
    assert judged.instance is cached.instance


def test_an_offer_that_stays_is_not_copied(oracle: Oracle, settings: Settings) -> None:
    cached = offer()
    (judged,) = Judge(settings, sayer()).judged(ListedBackend([cached]), [cached])
    assert judged is cached
    assert len(oracle.requests) == 1


def test_a_number_of_vcpus_that_nobody_knows_is_not_sent_as_zero(
    oracle: Oracle, settings: Settings
) -> None:
    offers = [offer(cpus=0)]
    Judge(settings, sayer()).judged(ListedBackend(offers), offers)
    assert [asked["cpus"] for asked in oracle.asked] == [None]


def test_the_oracle_is_asked_before_the_offers_are_handed_on(
    oracle: Oracle, settings: Settings
) -> None:
    offers = [offer()]
    judged = Judge(settings, sayer()).judged(ListedBackend(offers), iter(offers))
    assert len(oracle.requests) == 1
    list(judged)
    assert len(oracle.requests) == 1


def test_offers_are_described_as_the_oracle_takes_them(oracle: Oracle, settings: Settings) -> None:
    offers = [offer(spot=True), offer("m5.large", gpus=0, cpus=2)]
    list(Judge(settings, sayer()).judged(ListedBackend(offers), offers))
    path, headers, body = oracle.requests[0]
    assert path == "/offers"
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "count": 1,
        "offers": [
            {
                "backend": "aws",
                "region": "us-east-1",
                "instance_type": "p5.48xlarge",
                "spot": True,
                "cpus": 192,
                "memory_gb": 2048.0,
                "gpu": {"name": "H100", "count": 8, "memory_gb": 80.0},
            },
            {
                "backend": "aws",
                "region": "us-east-1",
                "instance_type": "m5.large",
                "spot": False,
                "cpus": 2,
                "memory_gb": 2048.0,
            },
        ],
    }


def test_more_offers_than_a_call_takes_are_split_and_stay_in_order(
    oracle: Oracle,
) -> None:
    settings = Settings(url=oracle.url, timeout_seconds=30.0)
    oracle.verdict = lambda asked: "no_quota" if asked["region"] == "region-7" else "available"
    regions = [offer(region=f"region-{i}") for i in range(10)]
    offers = [regions[i % 10] for i in range(20_001)]
    # The second ten thousand are another question than the first.
    offers[10_000] = offer("p5e.48xlarge", region="region-0")
    judged = list(Judge(settings, sayer()).judged(ListedBackend(offers), offers))
    assert [len(body["offers"]) for _, _, body in oracle.requests] == [10_000, 10_000, 1]
    assert [o.region for o in judged] == [o.region for o in offers]
    assert {o.region for o in judged if o.availability.value == "no_quota"} == {"region-7"}


def test_plans_of_many_projects_ask_once(
    oracle: Oracle, settings: Settings, clock: list[float]
) -> None:
    oracle.verdict = lambda _: "no_quota"
    judge = Judge(settings, sayer())

    def plan(_: int) -> list[str]:
        # Each project has objects of its own.
        return availabilities(judge.judged(ListedBackend([]), [offer()]))

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(plan, range(20))) == [["no_quota"]] * 20
    assert len(oracle.requests) == 1

    # What was right for a plan is not for one that comes later.
    oracle.verdict = lambda _: "available"
    clock[0] += KEEP_SECONDS
    assert plan(20) == ["unknown"]
    assert len(oracle.requests) == 2


def test_offers_of_a_reservation_are_handed_on_untouched(
    oracle: Oracle, settings: Settings
) -> None:
    """The reservation itself is what uses the quota up."""
    oracle.verdict = lambda _: "no_quota"
    judge = Judge(settings, sayer())
    offers = [offer()]
    reserved = Requirements(resources=ResourcesSpec(), reservation="cr-0123456789abcdef0")
    assert judge.judged(ListedBackend(offers), offers, reserved) is offers
    assert oracle.requests == []
    without = Requirements(resources=ResourcesSpec())
    assert availabilities(judge.judged(ListedBackend(offers), offers, without)) == ["no_quota"]


def test_a_list_is_given_back_as_a_list(oracle: Oracle, settings: Settings) -> None:
    offers = [offer()]
    assert isinstance(Judge(settings, sayer()).judged(ListedBackend([]), offers), list)
    assert isinstance(Judge(settings, sayer()).judged(ListedBackend([]), iter(offers)), Iterator)


def test_nothing_is_asked_when_nothing_is_open(oracle: Oracle, settings: Settings) -> None:
    offers = [offer(availability="no_quota")]
    assert list(Judge(settings, sayer()).judged(ListedBackend(offers), offers)) == offers
    assert oracle.requests == []


def test_clouds_that_the_oracle_does_not_know_are_left_alone(
    oracle: Oracle, settings: Settings
) -> None:
    offers = [offer(backend="runpod")]
    judged = Judge(settings, sayer()).judged(ListedBackend(offers, "runpod"), offers)
    assert judged is offers
    assert oracle.requests == []


def test_offers_that_a_backend_lists_for_another_are_left_alone(
    oracle: Oracle,
) -> None:
    """As the backend of dstack Sky does."""
    settings = Settings(url=oracle.url, backends=BackendNames({"dstack": "sky"}))
    offers = [offer(backend="aws")]
    assert list(Judge(settings, sayer()).judged(ListedBackend(offers, "dstack"), offers)) == offers
    assert oracle.requests == []


def test_the_account_decides_which_oracle_backend_is_asked(oracle: Oracle) -> None:
    names = BackendNames.parse("aws:AKIAONE=research aws:AKIATWO=-")
    judge = Judge(Settings(url=oracle.url, backends=names), sayer())
    for key in ("AKIAONE", "AKIATWO", "AKIATHREE"):
        backend = ListedBackend([offer()], creds=_Creds(access_key=key))
        list(judge.judged(backend, backend.offers))
    assert [asked["backend"] for asked in oracle.asked] == ["research"]


def test_a_token_is_sent_and_a_replaced_token_file_is_read_again(
    oracle: Oracle, tmp_path: Any
) -> None:
    file = tmp_path / "token"
    judge = Judge(Settings(url=oracle.url, token_file=file), sayer())
    for token in ("first", "second"):
        file.write_text(token + "\n")
        list(judge.judged(ListedBackend([]), [offer(region=f"region-of-{token}")]))
    sent = [headers["Authorization"] for _, headers, _ in oracle.requests]
    assert sent == ["Bearer first", "Bearer second"]


def test_what_was_done_is_said_once(
    oracle: Oracle, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    oracle.verdict = lambda _: "no_quota"
    judge = Judge(settings, sayer())
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            list(judge.judged(ListedBackend([]), [offer(), offer()]))
    (record,) = caplog.records
    assert record.getMessage() == (
        "The quota oracle judges offers: of 2 from backend aws, 2 have no quota"
    )


def test_an_error_in_listing_offers_is_left_to_dstack(oracle: Oracle, settings: Settings) -> None:
    def broken() -> Any:
        yield offer()
        raise RuntimeError("the cloud is down")

    with pytest.raises(RuntimeError, match="the cloud is down"):
        Judge(settings, sayer()).judged(ListedBackend([]), broken())
    assert oracle.requests == []


class _Creds:
    def __init__(self, **fields: str) -> None:
        self.__dict__ |= fields
