"""What the simulated limits say about dstack's offers, told from the limits alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Offer = tuple[str, str, bool]
"""Region, instance type, spot."""

Quotas = Mapping[str, Mapping[str, tuple[float | None, float]]]
"""Limit and usage, by region and quota code."""

NebiusQuotas = Mapping[tuple[str, str], tuple[int, int]]
"""Limit and usage, by region and the name that Nebius gives to the quota."""

GcpQuotas = Mapping[tuple[str, str], tuple[int, int]]
"""Limit and usage, by region and the code of the quota."""

AzureQuotas = Mapping[tuple[str, str], tuple[int, int]]
"""Limit and usage, by location and the name of the quota."""

STANDARD, G, P = "L-1216C47A", "L-DB2E81BA", "L-417A185B"
STANDARD_SPOT, G_SPOT = "L-34B43A08", "L-3819A6DF"
P4_SPOT, P5_SPOT = "L-7212CCBC", "L-C4BD4855"


def by_dstacks_own_test(offer: Offer, quotas: Quotas, *, headroom: bool) -> str:
    """dstack asks for three on-demand codes, for spot offers too, and tests for above zero."""
    region, instance_type, _ = offer
    code = {"p": P, "g": G}.get(instance_type[0], STANDARD)
    limit, usage = quotas[region][code]
    assert limit is not None
    return "no_quota" if limit - (usage if headroom else 0) <= 0 else "unknown"


def by_the_oracle(offer: Offer, vcpus: int, quotas: Quotas) -> str:
    """Room for one instance in the quota of its family and market."""
    region, instance_type, spot = offer
    code = _code(instance_type, spot)
    if code is None:
        return "unknown"
    limit, usage = quotas[region][code]
    assert limit is not None
    return "no_quota" if vcpus > limit - usage else "unknown"


PREEMPTIBLE = "compute.instance.preemptible.count"


def by_both(offer: Offer, vcpus: int, quotas: Quotas) -> str:
    """dstack's own test of what the oracle tells it, and the plugin's verdict on the rest."""
    own = by_dstacks_own_test(offer, quotas, headroom=False)
    return own if own == "no_quota" else by_the_oracle(offer, vcpus, quotas)


def gpus_of(family: str) -> str:
    """Nebius's quota of on-demand GPUs of a family such as `h100`."""
    return f"compute.instance.gpu.{family}"


def by_nebius(offer: Offer, gpus: int, quotas: NebiusQuotas) -> str:
    """Room for its GPUs; on spot, for one machine more, whatever GPUs it has."""
    region, instance_type, spot = offer
    # A type is called `gpu-h100-sxm 8gpu-128vcpu-1600gb`.
    family = instance_type.split("-")[1]
    name, needed = (PREEMPTIBLE, 1) if spot else (gpus_of(family), gpus)
    limit, usage = quotas[region, name]
    return "no_quota" if needed > limit - usage else "unknown"


GCP_GPUS = {
    "a2-highgpu": ("NVIDIA_A100_GPUS", "PREEMPTIBLE_NVIDIA_A100_GPUS"),
    "a2-megagpu": ("NVIDIA_A100_GPUS", "PREEMPTIBLE_NVIDIA_A100_GPUS"),
    "a2-ultragpu": ("NVIDIA_A100_80GB_GPUS", "PREEMPTIBLE_NVIDIA_A100_80GB_GPUS"),
    "a3-highgpu": ("GPUS_PER_GPU_FAMILY/NVIDIA_H100", "PREEMPTIBLE_NVIDIA_H100_GPUS"),
    "a3-megagpu": ("GPUS_PER_GPU_FAMILY/NVIDIA_H100_MEGA", "PREEMPTIBLE_NVIDIA_H100_MEGA_GPUS"),
    "g2-standard": ("NVIDIA_L4_GPUS", "PREEMPTIBLE_NVIDIA_L4_GPUS"),
}
"""The standard and the preemptible quota of machines that come with GPUs."""


def by_gcp(offer: Offer, gpus: int, quotas: GcpQuotas) -> str:
    """Room for its GPUs: on spot in the preemptible quota where there is one, else the other."""
    region, instance_type, spot = offer
    standard, preemptible = GCP_GPUS["-".join(instance_type.split("-")[:2])]
    granted = spot and quotas[region, preemptible][0] > 0
    limit, usage = quotas[region, preemptible if granted else standard]
    return "no_quota" if gpus > limit - usage else "unknown"


AZURE_FAMILIES = {
    "NDisr_H200_v5": "standardNDISRH200V5Family",
    "NCads_H100_v5": "StandardNCadsH100v5Family",
    "NCadis_H100_v5": "StandardNCadsH100v5Family",
    "NCads_A100_v4": "standardNCADSA100v4Family",
    "NDasr_v4": "Standard NDASv4_A100 Family",
    "NDamsr_A100_v4": "standard NDAMSv4_A100Family",
    "NCas_T4_v3": "Standard NCASv3_T4 Family",
}
"""The quota of a series of sizes with GPUs, as the simulated usages spell it."""


def azure_series(size: str) -> str:
    """`NCads_A100_v4` of `Standard_NC24ads_A100_v4`."""
    return re.sub(r"^Standard_([A-Z]+)\d+", r"\1", size)


def by_azure(offer: Offer, vcpus: int, quotas: AzureQuotas) -> str:
    """Room for its vCPUs: on spot in the one low-priority quota, else in two."""
    location, size, spot = offer
    family = AZURE_FAMILIES[azure_series(size)]
    drawn = ("lowPriorityCores",) if spot else (family, "cores")
    left = min(quotas[location, name][0] - quotas[location, name][1] for name in drawn)
    return "no_quota" if vcpus > left else "unknown"


def _code(instance_type: str, spot: bool) -> str | None:
    if instance_type.startswith("g"):
        return G_SPOT if spot else G
    if instance_type.startswith("p"):
        # AWS documents no quota for p6 on spot.
        spot_code = {"4": P4_SPOT, "5": P5_SPOT}.get(instance_type[1])
        return spot_code if spot else P
    return STANDARD_SPOT if spot else STANDARD


def differences(
    found: Mapping[Offer, str], expected: Callable[[Offer], str]
) -> list[tuple[Offer, str, str]]:
    """The offers that are marked otherwise than expected: offer, found, expected."""
    return [
        (offer, availability, expected(offer))
        for offer, availability in sorted(found.items())
        if availability != expected(offer)
    ]
