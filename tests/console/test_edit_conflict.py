"""Whom an edit conflict names as the author of a change, as far as its reader may know."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tests.console.html_forms import HtmlForm, form_of
from tonnage.access.actor import Actor, Role
from tonnage.accounts.account import AccountChange
from tonnage.accounts.change_actions import change_account
from tonnage.members.actions import change_member
from tonnage.members.member import MemberChange

pytestmark = pytest.mark.anyio


def by(browser: Browser, actor: Actor) -> Actor:
    return replace(actor, via="member", via_id=browser.member_id)


async def resized(client: AppClient, data: AccountData, reader: Browser, path: str, actor: Actor) -> HtmlForm:
    """The form that the reader gets back after another actor has resized the account."""
    stale = form_of((await reader.get(path)).text, path)
    change = AccountChange(allocated_capacity=3 * TB)
    now = client.clock.now
    await client.cast.database.run(change_account, actor, data.partner.organisation_id, data.account, change, now)
    refused = await reader.http.post(path, data={**stale.fields, "allocated": "2"})
    assert refused.status_code == 409
    assert f'href="{path}">Discard your changes' in refused.text
    return form_of(refused.text, path)


async def test_the_command_line_a_key_and_members_of_both_sides(client: AppClient, data: AccountData) -> None:
    partner, distributor = data.partner, data.distributor
    bob = await client.sign_in(partner, Role.ADMIN, "Bob")
    eve = await client.sign_in(distributor, Role.ADMIN, "Eve")
    own = f"/partner/accounts/{data.account}/settings"
    above = f"/distributor/partners/{partner.organisation_id}/accounts/{data.account}/settings"
    await client.key(partner)
    (key_id, prefix) = await client.cast.row(
        "select id, prefix from api_key where organisation_id = %s", partner.organisation_id
    )
    with_key = replace(partner, via="key", via_id=UUID(str(key_id)))
    names = await client.cast.row(
        "select (select name from organisation where id = %s), (select name from organisation where id = %s)",
        partner.organisation_id, distributor.organisation_id,
    )  # fmt: skip
    expected = {
        "the operator on the command line": (await client.sign_in(partner, Role.STAFF), own, partner),
        "you in another window": (bob, own, by(bob, partner)),
        "by Bob,": (await client.sign_in(partner, Role.STAFF), own, by(bob, partner)),
        f"by Bob of {names[0]}": (eve, above, by(bob, partner)),
        f"by {names[1]},": (bob, own, by(eve, distributor)),
        f"the API key for a test ({prefix}…)": (bob, own, with_key),
    }
    for said, (reader, path, actor) in expected.items():
        await client.cast.row(
            "update storage_account set allocated_capacity = %s where id = %s returning id", TB, data.account
        )
        await client.cast.row(
            "update partner set allocated_to_accounts = %s where id = %s returning id", TB, partner.organisation_id
        )
        form = await resized(client, data, reader, path, actor)
        assert said in form.errors["allocated-error"], form.errors
        assert "Eve" not in form.errors["allocated-error"]


async def test_a_member_renamed_by_an_admin_while_it_renames_itself(client: AppClient, data: AccountData) -> None:
    eve = await client.sign_in(data.partner, Role.ADMIN, "Eve")
    ann = await client.sign_in(data.partner, Role.VIEWER, "Ann")
    stale = form_of((await ann.get("/profile")).text, "/profile")
    actor, own = by(eve, data.partner), data.partner.organisation_id
    await client.cast.database.run(change_member, actor, own, ann.member_id, MemberChange(name="Anna"))
    refused = await ann.http.post("/profile", data={**stale.fields, "name": "Ann Miller"})
    assert refused.status_code == 409
    told = form_of(refused.text, "/profile").errors["name-error"]
    assert told.startswith("Now “Anna”. Changed from “Ann” by Eve, ")
    changed = await client.sign_in(data.partner, Role.ADMIN, "Ed")
    assert "Name changed" in (await changed.get("/audit")).text


async def test_an_unknown_locale_does_no_harm(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.partner, Role.VIEWER, "Ann")
    await client.cast.row(
        "update member set locale = 'xx_YY', time_zone = 'Mars/Olympus' where id = %s returning id", ann.member_id
    )
    form = form_of((await ann.get("/profile")).text, "/profile")
    assert (form.shown["locale"], form.shown["time_zone"]) == ("xx_YY", "Mars/Olympus")
    assert (await ann.http.post("/profile", data={**form.fields, "name": "Ann Miller"})).status_code == 303
    kept = "select name, locale, time_zone from member where id = %s"
    assert await client.cast.row(kept, ann.member_id) == ("Ann Miller", "xx_YY", "Mars/Olympus")
    assert (await ann.send("/profile", {"name": "Ann", "locale": "de_DE", "time_zone": "UTC"})).status_code == 303
    assert await client.cast.row(kept, ann.member_id) == ("Ann", "de_DE", "UTC")
