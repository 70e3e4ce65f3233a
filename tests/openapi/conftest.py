"""A running demo, which the tests ask."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "openapi" / "quota-oracle.json"

START_SECONDS = 60.0
"""All regions are read after five seconds on a quiet machine."""


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return content


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo whose first answers are there."""
    binary = os.environ.get("QUOTA_ORACLE_BIN")
    assert binary, "QUOTA_ORACLE_BIN names the quota-oracle binary"
    log = tmp_path_factory.mktemp("demo") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binary, "demo", "--listen", "127.0.0.1:0"],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "RUST_LOG": "error"},
        )
    try:
        yield _ready(process, log)
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert "panicked" not in log.read_text(errors="replace")


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    told = "quota-oracle answers on "
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        lines = log.read_text(errors="replace").splitlines()
        urls = [line.split(told)[1].split()[0] for line in lines if told in line]
        if urls and _is_ready(urls[0]):
            return urls[0]
        time.sleep(0.1)
    raise AssertionError(f"the demo is not ready:\n{log.read_text(errors='replace')}")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
