"""API keys of distributors and partners, in the console of the organisations above them."""

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import with_role
from tests.console.browsers import Browser
from tests.unchanged import refused
from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys.actions import create_key, revoke_key
from tonnage.api_keys.api_key import NewKey
from tonnage.errors import Forbidden, NotFound

pytestmark = pytest.mark.anyio


async def key_of(client: AppClient, creator: Browser, holder: Actor) -> tuple[str, str]:
    """The id and the first characters of a key that a member of the holder has created, and that was used."""
    actor = Actor(holder.organisation_id, holder.kind, Role.ADMIN, "member", creator.member_id)
    new = NewKey("<b>Nightly</b>", Role.VIEWER)
    key, facts = await client.cast.database.run(create_key, actor, actor.organisation_id, new, client.clock.now)
    query = "update api_key set last_used_at = %s where id = %s returning id"
    await client.cast.row(query, client.clock.now, facts.id)
    assert (await client.http.get("/ext/v1/me", headers={"Authorization": f"Bearer {key}"})).status_code == 200
    return str(facts.id), key[:8]


def places(data: AccountData) -> list[tuple[Kind, Actor, str]]:
    distributor, partner = data.distributor.organisation_id, data.partner.organisation_id
    return [
        (Kind.OPERATOR, data.distributor, f"/operator/distributors/{distributor}"),
        (Kind.OPERATOR, data.partner, f"/operator/partners/{partner}"),
        (Kind.DISTRIBUTOR, data.partner, f"/distributor/partners/{partner}"),
    ]


async def test_they_are_seen_with_their_creators_and_revoked(client: AppClient, data: AccountData) -> None:
    for kind, holder, path in places(data):
        reader = await client.sign_in(client.cast.operator if kind is Kind.OPERATOR else data.distributor)
        creator = await client.sign_in(holder, name="Kim <i>")
        key_id, prefix = await key_of(client, creator, holder)
        assert f'href="{path}/keys"' in (await reader.get(path)).text
        listed = await reader.get(f"{path}/keys")
        for text in ("&lt;b&gt;Nightly&lt;/b&gt;", f"{prefix}…", "Kim &lt;i&gt;", "Active"):
            assert text in listed.text, (path, text)
        asked = await reader.get(f"{path}/keys/{key_id}/revocation")
        assert "permanently stops working within a second" in asked.text
        revoked = await reader.send(f"{path}/keys/{key_id}/revocation")
        assert (revoked.status_code, revoked.headers["location"]) == (303, f"{path}/keys")
        assert await client.cast.row("select revoked_at from api_key where id = %s", key_id) == (client.clock.now,)
        assert "Revoked" in (await reader.get(f"{path}/keys")).text
        # Both see it in their logs.
        for browser in (reader, creator):
            assert "Revoked API key" in (await browser.get("/audit")).text


async def test_a_key_is_found_only_at_its_holder(client: AppClient, data: AccountData) -> None:
    """Nor do the reader's own keys appear there, nor those of strangers."""
    stranger = await client.cast.distributor()
    for holder in (stranger, data.distributor, data.partner):
        await client.cast.key(holder)
    for kind, holder, path in places(data):
        reader = await client.sign_in(client.cast.operator if kind is Kind.OPERATOR else data.distributor)
        for other in {stranger, data.distributor, data.partner} - {holder}:
            query = "select id, prefix from api_key where organisation_id = %s"
            key_id, prefix = await client.cast.row(query, other.organisation_id)
            assert prefix not in (await reader.get(f"{path}/keys")).text
            assert (await reader.post(f"{path}/keys/{key_id}/revocation")).status_code == 404
            assert await client.cast.row("select revoked_at from api_key where id = %s", key_id) == (None,)


async def test_who_may_revoke_whose(client: AppClient, data: AccountData) -> None:
    cast, stranger = client.cast, await client.cast.distributor()
    other = await cast.partner(stranger, await cast.contract(stranger))
    for holder in (data.partner, data.distributor):
        await cast.key(holder)
    query = "select id from api_key where organisation_id = %s"
    (of_partner,), (of_distributor,) = [
        await cast.row(query, holder.organisation_id) for holder in (data.partner, data.distributor)
    ]
    for actor, key_id, error in (
        (stranger, of_partner, NotFound),
        (other, of_partner, NotFound),
        (stranger, of_distributor, NotFound),
        (data.partner, of_distributor, NotFound),
        (with_role(data.distributor, Role.STAFF), of_partner, Forbidden),
        (with_role(cast.operator, Role.STAFF), of_distributor, Forbidden),
    ):
        async with refused(cast.database, error):
            await cast.database.run(revoke_key, actor, key_id, cast.now)
    await cast.database.run(revoke_key, data.distributor, of_partner, cast.now)
    await cast.database.run(revoke_key, cast.operator, of_distributor, cast.now)


async def test_only_admins_see_them(client: AppClient, data: AccountData) -> None:
    for kind, _, path in places(data):
        for role in (Role.VIEWER, Role.STAFF):
            reader = await client.sign_in(client.cast.operator if kind is Kind.OPERATOR else data.distributor, role)
            assert (await reader.get(f"{path}/keys")).status_code == 403
            assert f'href="{path}/keys"' not in (await reader.get(path)).text


async def test_the_creator_of_a_key_may_have_left(client: AppClient, data: AccountData) -> None:
    creator = await client.sign_in(data.partner, Role.ADMIN, "Gone")
    await key_of(client, creator, data.partner)
    await client.cast.row("delete from member where id = %s returning id", creator.member_id)
    reader = await client.sign_in(data.distributor)
    listed = await reader.get(f"/distributor/partners/{data.partner.organisation_id}/keys")
    assert "Former member" in listed.text
    assert "Gone" not in listed.text
