"""A member who reads German types numbers as Germans do."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Enter
from tests.browser.journeys import expect_notice, open_section
from tests.browser.pictures import examine

pytestmark = pytest.mark.browser


def choose_german(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.origin}/profile")
    page.locator("[name=locale]").select_option("de_DE")
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator("html")).to_have_attribute("data-locale", "de-DE")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_german_comma_is_a_comma(signed_in: Enter, demo: Demo, *, scripts: bool) -> None:
    tab = signed_in("distributor", "staff", scripts=scripts)
    page, size = tab.page, tab.page.get_by_label("Allocation", exact=True)
    preview = page.locator("#allocated-preview")
    choose_german(page, demo)
    open_section(page, "Partners")
    page.get_by_role("link", name="Create partner").click()
    page.get_by_label("Name").fill("Alster")
    size.press_sequentially("1,5")
    if scripts:
        expect(preview).to_have_text("1,5\u202fTB = 1.500.000.000.000 bytes")
        assert examine(page, "number-typed-in-german") == []
    page.get_by_role("button", name="Create partner").click()
    expect_notice(page, "Partner created")
    expect(page.get_by_text("1,5\u202fTB").first).to_be_visible()

    page.get_by_role("link", name="Allocation", exact=True).click()
    expect(size).to_have_value("1,5")
    expect(preview).to_have_text("1,5\u202fTB = 1.500.000.000.000 bytes")
    tab.watch.expect(422)
    size.fill("1.000")
    page.get_by_role("button", name="Change allocation").click()
    expect(size).to_have_value("1.000")
    expect(size).to_have_accessible_description(
        re.compile(r"^1\.000 can be read as 1000 or as 1: write 1000 or 1 0 means pay-per-use")
    )
    if scripts:
        assert examine(page, "number-with-two-readings") == []
    size.fill("2.5")
    page.get_by_role("button", name="Change allocation").click()
    expect_notice(page, "Allocation changed")
    expect(page.get_by_text("2,5\u202fTB").first).to_be_visible()


def test_a_price_has_its_amount_beside_it(signed_in: Enter, demo: Demo) -> None:
    page = signed_in("operator").page
    choose_german(page, demo)
    page.goto(f"{demo.origin}/operator/contracts/new")
    page.get_by_label("Excess price").fill("0,69")
    per_gb, per_tb = "0,0069\u00a0€", "6,90\u00a0€"
    expect(page.locator("#price-preview")).to_have_text(f"{per_gb} / GB-month ({per_tb} / TB)")
    page.get_by_label("Currency").fill("jpy")
    expect(page.locator("#price-preview")).to_have_text("0,0069\u00a0¥ / GB-month (6,9\u00a0¥ / TB)")
    assert examine(page, "price-typed-in-german") == []
