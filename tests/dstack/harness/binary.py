"""Where the quota-oracle binary is."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


def cache() -> Path:
    """Where the stories put what they make and fetch: beside cargo's output."""
    folder = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "dstack-stories"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def quota_oracle() -> str:
    """`$QUOTA_ORACLE_BIN`, else cargo's debug build of this repository."""
    if chosen := os.environ.get("QUOTA_ORACLE_BIN"):
        return chosen
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    found = target / "debug" / "quota-oracle"
    assert found.exists(), f"{found} is missing: run cargo build, or set QUOTA_ORACLE_BIN"
    return str(found)
