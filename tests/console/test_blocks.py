"""Blocked sign-ins in the console."""

import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import client as new_client
from tests.authentication.members import person
from tests.blocks.failing import block, block_pair, blocks_seen_by
from tonnage.access.actor import Actor, Role
from tonnage.authentication import throttling

pytestmark = pytest.mark.anyio


@pytest.fixture
async def distributor(client: AppClient) -> Actor:
    return await client.cast.distributor()


async def test_a_block_is_seen_and_lifted_after_a_question(client: AppClient, distributor: Actor) -> None:
    cast = client.cast
    ann = await person(cast, distributor, name="<b>Ann</b>")
    await block_pair(cast, ann)
    admin = await client.sign_in(distributor)
    shown = await admin.get("/blocks")
    for text in ("&lt;b&gt;Ann&lt;/b&gt;", ann.email, "Password, from one client", ">10<"):
        assert text in shown.text
    assert "Of clients" not in shown.text
    [seen] = await blocks_seen_by(cast, distributor)
    path = f"/blocks/{seen.id}/lift"
    assert f'href="{path}"' in shown.text
    asked = await admin.get(path)
    assert "10 failed attempts" in asked.text
    assert await blocks_seen_by(cast, distributor)
    lifted = await admin.send(path)
    assert (lifted.status_code, lifted.headers["location"]) == (303, "/blocks")
    assert "Nothing is blocked" in (await admin.get("/blocks")).text
    assert (await admin.get(path)).status_code == 404
    assert (await admin.post(path)).status_code == 404
    assert "Lifted block of sign-ins" in (await admin.get("/audit")).text


async def test_clients_are_the_operators(client: AppClient) -> None:
    cast, address = client.cast, new_client().address
    await block(cast, throttling.client(address)[0])
    operator = await client.sign_in(cast.operator)
    network = throttling.network_of(address)
    shown = await operator.get(f"/blocks?show=clients&q={network}")
    assert network in shown.text
    assert "All sign-ins of a client" in shown.text
    assert network not in (await operator.get("/blocks?show=members")).text


async def test_only_admins_open_them(client: AppClient, distributor: Actor) -> None:
    for role in (Role.VIEWER, Role.STAFF):
        browser = await client.sign_in(distributor, role)
        assert (await browser.get("/blocks")).status_code == 403
        assert 'href="/blocks"' not in (await browser.get("/distributor/partners")).text
