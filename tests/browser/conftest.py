"""A headless Chromium of Debian's, and the demo that it opens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from services import Clouds, Service, demo, free_port

PATIENCE = 20_000
"""Milliseconds; on a machine that compiles beside it, an answer takes its time."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM")
    assert chromium, "CHROMIUM names Debian's chromium-headless-shell, or another Chromium"
    with sync_playwright() as playwright:
        # Its sandbox needs rights that root in a container does not have.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session", name="demo")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = demo(tmp_path_factory.mktemp("demo"))
    yield service
    service.program.stop()


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    clouds = Clouds(tmp_path_factory.mktemp("clouds"))
    yield clouds
    clouds.program.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that may not fail: neither by an exception nor by a breach of its policy."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda message: (
            wrong.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield page
    assert wrong == []


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go: into docs/ where they are to be renewed, else beside cargo's output."""
    root = Path(__file__).resolve().parents[2]
    target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    renewed = os.environ.get("RENEW_SCREENSHOTS")
    folder = root / "docs" / "images" if renewed else target / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
