"""The replicas that the chart makes: hardened, probed, spread, and with a configuration that the
program accepts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from chart import VALUES, Manifest, container, environment, manifests, values

SECRET_FILES = {
    "/run/secrets/aws/secret_access_key": "secret",
    "/run/secrets/store/url": "redis://127.0.0.1:1/0",
}


@pytest.fixture(scope="session")
def nebius_credentials(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A credentials file as Nebius makes it, with a key of a simulated account."""
    file = tmp_path_factory.mktemp("nebius") / "credentials.json"
    process = subprocess.Popen(
        [os.environ["QUOTA_ORACLE_BIN"], "simulate", "--nebius-credentials", str(file)],
        stdout=subprocess.PIPE,
    )
    try:
        # The addresses are printed once the file is written.
        assert process.stdout
        assert process.stdout.readline()
        return file.read_text()
    finally:
        process.kill()
        process.wait()


def pod(deployment: Manifest) -> Manifest:
    spec = deployment["spec"]["template"]["spec"]
    assert isinstance(spec, dict)
    return spec


def test_the_container_has_no_rights_and_three_probes() -> None:
    deployment = manifests()["Deployment"]
    assert pod(deployment)["securityContext"]["runAsNonRoot"] is True
    assert pod(deployment)["automountServiceAccountToken"] is False
    only = container(deployment)
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    paths = {
        kind: only[kind]["httpGet"]["path"]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert paths == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    writable = [one["mountPath"] for one in only["volumeMounts"] if not one.get("readOnly")]
    assert writable == ["/var/lib/quota-oracle"]


def test_an_upgrade_takes_no_replica_away() -> None:
    objects = manifests(*values("replicas"))
    deployment = objects["Deployment"]
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert objects["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    # The drain, and the ten seconds of requests under way, end before the kubelet's patience.
    assert pod(deployment)["terminationGracePeriodSeconds"] >= 5 + 10 + 5


def test_one_replica_has_no_budget_that_keeps_its_node() -> None:
    assert "PodDisruptionBudget" not in manifests()
    with_claim = manifests(*values("one"))["Deployment"]
    assert with_claim["spec"]["strategy"] == {"type": "Recreate"}


def test_all_parts_select_the_same_pods() -> None:
    objects = manifests(*values("replicas"))
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector.items() <= labels.items()
    monitored = objects["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= objects["Service"]["metadata"]["labels"].items()
    assert labels["app.kubernetes.io/name"] == "quota-oracle"


def test_a_store_is_told_by_the_contracts_keys() -> None:
    secret = environment(manifests(*values("replicas"))["Deployment"])
    assert secret["QUOTA_ORACLE__CACHE__REDIS_URL_FILE"] == "/run/secrets/store/url"
    assert secret["QUOTA_ORACLE__CACHE__MAX_REPLICAS"] == "4"
    assert secret["QUOTA_ORACLE__LEASES__STORE_AWAY"] == "refuse"
    assert "QUOTA_ORACLE__CACHE__REDIS_URL" not in secret
    plain = environment(manifests(*values("store-without-password"))["Deployment"])
    assert plain["QUOTA_ORACLE__CACHE__REDIS_URL"] == "redis://valkey:6379/0"
    assert plain["QUOTA_ORACLE__CACHE__MAX_REPLICAS"] == "5"
    assert "QUOTA_ORACLE__CACHE__REDIS_URL" not in environment(manifests()["Deployment"])


def test_a_new_configuration_starts_new_pods() -> None:
    def checksum(*arguments: str) -> str:
        template = manifests(*arguments)["Deployment"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    other = '[[backends]]\nkind = "nebius"\n'
    assert checksum() == checksum()
    assert checksum() != checksum("--set-string", f"config={other}")


def test_machines_credentials_are_reached_only_when_asked_for() -> None:
    def reached(*arguments: str | Path) -> list[str]:
        rules = manifests(*arguments)["NetworkPolicy"]["spec"]["egress"]
        peers = [peer["ipBlock"] for rule in rules for peer in rule.get("to", [])]
        assert any("169.254.0.0/16" in peer.get("except", []) for peer in peers)
        return [peer["cidr"] for peer in peers]

    assert "169.254.169.254/32" in reached(*values("replicas"))
    assert "169.254.169.254/32" not in reached()


@pytest.mark.parametrize(
    "arguments",
    [pytest.param((), id="default")]
    + [pytest.param(("--values", path), id=path.stem) for path in VALUES],
)
def test_the_program_accepts_the_configuration(
    arguments: tuple[str, ...], tmp_path: Path, nebius_credentials: str
) -> None:
    """`check` ends with 2 where a configuration is wrong, and with 1 where no cloud answers."""
    objects = manifests(*arguments)
    variables = environment(objects["Deployment"])
    secrets = tmp_path / "secrets"
    text = objects["ConfigMap"]["data"]["quota-oracle.toml"]
    tokens = next(
        volume["projected"]["sources"]
        for volume in pod(objects["Deployment"])["volumes"]
        if volume["name"] == "tokens"
    )
    files = {**SECRET_FILES, "/run/secrets/nebius/credentials.json": nebius_credentials}
    for source in tokens:
        (item,) = source["secret"]["items"]
        assert f'token_file = "/run/secrets/tokens/{item["path"]}"' in text
        files[f"/run/secrets/tokens/{item['path']}"] = f"token-{item['path']}-0123456789abcdef"
    for name, content in files.items():
        file = secrets / Path(name).relative_to("/run/secrets")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    config = tmp_path / "quota-oracle.toml"
    config.write_text(text.replace("/run/secrets", str(secrets)))
    moved = {
        name: value.replace("/run/secrets", str(secrets)).replace(
            "/var/lib/quota-oracle", str(tmp_path / "snapshots")
        )
        for name, value in variables.items()
    }
    ended = subprocess.run(
        [os.environ["QUOTA_ORACLE_BIN"], "--config", str(config), "check"],
        # A proxy where nothing listens: no cloud is asked, and each backend fails at once.
        env={
            **moved,
            "HTTPS_PROXY": "http://127.0.0.1:1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1, ended.stderr
