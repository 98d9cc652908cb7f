"""The keyboard alone: signing in, navigating, creating a partner."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Demo, Enter
from tests.browser.journeys import expect_notice, login_of, tab_to
from tests.browser.watch import watched

pytestmark = pytest.mark.browser


def test_from_the_sign_in_to_a_new_partner(browser: Browser, demo: Demo) -> None:
    login = login_of(demo, "staff@distributor.example.com")
    with browser.new_context() as context, watched(context, demo.origin):
        page = context.new_page()
        page.goto(demo.origin)
        keyboard = page.keyboard
        expect(page.get_by_label("E-mail address")).to_be_focused()
        keyboard.type(login["email"])
        keyboard.press("Tab")
        keyboard.type(login["password"])
        keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")

        tab_to(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Partners"))
        keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Partners")
        tab_to(page, page.get_by_role("link", name="Create partner"))
        keyboard.press("Enter")
        expect(page.get_by_label("Name", exact=True)).to_be_focused()
        keyboard.type("Typed Only GmbH")
        keyboard.press("Tab")
        expect(page.get_by_label("Contract", exact=True)).to_be_focused()
        keyboard.press("Tab")
        keyboard.type("1.5")
        keyboard.press("Tab")
        expect(page.get_by_label("Unit")).to_be_focused()
        keyboard.press("ArrowDown")
        expect(page.get_by_label("Unit")).to_have_value("GB")
        keyboard.press("Tab")
        keyboard.press("Space")
        expect(page.get_by_label("Allow overdraft")).to_be_checked()
        keyboard.press("Tab")
        expect(page.get_by_role("button", name="Create partner")).to_be_focused()
        keyboard.press("Enter")
        expect_notice(page, "Partner created")
        expect(page.get_by_role("heading", level=1)).to_have_text("Typed Only GmbH")


def test_the_skip_link_and_the_navigation(signed_in: Enter) -> None:
    page = signed_in("distributor").page
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).not_to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Create partner")).to_be_focused()

    tab_to(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Contracts"), backwards=True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Contracts")
    expect(page.get_by_role("link", name="Contracts", exact=True)).to_have_attribute("aria-current", "page")


def test_a_list_that_is_sorted_by_a_key_keeps_the_focus(signed_in: Enter) -> None:
    page = signed_in("distributor").page
    used = page.get_by_role("columnheader", name="Used")
    tab_to(page, used.get_by_role("link"))
    page.keyboard.press("Enter")
    expect(used).to_have_attribute("aria-sort", "descending")
    expect(used.get_by_role("link")).to_be_focused()


def test_the_menu_of_a_narrow_window(signed_in: Enter) -> None:
    page = signed_in("distributor", "viewer", width=390).page
    menu, link = page.get_by_text("Menu", exact=True), page.get_by_role("link", name="Audit log")
    expect(link).to_be_hidden()
    tab_to(page, menu)
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, link)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/audit$"))
    expect(page.get_by_role("link", name="Audit log")).to_be_hidden()
