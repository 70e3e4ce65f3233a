"""What changes while somebody looks at the page: trouble, leases, and the focus that stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from services import TOKEN, Clouds, Service, aws, free_port, nebius, serve

REGION = "us-east-1"


@pytest.fixture(scope="module", name="started")
def service_with_a_token(
    clouds: Clouds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    regions = aws(clouds, REGION, "us-west-2")
    service = serve(tmp_path_factory.mktemp("guarded"), free_port(), *regions, token=True)
    yield service
    service.program.stop()


@pytest.fixture
def guarded(clouds: Clouds, started: Service) -> Iterator[Service]:
    """A service with a token, over AWS."""
    yield started
    clouds.heal()


def log_in(page: Page, service: Service) -> None:
    page.goto(service.url)
    page.locator("#token").fill(TOKEN)
    page.locator("#token").press("Enter")
    expect(page.locator("#groups details").first).to_be_visible()


def test_a_token_is_asked_for_by_a_form_and_kept_from_scripts(
    page: Page, context: BrowserContext, guarded: Service
) -> None:
    page.goto(guarded.url)
    expect(page.locator("#token")).to_be_focused()
    page.locator("#token").fill("guessed")
    page.locator("#token").press("Enter")
    expect(page.locator("#login-error")).to_have_text("unknown token")
    log_in(page, guarded)
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("Object.values(localStorage).concat(Object.values(sessionStorage))") == []
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert TOKEN not in cookie["value"]
    # An address opens by itself, and the page lives by events.
    expect(page.locator("#live")).to_have_text("Updates: live.")
    other = context.new_page()
    assert (answer := other.goto(guarded.url + "/quotas")) is not None
    assert answer.status == 200
    other.goto(guarded.url)
    expect(other.locator("#groups details").first).to_be_visible()
    page.locator("#logout").click()
    expect(page.locator("#login")).to_be_visible()
    expect(page.locator("#content")).to_be_hidden()
    assert context.cookies() == []


def test_trouble_is_told_once_with_the_next_try_and_goes_away(
    page: Page, clouds: Clouds, guarded: Service
) -> None:
    log_in(page, guarded)
    expect(page.locator("#trouble")).to_be_hidden()
    for region in (REGION, "us-west-2"):
        clouds.fault("access_denied", region)
    guarded.ask("POST", "/refresh/aws")
    told = page.locator("#trouble p")
    expect(told).to_have_count(1)
    expect(told).to_contain_text("us-east-1, us-west-2")
    expect(told).to_contain_text("next try in")
    clouds.heal()
    guarded.ask("POST", "/refresh/aws")
    expect(page.locator("#trouble")).to_be_hidden()


def test_updates_in_place_take_neither_focus_nor_selection(page: Page, guarded: Service) -> None:
    log_in(page, guarded)
    page.locator("#gpu").fill("H100:8")
    page.locator("#gpu").press("Enter")
    row = page.locator("details[data-gpu='H100'] tbody tr").first
    expect(row).to_be_visible()
    page.locator("#find").focus()
    page.locator("#find").press_sequentially("H100 p inst")
    marked = "document.querySelector('details[data-gpu=H100] tbody tr')"
    page.evaluate(f"{marked}.marked = true; getSelection().selectAllChildren({marked})")
    selected = page.evaluate("getSelection().toString()")
    page.locator("#find").focus()
    page.evaluate("document.querySelector('#find').setSelectionRange(2, 6)")

    offer = {"backend": "aws", "region": REGION, "instance_type": "g6.xlarge"}
    lease = guarded.ask("POST", "/leases", {"offer": offer, "ttl": "10m"})
    expect(page.locator("#leases")).to_contain_text(lease["id"])
    expect(page.locator("#find")).to_be_focused()
    expect(page.locator("#find")).to_have_value("H100 p inst")
    edges = "(() => { const i = document.querySelector('#find');"
    assert page.evaluate(edges + " return [i.selectionStart, i.selectionEnd] })()") == [2, 6]
    assert page.evaluate(f"{marked}.marked") is True
    assert selected
    # A family is found by its GPUs.
    expect(page.locator("#quota-rows tr").first).to_contain_text("P instances")
    expect(page.locator("#quota-rows tr").first).to_contain_text("GPUs: A100")
    guarded.ask("DELETE", f"/leases/{lease['id']}")
    expect(page.locator("#leases")).to_contain_text("No leases are under way")


def test_failed_launches_and_contradictions_are_shown(page: Page, guarded: Service) -> None:
    log_in(page, guarded)
    launch = {"backend": "aws", "region": REGION, "instance_type": "g6.xlarge", "spot": False}
    error = {"code": "InsufficientInstanceCapacity"}
    guarded.ask("POST", "/feedback", {**launch, "outcome": "failed", "error": error})
    expect(page.locator("#failures")).to_contain_text("g6.xlarge")
    error = {"code": "VcpuLimitExceeded"}
    guarded.ask("POST", "/feedback", {**launch, "outcome": "failed", "error": error})
    page.locator("#find").focus()
    expect(page.locator("#contradictions")).to_contain_text("failed though the verdict was fits")


def test_a_page_without_a_stream_asks_again_and_finds_the_service_back(
    page: Page, clouds: Clouds, tmp_path: Path, port: int
) -> None:
    service = serve(tmp_path, port, *nebius(clouds, "nebius"))
    page.goto(service.url)
    expect(page.locator("#live")).to_have_text("Updates: live.")
    service.program.stop()
    expect(page.locator("#live")).to_contain_text("asks again every")
    service = serve(tmp_path, port, *nebius(clouds, "nebius"))
    expect(page.locator("#live")).to_have_text("Updates: live.")
    service.program.stop()
