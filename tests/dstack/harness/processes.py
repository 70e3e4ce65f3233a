"""Starts programs, waits until they answer, and stops just those."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import requests

START_SECONDS = 90.0
"""dstack imports for ten seconds on a slow machine, and migrates its database."""


class Process:
    """A program of ours, with its output in a file."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = log
        self._output = log.open("wb")
        # A session of its own, so that stopping it reaches its children and nobody else's.
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            stdout=self._output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AssertionError(f"{self.name} ended at its start:\n{self.text()[-4000:]}")
            if ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.name} is not ready:\n{self.text()[-4000:]}")

    def wait_for_http(self, url: str) -> None:
        def ready() -> bool:
            try:
                return requests.get(url, timeout=5).status_code < 500
            except requests.RequestException:
                return False

        self.wait_until(ready)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def memory_mb(self) -> float:
        """The most memory the process has had, in MB (10^6 bytes)."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
        return 0.0

    def freeze(self) -> None:
        """Lets it hang: its connections stay open, and are taken, and nothing answers."""
        os.killpg(self.pid, signal.SIGSTOP)

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGTERM)
            # One that is frozen ends when it goes on.
            os.killpg(self.pid, signal.SIGCONT)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()
        self._output.close()


_PORTS = iter(random.sample(range(20_000, 30_000), 1_000))
"""Below the range that systems take for outgoing connections: a port stays free while the
program that is to listen on it is not running. None is given twice."""


def free_port() -> int:
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def clean_environment() -> dict[str, str]:
    """Ours without what would lead dstack or the oracle to a real account or a proxy."""
    foreign = ("AWS_", "DSTACK_", "QUOTA_ORACLE", "GPUHUNT_", "NEBIUS_")
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and name.lower() not in proxies
    }
