"""The plugin asks the oracle about offers of Google Cloud.

dstack marks them by its own test alone, which takes H100 for always there and looks at no
preemptible grant.
"""

from __future__ import annotations

import pytest

from harness import gcp
from harness.catalog import CatalogServer
from harness.dstack_server import GPU_TASK, Plan
from harness.expected import GCP_GPUS, by_gcp, differences
from harness.moto import Moto
from harness.oracle import Oracle
from harness.plans import BOTH_WORDS_IN_BOTH_MARKETS, with_and_without
from harness.simulated import SimulatedClouds

GCP = {
    # Some of the standard quota is left, and nothing was granted for spot, which then draws on it.
    ("us-central1", "NVIDIA_L4_GPUS"): (8, 6),
    ("us-central1", "PREEMPTIBLE_NVIDIA_L4_GPUS"): (0, 0),
    ("us-central1", "GPUS_PER_GPU_FAMILY/NVIDIA_H100"): (16, 8),
    ("us-central1", "NVIDIA_A100_80GB_GPUS"): (8, 8),
    # The standard quota is used up, and spot has one of its own,
    ("us-east4", "NVIDIA_L4_GPUS"): (4, 4),
    ("us-east4", "PREEMPTIBLE_NVIDIA_L4_GPUS"): (8, 4),
    ("us-east4", "GPUS_PER_GPU_FAMILY/NVIDIA_H100"): (0, 0),
    ("us-east4", "PREEMPTIBLE_NVIDIA_H100_GPUS"): (8, 0),
    # and the other way round.
    ("europe-west4", "NVIDIA_A100_GPUS"): (8, 0),
    ("europe-west4", "PREEMPTIBLE_NVIDIA_A100_GPUS"): (4, 4),
}
"""Limit and usage that differ from nothing at all, as these stories set them."""

QUOTAS = {
    (region, code): GCP.get((region, code), (0, 0))
    for region in gcp.REGIONS
    for codes in GCP_GPUS.values()
    for code in codes
}

ANY_OF_THESE = {**GPU_TASK, "gpu": "L4,A100,H100"}


@pytest.fixture(scope="module")
def plans(
    tmp_path_factory: pytest.TempPathFactory,
    all_clouds: SimulatedClouds,
    gcp_settings: list[str],
    gcp_calls: str,
    moto: Moto,
    catalog: CatalogServer,
) -> tuple[Plan, Plan]:
    """The plans with and without the oracle."""
    folder = tmp_path_factory.mktemp("gcp")
    for (region, code), (limit, usage) in QUOTAS.items():
        all_clouds.set_gcp(region, code, limit=limit, usage=usage)
    all_clouds.set_gcp(None, "GPUS_ALL_REGIONS", limit=1000, usage=0)
    # These stories are about GPUs: no machine is too large for the account's CPUs.
    all_clouds.set_gcp(None, "CPUS_ALL_REGIONS", limit=100_000, usage=0)
    for region in gcp.REGIONS:
        all_clouds.set_gcp(region, "CPUS", limit=100_000, usage=0)
    oracle = Oracle(folder / "oracle", all_clouds, gcp=gcp_settings)
    try:
        oracle.wait_until_known("gcp", *gcp.REGIONS)
        environment = {
            **moto.environment(),
            "GPUHUNT_CATALOG_URL": catalog.url,
            "PYTHONPATH": gcp_calls,
        }
        return with_and_without(
            oracle,
            folder / "dstack",
            environment,
            gcp.PLUGIN,
            gcp.BACKEND,
            ANY_OF_THESE,
        )
    finally:
        oracle.stop()


def test_gcp_offers_have_no_quota_exactly_where_there_is_no_room(
    plans: tuple[Plan, Plan],
) -> None:
    offers = plans[0].of("gcp")
    found = offers.availabilities()
    assert len(found) > 40
    assert {region for region, _, _ in found} == set(gcp.REGIONS)
    resources = offers.resources()
    known = {offer: word for offer, word in found.items() if _series(offer[1]) in GCP_GPUS}
    assert (
        differences(known, lambda offer: by_gcp(offer, len(resources[offer]["gpus"]), QUOTAS))
        == []
    )
    words = {(spot, word) for (_, _, spot), word in known.items()}
    assert words == BOTH_WORDS_IN_BOTH_MARKETS


def test_without_the_oracle_dstack_takes_every_one_of_them_for_possible(
    plans: tuple[Plan, Plan],
) -> None:
    judged, unjudged = plans
    assert set(unjudged.of("gcp").availabilities().values()) == {"unknown"}
    assert unjudged.of("gcp").availabilities().keys() == judged.of("gcp").availabilities().keys()


def _series(instance_type: str) -> str:
    return "-".join(instance_type.split("-")[:2])
