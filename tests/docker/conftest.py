"""A Docker engine of our own, with the images that the compose files name."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import FOLDER, ROOT, compose_files, docker, run

IMAGES = {
    "quota-oracle": "quota-oracle:0.1.0",
    "valkey": "valkey/valkey:8.1-alpine",
    "haproxy": "haproxy:3.2-alpine",
}


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    run("ip", "link", "set", "lo", "up")
    log = (FOLDER / "dockerd.log").open("wb")
    process = subprocess.Popen(
        [
            "/usr/sbin/dockerd",
            f"--host=unix://{FOLDER}/docker.sock",
            f"--data-root={FOLDER}/data",
            f"--exec-root={FOLDER}/exec",
            f"--pidfile={FOLDER}/dockerd.pid",
        ],
        stdout=log,
        stderr=log,
    )
    try:
        deadline = time.monotonic() + 60
        while docker("info", check=False).returncode != 0:
            assert process.poll() is None, (FOLDER / "dockerd.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the engine does not start"
            time.sleep(0.2)
        docker("import", FOLDER / "base.tar", "quota-oracle-base", timeout=300)
        for context, tag in IMAGES.items():
            docker("build", "--tag", tag, FOLDER / "contexts" / context, timeout=300)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that compose reads, with secrets as their comments say to make them."""
    folder = tmp_path_factory.mktemp("quota-oracle")
    for path in compose_files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    for name in ("dstack", "prometheus"):
        (secrets / name).write_text(f"token-of-{name}-0123456789abcdef")
        (secrets / name).chmod(0o644)
    return folder
