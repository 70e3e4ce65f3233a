"""dstack's objects as the oracle takes them."""

from __future__ import annotations

from typing import Any

from dstack_quota_oracle.shapes import Offer


def describe(offer: Offer, backend: str) -> dict[str, Any]:
    """The offer as `POST /offers` and `POST /verify` take it."""
    resources = offer.instance.resources
    described: dict[str, Any] = {
        "backend": backend,
        "region": offer.region,
        "instance_type": offer.instance.name,
        "spot": resources.spot,
        # Zero is refused, as it stands for a number that nobody knows.
        "cpus": resources.cpus or None,
        "memory_gb": round(resources.memory_mib / 1024, 3),
    }
    if resources.gpus:
        gpu = resources.gpus[0]
        described["gpu"] = {
            "name": gpu.name,
            "count": len(resources.gpus),
            "memory_gb": round(gpu.memory_mib / 1024, 3),
        }
    return described
