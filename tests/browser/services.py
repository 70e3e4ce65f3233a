"""Services that the tests open in a browser: the demo, and others over simulated clouds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 90.0
"""Seconds; the demo has read all regions after five on a quiet machine."""

TOKEN = "a-token-of-the-browser-tests"

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""The example key of AWS's documentation, which the simulated AWS gives to its first account."""


class Program:
    """The binary with some arguments, which runs until it is stopped."""

    def __init__(self, log: Path, *arguments: str) -> None:
        binary = os.environ.get("QUOTA_ORACLE_BIN")
        assert binary, "QUOTA_ORACLE_BIN names the quota-oracle binary"
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [binary, *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "RUST_LOG": "error"},
            )

    def text(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert self._process.poll() is None, self.text()
            assert time.monotonic() < deadline, f"not ready:\n{self.text()}"
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        assert "panicked" not in self.text()


class Service:
    """A running service, and what callers other than the browser ask of it."""

    def __init__(self, program: Program, url: str) -> None:
        self.program = program
        self.url = url
        program.wait_until(lambda: self._is_ready())

    def _is_ready(self) -> bool:
        try:
            # A backend that was refused has been tried, and is not what a test waits for.
            answer = self.ask("GET", "/readyz")
            return bool(answer["waiting_count"] == 0 and answer["failed_count"] == 0)
        except OSError:
            return False

    def ask(self, method: str, path: str, body: object = None) -> Any:
        return ask(method, self.url + path, body)


def ask(method: str, url: str, body: object = None) -> Any:
    """The answer in JSON, whatever its status; nothing if it has no body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
    except urllib.error.HTTPError as refusal:
        text = refusal.read()
    return json.loads(text) if text else None


def demo(folder: Path) -> Service:
    program = Program(folder / "demo.log", "demo", "--listen", "127.0.0.1:0")
    told = "quota-oracle answers on "
    program.wait_until(lambda: told in program.text())
    return Service(program, program.text().split(told)[1].split()[0])


class Clouds:
    """The simulated clouds, with faults as the tests need them."""

    def __init__(self, folder: Path) -> None:
        self.credentials = folder / "nebius.json"
        arguments = ("simulate", "--nebius-credentials", str(self.credentials))
        self.program = Program(folder / "simulate.log", *arguments)
        self.program.wait_until(lambda: "\nnebius-controls " in self.program.text())
        named = dict(line.split() for line in self.program.text().splitlines())
        self.aws, self.gcp, self.nebius = named["aws"], named["gcp"], named["nebius"]

    def fault(self, kind: str, region: str) -> None:
        answer = ask("POST", f"{self.aws}/_sim/fault", {"kind": kind, "region": region})
        assert "error" not in (answer or {}), answer

    def heal(self) -> None:
        ask("DELETE", f"{self.aws}/_sim/faults")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def serve(folder: Path, port: int, *lines: str, token: bool = False) -> Service:
    """A service with these lines of configuration."""
    (folder / "token").write_text(TOKEN)
    (folder / "secret").write_text(SECRET_ACCESS_KEY)
    for name in ("token", "secret"):
        (folder / name).chmod(0o600)
    head = ["[server]", f'listen = "127.0.0.1:{port}"', 'drain = "0s"']
    if token:
        head += [
            "[[server.tokens]]",
            'name = "alice"',
            'token_file = "token"',
            'scopes = ["admin"]',
        ]
    config = folder / "quota-oracle.toml"
    config.write_text("\n".join([*head, *lines]) + "\n")
    program = Program(folder / "serve.log", "--config", str(config), "serve")
    return Service(program, f"http://127.0.0.1:{port}")


def aws(clouds: Clouds, *regions: str) -> list[str]:
    """The configuration of an AWS backend."""
    return [
        "[[backends]]",
        'name = "aws"',
        'kind = "aws"',
        f"regions = {json.dumps(regions)}",
        f'endpoint_url = "{clouds.aws}"',
        f'sts_endpoint_url = "{clouds.aws}"',
        f'credentials = {{ source = "static", access_key_id = "{ACCESS_KEY_ID}", '
        'secret_access_key_file = "secret" }',
    ]


def gcp(clouds: Clouds, name: str) -> list[str]:
    """The configuration of a backend of Google Cloud."""
    endpoints = ("compute", "quotas", "monitoring", "metadata")
    return [
        "[[backends]]",
        f'name = "{name}"',
        'kind = "gcp"',
        'project = "simulated-project"',
        'credentials = { source = "metadata" }',
        _endpoints(clouds.gcp, endpoints),
        'refresh_every = "6h"',
    ]


def nebius(clouds: Clouds, name: str) -> list[str]:
    """The configuration of a Nebius backend."""
    return [
        "[[backends]]",
        f'name = "{name}"',
        'kind = "nebius"',
        f'credentials = {{ source = "service_account", file = "{clouds.credentials}" }}',
        _endpoints(clouds.nebius, ("quotas", "tokens", "iam", "compute", "capacity")),
        'refresh_every = "6h"',
    ]


def _endpoints(url: str, names: tuple[str, ...]) -> str:
    listed = ", ".join(f'{name} = "{url}"' for name in names)
    return f"endpoints = {{ {listed} }}"
