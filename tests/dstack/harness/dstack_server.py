"""A real dstack server, and the few calls of its REST API that the stories need."""

from __future__ import annotations

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

PATIENCE_SECONDS = 180.0
"""Twenty plans at once take a slow machine more than a minute."""

GPU_TASK = {"gpu": "1..", "cpu": "1..", "memory": "1GB..", "disk": "100GB.."}


@dataclass(frozen=True)
class Plan:
    """A run plan: every offer as dstack's API shows it, and how long it took."""

    offers: list[dict[str, Any]]
    total: int
    seconds: float

    def of(self, backend: str) -> Plan:
        """The part of it that a backend has."""
        offers = [offer for offer in self.offers if offer["backend"] == backend]
        return Plan(offers, len(offers), self.seconds)

    def shown(self) -> list[tuple[object, ...]]:
        """The offers as far as a user sees them."""
        return sorted(
            (
                offer["backend"],
                offer["region"],
                offer["instance"]["name"],
                offer["instance"]["resources"]["spot"],
                offer["price"],
                offer["availability"],
            )
            for offer in self.offers
        )

    def resources(self) -> dict[tuple[str, str, bool], dict[str, Any]]:
        """The machine of each offer, by region, type and whether it is spot."""
        machines = ((offer["region"], offer["instance"]) for offer in self.offers)
        return {
            (region, machine["name"], machine["resources"]["spot"]): machine["resources"]
            for region, machine in machines
        }

    def vcpus(self) -> dict[tuple[str, str, bool], int]:
        """How many each offer has, by region, type and spot."""
        return {offer: machine["cpus"] for offer, machine in self.resources().items()}

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
        launches: bool = False,
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
                "DO_NOT_TRACK": "1",
                "AWS_EC2_METADATA_DISABLED": "true",
                # Where nothing is launched, its polling would only blur the figures.
                **({} if launches else {"DSTACK_SERVER_BACKGROUND_PROCESSING_DISABLED": "1"}),
                **environment,
            },
        )
        self._process.wait_for_http(self._url + "/healthcheck")

    def add_project(self, name: str, *backends: Mapping[str, Any]) -> None:
        self._call("/api/projects/create", {"project_name": name})
        for backend in backends:
            self._call(f"/api/project/{name}/backends/create", backend)

    def plan(
        self,
        project: str,
        resources: Mapping[str, Any] = GPU_TASK,
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> Plan:
        """What `dstack offer` shows: every offer for a task with these resources."""
        started = time.monotonic()
        body = self._call(
            f"/api/project/{project}/runs/get_plan",
            {"run_spec": _task(resources), "max_offers": 10_000, "for_offers_only": True},
            patience,
        )
        seconds = time.monotonic() - started
        job = body["job_plans"][0]
        return Plan(offers=job["offers"], total=job["total_offers"], seconds=seconds)

    def fleet_plan(self, project: str, resources: Mapping[str, Any]) -> Plan:
        """The offers for a fleet of one instance; dstack shows the first fifty."""
        configuration = {
            "type": "fleet",
            "name": "story",
            "nodes": 1,
            "resources": resources,
            "spot_policy": "auto",
        }
        started = time.monotonic()
        body = self._call(
            f"/api/project/{project}/fleets/get_plan",
            {"spec": {"configuration": configuration, "profile": {"name": "story"}}},
        )
        seconds = time.monotonic() - started
        return Plan(offers=body["offers"], total=body["total_offers"], seconds=seconds)

    def ask_for_fleet(self, project: str, name: str, **configuration: Any) -> None:
        """A fleet of one instance, which dstack launches in the background."""
        spec = {
            "configuration": {"type": "fleet", "name": name, "nodes": 1, **configuration},
            "profile": {"name": name},
        }
        self._call(
            f"/api/project/{project}/fleets/apply", {"plan": {"spec": spec}, "force": False}
        )

    def wait_until_tried(self, project: str, fleet: str) -> dict[str, Any]:
        """The first instance of a fleet, once dstack has launched it or given it up."""
        tried: list[dict[str, Any]] = []

        def is_over() -> bool:
            body = {"project_names": [project], "only_active": False}
            tried[:] = [
                instance
                for instance in self._call("/api/instances/list", body)
                if instance["fleet_name"] == fleet and instance["status"] != "pending"
            ]
            return bool(tried)

        self._process.wait_until(is_over)
        return tried[-1]

    def open_fleet(self, project: str, name: str, **configuration: Any) -> None:
        """A fleet without instances, which runs fill."""
        spec = {
            "configuration": {
                "type": "fleet",
                "name": name,
                "nodes": {"min": 0, "target": 0, "max": 1},
                **configuration,
            },
            "profile": {"name": name},
        }
        self._call(
            f"/api/project/{project}/fleets/apply", {"plan": {"spec": spec}, "force": False}
        )

    def run(self, project: str, name: str, **configuration: Any) -> None:
        """Submits a task, which dstack launches an instance for in the background."""
        spec = _task(configuration.pop("resources"), **configuration)
        self._call(
            f"/api/project/{project}/runs/apply",
            {"plan": {"run_spec": {**spec, "run_name": name}}, "force": False},
        )

    def wait_until_launched_or_over(self, project: str, run: str) -> dict[str, Any]:
        """The newest submission of a run's job, once it has an instance or is given up."""
        found: list[dict[str, Any]] = []

        def is_over() -> bool:
            body = self._call(f"/api/project/{project}/runs/get", {"run_name": run})
            found[:] = [body["jobs"][0]["job_submissions"][-1]]
            return bool(found[0]["status"] != "submitted")

        self._process.wait_until(is_over)
        return found[0]

    def gpus(self, project: str, resources: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The list of GPUs, by backend, region and number."""
        body = self._call(
            f"/api/project/{project}/gpus/list",
            {"run_spec": _task(resources), "group_by": ["backend", "region", "count"]},
        )
        gpus: list[dict[str, Any]] = body["gpus"]
        return gpus

    def plans_at_once(self, projects: Sequence[str]) -> list[Plan]:
        """A plan for each project, all asked for at the same moment."""
        with ThreadPoolExecutor(len(projects)) as pool:
            return list(pool.map(self.plan, projects))

    def log(self) -> str:
        return self._process.text()

    def said(self, text: str) -> list[str]:
        """The lines of its log that hold the text."""
        return [line for line in self.log().splitlines() if text in line]

    def memory_mb(self) -> float:
        return self._process.memory_mb()

    def stop(self) -> None:
        self._process.stop()

    def _call(self, path: str, body: Mapping[str, Any], patience: float = PATIENCE_SECONDS) -> Any:
        response = requests.post(
            self._url + path,
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=patience,
        )
        assert response.status_code == 200, f"{path}: {response.status_code} {response.text}"
        return response.json() if response.content else None


def _task(resources: Mapping[str, Any], **configuration: Any) -> dict[str, Any]:
    return {
        "run_name": "story",
        "configuration": {
            "type": "task",
            "commands": ["true"],
            "resources": resources,
            "spot_policy": "auto",
            **configuration,
        },
        "ssh_key_pub": "ssh-ed25519 AAAA story",
    }
