"""Creating a partner in the console."""

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio


async def test_a_partner_is_created_and_in_the_list(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor, 10 * TB)
    browser = await client.sign_in(distributor, Role.STAFF)
    made = await browser.send(
        "/distributor/partners/new",
        {"contract": str(contract), "name": "<b>Hill</b>", "allocated": "2.5", "allocated_unit": "TB"},
    )
    assert made.status_code == 303
    assert made.headers["location"].startswith("/distributor/partners/")
    listed = await browser.get("/distributor/partners")
    assert "&lt;b&gt;Hill&lt;/b&gt;" in listed.text
    assert "2.5\N{NARROW NO-BREAK SPACE}TB" in listed.text


async def test_what_is_refused_keeps_what_was_typed_and_names_the_field(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor, 10 * TB)
    browser = await client.sign_in(distributor, Role.STAFF)
    fields = {"contract": str(contract), "name": "Too large", "allocated": "11", "allocated_unit": "TB"}
    refused = await browser.send("/distributor/partners/new", {**fields, "overdraft": "on"})
    assert refused.status_code == 409
    assert 'id="allocated-error"' in refused.text
    assert "10\N{NARROW NO-BREAK SPACE}TB" in refused.text
    assert 'value="Too large"' in refused.text
    assert 'value="11"' in refused.text
    assert 'name="overdraft" checked' in refused.text
    unreadable = await browser.send("/distributor/partners/new", {**fields, "name": " ", "allocated": "much"})
    assert unreadable.status_code == 422
    assert 'id="name-error"' in unreadable.text
    assert 'id="allocated-error"' in unreadable.text


async def test_a_viewer_sees_the_required_role(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    browser = await client.sign_in(distributor, Role.VIEWER)
    refused = await browser.get("/distributor/partners/new")
    assert refused.status_code == 403
    assert "needs the role staff" in refused.text


async def test_a_form_of_another_site_is_refused(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    browser = await client.sign_in(distributor, Role.STAFF)
    refused = await browser.http.post("/distributor/partners/new", data={"name": "Planted"})
    assert refused.status_code == 403
