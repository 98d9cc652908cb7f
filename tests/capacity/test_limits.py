"""The greatest numbers of partners, storage accounts, members and API keys."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString
from uuid import uuid4

import pytest

from tests.api.conftest import account_data, application
from tests.capacity.test_waiting import run_blocked
from tests.cast import NOW, TB, Cast
from tests.cli.command import Command
from tests.unchanged import refused
from tonnage.access.actor import Actor, Role
from tonnage.accounts import actions as accounts
from tonnage.accounts.account import NewAccount
from tonnage.api_keys import actions as api_keys
from tonnage.api_keys.api_key import NewKey
from tonnage.config import Limits
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, TonnageError
from tonnage.members import actions as members
from tonnage.members.member import NewMember
from tonnage.partners import actions as partners
from tonnage.partners.partner import NewPartner

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

MOST = 3
LIMITS = Limits(partners=MOST, accounts=MOST, members=MOST, api_keys=MOST)


@dataclass
class Some:
    """Who has none of what is limited."""

    cast: Cast
    distributor: Actor
    contracts: list[Any]
    partner: Actor


@pytest.fixture
async def some(cast: Cast) -> Some:
    await cast.region()
    distributor, another = await cast.distributor(), await cast.distributor()
    contracts = [await cast.contract(distributor) for _ in range(2)]
    return Some(cast, distributor, contracts, await cast.partner(another, await cast.contract(another), TB))


Creation = Callable[[Some, Connection, int], Awaitable[Any]]


def partner(some: Some, conn: Connection, number: int) -> Awaitable[Any]:
    """Under one of two contracts, whose rows do not make them wait for each other."""
    new = NewPartner(some.contracts[number % 2], f"Partner {number}", 0)
    return partners.create_partner(conn, some.distributor, new, NOW, limits=LIMITS)


def account(some: Some, conn: Connection, number: int) -> Awaitable[Any]:
    new = NewAccount(f"Account {number}", f"{uuid4().hex}@example.org", "hash", 0, False)
    return accounts.create_account(conn, some.partner, some.partner.organisation_id, new, NOW, limits=LIMITS)


def member(some: Some, conn: Connection, number: int) -> Awaitable[Any]:
    new = NewMember(f"{uuid4().hex}@example.org", Role.VIEWER, "hash", f"Member {number}")
    return members.create_team_member(conn, some.partner, new, NOW, limits=LIMITS)


def key(some: Some, conn: Connection, number: int) -> Awaitable[Any]:
    new, own = NewKey(f"Key {number}", Role.VIEWER), some.partner.organisation_id
    return api_keys.create_key(conn, some.partner, own, new, NOW, limits=LIMITS)


CREATIONS: dict[ConflictCode, Creation] = {
    ConflictCode.TOO_MANY_PARTNERS: partner,
    ConflictCode.TOO_MANY_ACCOUNTS: account,
    ConflictCode.TOO_MANY_MEMBERS: member,
    ConflictCode.TOO_MANY_API_KEYS: key,
}


async def create(some: Some, code: ConflictCode, number: int = 0) -> object:
    async def work(conn: Connection) -> object:
        return await CREATIONS[code](some, conn, number)

    return await some.cast.database.run(work)


@pytest.mark.parametrize("code", CREATIONS, ids=str)
async def test_of_many_at_once_exactly_as_many_as_allowed(some: Some, code: ConflictCode) -> None:
    done = await asyncio.gather(*(create(some, code, number) for number in range(12)), return_exceptions=True)
    refusals = [error for error in done if isinstance(error, BaseException)]
    assert {getattr(error, "code", error) for error in refusals} == {code}
    assert len(done) - len(refusals) == MOST
    async with refused(some.cast.database, Conflict, str(MOST)) as refusal:
        await create(some, code)
    assert isinstance(refusal.value, TonnageError)
    assert refusal.value.sentence.numbers == {"limit": MOST}


@pytest.mark.parametrize("code", CREATIONS, ids=str)
async def test_who_waited_for_the_last_one_is_refused(some: Some, code: ConflictCode) -> None:
    """Also with a snapshot of the time before."""
    for number in range(MOST - 1):
        await create(some, code, number)

    def work(conn: Connection) -> Awaitable[Any]:
        return CREATIONS[code](some, conn, 0)

    with pytest.raises(Conflict) as refusal:
        await run_blocked(some.cast, work, work)
    assert refusal.value.code is code


GONE: dict[ConflictCode, LiteralString] = {
    ConflictCode.TOO_MANY_MEMBERS: "delete from member where id = (select max(id::text)::uuid from member"
    " where organisation_id = %s) returning 1",
    ConflictCode.TOO_MANY_API_KEYS: "update api_key set revoked_at = now() where id = (select max(id::text)::uuid"
    " from api_key where organisation_id = %s) returning 1",
}


@pytest.mark.parametrize("code", GONE, ids=str)
async def test_what_is_gone_does_not_count(some: Some, code: ConflictCode) -> None:
    for number in range(MOST):
        await create(some, code, number)
    await some.cast.row(GONE[code], some.partner.organisation_id)
    await create(some, code)
    async with refused(some.cast.database, Conflict):
        await create(some, code)


async def test_expired_keys_do_not_count(some: Some) -> None:
    cast = some.cast
    for _ in range(MOST):
        await cast.key(some.partner, valid_until=NOW)
        await cast.key(some.partner, valid_until=NOW + timedelta(seconds=1))
    async with refused(some.cast.database, Conflict):
        await create(some, ConflictCode.TOO_MANY_API_KEYS)
    await cast.row("update api_key set valid_until = %s where valid_until > %s returning 1", NOW, NOW)
    await create(some, ConflictCode.TOO_MANY_API_KEYS)


async def test_closed_partners_and_purged_accounts_do_not_count(some: Some) -> None:
    cast, code = some.cast, ConflictCode.TOO_MANY_PARTNERS
    made: Any = [await create(some, code, number) for number in range(MOST)]
    async with refused(some.cast.database, Conflict):
        await create(some, code)
    await cast.database.run(partners.close_partner, some.distributor, made[0].id, NOW)
    await create(some, code)
    code = ConflictCode.TOO_MANY_ACCOUNTS
    made = [await create(some, code, number) for number in range(MOST)]
    own = some.partner.organisation_id
    await cast.database.run(accounts.delete_account, some.partner, own, made[0].id, 30, NOW)
    async with refused(some.cast.database, Conflict, "including those waiting for deletion"):
        await create(some, code)
    await cast.purge(NOW + timedelta(days=31))
    await create(some, code)


async def test_a_lower_limit_removes_nothing(some: Some) -> None:
    """And what was created by anybody is no reason to refuse."""
    for _ in range(MOST + 1):
        await some.cast.partner(some.distributor, some.contracts[0])
    async with refused(some.cast.database, Conflict):
        await create(some, ConflictCode.TOO_MANY_PARTNERS)
    (open_partners,) = await some.cast.row(
        "select count(*) from partner where distributor_id = %s and closed_at is null", some.distributor.organisation_id
    )
    assert open_partners == MOST + 1


async def test_the_api_refuses(conninfo: str, cast: Cast) -> None:
    async with application(conninfo, cast, limits=Limits(partners=1, accounts=1, members=1)) as client:
        data = await account_data(client)
        distributor, own = await client.key(data.distributor), await client.key(data.partner)
        of_partner = f"/v1/partner/{data.partner.organisation_id}"
        new_partner = {"name": "A", "allocatedCapacity": 0, "distributorContractId": str(data.contract)}
        owner = {"contactEmail": f"{uuid4().hex}@example.org", "password": "Sesame-opens-1"}
        new_account = {"name": "A", "allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner}
        new_member = {"email": owner["contactEmail"], "password": "Sesame-opens-1", "role": "viewer"}
        for code, path, bearer, body in (
            ("too_many_partners", "/v1/partner", distributor, new_partner),
            ("too_many_accounts", f"{of_partner}/storage-accounts", distributor, new_account),
            ("too_many_accounts", "/v1/storage-account", own, new_account),
            ("too_many_members", f"{of_partner}/member", distributor, new_member),
        ):
            response = await client.call("POST", path, bearer, json=body)
            assert (response.status_code, response.json()["code"], response.json()["limit"]) == (409, code, 1)


async def test_the_console_refuses(conninfo: str, cast: Cast) -> None:
    async with application(conninfo, cast, limits=Limits(1, 1, 1, 1)) as client:
        data = await account_data(client)
        await client.key(data.partner)
        distributor, own = await client.sign_in(data.distributor), await client.sign_in(data.partner)
        of_partner = f"/distributor/partners/{data.partner.organisation_id}"
        email = f"{uuid4().hex}@example.org"
        new_member = {"name": "A", "email": email, "role": "viewer", "password": "correct horse battery"}
        new_account = {"name": "A", "email": email, "password": "Sesame-opens-1", "allocated": "0 TB"}
        for browser, path, fields in (
            (
                distributor,
                "/distributor/partners/new",
                {"contract": str(data.contract), "name": "A", "allocated": "0 TB"},
            ),
            (distributor, f"{of_partner}/accounts/new", new_account),
            (own, "/partner/accounts/new", new_account),
            (own, "/team/new", new_member),
            (distributor, f"{of_partner}/members/new", new_member),
            (own, "/keys/new", {"description": "A", "role": "viewer"}),
        ):
            response = await browser.send(path, fields)
            assert response.status_code == 409, (path, response.text)
            assert "has the maximum number of" in response.text, path


def test_the_command_line_refuses(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARTNERS_PER_DISTRIBUTOR", "MEMBERS_PER_ORGANISATION", "API_KEYS_PER_ORGANISATION"):
        monkeypatch.setenv(f"TONNAGE_MAX_{name}", "1")
    tonnage = Command(conninfo)
    contract = tonnage.contract(tonnage.distributor())
    partner = tonnage.partner(contract)
    new_key = ("key", "create", "--organisation", partner, "--role", "viewer", "--description", "A")
    new_member = ("member", "create", "--organisation", partner, "--role", "viewer")
    tonnage.ok(*new_key)
    tonnage.ok(*new_member, "--email", f"{uuid4().hex}@example.org", stdin="correct horse battery")
    for sentence, arguments, stdin in (
        (
            "maximum number of partners, 1.",
            ("partner", "create", "--contract", contract, "--name", "A", "--allocated", "0"),
            None,
        ),
        ("maximum number of API keys, 1.", new_key, None),
        (
            "maximum number of members, 1.",
            (*new_member, "--email", f"{uuid4().hex}@example.org"),
            "correct horse battery",
        ),
    ):
        assert sentence in tonnage.refused(*arguments, stdin=stdin)
