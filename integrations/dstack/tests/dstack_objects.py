"""Offers and backends made of dstack's own classes."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from dstack._internal.core.models.backends.base import BackendType
from dstack._internal.core.models.instances import (
    Gpu,
    InstanceAvailability,
    InstanceOfferWithAvailability,
    InstanceType,
    Resources,
)


def offer(
    instance_type: str = "p5.48xlarge",
    *,
    region: str = "us-east-1",
    backend: str = "aws",
    availability: str = "unknown",
    spot: bool = False,
    cpus: int = 192,
    gpus: int = 8,
) -> Any:
    return InstanceOfferWithAvailability(
        backend=BackendType(backend),
        instance=InstanceType(
            name=instance_type,
            resources=Resources(
                cpus=cpus,
                memory_mib=2048 * 1024,
                gpus=[Gpu(name="H100", memory_mib=80 * 1024)] * gpus,
                spot=spot,
            ),
        ),
        region=region,
        price=55.04,
        availability=InstanceAvailability(availability),
    )


class ListedBackend:
    """A dstack backend in one account that lists given offers, from a cache as real ones do."""

    def __init__(self, offers: list[Any], kind: str = "aws", **config: Any) -> None:
        self.TYPE = BackendType(kind)
        self.config = SimpleNamespace(**config)
        self.offers = offers
        self._compute = SimpleNamespace(get_offers=self._get_offers)

    def compute(self) -> Any:
        return self._compute

    def _get_offers(self, *_: object) -> Iterator[Any]:
        return (offer for offer in self.offers)


def availabilities(offers: Any) -> list[str]:
    return [offer.availability.value for offer in offers]
