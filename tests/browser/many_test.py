"""25,000 quotas: the first rows are there at once, and nobody polls megabytes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Page, Request, expect

from services import Clouds, Service, free_port, gcp, serve

PROJECTS = 9
"""Of 2,968 quotas each, in 43 regions."""

SECOND = 1000.0

MOST_BYTES = 200_000
"""Of an update after all regions of one project were read."""


@pytest.fixture(scope="module")
def many(clouds: Clouds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    projects = [gcp(clouds, f"project-{number}") for number in range(PROJECTS)]
    lines = [line for project in projects for line in project]
    service = serve(tmp_path_factory.mktemp("many"), free_port(), *lines)
    # A debug build takes seconds for the first verdicts on so many offers.
    service.ask("GET", "/offers/summary")
    yield service
    service.program.stop()


@pytest.fixture(scope="module")
def total(many: Service) -> int:
    """The number of quotas; each backend reads the same project."""
    backend = many.ask("GET", "/quotas/project-0")
    total = PROJECTS * sum(len(region["quotas"]) for region in backend["regions"])
    assert total > 25_000
    return total


def test_the_first_of_25000_quotas_are_there_within_a_second(
    page: Page, many: Service, total: int
) -> None:
    page.goto(many.url)
    expect(page.locator("#groups tbody tr").first).to_be_visible()
    page.locator("#zero").check()
    started = page.evaluate("performance.now()")
    page.locator("#find").focus()
    page.wait_for_selector("#quota-rows tr", state="attached")
    first_rows = page.evaluate("performance.now()") - started
    expect(page.locator("#quotas-shown")).to_contain_text(f"of {total:,} quotas")
    all_rows = page.evaluate("performance.now()") - started
    assert page.locator("#quota-rows tr").count() == 100
    started = page.evaluate("performance.now()")
    page.locator("#find").fill("project-7 h100")
    expect(page.locator("#quota-rows tr").first).to_contain_text("project-7")
    found = page.evaluate("performance.now()") - started
    print(f"first rows after {first_rows:.0f} ms, all {total:,} after {all_rows:.0f} ms;", end=" ")
    print(f"a search takes {found:.0f} ms")
    assert first_rows < SECOND
    assert found < SECOND


def test_only_what_has_changed_is_asked_for_again(page: Page, many: Service, total: int) -> None:
    page.goto(many.url)
    page.locator("#zero").check()
    page.locator("#find").focus()
    expect(page.locator("#quotas-shown")).to_contain_text(f"of {total:,} quotas")
    expect(page.locator("#live")).to_have_text("Updates: live.")

    asked: set[str] = set()
    sizes: dict[str, int] = {}

    def note(request: Request) -> None:
        if "/quotas/" in request.url:
            asked.add(urlparse(request.url).path)
        size = request.sizes()
        sizes[request.url] = size["responseBodySize"] + size["responseHeadersSize"]

    page.on("requestfinished", note)
    regions = many.ask("POST", "/refresh/project-7")["regions"]
    expected = {f"/quotas/project-7/{region['region']}" for region in regions}
    while not expected <= asked:
        page.wait_for_event("requestfinished")
    print(f"an update takes {sum(sizes.values()):,} bytes in {len(sizes)} answers")
    assert asked == expected
    assert sum(sizes.values()) < MOST_BYTES
