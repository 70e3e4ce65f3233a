"""Helm, kubectl and the schemas of Kubernetes accept what the chart renders, and values that are
none are refused."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from chart import CHART, ROOT, VALUES, helm, manifests, template, values

EXPECTED = Path(__file__).parent / "expected"
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
VERSIONS = ["1.25", "1.28", "1.32"]

ALL_VALUES = [pytest.param((), id="default")] + [
    pytest.param(("--values", path), id=path.stem) for path in VALUES
]


@pytest.mark.parametrize("arguments", ALL_VALUES)
def test_helm_finds_nothing_to_say(arguments: tuple[str, ...]) -> None:
    linted = helm("lint", "--strict", CHART, *arguments)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("arguments", ALL_VALUES)
def test_kubernetes_knows_every_field(arguments: tuple[str, ...], version: str) -> None:
    objects = manifests(*arguments)
    assert {"ConfigMap", "Deployment", "Service"} <= set(objects)
    for kind, manifest in objects.items():
        if kind not in CUSTOM:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_would_be_found() -> None:
    deployment = manifests()["Deployment"]
    deployment["spec"]["template"]["spec"]["terminationGrace"] = 30
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("arguments", ALL_VALUES)
def test_kubectl_reads_every_object(arguments: tuple[str, ...]) -> None:
    labelled = subprocess.run(
        ["kubectl", "label", "--local", "--filename", "-", "seen=yes", "--output", "json"],
        input=template(*arguments),
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]},
    )
    assert labelled.returncode == 0, labelled.stderr
    decoder = json.JSONDecoder()
    rest, kinds = labelled.stdout.strip(), set()
    while rest:
        manifest, end = decoder.raw_decode(rest)
        kinds.add(manifest["kind"])
        rest = rest[end:].strip()
    assert kinds == set(manifests(*arguments))


def test_the_service_monitor_is_the_example() -> None:
    expected = yaml.safe_load((EXPECTED / "servicemonitor.yaml").read_text())
    assert manifests(*values("replicas"))["ServiceMonitor"] == expected


def test_the_alert_rules_of_the_chart_are_those_of_prometheus() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
    rendered = manifests(*values("replicas"))["PrometheusRule"]
    assert rendered["apiVersion"] == "monitoring.coreos.com/v1"
    assert rendered["metadata"]["labels"]["release"] == "prometheus"
    assert rendered["spec"] == rules


def test_runbooks_get_the_address_of_the_repository() -> None:
    base = "https://git.example/quota-oracle/"
    rule = manifests(*values("replicas"), "--set", f"prometheusRule.runbooks={base}")
    urls = [
        alert["annotations"]["runbook_url"]
        for group in rule["PrometheusRule"]["spec"]["groups"]
        for alert in group["rules"]
    ]
    assert len(urls) >= 10
    assert all(url.startswith(f"{base}docs/runbooks/") for url in urls)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"replicaCount": 0}, "replicaCount"),
        ({"replicas": 3}, "replicas"),
        ({"replicaCount": 3}, "sharedStore.enabled"),
        ({"config": "[server]\n"}, "config"),
        ({"tokens": []}, "tokens"),
        ({"tokens": [{"name": "x"}]}, "secret"),
        ({"tokens": [{"name": "x", "secret": "s", "scopes": ["write"]}]}, "scopes"),
        ({"drain": "5 seconds"}, "drain"),
        ({"image": {"digest": "sha256:abc"}}, "digest"),
        ({"secrets": [{"secret": "s", "path": "/run/secrets/tokens"}]}, "path"),
        ({"sharedStore": {"enabled": True}}, "urlSecret.name"),
        ({"sharedStore": {"enabled": True, "url": "redis://:secret@host"}}, "url"),
        ({"sharedStore": {"enabled": True, "url": "http://valkey"}}, "url"),
        ({"sharedStore": {"storeAway": "never"}}, "storeAway"),
        ({"networkPolicy": {"egressPorts": ["https"]}}, "egressPorts"),
        ({"serviceMonitor": {"tokenSecret": {"key": 1}}}, "tokenSecret"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable"),
        ({"ingress": {"enabled": True}}, "ingress.host"),
        (
            {
                "replicaCount": 2,
                "sharedStore": {"enabled": True, "url": "redis://valkey"},
                "snapshots": {"existingClaim": "one"},
            },
            "existingClaim",
        ),
    ],
)
def test_wrong_values_are_refused_by_name(
    wrong: dict[str, object], named: str, tmp_path: Path
) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(wrong))
    refused = helm("template", "oracle", CHART, "--values", file)
    assert refused.returncode != 0, refused.stdout
    assert named in refused.stderr
