"""One run planned twice: with the oracle, and by dstack alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .dstack_server import PROJECT, DstackServer, Plan
from .oracle import Oracle

BOTH_WORDS_IN_BOTH_MARKETS = {
    (False, "no_quota"),
    (False, "unknown"),
    (True, "no_quota"),
    (True, "unknown"),
}
"""Whether spot, and dstack's word: where all four are there, none of them is only ever guessed."""


def with_and_without(
    oracle: Oracle,
    folder: Path,
    environment: Mapping[str, str],
    plugin: str,
    backend: dict[str, Any],
    run: dict[str, Any],
) -> tuple[Plan, Plan]:
    """Plans the run of a project with this backend, whose calls the plugin leads to a stand-in;
    stops the oracle, and plans it again."""
    # Other GPUs first, so that dstack keeps no answer of the plan before.
    again = {**run, "gpu": ",".join(reversed(run["gpu"].split(",")))}
    dstack = DstackServer(
        folder, {**environment, **oracle.for_the_plugin}, plugins=("quota_oracle", plugin)
    )
    try:
        dstack.add_project(PROJECT, backend)
        judged = dstack.plan(PROJECT, run)
        oracle.stop()
        return judged, dstack.plan(PROJECT, again)
    finally:
        dstack.stop()
