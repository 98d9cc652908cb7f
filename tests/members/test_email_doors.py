"""One form of an e-mail address at every door: console, API, command line, sign-in, reset, counters, search."""

import asyncio
import html
import uuid

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.conftest import AccountData, AppClient, client, data
from tests.authentication.members import WORD, cheap
from tests.cast import NOW
from tests.cli.command import Command
from tests.console.guests import browser, send
from tests.email_addresses import ADDRESSES, Address
from tonnage.access.actor import Role
from tonnage.authentication import throttling
from tonnage.authentication.session import ClientInfo
from tonnage.authentication.sign_in_actions import sign_in
from tonnage.authentication.sign_in_queries import credentials_by_email
from tonnage.email_address import email_address, email_key
from tonnage.errors import Unauthenticated

__all__ = ["browser", "client", "data"]
"""The fixtures of the application and of a guest."""

pytestmark = pytest.mark.anyio

ACCEPTED = [address for address in ADDRESSES if address.stored]
REFUSED = [address for address in ADDRESSES if not address.stored]
PASSWORD = "Sesame-opens-1-Gate"


def named(address: Address) -> Address:
    return address.named(f"t{uuid.uuid4().hex[:10]}t")


async def by_api(client: AppClient, data: AccountData, email: str) -> httpx.Response:
    member = {"email": email, "password": PASSWORD, "role": "viewer"}
    path = f"/v1/partner/{data.partner.organisation_id}/member"
    return await client.call("POST", path, await client.key(data.distributor), json=member)


async def account_by_api(client: AppClient, data: AccountData, email: str) -> httpx.Response:
    owner = {"contactEmail": email, "password": PASSWORD}
    details = {"name": "Harbour", "clientAccount": owner, "allocatedCapacity": 0, "allowOverdraft": False}
    return await client.call("POST", "/v1/storage-account", await client.key(data.partner), json=details)


async def by_console(client: AppClient, data: AccountData, email: str) -> httpx.Response:
    browser = await client.sign_in(data.partner)
    return await browser.send("/team/new", {"email": email, "role": "viewer", "password": PASSWORD})


async def account_by_console(client: AppClient, data: AccountData, email: str) -> httpx.Response:
    browser = await client.sign_in(data.partner)
    fields = {"name": "Harbour", "email": email, "password": PASSWORD, "allocated": "0", "allocated_unit": "TB"}
    return await browser.send("/partner/accounts/new", fields)


async def by_command(conninfo: str, data: AccountData, email: str) -> tuple[int, str]:
    organisation = str(data.partner.organisation_id)
    create = ("member", "create", "--organisation", organisation, "--role", "viewer", "--email", email)
    result = await asyncio.to_thread(lambda: Command(conninfo)(*create, stdin=f"{PASSWORD}\n"))
    return result.exit_code, result.output


@pytest.mark.parametrize("address", ACCEPTED, ids=str)
async def test_an_address_is_one_at_every_door(
    client: AppClient, data: AccountData, browser: httpx.AsyncClient, conninfo: str, address: Address
) -> None:
    address = named(address)
    made = await by_api(client, data, address.typed)
    assert (made.status_code, made.json().get("email")) == (201, address.stored)
    for spelling in address.spellings:
        assert (await by_api(client, data, spelling)).status_code == 409
        assert (await by_console(client, data, spelling)).status_code == 409
        assert (await by_command(conninfo, data, spelling))[0] == 1
        assert throttling.email_and_client(spelling, "192.0.2.1") == throttling.email_and_client(
            address.typed, "192.0.2.1"
        )
        found = await client.cast.database.run(credentials_by_email, spelling)
        assert found is not None
        entered = await send(browser, "/sign-in", {"email": spelling, "password": PASSWORD})
        assert entered.status_code == 303, spelling
        browser.cookies.clear()
        asked = await send(browser, "/sign-in/forgotten", {"email": spelling})
        assert asked.status_code == 303
        (waiting,) = await client.cast.row(
            "select count(*) from procrastinate_jobs where task_name = %s and args->>'subject' = %s",
            "authentication.send_reset", str(found.member_id),
        )  # fmt: skip
        assert waiting >= 1
        assert html.escape(address.stored or "") in (await search(client, spelling)).text
    if address.other:
        with pytest.raises(Unauthenticated):
            await sign_in(client.cast.database, cheap(), address.other, PASSWORD, ClientInfo("192.0.2.1", ""), NOW)


async def search(client: AppClient, text: str) -> httpx.Response:
    """The operator's list of all members."""
    operator = await client.sign_in(client.cast.operator)
    return await operator.http.get("/operator/members", params={"q": text})


@pytest.mark.parametrize("address", ACCEPTED, ids=str)
async def test_an_account_has_it_once(client: AppClient, data: AccountData, address: Address) -> None:
    address = named(address)
    made = await account_by_api(client, data, address.typed)
    assert made.status_code == 201, made.text
    (stored,) = await client.cast.row("select contact_email from storage_account order by seq desc limit 1")
    assert stored == address.stored
    for spelling in address.spellings:
        assert (await account_by_api(client, data, spelling)).status_code == 409
        assert (await account_by_console(client, data, spelling)).status_code == 409


@pytest.mark.parametrize("address", REFUSED, ids=str)
async def test_what_is_no_address_is_refused_in_the_same_words(
    client: AppClient, data: AccountData, browser: httpx.AsyncClient, conninfo: str, address: Address
) -> None:
    address = named(address)
    for answer in (await by_api(client, data, address.typed), await account_by_api(client, data, address.typed)):
        assert answer.status_code == 422
        assert "mail" in answer.text
    for page in (await by_console(client, data, address.typed), await account_by_console(client, data, address.typed)):
        assert page.status_code == 422
        assert 'id="email-error"' in page.text
    status, said = await by_command(conninfo, data, address.typed)
    assert status == 2, said
    guess = await send(browser, "/sign-in", {"email": address.typed, "password": WORD})
    assert guess.status_code == 422
    assert 'id="email-error"' not in guess.text  # it says nothing about the address
    asked = await send(browser, "/sign-in/forgotten", {"email": address.typed})
    assert asked.status_code == 422


async def test_a_part_of_an_international_domain_is_found(client: AppClient, data: AccountData) -> None:
    word = f"t{uuid.uuid4().hex[:10]}"
    assert (await by_api(client, data, f"{word}@{word}\u00fcnchen.example.com")).status_code == 201
    for typed in (f"{word}\u00fcn", f"{word.upper()}\u00dcNCHEN", f"@{word}\u00fcnchen.example.com", f"{word}@"):
        assert f"{word}\u00fcnchen.example.com" in (await search(client, typed)).text, typed
    staff = await client.sign_in(data.partner, Role.ADMIN)
    email = f"{word}@{word}\u00fcnchen.example.com"
    assert (await account_by_api(client, data, email)).status_code == 201
    listed = await staff.http.get("/partner/accounts", params={"q": f"{word}\u00dcn"})
    assert email in listed.text


@given(st.text(max_size=30), st.sampled_from(["example.com", "m\u00fcnchen.de", "STRA\u00dfE.de", "\uff45x.com"]))
def test_the_key_of_a_stored_address_is_that_of_the_typed_one(local: str, domain: str) -> None:
    typed = f"{local}@{domain}"
    assert email_key(email_key(typed)) == email_key(typed)
    try:
        stored = email_address(typed.strip())
    except ValueError:
        return
    assert email_key(stored) == email_key(typed)
    assert email_address(stored) == stored


@given(st.text(max_size=80))
def test_anything_has_a_key(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)
    email_key(text).encode()
