"""The walk-through in Swagger UI, by clicks alone."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Demo, Tab

pytestmark = pytest.mark.browser

CONTRACT = "606f031c-0f85-4444-8c7d-4a8f1ede7cd3"


def authorize(page: Page, value: str) -> str:
    """Enters `value` in the dialog; returns the dialog's text."""
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".dialog-ux")
    text = dialog.inner_text()
    dialog.locator("input").fill(value)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").first.click()
    return text


class Operation:
    """One operation, expanded, with its form open."""

    def __init__(self, page: Page, method: str, path: str) -> None:
        shown = page.locator(".opblock", has=page.locator(f'[data-path="{path}"]'))
        self.block = shown.filter(has=page.locator(".opblock-summary-method", has_text=method))
        self.block.locator(".opblock-summary").click()
        self.block.get_by_role("button", name="Try it out").click()

    def field(self, name: str) -> Locator:
        """The input of a parameter."""
        return self.block.locator(f'tr[data-param-name="{name}"]').locator("textarea, input").first

    def execute(self) -> tuple[int, Any]:
        """Sends the request; returns status and body as the page shows them."""
        self.block.get_by_role("button", name="Execute").click()
        answer = self.block.locator(".live-responses-table tbody tr.response").first
        answer.wait_for()
        status = answer.locator(".response-col_status").inner_text()
        return int(status.split()[0]), json.loads(answer.locator(".highlight-code code").first.text_content() or "")

    def again(self, **fields: str) -> tuple[int, Any]:
        """Clears the response and sends the request again with other values."""
        self.block.get_by_role("button", name="Clear").click()
        for name, value in fields.items():
            self.field(name).fill(value)
        return self.execute()


def test_the_walk_through(visit: Tab, demo: Demo) -> None:
    page = visit.page
    assert "Paste Bearer <key>: the word Bearer" in authorize(page, f"Bearer {demo.keys['distributor_admin']}")

    status, contracts = Operation(page, "GET", "/contract/list").execute()
    assert status == 200
    terms = {"costStorageGBCents": "100", "costEgressGBCents": "0", "currency": "EUR"}
    assert contracts == [
        {
            "id": CONTRACT,
            "distributorId": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
            "reservedCapacity": 100000000000000,
            "allocatedCapacity": 53000000000000,
            **terms,
            "details": "Impossible Cloud Test Contract",
        },
        {
            "id": "bb0a102d-ad4b-4738-b405-561add97abbb",
            "distributorId": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
            "reservedCapacity": 10000000000000,
            "allocatedCapacity": 0,
            **terms,
            "details": "Another test contract",
        },
    ]

    partners = Operation(page, "GET", "/contract/{contractID}/partners")
    partners.field("contractID").fill(CONTRACT)
    status, listed = partners.execute()
    assert status == 200
    assert listed[:2] == [
        partner("e37e6c0f-688e-4da4-8717-a52b48bcee3d", "Test partner", 5000000000000),
        partner("e4985686-c089-46fd-ae82-0af7ce2888bf", "Another test partner", 0),
    ]

    create = Operation(page, "POST", "/partner")
    expected = {"allocatedCapacity": 5000000000000, "distributorContractId": CONTRACT, "name": "New partner company"}
    # The example body equals that of the walk-through, so unedited fields do no harm.
    assert json.loads(create.field("partnerDetails").input_value()) == expected
    create.field("partnerDetails").fill(json.dumps(expected, indent=2))
    status, created = create.execute()
    number = created["id"]
    assert (status, created) == (201, partner(number, "New partner company", 5000000000000))

    update = Operation(page, "PUT", "/partner/{partnerID}")
    update.field("partnerID").fill(number)
    update.field("partnerDetails").fill('{\n  "name": "Renamed partner"\n}')
    assert update.execute() == (200, partner(number, "Renamed partner", 5000000000000))
    resized = partner(number, "Renamed partner", 250000000)
    assert update.again(partnerDetails='{\n  "allocatedCapacity": 250000000\n}') == (200, resized)
    both = '{\n  "allocatedCapacity": 250000000,\n  "name": "Renamed partner"\n}'
    assert update.again(partnerDetails=both) == (200, resized)


def partner(number: str, name: str, allocated: int) -> dict[str, Any]:
    return {"id": number, "distributorContractId": CONTRACT, "name": name, "allocatedCapacity": allocated}


def test_a_key_without_its_bearer(visit: Tab, demo: Demo) -> None:
    visit.watch.expect(401)
    authorize(visit.page, demo.keys["distributor_admin"])
    status, problem = Operation(visit.page, "GET", "/contract/list").execute()
    assert (status, problem["detail"]) == (401, "Authorization header is missing")


def test_every_operation_and_model_can_be_read(visit: Tab) -> None:
    page = visit.page
    page.evaluate(
        """for (const closed of document.querySelectorAll(
            '.opblock-summary-control[aria-expanded=false], .models .model-box-control[aria-expanded=false]'
        )) closed.click()"""
    )
    page.locator(".opblock.is-open .opblock-body").nth(23).wait_for()
    assert page.locator(".opblock").count() == 24
    text = page.locator("#swagger-ui").inner_text()
    assert "Without a key." in text
    assert "could not resolve" not in text.lower()
    assert '"string"' not in page.locator(".opblock").first.inner_text()
