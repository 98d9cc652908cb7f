"""A partner's tasks for its customers: creating, deleting and restoring accounts."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.journeys import expect_notice, open_section

pytestmark = pytest.mark.browser


def test_an_account_in_a_region_without_a_cluster(signed_in: Enter) -> None:
    page, watch = (visit := signed_in("partner", "staff")).page, visit.watch
    page.get_by_role("link", name="Create storage account").click()
    page.get_by_label("Company name").fill("Harbour Bakery")
    page.get_by_label("Contact e-mail").fill("it@harbour-bakery.example.org")
    page.get_by_label("Password", exact=True).fill("Rye-and-wheat-7")
    page.get_by_label("Region", exact=True).select_option("eu-west-1")
    page.get_by_label("Allocation", exact=True).fill("2")
    expect(page.get_by_role("main").get_by_role("status")).to_have_text("500 GB too much")

    watch.expect(409)
    page.get_by_role("button", name="Create storage account").click()
    size = page.get_by_label("Allocation", exact=True)
    expect(size).to_have_accessible_description(re.compile(r"1\.5\sTB.*2\sTB"))
    expect(size).to_have_value("2")
    expect(page.get_by_label("Company name")).to_have_value("Harbour Bakery")
    expect(page.get_by_label("Contact e-mail")).to_have_value("it@harbour-bakery.example.org")
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    expect(page.get_by_label("Region", exact=True)).to_have_value("eu-west-1")

    size.fill("250")
    page.get_by_label("Unit").select_option("GB")
    page.get_by_label("Password", exact=True).fill("Rye-and-wheat-7")
    page.get_by_role("button", name="Create storage account").click()
    expect_notice(page, "Storage account created")
    page.get_by_role("link", name="Access keys").click()
    expect(page.get_by_text("No storage cluster connected")).to_be_visible()
    expect(
        page.get_by_text("The region eu-west-1 is metered only: the operator of the storage creates")
    ).to_be_visible()
    expect(page.get_by_role("link", name="Create access key")).to_have_count(0)


def waiting(page: Page, name: str) -> None:
    """Opens an account from the list of those that wait for their deletion."""
    open_section(page, "Storage accounts")
    page.get_by_role("navigation", name="Show").get_by_role("link", name="Scheduled for deletion").click()
    page.get_by_role("rowheader").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def day_of(text: str) -> str:
    found = re.search(r"[A-Z][a-z]{2} \d{1,2}, \d{4}", text)
    assert found, text
    return found[0]


def thirty_days_on() -> str:
    return f"{datetime.now(UTC) + timedelta(days=30):%b %-d, %Y}"


def test_a_deleted_account_is_restored(signed_in: Enter) -> None:
    page = signed_in("partner").page
    page.get_by_role("rowheader").get_by_role("link", name="Millbrook Bakery").click()
    page.get_by_role("link", name="Settings").click()
    before = thirty_days_on()
    page.get_by_role("main").get_by_role("link", name="Delete").click()
    expect(page.get_by_text("You can restore it until then.")).to_be_visible()
    promised = day_of(page.get_by_role("main").get_by_text(re.compile("^On ")).inner_text())
    assert promised in {before, thirty_days_on()}
    page.get_by_role("button", name="Delete account").click()
    expect_notice(page, "Account deletion scheduled")
    expect(page.get_by_text(f"Scheduled for deletion on {promised}")).to_be_visible()

    open_section(page, "Storage accounts")
    page.get_by_role("navigation", name="Show").get_by_role("link", name="Scheduled for deletion").click()
    row = page.get_by_role("rowheader").filter(has_text="Millbrook Bakery")
    expect(row.get_by_text(f"Deletion on {promised}")).to_be_visible()
    row.get_by_role("link").click()
    page.get_by_role("link", name="Restore account").click()
    promise = re.compile(f"is scheduled for deletion on {promised}.* Restoring it cancels the deletion.")
    expect(page.get_by_text(promise)).to_be_visible()
    page.get_by_role("button", name="Restore account").click()
    expect_notice(page, "Account restored")
    expect(page.get_by_text("Scheduled for deletion on")).to_have_count(0)

    open_section(page, "Storage accounts")
    page.get_by_role("navigation", name="Show").get_by_role("link", name="Scheduled for deletion").click()
    # The other one that waited, still does.
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(["Lakeview Archive"])


def test_an_account_that_was_scheduled_earlier(signed_in: Enter) -> None:
    page = signed_in("distributor").page
    page.get_by_role("link", name="Test partner", exact=True).click()
    page.get_by_role("link", name="Storage accounts").click()
    page.get_by_role("navigation", name="Show").get_by_role("link", name="Scheduled for deletion").click()
    row = page.get_by_role("rowheader").filter(has_text="Lakeview Archive")
    day = day_of(row.inner_text())
    row.get_by_role("link").click()
    expect(page.get_by_text(f"Scheduled for deletion on {day}")).to_be_visible()
