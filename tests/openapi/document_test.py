"""The document is valid, and programs can be made from it that ask the service."""

from __future__ import annotations

import datetime
import importlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from conftest import DOCUMENT

HERE = Path(__file__).resolve().parent
TOOLS = Path(sys.executable).parent


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a tool of the environment, and returns what it says."""
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_a_validator_accepts_the_document(document: dict[str, Any]) -> None:
    validate(document)


def test_the_service_serves_the_document(demo: str, document: dict[str, Any]) -> None:
    with urllib.request.urlopen(f"{demo}/openapi.json") as answer:
        assert json.load(answer) == document


@pytest.mark.parametrize("seen", [None, "", "0", "a-1", "a-99999999999999999999", "-", "\u00e9"])
def test_a_stream_of_events_begins_as_the_document_says(
    demo: str, document: dict[str, Any], seen: str | None
) -> None:
    headers = [] if seen is None else [(b"Last-Event-ID", seen.encode())]
    with httpx.stream("GET", f"{demo}/events", headers=headers, timeout=10) as answer:
        described = document["paths"]["/events"]["get"]["responses"]["200"]["content"]
        assert answer.status_code == 200
        assert answer.headers["content-type"] in described
        assert next(answer.iter_lines()).startswith("retry: ")


@pytest.fixture(scope="module")
def client_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a client that was made from the document."""
    folder = tmp_path_factory.mktemp("client")
    said = run(
        TOOLS / "openapi-python-client",
        "generate",
        *("--path", DOCUMENT),
        *("--meta", "none"),
        *("--config", HERE / "client.yml"),
        *("--output-path", folder / "quota_oracle_client"),
        cwd=folder,
    )
    assert "WARNING" not in said, said
    return folder


def test_a_generated_python_client_reads_the_demo(
    demo: str, client_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(client_library))
    library = importlib.import_module("quota_oracle_client")
    models = importlib.import_module("quota_oracle_client.models")

    def operation(name: str) -> Any:
        return importlib.import_module(f"quota_oracle_client.api.{name}").sync

    client = library.Client(base_url=demo)
    overview = operation("quotas.list_quotas")(client=client)
    assert [backend.backend for backend in overview.backends] == ["aws", "azure", "gcp", "nebius"]
    assert {backend.status for backend in overview.backends} == {models.BackendState.OK}

    region = operation("quotas.get_region_quotas")("aws", "us-east-1", client=client)
    quota = next(quota for quota in region.quotas if quota.code == "L-417A185B")
    assert (quota.limit, quota.usage, quota.available) == (192, 96, 96)
    assert quota.unit == models.Unit.VCPU
    assert isinstance(region.taken_at, datetime.datetime)

    page = operation("offers.list_offers")(
        client=client,
        gpu=["H100"],
        min_gpu_count=8,
        availability=[models.ListOffersAvailabilityItem.AVAILABLE],
    )
    assert page.total == len(page.offers) > 0
    assert {offer.availability for offer in page.offers} == {models.Availability.AVAILABLE}

    offer = models.ListedOffer(backend="aws", region="us-east-1", instance_type="p5.48xlarge")
    judged = operation("offers.judge_offers")(
        client=client, body=models.OfferList(offers=[offer], count=1)
    )
    verdict = judged.verdicts[0]
    assert verdict.availability == models.Availability.NO_QUOTA
    assert verdict.quota.binding.required == 192

    unknown = operation("quotas.get_region_quotas")("awz", "us-east-1", client=client)
    assert isinstance(unknown, models.Problem)
    assert unknown.known == ["aws", "azure", "gcp", "nebius"]
    refreshed = operation("operation.refresh_region")("aws", "us-east-1", client=client)
    assert refreshed.regions[0].region == "us-east-1"


def test_generated_typescript_types_compile_with_a_program_that_uses_them(tmp_path: Path) -> None:
    for file in (HERE / "typescript").iterdir():
        shutil.copy(file, tmp_path)
    run(
        *(TOOLS / "npm", "install", "--no-package-lock", "--no-fund", "--no-audit"),
        cwd=tmp_path,
    )
    bin_folder = tmp_path / "node_modules" / ".bin"
    run(bin_folder / "openapi-typescript", DOCUMENT, "-o", "quota-oracle.d.ts", cwd=tmp_path)
    run(bin_folder / "tsc", "--project", ".", cwd=tmp_path)
