"""25,000 quotas: the first rows are there at once, and nobody polls megabytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from services import Clouds, Service, nebius, serve

BACKENDS = 97
"""Of 260 quotas each."""

SECOND = 1000.0


@pytest.fixture
def many(clouds: Clouds, tmp_path: Path, port: int) -> Iterator[Service]:
    backends = [nebius(clouds, f"tenant-{number:02}") for number in range(BACKENDS)]
    service = serve(tmp_path, port, *[line for lines in backends for line in lines])
    yield service
    service.program.stop()


def test_the_first_of_25000_quotas_are_there_within_a_second(page: Page, many: Service) -> None:
    sizes: dict[str, int] = {}

    def note(response: Response) -> None:
        if "/events" not in response.url:
            sizes[response.url] = (
                sizes.get(response.url, 0) + response.request.sizes()["responseBodySize"]
            )

    page.goto(many.url)
    expect(page.locator("#groups details").first).to_be_visible()
    started = page.evaluate("performance.now()")
    page.locator("#find").focus()
    page.wait_for_selector("#quota-rows tr", state="attached")
    first_rows = page.evaluate("performance.now()") - started
    page.locator("#zero").check()
    told = page.locator("#quotas-shown")
    expect(told).to_contain_text(f"of {BACKENDS * 260:,} quotas", timeout=60_000)
    assert page.locator("#quota-rows tr").count() == 100
    started = page.evaluate("performance.now()")
    page.locator("#find").fill("tenant-42 h100")
    expect(page.locator("#quota-rows tr").first).to_contain_text("tenant-42")
    found = page.evaluate("performance.now()") - started
    print(f"first rows after {first_rows:.0f} ms, a search after {found:.0f} ms")
    assert first_rows < SECOND
    assert found < SECOND

    # One region changes, and only that one is asked for again.
    page.on("response", note)
    offer = {"backend": "tenant-07", "region": "eu-north1"}
    known = many.ask("GET", "/offers?backend=tenant-07&availability=available&limit=1")
    offer["instance_type"] = known["offers"][0]["instance_type"]
    offer["region"] = known["offers"][0]["region"]
    lease = many.ask("POST", "/leases", {"offer": offer, "ttl": "10m"})
    expect(page.locator("#leases")).to_contain_text(lease["id"])
    page.wait_for_load_state("networkidle")
    asked = [url for url in sizes if "/quotas/" in url]
    print(f"an update takes {sum(sizes.values()):,} bytes in {len(sizes)} answers")
    assert len(asked) <= 10, asked
    assert sum(sizes.values()) < 1_000_000
