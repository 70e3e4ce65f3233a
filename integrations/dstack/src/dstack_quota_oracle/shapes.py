"""What is relied on in dstack's objects, as protocols.

dstack gives plugins no interface to offers, so these are its internal models. Whatever does
not look like this ends in the fail-open path of `judge`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Gpu(Protocol):
    """`dstack._internal.core.models.instances.Gpu`."""

    name: str
    memory_mib: int


class Resources(Protocol):
    """`dstack._internal.core.models.instances.Resources`."""

    cpus: int
    memory_mib: int
    gpus: list[Gpu]
    spot: bool


class Instance(Protocol):
    """`dstack._internal.core.models.instances.InstanceType`."""

    name: str
    resources: Resources


class Named(Protocol):
    """A member of one of dstack's enumerations."""

    value: str


class Offer(Protocol):
    """`dstack._internal.core.models.instances.InstanceOfferWithAvailability`."""

    backend: Named
    region: str
    instance: Instance
    availability: Named


class Backend(Protocol):
    """`dstack._internal.core.backends.base.backend.Backend`."""

    TYPE: Named

    def compute(self) -> Any:
        """The object that lists offers and launches instances."""


Offers = Iterable[Offer]
