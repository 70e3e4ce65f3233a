"""The stage of the stories: simulated clouds, moto and a catalog, for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.account import REGIONS
from harness.catalog import CatalogServer
from harness.dstack_server import DstackServer
from harness.expected import Quotas
from harness.moto import Moto
from harness.oracle import Oracle
from harness.report import Report
from harness.simulated import SimulatedClouds
from harness.stage import StartDstack, StartOracle

REPORT = Report()


@pytest.fixture(scope="session")
def report() -> Report:
    return REPORT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if (folder := REPORT.write()) is not None:
        terminalreporter.write_line("")
        terminalreporter.write_line(REPORT.markdown())
        terminalreporter.write_line(f"written to {folder}")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stories")


@pytest.fixture(scope="session")
def catalog() -> Iterator[CatalogServer]:
    server = CatalogServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def moto(folder: Path) -> Iterator[Moto]:
    server = Moto(folder)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def all_clouds(folder: Path) -> Iterator[SimulatedClouds]:
    server = SimulatedClouds(folder)
    yield server
    server.stop()


@pytest.fixture
def clouds(all_clouds: SimulatedClouds) -> Iterator[SimulatedClouds]:
    """Without faults, and counting from zero."""
    all_clouds.reset()
    yield all_clouds
    all_clouds.reset()


@pytest.fixture
def quotas(clouds: SimulatedClouds) -> Quotas:
    return {region: clouds.quotas(region) for region in REGIONS}


@pytest.fixture
def start_dstack(tmp_path: Path, moto: Moto, catalog: CatalogServer) -> Iterator[StartDstack]:
    """Starts dstack servers whose EC2, STS and catalog are on loopback."""
    servers: list[DstackServer] = []

    def start(service_quotas: str, *plugins: str, **environment: str) -> DstackServer:
        server = DstackServer(
            tmp_path / f"dstack-{len(servers)}",
            {
                **moto.environment(),
                "AWS_ENDPOINT_URL_SERVICE_QUOTAS": service_quotas,
                "GPUHUNT_CATALOG_URL": catalog.url,
                **environment,
            },
            plugins=plugins,
        )
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def start_oracle(tmp_path: Path, clouds: SimulatedClouds) -> Iterator[StartOracle]:
    """Starts oracles that read the simulated clouds."""
    oracles: list[Oracle] = []

    def start(**settings: object) -> Oracle:
        oracle = Oracle(tmp_path / f"oracle-{len(oracles)}", clouds, **settings)  # type: ignore[arg-type]
        oracles.append(oracle)
        return oracle

    yield start
    for oracle in oracles:
        oracle.stop()


@pytest.fixture(scope="session")
def nebius_settings(all_clouds: SimulatedClouds) -> list[str]:
    """How the oracle reaches the simulated Nebius."""
    names = ("quotas", "tokens", "iam", "compute", "capacity")
    endpoints = ", ".join(f'{name} = "{all_clouds.nebius}"' for name in names)
    file = all_clouds.nebius_credentials
    return [
        f'credentials = {{ source = "service_account", file = "{file}" }}',
        f"endpoints = {{ {endpoints} }}",
    ]
