"""What the fixtures hand to the stories, by name."""

from __future__ import annotations

from collections.abc import Callable

from .dstack_server import DstackServer
from .oracle import Oracle

StartDstack = Callable[..., DstackServer]
"""Takes the endpoint that dstack asks for quotas, plugins, and more of its environment."""

StartOracle = Callable[..., Oracle]
