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


@pytest.fixture(autouse=True)
def _dstack_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    original = backends_services.get_offers_tracked
    for name in ("URL", "TOKEN", "TOKEN_FILE", "TIMEOUT", "BACKENDS", "FEEDBACK"):
        monkeypatch.delenv(f"QUOTA_ORACLE_{name}", raising=False)
    yield
    backends_services.get_offers_tracked = original


def _load(names: list[str]) -> list[str]:
    plugins.load_plugins(names)
    return [type(plugin).__name__ for plugin in plugins._PLUGINS]


def _offers(*backends: ListedBackend, exclude_not_available: bool = False) -> list[Any]:
    asked = {
        "backends": list(backends),
        "requirements": Requirements(resources=ResourcesSpec()),
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


@pytest.mark.parametrize("shape", ["gone", "other_parameters", "not_a_function"])
def test_an_unknown_dstack_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, shape: str
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_URL", "http://127.0.0.1:9")
    if shape == "gone":
        # As in releases that list offers by `get_instance_offers(backends, …)`.
        monkeypatch.delattr(backends_services, wrap.FUNCTION)
    elif shape == "other_parameters":
        monkeypatch.setattr(backends_services, wrap.FUNCTION, lambda backends: backends)
    else:
        monkeypatch.setattr(backends_services, wrap.FUNCTION, 7)
    before = getattr(backends_services, wrap.FUNCTION, None)
    assert _load(["quota_oracle"]) == ["QuotaOraclePlugin"]
    assert getattr(backends_services, wrap.FUNCTION, None) is before
    assert "Quota oracle is off" in caplog.text


def test_a_backend_whose_listing_fails_does_not_cost_the_others_their_offers(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTA_ORACLE_URL", oracle.url)
    _load(["quota_oracle"])
    broken = ListedBackend([], "gcp")
    broken.compute().get_offers = lambda *_: 1 / 0
    assert len(_offers(broken, ListedBackend([offer()]))) == 1
