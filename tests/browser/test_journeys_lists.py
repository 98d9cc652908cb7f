"""Lists: filtered and sorted in place, exported as shown, and all of it without JavaScript, too."""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Demo, Enter
from tests.browser.journeys import expect_notice

pytestmark = pytest.mark.browser

HOSTILE = "=cmd|' /C calc'!A0"
CONTRACT = "606f031c-0f85-4444-8c7d-4a8f1ede7cd3"


@pytest.fixture(scope="module")
def hostile(demo: Demo) -> str:
    """A partner whose name is a spreadsheet formula."""
    body = {"name": HOSTILE, "allocatedCapacity": 0, "distributorContractId": CONTRACT}
    key = {"Authorization": f"Bearer {demo.keys['distributor_admin']}"}
    made = httpx.post(f"{demo.origin}/v1/partner", json=body, headers=key, trust_env=False)
    assert made.status_code == 201, made.text
    return HOSTILE


def names(page: Page) -> Locator:
    """The links of a list to its partners."""
    return page.get_by_role("rowheader").get_by_role("link")


def mark_document(page: Page) -> None:
    """Marks the document, so that `is_same_document` detects a reload."""
    page.evaluate("globalThis.stays = true")


def is_same_document(page: Page) -> bool:
    return page.evaluate("globalThis.stays === true")


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_typing_narrows_the_list_in_place_and_back_brings_it_back(signed_in: Enter) -> None:
    page = signed_in("distributor").page
    before = names(page).all_inner_texts()
    assert len(before) >= 3
    mark_document(page)
    search = page.get_by_role("searchbox", name="Search by name")
    search.fill("large")
    expect(names(page)).to_have_text(["Large test partner"])
    expect(search).to_be_focused()
    assert query(page)["q"] == ["large"]
    assert is_same_document(page)

    page.go_back()
    expect(names(page)).to_have_text(before)
    assert "q" not in query(page)
    expect(search).to_have_value("")
    page.go_forward()
    expect(names(page)).to_have_text(["Large test partner"])
    expect(search).to_have_value("large")


def test_nothing_found_says_so(signed_in: Enter) -> None:
    page = signed_in("distributor").page
    page.get_by_role("searchbox", name="Search by name").fill("nobody of this name")
    expect(page.get_by_text("No matching partners")).to_be_visible()


def exact_bytes(cell: Locator) -> int:
    """The exact bytes of a size, from its tooltip."""
    if cell.inner_text() == "Pay-per-use":
        return 0
    title = cell.locator("[title]").get_attribute("title") or ""
    assert re.fullmatch(r"[\d,]+ bytes?", title), title
    return int(re.sub(r"\D", "", title))


def test_a_click_on_a_column_sorts_by_it(signed_in: Enter) -> None:
    page = signed_in("distributor").page
    mark_document(page)
    column = page.get_by_role("columnheader", name="Used")
    column.get_by_role("link").click()
    expect(column).to_have_attribute("aria-sort", "descending")
    found = [exact_bytes(row.get_by_role("cell").nth(1)) for row in page.get_by_role("row").all()[1:]]
    assert len(set(found)) > 1
    assert found == sorted(found, reverse=True)
    column.get_by_role("link").click()
    expect(column).to_have_attribute("aria-sort", "ascending")
    turned = [exact_bytes(row.get_by_role("cell").nth(1)) for row in page.get_by_role("row").all()[1:]]
    assert turned == sorted(found)
    assert is_same_document(page)
    assert query(page)["sort"] == ["used.asc"]


@pytest.mark.parametrize(("shown", "column"), [("All", "Allocation"), ("Pay-per-use", "Name")])
def test_a_file_is_what_the_table_shows(
    signed_in: Enter, hostile: str, tmp_path: Path, shown: str, column: str
) -> None:
    page = signed_in("distributor", "viewer").page
    page.get_by_role("navigation", name="Show").get_by_role("link", name=shown).click()
    page.get_by_role("columnheader", name=column).get_by_role("link").click()
    expect(page.get_by_role("columnheader", name=column)).to_have_attribute("aria-sort", re.compile("."))
    expect(names(page).filter(has_text="calc")).to_have_text(hostile)
    table = [shown_row(row) for row in page.get_by_role("row").all()[1:]]
    assert len(table) == (3 if shown == "Pay-per-use" else 5)

    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    file = tmp_path / "partners.csv"
    download.value.save_as(file)
    text = file.read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == [
        *(
            "Name",
            "Contract",
            "Allocated bytes",
            "Used bytes",
            "Full by",
            "Storage accounts",
            f"Fee {datetime.now(UTC):%Y-%m}",
            "Currency",
        ),
        *("Created", "Suspended since", "ID"),
    ]
    assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "-", "@"}]
    assert [[row[0].removeprefix("'"), *row[1:]] for row in rows[1:]] == table
    assert [row[0] for row in rows if "calc" in row[0]] == [f"'{hostile}"]


def shown_row(row: Locator) -> list[str]:
    """The cells of a row, as the file has them."""
    link = row.get_by_role("rowheader").get_by_role("link")
    cells = row.get_by_role("cell")
    return [
        link.inner_text(),
        row.get_by_role("rowheader").locator(".sub").inner_text(),
        str(exact_bytes(cells.nth(0))),
        str(exact_bytes(cells.nth(1))),
        "",  # no forecast says when it is full
        cells.nth(3).inner_text(),
        *fee(cells.nth(4).inner_text()),
        str(datetime.strptime(f"{cells.nth(6).inner_text()} +0000", "%b %d, %Y %z").date()),
        "",  # not suspended
        (link.get_attribute("href") or "").rpartition("/")[2],
    ]


def fee(text: str) -> tuple[str, str]:
    """The amount and its currency."""
    amount = re.sub(r"[^\d.]", "", text)
    return (amount, "EUR") if text.startswith("€") else ("", "")


def test_it_all_works_without_javascript(signed_in: Enter) -> None:
    page = signed_in("distributor", scripts=False).page
    search = page.get_by_role("searchbox", name="Search by name")
    search.fill("large")
    page.get_by_role("button", name="Search").click()
    expect(names(page)).to_have_text(["Large test partner"])
    expect(search).to_have_value("large")
    page.get_by_role("columnheader", name="Used").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Used")).to_have_attribute("aria-sort", "descending")
    assert query(page)["q"] == ["large"]
    page.get_by_role("navigation", name="Show").get_by_role("link", name="All").click()
    page.get_by_label("Contract", exact=True).select_option(index=2)
    page.get_by_role("button", name="Show").click()
    expect(names(page)).to_have_text(["Moved test partner"])

    page.get_by_role("main").get_by_role("link", name="Create partner").first.click()
    page.get_by_label("Name", exact=True).fill("Plain Browser Ltd")
    page.get_by_label("Allocation", exact=True).fill("1")
    page.get_by_role("button", name="Create partner").click()
    expect_notice(page, "Partner created")
    expect(page.get_by_role("heading", level=1)).to_have_text("Plain Browser Ltd")


def test_the_theme_is_kept_without_javascript(signed_in: Enter) -> None:
    page = signed_in("partner", "viewer", scripts=False).page
    address = page.url
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert page.url == address
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
