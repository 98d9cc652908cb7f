"""The address and the request id of what was done: who sees them, how they are found, where they are not."""

from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.console.test_audit import lines
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.audit_file import FileContents, head_line, verify_lines
from tonnage.access.audit_sequence_actions import sequence_entries
from tonnage.access.audit_sequence_queries import sequenced_lines

pytestmark = pytest.mark.anyio


@pytest.fixture
async def distributor(client: AppClient) -> Actor:
    return await client.cast.distributor()


async def create_partner(
    client: AppClient, distributor: Actor, headers: dict[str, str], peer: str = "198.51.100.7"
) -> UUID:
    contract = await client.cast.contract(distributor, 10 * TB)
    headers |= {"Authorization": f"Bearer {await client.key(distributor)}"}
    body = {"distributorContractId": str(contract), "name": "Hill", "allocatedCapacity": 0}
    transport = httpx.ASGITransport(client.app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://tonnage") as http:
        made = await http.post("/v1/partner", headers=headers, json=body)
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


async def test_an_entry_has_the_address_and_the_request_id(client: AppClient, distributor: Actor) -> None:
    request = f"req-{uuid4().hex}"
    partner = await create_partner(client, distributor, {"X-Request-Id": request})
    viewer = await client.sign_in(distributor, Role.VIEWER)
    page = (await viewer.get(f"/audit?q={request}")).text
    assert page.count('<td class="when">') == 1
    assert "198.51.100.7" in page
    assert f"/audit?q={request}" in page
    (row,) = await lines(viewer, f"?q={request}")
    assert (row["ID"], row["Client address"], row["Request ID"]) == (str(partner), "198.51.100.7", request)
    # What no request has done has neither.
    by_cast = next(row for row in await lines(viewer) if row["Action"] == "contract.create")
    assert (by_cast["Client address"], by_cast["Request ID"]) == ("", "")


@pytest.mark.parametrize(
    ("peer", "shown"), [("::ffff:198.51.100.9", "198.51.100.9"), ("fe80::1%eth0", "fe80::1"), ("unix socket", "")]
)
async def test_addresses_of_all_kinds(client: AppClient, distributor: Actor, peer: str, shown: str) -> None:
    partner = await create_partner(client, distributor, {}, peer=peer)
    viewer = await client.sign_in(distributor, Role.VIEWER)
    (row,) = await lines(viewer, f"?subject={partner}")
    assert row["Client address"] == shown
    assert UUID(row["Request ID"])


async def test_whose_address_is_disclosed(client: AppClient, distributor: Actor) -> None:
    """A partner sees that its distributor has created it, but neither by whom nor from where. Strangers see none."""
    request = uuid4().hex
    partner = Actor(
        await create_partner(client, distributor, {"X-Request-Id": request}), Kind.PARTNER, Role.ADMIN, "cli"
    )
    seen: list[list[tuple[str, str]]] = []
    for reader in (client.cast.operator, distributor, partner, await client.cast.distributor()):
        found = await lines(await client.sign_in(reader, Role.VIEWER), f"?q={request}")
        seen.append([(row["Client address"], row["Actor"]) for row in found if row["Action"] == "partner.create"])
    by_operator, by_distributor, by_partner, by_stranger = seen
    assert by_operator == by_distributor == [("198.51.100.7", by_distributor[0][1])]
    assert by_distributor[0][1]
    assert (by_partner, by_stranger) == ([("", "")], [])


async def test_an_exported_file_has_them_outside_the_digests(client: AppClient, distributor: Actor) -> None:
    request = uuid4().hex
    partner = await create_partner(client, distributor, {"X-Request-Id": request})
    await sequence_entries(client.cast.database)
    key = Ed25519PrivateKey.generate()

    async def exported() -> list[bytes]:
        contents, found = FileContents(), list[bytes]()
        async with client.cast.database.streams.connection() as conn:
            async for position, text in sequenced_lines(conn, partner):
                found.append(f"{text}\n".encode())
                contents.add(found[-1], position)
        return [*found, head_line(contents, key, UUID(int=1), partner, client.clock.now)]

    before = await exported()
    verify_lines(before)
    client_of = b'"client": {"address": "198.51.100.7", "requestId": "%b"}, ' % request.encode()
    assert sum(client_of in line for line in before) == 1
    await client.cast.row(
        "with gone as (delete from audit_entry_client where request_id = %s returning 1) select count(*) from gone",
        request,
    )
    after = await exported()
    verify_lines(after)
    assert after[:-1] == [line.replace(client_of, b"") for line in before[:-1]]
