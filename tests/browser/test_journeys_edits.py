"""Two people at the same form, in a browser with and without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import check
from tests.browser.conftest import Enter
from tests.browser.journeys import expect_notice, open_section

pytestmark = pytest.mark.browser


def open_allocation(page: Page, partner: str) -> None:
    open_section(page, "Partners")
    page.get_by_role("link", name=partner, exact=True).click()
    page.get_by_role("link", name="Allocation", exact=True).click()


def resize(page: Page, partner: str, to: str, unit: str = "TB") -> None:
    open_allocation(page, partner)
    page.get_by_label("Allocation", exact=True).fill(to)
    page.get_by_label("Unit").select_option(unit)
    page.get_by_role("button", name="Change allocation").click()
    expect_notice(page, "Allocation changed")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_conflict_says_who_changed_what_and_is_overwritten_on_purpose(signed_in: Enter, *, scripts: bool) -> None:
    mine = signed_in("distributor", "staff", scripts=scripts)
    page, size = mine.page, mine.page.get_by_label("Allocation", exact=True)
    resize(page, "Test partner", "6")
    open_allocation(page, "Test partner")
    resize(signed_in("distributor").page, "Test partner", "8")

    size.fill("7.5")
    page.get_by_label("Allow overdraft").check()
    mine.watch.expect(409)
    page.get_by_role("button", name="Change allocation").click()
    expect(page.get_by_role("alert")).to_contain_text("this was changed while you were editing it")
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(size).to_have_accessible_description(re.compile(r"^Now 8\sTB\. Changed from 6\sTB by Ada Distributor, "))
    expect(size).to_have_value("7.5")
    expect(page.get_by_label("Allow overdraft")).to_be_checked()
    if scripts:
        check(page)

    page.get_by_role("button", name="Change allocation").click()
    expect_notice(page, "Allocation changed")
    open_allocation(page, "Test partner")
    expect(size).to_have_value("7.5")
    page.get_by_label("Allow overdraft").uncheck()
    page.get_by_role("button", name="Change allocation").click()


@pytest.mark.parametrize("way", ["back", "reload"])
def test_restored_field_values_revert_nothing(signed_in: Enter, way: str) -> None:
    """Values that the browser restores into the fields must not count as changes by the member."""
    page = signed_in("distributor", "staff").page
    resize(page, "Test partner", "5")
    open_allocation(page, "Test partner")
    size = page.get_by_label("Allocation", exact=True)
    expect(size).to_have_value("5")
    for amount, unit in (("7", "PB"), ("5", "TB")):
        size.fill(amount)
        page.get_by_label("Unit").select_option(unit)
    if way == "back":
        open_section(page, "Partners")
    resize(signed_in("distributor").page, "Test partner", "3600.5", "GB")

    page.go_back() if way == "back" else page.reload()
    page.get_by_label("Allow overdraft").check()
    page.get_by_role("button", name="Change allocation").click()
    expect_notice(page, "Allocation changed")
    open_allocation(page, "Test partner")
    expect(size).to_have_value("3600.5")
    expect(page.get_by_label("Unit")).to_have_value("GB")
    expect(page.get_by_label("Allow overdraft")).to_be_checked()
    page.get_by_label("Allow overdraft").uncheck()
    page.get_by_role("button", name="Change allocation").click()
