"""A distributor's everyday tasks: creating a partner, resizing it, creating an API key."""

import re
import time

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, Enter
from tests.browser.journeys import expect_notice, open_section, wait_until

pytestmark = pytest.mark.browser


def test_a_partner_is_created_within_what_the_contract_has_left(signed_in: Enter) -> None:
    page, watch = (visit := signed_in("distributor", "staff")).page, visit.watch
    page.get_by_role("link", name="Create partner").click()
    page.get_by_label("Name", exact=True).fill("Quayside Cloud")
    page.get_by_label("Contract", exact=True).select_option("Another test contract: 10 TB of 10 TB remaining")
    remainder = page.get_by_role("main").get_by_role("status")
    expect(remainder).to_have_text("10 TB")
    page.get_by_label("Allocation", exact=True).press_sequentially("10.5")
    expect(remainder).to_have_text("500 GB too much")
    page.get_by_label("Contract", exact=True).select_option("Impossible Cloud Test Contract: 47 TB of 100 TB remaining")
    expect(remainder).to_have_text("36.5 TB")
    page.get_by_label("Allocation", exact=True).fill("47.5")
    expect(remainder).to_have_text("500 GB too much")
    page.get_by_label("Allow overdraft").check()

    watch.expect(409)
    page.get_by_role("button", name="Create partner").click()
    size = page.get_by_label("Allocation", exact=True)
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(size).to_have_accessible_description(
        re.compile(r"has 47\sTB left for this partner, 47\.5\sTB asked\. Ask for less")
    )
    expect(page.get_by_label("Name", exact=True)).to_have_value("Quayside Cloud")
    expect(page.get_by_label("Contract", exact=True).locator("option:checked")).to_contain_text("Impossible Cloud")
    expect(size).to_have_value("47.5")
    expect(page.get_by_label("Unit")).to_have_value("TB")
    expect(page.get_by_label("Allow overdraft")).to_be_checked()
    expect(remainder).to_have_text("500 GB too much")

    size.fill("750")
    page.get_by_label("Unit").select_option("GB")
    expect(remainder).to_have_text("46.25 TB")
    page.get_by_role("button", name="Create partner").click()
    expect_notice(page, "Partner created")
    expect(page.get_by_role("heading", level=1)).to_have_text("Quayside Cloud")
    open_section(page, "Partners")
    made = page.get_by_role("row").filter(has_text="Quayside Cloud")
    expect(made.get_by_role("cell", name="750 GB", exact=True)).to_be_visible()


def test_a_resize_is_refused_with_the_reason_or_done_and_logged(signed_in: Enter) -> None:
    page, watch = (visit := signed_in("distributor")).page, visit.watch
    page.get_by_role("link", name="Test partner", exact=True).click()
    page.get_by_role("link", name="Allocation", exact=True).click()
    # Beforehand, it says what would be refused.
    expect(page.get_by_text("The allocation cannot be below the 3.5 TB allocated to storage accounts")).to_be_visible()
    page.get_by_label("Allocation", exact=True).fill("3.25")

    watch.expect(409)
    page.get_by_role("button", name="Change allocation").click()
    expect(page.get_by_label("Allocation", exact=True)).to_have_accessible_description(
        re.compile(
            r"The partner has allocated 3\.5\sTB to its storage accounts, more than 3\.25\sTB without overdraft\. "
            r"Reduce their allocations first, or allow overdraft\."
        )
    )
    expect(page.get_by_label("Allocation", exact=True)).to_have_value("3.25")

    page.get_by_label("Allocation", exact=True).fill("3.5")
    page.get_by_role("button", name="Change allocation").click()
    expect_notice(page, "Allocation changed")
    open_section(page, "Audit log")
    page.get_by_label("Name or ID of what was changed").fill("Test partner")
    entry = page.get_by_role("row").filter(has_text="Test partner").first
    expect(entry).to_contain_text("Ada Distributor")
    expect(entry.get_by_role("deletion")).to_have_text("5 TB")
    expect(entry.get_by_role("insertion")).to_have_text("3.5 TB")


@pytest.mark.parametrize(
    ("audience", "path"), [("distributor", "/v1/contract/list"), ("partner", "/v1/storage-account/list")]
)
def test_a_key_is_made_copied_used_and_revoked(signed_in: Enter, demo: Demo, audience: str, path: str) -> None:
    page = signed_in(audience).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=demo.origin)
    open_section(page, "API keys")
    page.get_by_role("link", name="Create API key").click()
    page.get_by_label("Description").fill("Nightly report")
    page.get_by_role("radio", name="Viewer").check()
    page.get_by_role("button", name="Create API key").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    key = page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("main")).not_to_contain_text(key)

    with httpx.Client(base_url=demo.origin, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as program:
        assert program.get(path).status_code == 200
        page.get_by_role("link", name="Revoke Nightly report").click()
        expect(page.get_by_text("permanently stops working within a second")).to_be_visible()
        page.get_by_role("button", name="Revoke API key").click()
        revoked = time.monotonic()
        wait_until(lambda: program.get(path).status_code == 401, "the key is refused", seconds=10)
        assert time.monotonic() - revoked < 2
    row = page.get_by_role("row").filter(has_text="Nightly report")
    expect(row.get_by_role("cell", name="Revoked", exact=True).first).to_be_visible()
