"""The plugin asks the oracle about offers of Azure.

dstack marks them by the restrictions of their sizes alone, with the same word that it has for
quotas, and never asks for a quota.
"""

from __future__ import annotations

import pytest

from harness import azure
from harness.catalog import CatalogServer
from harness.dstack_server import GPU_TASK, Plan
from harness.expected import AZURE_FAMILIES, azure_series, by_azure, differences
from harness.moto import Moto
from harness.oracle import Oracle
from harness.plans import BOTH_WORDS_IN_BOTH_MARKETS, with_and_without
from harness.simulated import SimulatedClouds

AMPLE = (100_000, 0)

AZURE = {
    # Some of each family is left, and nothing of the low-priority quota.
    ("eastus", "standardNDISRH200V5Family"): (192, 96),
    ("eastus", "standardNCADSA100v4Family"): (96, 48),
    ("eastus", "Standard NCASv3_T4 Family"): (64, 56),
    ("eastus", "lowPriorityCores"): (3, 0),
    # The families have room, and the location has little.
    ("westus3", "standardNDISRH200V5Family"): (960, 0),
    ("westus3", "standardNCADSA100v4Family"): (960, 0),
    ("westus3", "Standard NCASv3_T4 Family"): (960, 0),
    ("westus3", "cores"): (100, 80),
    ("westus3", "lowPriorityCores"): (40, 16),
    # Nothing was granted but spot, which needs no family's quota.
    ("swedencentral", "lowPriorityCores"): (96, 0),
    ("eastus2", "StandardNCadsH100v5Family"): (960, 0),
    ("eastus2", "lowPriorityCores"): AMPLE,
}
"""Limit and usage that differ from nothing at all, as these stories set them."""

QUOTAS = {
    (location, name): AZURE.get((location, name), AMPLE if name == "cores" else (0, 0))
    for location in azure.LOCATIONS
    for name in (*AZURE_FAMILIES.values(), "cores", "lowPriorityCores")
}

RESTRICTED = ("eastus2", "Standard_NC40ads_H100_v5")
"""The quotas would allow it, and the subscription may not have it."""

RESTRICTED_IN_ZONES = ("eastus", "Standard_NC24ads_A100_v4")

ANY_OF_THESE = {**GPU_TASK, "gpu": "T4,A100,H100NVL,H200"}


@pytest.fixture(scope="module")
def plans(
    tmp_path_factory: pytest.TempPathFactory,
    all_clouds: SimulatedClouds,
    azure_settings: list[str],
    azure_calls: str,
    moto: Moto,
    catalog: CatalogServer,
) -> tuple[Plan, Plan]:
    """The plans with and without the oracle."""
    folder = tmp_path_factory.mktemp("azure")
    for (location, name), (limit, usage) in QUOTAS.items():
        all_clouds.set_azure(location, name, limit=limit, usage=usage)
    all_clouds.restrict_azure(*RESTRICTED)
    all_clouds.restrict_azure(*RESTRICTED_IN_ZONES, "2", "3")
    oracle = Oracle(folder / "oracle", all_clouds, azure=azure_settings)
    try:
        oracle.wait_until_known("azure", *azure.LOCATIONS)
        environment = {
            **moto.environment(),
            "GPUHUNT_CATALOG_URL": catalog.url,
            "PYTHONPATH": azure_calls,
        }
        return with_and_without(
            oracle,
            folder / "dstack",
            environment,
            azure.PLUGIN,
            azure.BACKEND,
            ANY_OF_THESE,
        )
    finally:
        oracle.stop()


def test_azure_offers_have_no_quota_exactly_where_there_is_no_room(
    plans: tuple[Plan, Plan],
) -> None:
    offers = plans[0].of("azure")
    found = offers.availabilities()
    assert {location for location, _, _ in found} == set(azure.LOCATIONS)
    vcpus = offers.vcpus()
    known = {
        offer: word
        for offer, word in found.items()
        if azure_series(offer[1]) in AZURE_FAMILIES and offer[:2] != RESTRICTED
    }
    assert len(known) > 40
    assert differences(known, lambda offer: by_azure(offer, vcpus[offer], QUOTAS)) == []
    words = {(spot, word) for (_, _, spot), word in known.items()}
    assert words == BOTH_WORDS_IN_BOTH_MARKETS


def test_without_the_oracle_only_restrictions_are_known(plans: tuple[Plan, Plan]) -> None:
    judged, unjudged = (plan.of("azure").availabilities() for plan in plans)
    assert unjudged.keys() == judged.keys()
    without_quota = {offer[:2] for offer, word in unjudged.items() if word == "no_quota"}
    assert without_quota == {RESTRICTED}
    # What dstack gives up by itself the oracle is not asked about; a size that is restricted in
    # some zones is possible, and was judged by its quotas.
    for (location, size), word in ((RESTRICTED, "no_quota"), (RESTRICTED_IN_ZONES, "unknown")):
        assert judged[location, size, False] == word
