"""From page to page of a list, while others add to it."""

import re
from collections.abc import Generator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Enter

pytestmark = pytest.mark.browser

CONTRACT = "606f031c-0f85-4444-8c7d-4a8f1ede7cd3"
MADE = 60
LIST = "/distributor/partners?size=25&sort=name&q=fleet"


def named(numbers: range) -> list[str]:
    return [f"Fleet {number:02}" for number in numbers]


@pytest.fixture(scope="module")
def api(demo: Demo) -> Generator[httpx.Client]:
    """As a distributor with many partners."""
    key = {"Authorization": f"Bearer {demo.keys['distributor_admin']}"}
    with httpx.Client(base_url=demo.origin, headers=key, trust_env=False) as client:
        for name in named(range(1, MADE + 1)):
            create(client, name)
        yield client


def create(api: httpx.Client, name: str) -> str:
    body = {"name": name, "allocatedCapacity": 0, "distributorContractId": CONTRACT}
    made = api.post("/v1/partner", json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def expect_page(page: Page, numbers: range, counted: str) -> None:
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text(counted)
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(named(numbers))


def go(page: Page, link: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=link, exact=True).click()


def steps(page: Page) -> list[str]:
    return page.get_by_role("navigation", name="Pages").get_by_role("link").all_inner_texts()


@pytest.mark.parametrize("scripts", [True, False])
def test_pages_stay_where_they_are(signed_in: Enter, demo: Demo, api: httpx.Client, scripts: bool) -> None:
    page = signed_in("distributor", scripts=scripts).page
    page.goto(demo.origin + LIST)
    expect_page(page, range(1, 26), "1 to 25 of 60")
    assert steps(page) == ["Next", "Last"]
    before = create(api, "Fleet 00")
    go(page, "Next")
    expect_page(page, range(26, 51), "27 to 51 of 61")
    assert steps(page) == ["First", "Previous", "Next"]
    assert api.delete(f"/v1/partner/{before}").status_code == 204
    go(page, "Next")
    expect_page(page, range(51, 61), "51 to 60 of 60")
    assert steps(page) == ["First", "Previous"]
    page.go_back()
    expect_page(page, range(26, 51), "to 5")
    page.go_forward()
    go(page, "Previous")
    expect_page(page, range(26, 51), "26 to 50 of 60")
    go(page, "Previous")
    expect_page(page, range(1, 26), "1 to 25 of 60")
    go(page, "Last")
    expect_page(page, range(51, 61), "51 to 60 of 60")
    go(page, "First")
    expect_page(page, range(1, 26), "1 to 25 of 60")


def test_another_search_begins_at_the_first_page(signed_in: Enter, demo: Demo, api: httpx.Client) -> None:
    page = signed_in("distributor").page
    page.goto(demo.origin + LIST)
    go(page, "Next")
    page.get_by_role("searchbox", name="Search by name").fill("fleet 5")
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(named(range(50, 60)))
    assert parse_qs(urlsplit(page.url).query) == {"size": ["25"], "sort": ["name"], "q": ["fleet 5"]}
    page.go_back()
    expect_page(page, range(26, 51), "26 to 50 of 60")
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(page.get_by_role("rowheader").first).to_have_text(re.compile("Fleet 60"))
    assert set(parse_qs(urlsplit(page.url).query)) == {"size", "sort", "q"}
