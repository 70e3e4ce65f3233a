"""The page as a whole: accessibility, speed, weight and policy; and its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from services import Service

Theme = Literal["light", "dark"]
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
VIEWS = {"start": "/", "search": "/?gpu=H100:8&plan_gpus=32&plan_gpu=H100&plan_max=8"}

ALIKE = ["#map tbody tr:nth-child(n+9)", "#quota-rows tr:nth-child(n+21)"]
"""Rows that are like those before them; their thousands of elements take axe most of its time."""

SLOW_CPU = 4
"""As Lighthouse slows a desktop's processor down to that of a phone."""


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    expect(page.locator("#groups tbody tr").first).to_be_visible()
    expect(page.locator("#live")).to_have_text("Updates: live.")
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_the_page_fits(
    browser: Browser, demo: Service, pictures: Path, theme: Theme, size: str
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    for view, path in VIEWS.items():
        page = opened(context, demo.url + path)
        page.screenshot(path=pictures / f"page-{view}-{theme}-{size}.png")
        # Down to the quotas, so that nothing is left out.
        page.locator("#find").focus()
        expect(page.locator("#quota-rows tr").first).to_be_visible()
        page.locator("#copy-dstack").click()
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        options = {"runOnly": {"type": "tag", "values": tags}, "resultTypes": ["violations"]}
        found = Axe().run(page, context={"exclude": ALIKE}, options=options)
        assert found.violations_count == 0, found.generate_report()
        # Nothing but tables that scroll by themselves is wider than the screen.
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
    context.close()


def test_the_first_content_is_there_within_a_second_on_a_slow_cpu(
    context: BrowserContext, demo: Service
) -> None:
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_CPU})
    transferred: dict[str, int] = {}
    page.on(
        "requestfinished",
        lambda request: transferred.update(
            {
                request.url: sum(
                    request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize")
                )
            }
        ),
    )
    page.goto(demo.url)
    expect(page.locator("#groups tbody tr").first).to_be_visible()
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    before_data = {
        url: size for url, size in transferred.items() if url == demo.url + "/" or "/page/" in url
    }
    rows = page.evaluate("performance.now()")
    print(
        f"first content after {painted:.0f} ms, the first offers before {rows:.0f} ms; "
        f"{sum(before_data.values()):,} bytes before data"
    )
    assert len(before_data) == 10
    assert painted < 1000
    assert sum(before_data.values()) < 60_000


def test_the_policy_forbids_what_stands_in_a_page(context: BrowserContext, demo: Service) -> None:
    page = context.new_page()
    answer = page.goto(demo.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    page.evaluate("document.body.append(document.createElement('iframe'))")
    ran = page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
            return window.ran === true;
        }"""
    )
    assert ran is False


def test_everything_is_reached_by_the_keyboard(page: Page, demo: Service) -> None:
    page.goto(demo.url)
    expect(page.locator("#groups details").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#copy-curl")).to_be_focused()
    seen: set[str] = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"SUMMARY", "plan-gpus", "find", "zero"} <= seen, seen
