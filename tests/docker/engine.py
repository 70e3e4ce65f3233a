"""Commands for the engine, and questions to what runs in it."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("QUOTA_ORACLE_DOCKER", "target/docker"))
ENVIRONMENT = {
    **os.environ,
    "DOCKER_HOST": f"unix://{FOLDER}/docker.sock",
    # Of AWS's documentation; the simulated AWS knows it.
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
BASE = "http://127.0.0.1:8080"

T = TypeVar("T")


def compose_files() -> list[Path]:
    return [
        *ROOT.glob("docker-compose*.yml"),
        *(ROOT / "deploy" / "haproxy").iterdir(),
        ROOT / "config" / "quota-oracle.compose.toml",
        Path(__file__).parent / "simulated.yml",
    ]


def run(
    *command: str | Path, check: bool = True, timeout: float = 120, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=timeout,
        env=ENVIRONMENT,
        cwd=cwd,
    )
    assert not check or ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return ended


def docker(
    *arguments: str | Path, check: bool = True, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    return run("/usr/bin/docker", *arguments, check=check, timeout=timeout)


def inspect(container: str) -> dict[str, Any]:
    (found,) = json.loads(docker("inspect", container).stdout)
    assert isinstance(found, dict)
    return found


def health(container: str) -> str:
    return str(inspect(container)["State"]["Health"]["Status"])


def eventually(what: str, condition: Callable[[], T | None], seconds: float = 90) -> T:
    """The first true result of `condition`."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"still waiting until {what}"
        time.sleep(0.1)


def get(path: str, token: str | None = None) -> tuple[int, Any]:
    """The status and the JSON of an answer; 0 and the reason where nobody answers."""
    request = urllib.request.Request(BASE + path)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError as error:
        return 0, repr(error)


class Project:
    """The services of compose files, in a project of their own."""

    def __init__(self, name: str, folder: Path, *files: str) -> None:
        self.folder = folder
        self.base = ["/usr/bin/docker-compose", "--project-name", name]
        for file in files:
            self.base += ["--file", file]

    def __call__(self, *arguments: str, timeout: float = 180) -> str:
        return run(*self.base, *arguments, timeout=timeout, cwd=self.folder).stdout

    def containers(self, service: str) -> list[str]:
        return self("ps", "--quiet", service).split()

    def down(self) -> None:
        self("down", "--volumes", "--timeout", "5")
