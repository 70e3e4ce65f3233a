"""The stage of the stories: simulated clouds, moto and a catalog, for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import azure, gcp, nebius
from harness.account import HANGS, REGIONS
from harness.catalog import CatalogServer
from harness.dstack_server import AWS_BACKEND, PROJECT, DstackServer, Plan
from harness.ec2 import Ec2
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What has been waiting since the start is collected at the end.
    items.sort(key=_waits)


def _waits(item: pytest.Item) -> bool:
    return "alone_while_a_region_hangs" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session", autouse=True)
def _what_takes_minutes_starts_first(request: pytest.FixtureRequest) -> None:
    if any(map(_waits, request.session.items)):
        request.getfixturevalue("alone_while_a_region_hangs")


@pytest.fixture(scope="session")
def alone_while_a_region_hangs(
    folder: Path, moto: Moto, catalog: CatalogServer
) -> Iterator[Future[Plan]]:
    """The plan of a dstack without the oracle, which waits for a region while others play.

    It has clouds of its own. From when this returns it does nothing but wait, which costs no
    processor: what is measured meanwhile is not touched.
    """
    clouds = SimulatedClouds(folder / "hanging")
    try:
        clouds.reset()
        clouds.fault("hang", HANGS)
        dstack = DstackServer(
            folder / "hanging" / "dstack",
            {
                **moto.environment(),
                "AWS_ENDPOINT_URL_SERVICE_QUOTAS": clouds.aws,
                "GPUHUNT_CATALOG_URL": catalog.url,
            },
        )
        with ThreadPoolExecutor(1) as pool:
            try:
                dstack.add_project(PROJECT, AWS_BACKEND)
                plan = pool.submit(dstack.plan, PROJECT, patience=900.0)
                clouds.wait_until_all_are_asked(REGIONS)
                yield plan
            finally:
                # Ends the call as well, so that a run that is given up does not wait for it.
                dstack.stop()
    finally:
        clouds.stop()


@pytest.fixture(scope="session")
def nebius_projects(folder: Path) -> str:
    """The folder of the plugin that stands in for Nebius's list of projects."""
    return nebius.install(folder)


@pytest.fixture(scope="session")
def gcp_calls(folder: Path) -> str:
    """The folder of the plugin that stands in for what dstack asks Google Cloud."""
    return gcp.install(folder / "gcp")


@pytest.fixture(scope="session")
def azure_calls(folder: Path, all_clouds: SimulatedClouds) -> str:
    """The folder of the plugin by which dstack asks the simulated Azure."""
    return azure.install(folder / "azure", all_clouds.azure)


@pytest.fixture(scope="session")
def unjudged(folder: Path, moto: Moto, catalog: CatalogServer, nebius_projects: str) -> Plan:
    """The plan of a dstack with neither oracle nor plugin, and with clouds that tell no quotas.

    It has every offer, and none of them is known to have no quota.
    """
    dstack = DstackServer(
        folder / "unjudged",
        {
            **moto.environment(),
            # moto knows no quotas, which dstack takes for unknown.
            "AWS_ENDPOINT_URL_SERVICE_QUOTAS": moto.url,
            "GPUHUNT_CATALOG_URL": catalog.url,
            "PYTHONPATH": nebius_projects,
        },
        plugins=(nebius.PLUGIN,),
    )
    try:
        dstack.add_project(PROJECT, AWS_BACKEND, nebius.BACKEND)
        plan = dstack.plan(PROJECT)
    finally:
        dstack.stop()
    assert set(plan.availabilities().values()) == {"unknown"}
    assert plan.of("aws").total > 0
    assert plan.of("nebius").total > 0
    return plan


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


@pytest.fixture
def ec2(moto: Moto) -> Iterator[Ec2]:
    """moto's, for servers that launch: it counts what they launch."""
    server = Ec2(moto)
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

    def start(
        service_quotas: str, *plugins: str, launches: bool = False, **environment: str
    ) -> DstackServer:
        server = DstackServer(
            tmp_path / f"dstack-{len(servers)}",
            {
                **moto.environment(),
                "AWS_ENDPOINT_URL_SERVICE_QUOTAS": service_quotas,
                "GPUHUNT_CATALOG_URL": catalog.url,
                **environment,
            },
            plugins=plugins,
            launches=launches,
        )
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def oracle(start_oracle: StartOracle) -> Oracle:
    """One that knows the AWS account of the simulated clouds."""
    oracle = start_oracle()
    oracle.wait_until_known("aws", *REGIONS)
    return oracle


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


@pytest.fixture(scope="session")
def gcp_settings(all_clouds: SimulatedClouds) -> list[str]:
    """How the oracle reaches the simulated Google Cloud."""
    names = ("compute", "quotas", "monitoring", "metadata")
    endpoints = ", ".join(f'{name} = "{all_clouds.gcp}"' for name in names)
    return [
        'project = "simulated-project"',
        'credentials = { source = "metadata" }',
        f"endpoints = {{ {endpoints} }}",
    ]


@pytest.fixture(scope="session")
def azure_settings(folder: Path, all_clouds: SimulatedClouds) -> list[str]:
    """How the oracle reaches the simulated Azure."""
    return azure.settings(all_clouds.azure, folder / "azure-secret")
