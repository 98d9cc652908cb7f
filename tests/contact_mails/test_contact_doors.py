"""The doors of mails to contacts: the link in a mail, the pages, the API and the command."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.api.conftest import AccountData, AppClient, account_data, application
from tests.authentication.members import key_file
from tests.cli.command import Command
from tonnage.contact_mails.queries import email_key_of, is_enabled
from tonnage.contact_mails.stop_link import PURPOSE, signed_text, stop_path
from tonnage.sealing import read_keys

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sealed(conninfo: str, tmp_path: Path) -> AsyncGenerator[tuple[AppClient, Path]]:
    file = key_file(tmp_path)
    async with application(conninfo, key_file=file) as client:
        yield client, file


async def test_the_link_of_a_mail_stops_them_without_a_login(sealed: tuple[AppClient, Path]) -> None:
    client, file = sealed
    data = await account_data(client)
    email_key = await client.cast.database.run(email_key_of, data.account) or ""
    signature = read_keys(file).hmacs(PURPOSE, signed_text(data.account, email_key))[0]
    link = stop_path(data.account, email_key, signature)

    async def stopped() -> int:
        return (await client.cast.row("select count(unsubscribed_at) from contact_mail"))[0]

    asked = await client.http.get(link)
    assert asked.status_code == 200
    assert "Stop these mails" in asked.text
    assert await stopped() == 0
    browser = await client.sign_in(data.partner)
    page = f"/partner/accounts/{data.account}"
    assert "Has stopped mails" not in (await browser.get(page)).text
    # As a mail program does it: no cookie, no token, no page before.
    done = await client.http.post(link, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert await stopped() == 1
    assert "Has stopped mails about alerts on" in (await browser.get(page)).text
    for wrong in (
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.replace(str(data.account), "482915730164"),
        stop_path(data.account, "other@a.example", signature),
        "/unsubscribe/contact/x",
    ):
        assert (await client.http.get(wrong)).status_code == 404
        assert (await client.http.post(wrong)).status_code == 404


async def test_the_page_of_alerts_sets_it_for_partners(client: AppClient, data: AccountData) -> None:
    partner = data.partner.organisation_id
    browser = await client.sign_in(data.partner)
    assert "Do not mail contacts" in (await browser.get("/alerts")).text
    for said, enabled in (("no", False), ("yes", True)):
        assert (await browser.post("/partner/contact-mails", {"enabled": said})).status_code == 303
        assert await client.cast.database.run(is_enabled, partner) is enabled
    distributor = await client.sign_in(data.distributor)
    assert "mail contacts" not in (await distributor.get("/alerts")).text.lower()
    assert (await distributor.post("/partner/contact-mails", {"enabled": "no"})).status_code == 404


async def test_the_api_sets_it_for_partners(client: AppClient, data: AccountData) -> None:
    path, key = "/ext/v1/contact-mails", await client.key(data.partner)
    assert (await client.call("GET", path, key)).json() == {"enabled": True}
    assert (await client.call("PUT", path, key, json={"enabled": False})).status_code == 204
    assert (await client.call("GET", path, key)).json() == {"enabled": False}
    assert (await client.call("PUT", path, key, json={"enabled": "no"})).status_code == 422
    assert (await client.call("GET", path, await client.key(data.distributor))).status_code == 403


def test_the_command_sets_it_for_partners(conninfo: str) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    partner = tonnage.partner(tonnage.contract(distributor))
    shown = ("alert", "contacts", "--organisation", partner)
    assert tonnage.json(*shown) == {"enabled": True}
    assert tonnage.json(*shown, "--off") == {"enabled": False}
    assert "no" in tonnage.ok(*shown)
    assert tonnage.json(*shown, "--on") == {"enabled": True}
    assert "no partner" in tonnage.refused("alert", "contacts", "--organisation", distributor)
