"""The plugin as dstack loads it, and dstack's own functions above it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from dstack._internal.core.models.resources import ResourcesSpec
from dstack._internal.core.models.runs import Requirements
from dstack._internal.server.services import backends as backends_services
from dstack._internal.server.services import plugins

from dstack_quota_oracle import wrap

from .dstack_objects import ListedBackend, availabilities, offer
from .oracle import Oracle

SkipOffer: Any = pytest.importorskip("dstack._internal.core.errors").__dict__.get("SkipOffer")
knows_skipping = pytest.mark.skipif(SkipOffer is None, reason="this dstack passes no offer over")


@pytest.fixture(autouse=True)
def _dstack_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    tracked = backends_services.get_offers_tracked
    all_backends = backends_services.get_backend_offers
    for name in ("URL", "TOKEN", "TOKEN_FILE", "TIMEOUT", "BACKENDS", "FEEDBACK", "VERIFY"):
        monkeypatch.delenv(f"QUOTA_ORACLE_{name}", raising=False)
    yield
    backends_services.get_offers_tracked = tracked
    backends_services.get_backend_offers = all_backends


def _load(names: list[str]) -> list[str]:
    plugins.load_plugins(names)
    return [type(plugin).__name__ for plugin in plugins._PLUGINS]


def _offers(
    *backends: ListedBackend, exclude_not_available: bool = False, **requirements: Any
) -> list[Any]:
    asked = {
        "backends": list(backends),
        "requirements": Requirements(resources=ResourcesSpec(), **requirements),
        "full_offers": False,
        "unallocated_resources": False,
        "exclude_not_available": exclude_not_available,
    }
    # dstack 0.20 takes fewer of them.
    taken = inspect.signature(backends_services.get_backend_offers).parameters
    found = asyncio.run(
        backends_services.get_backend_offers(**{k: v for k, v in asked.items() if k in taken})
    )
    return [offer for _, offer in found]


def test_dstack_loads_it_by_its_name_and_every_list_of_offers_is_judged(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.verdict = lambda asked: "no_quota" if asked["region"] == "eu-west-1" else "available"
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    assert _load(["quota_oracle"]) == ["QuotaOraclePlugin"]

    aws = ListedBackend([offer(), offer(region="eu-west-1")])
    nebius = ListedBackend([offer(backend="nebius", region="eu-west-1")], "nebius")
    runpod = ListedBackend([offer(backend="runpod", region="eu-west-1")], "runpod")

    listed = _offers(aws, nebius, runpod)
    assert {(o.backend.value, o.region): o.availability.value for o in listed} == {
        ("aws", "us-east-1"): "unknown",
        ("aws", "eu-west-1"): "no_quota",
        ("nebius", "eu-west-1"): "no_quota",
        ("runpod", "eu-west-1"): "unknown",
    }
    # Provisioning excludes them, after they were judged.
    assert len(_offers(aws, nebius, runpod, exclude_not_available=True)) == 2
    assert availabilities(aws.offers) == ["unknown", "unknown"]


@pytest.fixture
def short_in_the_cheapest(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> ListedBackend:
    """A backend of two regions; where it lists first there is no quota."""
    oracle.verdict = lambda asked: "no_quota" if asked["region"] == "us-east-1" else "available"
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    return ListedBackend([offer(), offer(region="eu-west-1"), offer(availability="no_quota")])


@knows_skipping
def test_launches_that_are_verified_pass_marked_offers_over_and_tell_why(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch, short_in_the_cheapest: ListedBackend
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_VERIFY", "on")
    _load(["quota_oracle"])
    compute = short_in_the_cheapest.compute()
    compute.create_instance = lambda instance_offer, *_: instance_offer

    marked, fits = _offers(short_in_the_cheapest, exclude_not_available=True)

    assert availabilities([marked, fits]) == ["no_quota", "unknown"]
    # dstack changes a copy, and gives out what it knows of an offer.
    with pytest.raises(SkipOffer, match="the quota oracle says no_quota"):
        compute.create_instance(marked.model_copy(), None, None)
    assert "oracle" not in marked.model_dump_json()
    assert [path for path, _, _ in oracle.requests] == ["/offers"]


def test_a_cluster_gets_no_marked_offers_to_make_placement_groups_for(
    monkeypatch: pytest.MonkeyPatch, short_in_the_cheapest: ListedBackend
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_VERIFY", "on")
    _load(["quota_oracle"])
    cluster = _offers(short_in_the_cheapest, exclude_not_available=True, multinode=True)
    assert [offer.region for offer in cluster] == ["eu-west-1"]


def test_launches_that_are_not_verified_get_no_marked_offers(
    short_in_the_cheapest: ListedBackend,
) -> None:
    _load(["quota_oracle"])
    listed = _offers(short_in_the_cheapest, exclude_not_available=True)
    assert [offer.region for offer in listed] == ["eu-west-1"]


def test_loading_again_asks_once(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    _load(["quota_oracle"])
    _load(["quota_oracle"])
    _offers(ListedBackend([offer()]))
    assert len(oracle.requests) == 1


def test_not_enabled_it_changes_nothing(oracle: Oracle) -> None:
    original = backends_services.get_offers_tracked
    assert _load([]) == []
    assert backends_services.get_offers_tracked is original


def test_without_an_address_it_says_so_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    original = backends_services.get_offers_tracked
    assert _load(["quota_oracle"]) == ["QuotaOraclePlugin"]
    assert backends_services.get_offers_tracked is original
    assert "QUOTA_ORACLE_URL is not set" in caplog.text


def test_it_says_what_it_does_when_it_is_loaded(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    monkeypatch.setenv("QUOTA_ORACLE_BACKENDS", "aws=main")
    with caplog.at_level(logging.INFO):
        _load(["quota_oracle"])
    assert f"judged by {oracle.url} within 2s, backends aws=main; dstack 0." in caplog.text


async def _awaited(backend: Any) -> list[Any]:
    return [backend]


async def _awaited_one_by_one(backend: Any) -> Any:
    yield backend


def _taken_one_by_one(backend: Any) -> Any:
    yield backend


UNKNOWN = {
    "other_parameters": lambda backends: backends,
    "not_a_function": 7,
    "a_coroutine": _awaited,
    "an_async_generator": _awaited_one_by_one,
    "a_generator": _taken_one_by_one,
}


@pytest.mark.parametrize("shape", ["gone", *UNKNOWN])
def test_an_unknown_dstack_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, shape: str
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_URL", "http://127.0.0.1:9")
    if shape == "gone":
        # As in releases that list offers by `get_instance_offers(backends, …)`.
        monkeypatch.delattr(backends_services, wrap.FUNCTION)
    else:
        monkeypatch.setattr(backends_services, wrap.FUNCTION, UNKNOWN[shape])
    before = getattr(backends_services, wrap.FUNCTION, None)
    assert _load(["quota_oracle"]) == ["QuotaOraclePlugin"]
    assert getattr(backends_services, wrap.FUNCTION, None) is before
    assert caplog.text.count("Quota oracle is off") == 1


@pytest.mark.parametrize("kind", ["a_number", "a_list", "a_coroutine"])
def test_whatever_an_unknown_dstack_returns_is_handed_on(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    result: Any = {"a_number": 7, "a_list": []}.get(kind)
    if kind == "a_coroutine":
        result = _awaited(None)
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    monkeypatch.setattr(backends_services, wrap.FUNCTION, lambda backend, *_: result)
    _load(["quota_oracle"])
    wrapped: Any = backends_services.get_offers_tracked
    found = wrapped(ListedBackend([]), None)
    assert found == result
    assert type(found) is type(result)
    if inspect.iscoroutine(result):
        result.close()


def test_a_call_that_dstack_gets_wrong_fails_in_its_own_words(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    _load(["quota_oracle"])
    wrapped: Any = backends_services.get_offers_tracked
    with pytest.raises(TypeError, match="missing"):
        wrapped()


def test_a_plan_in_a_reservation_is_not_judged(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.verdict = lambda _: "no_quota"
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    _load(["quota_oracle"])
    aws = ListedBackend([offer()])
    assert availabilities(_offers(aws)) == ["no_quota"]
    assert availabilities(_offers(aws, reservation="cr-0123456789abcdef0")) == ["unknown"]


def test_a_backend_whose_listing_fails_does_not_cost_the_others_their_offers(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    _load(["quota_oracle"])
    broken = ListedBackend([], "gcp")
    broken.compute().get_offers = lambda *_: 1 / 0
    assert len(_offers(broken, ListedBackend([offer()]))) == 1
