"""Names that break naive escaping are accepted by the API and rendered by SQL unchanged."""

import json
import uuid
from typing import Any

import pytest

from tests.api.conftest import AccountData, AppClient, account_data
from tonnage.access.lists import latest_audit
from tonnage.contracts.queries import all_contracts
from tonnage.db import ListQuery
from tonnage.partners.queries import all_partners

pytestmark = pytest.mark.anyio

HOSTILE = [
    'O\'Neill "quoted" `ticked` \u2018\u2019\u201c\u201d',
    "back\\slash \\n \\u0041 \\\\ \\",
    '","id":"0", /* */ {"a": [1]}',
    "</script><script>alert(1)</script><!-- ]]> &amp; &lt;",
    "'; drop table partner; --",
    "$1 $$ $body$ %s %(name)s %% %d {} {0} {name} ${HOME} {{7*7}}",
    "../../etc/passwd",
    "=cmd|' /C calc'!A1",
    "\N{GRINNING FACE}\N{ZERO WIDTH JOINER}\N{FAMILY} \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e9\U0001f1ea",
    "שלום \u05e2\u05d5\u05dc\u05dd العربية",
    "\u200f\u200e\u061cmarks of direction",
    "e\u0301 \u00e9 \u1e9b\u0323 Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334",
    "zero\u200bwidth\u2060joiner\ufeffmark",
    "\u0130\u0131 \u1e9e\u00df \ufb01 \u212a",
    "\ue000 private \U0010fffd last \ufffd replaced \ufffe \U0010ffff non-characters",
    "\U00010348" * 200,
    "null",
    "0",
]

ROTATED = [*HOSTILE[1:], HOSTILE[0]]

