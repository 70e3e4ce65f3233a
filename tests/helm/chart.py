"""The chart, as Helm renders it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "quota-oracle"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))

Manifest = dict[str, Any]


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["helm", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def template(*arguments: str | Path) -> str:
    """What `helm install` would send to the cluster."""
    rendered = helm("template", "oracle", CHART, "--namespace", "gpu", *arguments)
    assert rendered.returncode == 0, rendered.stderr
    return rendered.stdout


def manifests(*arguments: str | Path) -> dict[str, Manifest]:
    """The rendered objects by their kind, of which the chart makes one each."""
    objects = [one for one in yaml.safe_load_all(template(*arguments)) if one]
    by_kind: dict[str, Manifest] = {one["kind"]: one for one in objects}
    assert len(by_kind) == len(objects)
    return by_kind


def values(name: str) -> tuple[str, Path]:
    """The arguments for one of the chart's own values files."""
    return ("--values", CHART / "ci" / f"{name}-values.yaml")


def container(deployment: Manifest) -> Manifest:
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def environment(deployment: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(deployment)["env"]}
