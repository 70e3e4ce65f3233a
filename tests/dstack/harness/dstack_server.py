"""A real dstack server, and the few calls of its REST API that the stories need."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from .account import ACCESS_KEY_ID, REGIONS, SECRET_ACCESS_KEY
from .processes import Process, clean_environment, free_port

TOKEN = "the-admin-of-the-stories"

PROJECT = "team"

AWS_BACKEND = {
    "type": "aws",
    "regions": list(REGIONS),
    "creds": {"type": "access_key", "access_key": ACCESS_KEY_ID, "secret_key": SECRET_ACCESS_KEY},
}

GPU_TASK = {"gpu": "1..", "cpu": "1..", "memory": "1GB..", "disk": "100GB.."}


@dataclass(frozen=True)
class Plan:
    """A run plan: every offer as dstack's API shows it, and how long it took."""

    offers: list[dict[str, Any]]
    total: int
    seconds: float

    def availabilities(self) -> dict[tuple[str, str, bool], str]:
        """What each offer is marked as, by region, type and spot."""
        return {
            (
                offer["region"],
                offer["instance"]["name"],
                offer["instance"]["resources"]["spot"],
            ): offer["availability"]
            for offer in self.offers
        }


class DstackServer:
    """One dstack server with its own database; `environment` and `plugins` make the case."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        plugins: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True)
        # Written before the first start: dstack loads no plugins when it has to write it.
        (folder / "config.yml").write_text(
            "projects: []\n" + (f"plugins: [{', '.join(plugins)}]\n" if plugins else "")
        )
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._process = Process(
            "dstack",
            [
                str(Path(sys.executable).with_name("dstack")),
                *("server", "--host", "127.0.0.1", "--port", str(port), "--token", TOKEN),
                *("--yes", "--log-level", "info"),
            ],
            folder / "server.log",
            {
                **clean_environment(),
                "HOME": str(folder),
                "DSTACK_SERVER_DIR": str(folder),
                "DSTACK_SERVER_LOG_FORMAT": "standard",
                # Nothing is launched here; its polling would only blur the figures.
                "DSTACK_SERVER_BACKGROUND_PROCESSING_DISABLED": "1",
                "DO_NOT_TRACK": "1",
                "AWS_EC2_METADATA_DISABLED": "true",
                **environment,
            },
        )
        self._process.wait_for_http(self._url + "/healthcheck")

    def add_project(self, name: str, *backends: Mapping[str, Any]) -> None:
        self._call("/api/projects/create", {"project_name": name})
        for backend in backends:
            self._call(f"/api/project/{name}/backends/create", backend)

    def plan(self, project: str, resources: Mapping[str, Any] = GPU_TASK) -> Plan:
        """What `dstack offer` shows: every offer for a task with these resources."""
        started = time.monotonic()
        body = self._call(
            f"/api/project/{project}/runs/get_plan",
            {
                "run_spec": {
                    "run_name": "story",
                    "configuration": {
                        "type": "task",
                        "commands": ["true"],
                        "resources": resources,
                        "spot_policy": "auto",
                    },
                    "ssh_key_pub": "ssh-ed25519 AAAA story",
                },
                "max_offers": 10_000,
                "for_offers_only": True,
            },
        )
        seconds = time.monotonic() - started
        job = body["job_plans"][0]
        return Plan(offers=job["offers"], total=job["total_offers"], seconds=seconds)

    def plans_at_once(self, projects: Sequence[str]) -> list[Plan]:
        """A plan for each project, all asked for at the same moment."""
        with ThreadPoolExecutor(len(projects)) as pool:
            return list(pool.map(self.plan, projects))

    def log(self) -> str:
        return self._process.text()

    def memory_mb(self) -> float:
        return self._process.memory_mb()

    def stop(self) -> None:
        self._process.stop()

    def _call(self, path: str, body: Mapping[str, Any]) -> Any:
        response = requests.post(
            self._url + path,
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=float(os.environ.get("QUOTA_ORACLE_E2E_PATIENCE", "180")),
        )
        assert response.status_code == 200, f"{path}: {response.status_code} {response.text}"
        return response.json() if response.content else None