REFUSED = [
    *("a\0b", "a\nb", "a\tb", "\x1b[31mred", "a\x7fb", "a\x85b", "a\x9fb"),
    *("a\ud800b", "a\udfffb", "\udc00\ud800"),
    *("", " ", "\u2003\u00a0", "\n", "x" * 201, "\U00010348" * 201),
    *("line\u2028separator", "paragraph\u2029separator"),
    *(f"a{character}b" for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
    *("\u200b", "\ufeff\u2060", "\u200d\ufe0f", "\u3164", "\u2800", "\u00ad", "\u0301", "\U000e0041"),
]


def raw(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def escaped(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=True).encode()


@pytest.fixture
async def data(client: AppClient) -> AccountData:
    return await account_data(client)


async def send(client: AppClient, path: str, key: str, content: bytes, method: str = "POST") -> Any:
    return await client.call(method, path, key, content=content, headers={"Content-Type": "application/json"})


async def made(client: AppClient, path: str, key: str, content: bytes, method: str = "POST") -> dict[str, Any]:
    answer = await send(client, path, key, content, method)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def got(client: AppClient, path: str, key: str, **params: str) -> Any:
    answer = await client.call("GET", path, key, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def emails() -> str:
    return f"n{uuid.uuid4().hex}@example.org"


async def rendered(client: AppClient, select: ListQuery) -> list[Any]:
    """A list that no operation or page shows yet."""

    async def ask(conn: Any) -> list[Any]:
        rows = await (await conn.execute(*select())).fetchall()
        return [json.loads(row[1]) for row in rows if row[1] is not None]

    return await client.cast.database.run(ask)


@pytest.mark.parametrize("encode", [raw, escaped])
async def test_contracts_and_partners(client: AppClient, data: AccountData, encode: Any) -> None:
    key = await client.key(data.distributor)
    scope = data.distributor.organisation_id
    contracts = [str(await client.cast.contract(data.distributor, details=name)) for name in HOSTILE]
    listed = await got(client, "/v1/contract/list", key)
    assert [contract.get("details") for contract in listed if contract["id"] in contracts] == HOSTILE
    everybodys = await rendered(client, all_contracts())
    assert [contract.get("details") for contract in everybodys if contract["id"] in contracts] == HOSTILE

    created = [
        await made(
            client,
            "/v1/partner",
            key,
            encode({"name": name, "allocatedCapacity": 0, "distributorContractId": str(data.contract)}),
        )
        for name in HOSTILE
    ]
    assert [partner["name"] for partner in created] == HOSTILE
    renamed = [
        await made(client, f"/v1/partner/{partner['id']}", key, encode({"name": name}), "PUT")
        for partner, name in zip(created, ROTATED, strict=True)
    ]
    assert [partner["name"] for partner in renamed] == ROTATED
    assert [await got(client, f"/v1/partner/{partner['id']}", key) for partner in created] == renamed
    assert (await got(client, f"/v1/contract/{data.contract}/partners", key))[1:] == renamed
    everybodys = await rendered(client, all_partners())
    ids = {partner["id"] for partner in created}
    assert [partner for partner in everybodys if partner["id"] in ids] == renamed

    entries = await rendered(client, latest_audit(scope, 1000))

    def names(action: str, side: str, fact: str) -> list[str]:
        last = [entry for entry in entries if entry["action"] == action][-len(HOSTILE) :]
        return [entry[side][fact] for entry in last]

    assert names("contract.create", "after", "details") == HOSTILE
    assert names("partner.create", "after", "name") == HOSTILE
    assert names("partner.update", "before", "name") == HOSTILE
    assert names("partner.update", "after", "name") == ROTATED


@pytest.mark.parametrize("encode", [raw, escaped])
async def test_members(client: AppClient, data: AccountData, encode: Any) -> None:
    key = await client.key(data.distributor)
    path = f"/v1/partner/{data.partner.organisation_id}/member"
    created = [
        await made(
            client,
            path,
            key,
            encode({"name": name, "email": emails(), "password": "Sesame-opens-1", "role": "viewer"}),
        )
        for name in HOSTILE
    ]
    assert [member["name"] for member in created] == HOSTILE
    assert (await got(client, f"{path}s", key))[1:] == created


@pytest.mark.parametrize("encode", [raw, escaped])
async def test_storage_accounts_and_usage(client: AppClient, data: AccountData, encode: Any) -> None:
    distributor, partner = await client.key(data.distributor), await client.key(data.partner)
    of_partner = f"/v1/partner/{data.partner.organisation_id}"

    def account(name: str) -> bytes:
        owner = {"contactEmail": emails(), "password": "Sesame-opens-1"}
        return encode({"name": name, "allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner})

    created = [await made(client, "/v1/storage-account", partner, account(name)) for name in HOSTILE]
    assert [one["name"] for one in created] == HOSTILE
    assert (await got(client, "/v1/storage-account/list", partner))[1:] == created
    assert (await got(client, f"{of_partner}/storage-accounts", distributor))[1:] == created
    days = {"from": "2026-03-15", "to": "2026-03-15"}
    for path, key in (("/v1/storage-accounts/usage", partner), (f"{of_partner}/usage", distributor)):
        reported = await got(client, path, key, **days)
        assert [one["name"] for one in reported][1:] == HOSTILE
    for one in created:
        number = one["clientAccountId"]
        assert await got(client, f"/v1/storage-account/{number}", partner) == one
        assert await got(client, f"{of_partner}/storage-accounts/{number}", distributor) == one
        for path, key in (("/v1/storage-account", partner), (f"{of_partner}/storage-accounts", distributor)):
            assert (await got(client, f"{path}/{number}/usage", key, **days))["name"] == one["name"]
    entries = await rendered(client, latest_audit(data.partner.organisation_id, 1000))
    opened = [entry["after"]["name"] for entry in entries if entry["action"] == "account.create"]
    assert opened[-len(HOSTILE) :] == HOSTILE


@pytest.mark.parametrize("encode", [raw, escaped])
async def test_changes_of_storage_accounts(client: AppClient, data: AccountData, encode: Any) -> None:
    key = await client.key(data.partner)
    accounts = [await client.cast.account(data.partner) for _ in HOSTILE]
    changed: list[Any] = []
    for number, name, reason in zip(accounts, HOSTILE, ROTATED, strict=True):
        path = f"/ext/v1/storage-account/{number}"
        renamed = await made(client, path, key, encode({"name": name}), "PATCH")
        assert renamed["name"] == name
        changed.append(await made(client, f"{path}/suspension", key, encode({"reason": reason}), "PUT"))
        assert await got(client, path, key) == changed[-1]
    assert [one["name"] for one in changed] == HOSTILE
    assert [one["suspension"]["reason"] for one in changed] == ROTATED
    assert (await got(client, "/ext/v1/storage-account/list", key))[1:] == changed
    entries = await rendered(client, latest_audit(data.partner.organisation_id, 1000))
    assert [entry["after"]["name"] for entry in entries if entry["action"] == "account.update"] == HOSTILE
    assert [entry["after"]["reason"] for entry in entries if entry["action"] == "account.suspend"] == ROTATED


async def test_invalid_names(client: AppClient, data: AccountData) -> None:
    distributor, partner = await client.key(data.distributor), await client.key(data.partner)
    of_partner = f"/v1/partner/{data.partner.organisation_id}"
    owner = {"contactEmail": emails(), "password": "Sesame-opens-1"}
    doors: list[tuple[str, str, str, dict[str, Any]]] = [
        ("POST", "/v1/partner", distributor, {"allocatedCapacity": 0, "distributorContractId": str(data.contract)}),
        ("PUT", of_partner, distributor, {}),
        (
            "POST",
            f"{of_partner}/member",
            distributor,
            {"email": emails(), "password": "Sesame-opens-1", "role": "viewer"},
        ),
        (
            "POST",
            "/v1/storage-account",
            partner,
            {"allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner},
        ),
        ("PATCH", f"/ext/v1/storage-account/{data.account}", partner, {}),
    ]
    # All of them at the first door, and each of them at one more: all doors have the same type.
    for number, (method, path, key, body) in enumerate(doors):
        for name in REFUSED[number - 1 :: len(doors) - 1] if number else REFUSED:
            # Half a surrogate pair has no UTF-8 encoding; only a JSON escape can express it.
            for encode in (escaped,) if any("\ud800" <= letter <= "\udfff" for letter in name) else (raw, escaped):
                answer = await send(client, path, key, encode({**body, "name": name}), method)
                assert answer.status_code == 422, (path, ascii(name), answer.text)
                assert [error["field"] for error in answer.json()["errors"]] == ["name"]


async def test_half_a_surrogate_pair_in_bytes_is_no_json(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.distributor)
    answer = await send(client, "/v1/partner", key, '{"name": "\ud800"}'.encode("utf-8", "surrogatepass"))
    assert answer.status_code == 400
    assert "is not UTF-8" in answer.json()["detail"]


async def test_other_texts_that_cannot_be_stored(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.partner)
    good = {"contactEmail": emails(), "password": "Sesame-opens-1"}
    body: dict[str, Any] = {"name": "A", "allocatedCapacity": 0, "allowOverdraft": False}
    for field, value in (
        ("password", "Sesame-opens-1\0"),
        ("password", "Sesame-opens-1\ud800"),
        ("contactEmail", "a\0@example.org"),
        ("contactEmail", "a\ud800@example.org"),
        ("contactEmail", "a\u202e@example.org\n"),
    ):
        content = escaped({**body, "clientAccount": {**good, field: value}})
        answer = await send(client, "/v1/storage-account", key, content)
        assert answer.status_code == 422, (ascii(value), answer.text)
        assert [error["field"] for error in answer.json()["errors"]] == [f"clientAccount.{field}"]
