"""The search for GPUs that can be launched, as a person with a browser goes about it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Locator, Page, expect

from services import Service


def rows(page: Page, gpu: str) -> Locator:
    return page.locator(f"details[data-gpu='{gpu}'] tbody tr")


def show_more(page: Page, gpu: str) -> None:
    before = rows(page, gpu).count()
    page.locator(f"details[data-gpu='{gpu}'] button.more").click()
    expect(rows(page, gpu)).not_to_have_count(before)


def test_eight_h100_are_found_in_three_actions(page: Page, demo: Service) -> None:
    page.goto(demo.url)
    page.locator("#gpu").fill("H100:8")
    page.locator("#gpu").press("Enter")
    expect(page.locator("#groups details")).to_have_count(1)
    first = rows(page, "H100").first
    expect(first).to_contain_text("available")
    expect(first).to_contain_text("8 × H100")
    fitting = demo.ask("GET", "/offers?gpu=H100&min_gpu_count=8&availability=available&limit=1")
    expect(first).to_contain_text(fitting["offers"][0]["instance_type"])
    expect(first).to_contain_text(f"{fitting['offers'][0]['price']:.2f}")
    # What does not fit comes after, with its reason and where to ask for more: on a page of the
    # cloud, or by a command where no page shows the quota.
    short = rows(page, "H100").filter(has_text="no quota")
    link = short.get_by_role("link", name="Request increase").first
    command = short.locator("details.ask").first
    while not (link.count() and command.count()):
        show_more(page, "H100")
    expect(short.first).to_contain_text("needs")
    expect(link).to_have_attribute("href", re.compile("^https://[a-z0-9.-]+/"))
    command.get_by_text("Request increase").click()
    expect(command.locator("code")).to_contain_text("gcloud beta quotas preferences create")


def test_the_address_holds_the_search(page: Page, demo: Service) -> None:
    page.goto(demo.url)
    page.locator("#gpu").fill("h100:8")
    page.locator("#region").fill("us-east-2")
    page.locator("#market").select_option("on_demand")
    page.locator("#fits").check()
    expect(rows(page, "H100")).to_have_count(1)
    query = parse_qs(urlparse(page.url).query)
    expected = {
        "gpu": ["h100:8"],
        "region": ["us-east-2"],
        "market": ["on_demand"],
        "fits": ["1"],
    }
    assert query == expected
    page.reload()
    expect(page.locator("#fits")).to_be_checked()
    expect(rows(page, "H100")).to_have_count(1)
    page.go_back()
    expect(page.locator("#fits")).not_to_be_checked()


def test_gpus_are_found_by_the_names_of_all_clouds_and_of_dstack(page: Page, demo: Service) -> None:
    page.goto(demo.url)
    for text, query in [
        ("nvidia-h100-80gb", "gpu=H100&min_gpu_count=1"),
        ("gpu-h100-sxm", "gpu=H100&min_gpu_count=1"),
        ("NVIDIA H100 80GB", "gpu=H100&min_gpu_count=1"),
        ("8xH100", "gpu=H100&min_gpu_count=8&max_gpu_count=8"),
        ("A100:40GB:4..8", "gpu=A100&max_gpu_memory_gb=40&min_gpu_count=4&max_gpu_count=8"),
    ]:
        page.locator("#gpu").fill(text)
        page.locator("#gpu").press("Enter")
        total = demo.ask("GET", f"/offers?{query}&limit=1")["total"]
        assert total > 0
        expect(page.locator("#groups details")).to_have_count(1)
        expect(page.locator("#groups summary")).to_contain_text(f"{total} offer")
        expect(page.locator("#unknown")).to_be_empty()


def test_a_slip_is_told_and_mended_by_a_click(page: Page, demo: Service) -> None:
    page.goto(demo.url + "/?gpu=HH100")
    expect(page.locator("#unknown")).to_contain_text("No gpu is called HH100")
    page.locator("#unknown button").click()
    expect(page.locator("#gpu")).to_have_value("H100")
    expect(rows(page, "H100").first).to_be_visible()


def test_more_is_shown_by_pages(page: Page, demo: Service) -> None:
    page.goto(demo.url + "/?gpu=T4&region=us-east-1,us-west-2")
    expect(rows(page, "T4")).to_have_count(10)
    show_more(page, "T4")
    expect(rows(page, "T4")).to_have_count(20)
    keys = rows(page, "T4").evaluate_all("rows => rows.map((row) => row.dataset.key)")
    assert len(set(keys)) == 20
    total = demo.ask("GET", "/offers?gpu=T4&region=us-east-1&region=us-west-2&limit=1")["total"]
    while page.locator("details[data-gpu='T4'] button.more").count():
        show_more(page, "T4")
    expect(rows(page, "T4")).to_have_count(total)


def test_the_map_is_moved_in_by_arrows_and_leads_to_a_search(page: Page, demo: Service) -> None:
    page.goto(demo.url)
    square = page.locator("#map button[aria-label^='H100 in aws/us-east-2: 1']")
    expect(square).to_have_attribute("aria-label", "H100 in aws/us-east-2: 12 GPUs left")
    page.locator("#map button").first.focus()
    place = (
        "(() => { const cell = document.activeElement.closest('td');"
        " return [cell.parentElement.rowIndex, cell.cellIndex] })()"
    )
    row, column = page.evaluate(place)
    page.keyboard.press("ArrowRight")
    right = page.evaluate(place)
    # Squares without offers are passed over.
    assert (right[0], right[1] > column) == (row, True)
    page.keyboard.press("ArrowDown")
    below = page.evaluate(place)
    assert (below[0] > row, below[1]) == (True, right[1])
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert page.locator("#map button[tabindex='0']").count() == 1
    square.click()
    expect(page.locator("#gpu")).to_have_value("H100")
    expect(page.locator("#region")).to_have_value("us-east-2")
    expect(rows(page, "H100").first).to_contain_text("us-east-2")


def test_a_search_is_copied_as_curl_and_for_dstack(page: Page, demo: Service) -> None:
    page.goto(demo.url + "/?gpu=H100:8&count=2&market=spot&region=us-east-2")
    page.locator("#copy-curl").click()
    text = page.locator("#copy-text")
    expect(text).to_contain_text(f"curl -s '{demo.url}/offers?gpu=H100&min_gpu_count=8")
    address = text.inner_text().split("'")[1].replace("format=table", "format=json")
    answer = demo.ask("GET", address.removeprefix(demo.url))
    assert answer["total"] == 0
    page.locator("#copy-dstack").click()
    expect(text).to_contain_text("gpu: H100:8")
    for line in ("nodes: 2", "regions: [us-east-2]", "spot_policy: spot"):
        expect(text).to_contain_text(line)


def test_the_planner_tells_where_and_what_to_ask_for(page: Page, demo: Service) -> None:
    page.goto(demo.url)
    page.locator("#plan-gpus").fill("32")
    page.locator("#plan-gpu").fill("H100")
    page.locator("#plan-max").fill("8")
    page.locator("#plan-market").select_option("on_demand")
    page.locator("#plan button").click()
    plans = page.locator("#plans tbody tr")
    asked = "/plan?gpus=32&gpu=H100&max_per_node=8&spot=false&limit=20"
    known = demo.ask("GET", asked)["plans"]
    expect(plans).to_have_count(len(known))
    for place, plan in enumerate(known[:3]):
        row = plans.nth(place)
        expect(row).to_contain_text(f"{plan['nodes']} × {plan['instance_type']}")
        if plan["missing_gpus"]:
            expect(row).to_contain_text(f"{plan['missing_gpus']} GPUs missing")
            expect(row).to_contain_text(f"ask for {plan['binding']['required']:g} free")
    assert known
