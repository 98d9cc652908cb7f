"""A buyer that was closed before its last statement could be frozen: its seller writes the profile that is missing."""

from datetime import timedelta

import pytest

from tests.api.conftest import AppClient
from tests.billing_profiles.profiles import of_country
from tests.statements.months import APRIL, Sellers, sellers_with_prices
from tests.statements.test_statements_api import call
from tests.usage.steps import at, purge
from tonnage.access.actor import Actor
from tonnage.partners.actions import close_partner

pytestmark = pytest.mark.anyio

PROFILE = of_country("DE", "DE129273398")


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    client.clock.now = APRIL
    return await sellers_with_prices(client.cast)


async def closed(data: Sellers, name: str) -> Actor:
    """A partner that is closed after March."""
    partner = await data.another(name)
    (account,) = await data.cast.row("select id from storage_account where partner_id = %s", partner.organisation_id)
    ended = at("2026-04-02")
    await purge(data.cast, partner, account, ended)
    await data.cast.database.run(close_partner, data.distributor, partner.organisation_id, ended + timedelta(hours=1))
    return partner


async def test_a_closed_partner(client: AppClient, data: Sellers) -> None:
    quinn = await closed(data, "Quinn")
    path, page = f"partners/{quinn.organisation_id}/billing-profile", f"/distributor/partners/{quinn.organisation_id}"
    ann = await client.sign_in(data.distributor)
    # Nothing waits for it yet.
    assert (await call(client, data.distributor, "PUT", path, json=PROFILE)).status_code == 404
    assert (await ann.get(f"{page}/billing-profile")).status_code == 404
    assert [one.name for one in (await data.freeze(data.distributor)).blocked] == ["Quinn"]
    shown = await ann.get(f"{page}/billing-profile")
    assert (shown.status_code, "Closed." in shown.text, "Quinn" in shown.text) == (200, True, True)
    assert (await ann.get(page)).status_code == 404
    stranger = await sellers_with_prices(client.cast)
    client.clock.now = APRIL
    assert (await call(client, stranger.distributor, "PUT", path, json=PROFILE)).status_code == 404
    assert (await (await client.sign_in(stranger.distributor)).get(f"{page}/billing-profile")).status_code == 404
    written = await call(client, data.distributor, "PUT", path, json=PROFILE)
    assert written.status_code == 200, written.text
    assert len((await data.freeze(data.distributor)).numbers) == 1
    assert (await call(client, data.distributor, "GET", path)).status_code == 404


async def test_a_purged_account(client: AppClient, data: Sellers) -> None:
    await data.price(data.partner)
    await purge(data.cast, data.partner, data.account, at("2026-04-02"))
    path = f"storage-accounts/{data.account}/billing-profile"
    page = f"/partner/accounts/{data.account}/billing-profile"
    pia = await client.sign_in(data.partner)
    assert (await call(client, data.partner, "PUT", path, json=PROFILE)).status_code == 404
    assert len((await data.freeze(data.partner)).blocked) == 1
    assert "Closed." in (await pia.get(page)).text
    written = await call(client, data.partner, "PUT", path, json=PROFILE)
    assert written.status_code == 200, written.text
    assert len((await data.freeze(data.partner)).numbers) == 1
    assert (await pia.get(page)).status_code == 404


async def test_the_month_leads_to_where_it_is_mended(client: AppClient, data: Sellers) -> None:
    quinn = await closed(data, "Quinn")
    await data.freeze(data.distributor)
    ann = await client.sign_in(data.distributor)
    link = f"/distributor/partners/{quinn.organisation_id}/billing-profile"
    assert f'href="{link}"' in (await ann.get("/statements/months/2026-03")).text
    written = await ann.http.post(link, data={**await ann.form(link), **filled()})
    assert written.status_code == 303, written.text
    assert len((await data.freeze(data.distributor)).numbers) == 1


def filled() -> dict[str, str]:
    """The fields of the form."""
    return {
        "legal_name": "Quinn GmbH",
        "address_line1": "Hauptstrasse 1",
        "postal_code": "10115",
        "city": "Berlin",
        "country": "DE",
    }
