"""Closed distributors: nobody gets in, nothing comes under them, and lists and totals leave them out."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import Clock
from tests.authentication.members import WORD, person
from tests.capacity.test_waiting import Work, amend, in_transaction, run_blocked
from tests.cast import NOW, TB, Cast, with_role
from tests.unchanged import refused
from tonnage.access.actor import Actor, Role
from tonnage.api_keys.actions import create_key
from tonnage.api_keys.api_key import NewKey
from tonnage.api_keys.key_cache import KeyCache
from tonnage.authentication.sign_in_actions import WRONG_PASSWORD
from tonnage.clock import WallClock
from tonnage.contracts.actions import create_contract
from tonnage.contracts.contract import NewContract
from tonnage.contracts.lists import contract_totals
from tonnage.contracts.queries import all_contracts
from tonnage.db import Connection, ListQuery
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Forbidden, NotFound, ReauthenticationRequired, Unauthenticated
from tonnage.lists import ListState
from tonnage.locks.actions import lock_organisation
from tonnage.members.actions import create_member, create_team_member
from tonnage.members.member import NewMember
from tonnage.organisations.queries import distributor_choices, distributors
from tonnage.partners.actions import close_distributor, close_partner, create_partner
from tonnage.partners.contract_lists import CONTRACTS, contract_picker, contract_rows, one_contract
from tonnage.partners.distributor_lists import DISTRIBUTORS, distributor_rows, one_distributor
from tonnage.partners.partner import NewPartner
from tonnage.web.list_state import read_list_state

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

LATER = NOW + timedelta(days=1)


def close(actor: Actor, distributor: Actor) -> Work:
    return lambda conn: close_distributor(conn, actor, distributor.organisation_id, LATER)


def creation(what: str, cast: Cast, distributor: Actor, contract: UUID) -> Work:
    """Of something under a distributor."""
    own, email = distributor.organisation_id, f"{uuid4().hex}@example.org"
    partner, terms = NewPartner(contract, "Late", 0), NewContract(TB, Decimal(100), "EUR")
    member, key = NewMember(email, Role.STAFF, "hash"), NewKey("Late", Role.STAFF)
    works: dict[str, Work] = {
        "partner": lambda conn: create_partner(conn, distributor, partner, NOW),
        "contract": lambda conn: create_contract(conn, cast.operator, own, terms, NOW),
        "member": lambda conn: create_member(conn, cast.operator, own, member, NOW),
        "API key": lambda conn: create_key(conn, cast.operator, own, key, NOW),
    }
    return works[what]


@pytest.fixture
async def distributor(cast: Cast) -> Actor:
    return await cast.distributor(uuid4().hex)


@pytest.fixture
async def contract(cast: Cast, distributor: Actor) -> UUID:
    return await cast.contract(distributor, details=uuid4().hex)


async def test_members_and_keys_end_within_a_second(cast: Cast, distributor: Actor) -> None:
    ann, bystander = await person(cast, distributor), await person(cast, await cast.distributor())
    token, other = (await ann.sign_in()).token, (await bystander.sign_in()).token
    clock, key = Clock(), await cast.key(distributor)
    processes = [KeyCache(cast.database, WallClock(clock)) for _ in range(2)]
    for process in processes:
        await process.admit(key)
    await cast.database.run(close(cast.operator, distributor))
    assert await ann.visit(token) is None
    assert await bystander.visit(other)
    async with refused(cast.database, Unauthenticated, WRONG_PASSWORD):
        await ann.sign_in(WORD)
    clock.now += timedelta(seconds=1)
    for process in processes:
        with pytest.raises(Unauthenticated):
            await process.admit(key)
    again = NewMember(ann.email, Role.VIEWER, "hash")
    assert await cast.database.run(create_team_member, bystander.actor, again, NOW)


async def test_with_partners_it_stays_open(cast: Cast, distributor: Actor, contract: UUID) -> None:
    partners = [await cast.partner(distributor, contract) for _ in range(2)]
    await person(cast, distributor)
    for said in ("2 partners", "1 partner"):
        async with refused(cast.database, Conflict, f"still has {said}. Delete them first") as refusal:
            await cast.database.run(close(cast.operator, distributor))
        assert refusal.value.code is ConflictCode.DISTRIBUTOR_NOT_EMPTY
        await cast.database.run(close_partner, distributor, partners.pop().organisation_id, NOW)
    await cast.database.run(close(cast.operator, distributor))


async def test_who_may_close_what(cast: Cast, distributor: Actor, contract: UUID) -> None:
    seller = await cast.distributor()
    partner = await cast.partner(seller, await cast.contract(seller))
    forbidden = (with_role(cast.operator, Role.STAFF), with_role(cast.operator, Role.VIEWER), distributor, partner)
    cases: list[tuple[Actor, Actor, type[Exception]]] = [
        *((actor, distributor, Forbidden) for actor in forbidden),
        (replace(cast.operator, must_reauthenticate=True), distributor, ReauthenticationRequired),
        *(
            (cast.operator, other, NotFound)
            for other in (partner, cast.operator, replace(seller, organisation_id=uuid4()))
        ),
    ]
    for actor, other, error in cases:
        async with refused(cast.database, error):
            await cast.database.run(close(actor, other))
    await cast.database.run(close(cast.operator, distributor))
    async with refused(cast.database, NotFound):
        await cast.database.run(close(cast.operator, distributor))


async def lists(cast: Cast, distributor: Actor, contract: UUID) -> dict[str, bool]:
    """Whether each list has the distributor, or its contract."""
    (name,) = await cast.row("select name from organisation where id = %s", distributor.organisation_id)
    (details,) = await cast.row("select details from contract where id = %s", contract)

    def state(spec: Any, query: str, show: str = "") -> ListState:
        return read_list_state(spec, {"q": query, "show": show})

    async def has(query: ListQuery, text: UUID) -> bool:
        async def read(conn: Connection) -> str:
            return str(await (await conn.execute(*query())).fetchall())

        return str(text) in await cast.database.run(read)

    own, run = distributor.organisation_id, cast.database.run
    return {
        "open": bool((await run(distributor_rows, state(DISTRIBUTORS, name), cast.now.date())).rows),
        "closed": bool((await run(distributor_rows, state(DISTRIBUTORS, name, "closed"), cast.now.date())).rows),
        "choices": own in dict(await run(distributor_choices)),
        "command": await has(distributors(closed=False), own),
        "command of the closed": await has(distributors(closed=True), own),
        "contracts": bool((await run(contract_rows, None, state(CONTRACTS, details), NOW.date())).rows),
        "command of contracts": await has(all_contracts(), contract),
    }


async def test_lists_and_totals_leave_it_out(cast: Cast, distributor: Actor, contract: UUID) -> None:
    partner = await cast.partner(distributor, contract, 5 * TB)
    of_open = await lists(cast, distributor, contract)
    assert {what for what, has in of_open.items() if not has} == {"closed", "command of the closed"}
    await cast.database.run(close_partner, distributor, partner.organisation_id, NOW)
    before = await cast.database.run(contract_totals)
    await cast.database.run(close(cast.operator, distributor))
    assert await lists(cast, distributor, contract) == {what: not has for what, has in of_open.items()}
    after = await cast.database.run(contract_totals)
    assert (before.contracts - after.contracts, before.reserved - after.reserved) == (1, 100 * TB)


async def test_it_and_its_contracts_are_found_by_their_ids(cast: Cast, distributor: Actor, contract: UUID) -> None:
    own = distributor.organisation_id
    await cast.database.run(close(cast.operator, distributor))
    found, held = await cast.database.run(one_distributor, own), await cast.database.run(one_contract, None, contract)
    assert found
    assert held
    assert (found.closed_at, found.contracts, held.closed_at) == (LATER, 1, LATER)
    assert await cast.database.run(contract_picker, own) == [held]


@pytest.mark.parametrize("what", ["partner", "contract", "member", "API key"])
async def test_of_two_at_once_one_wins(what: str, cast: Cast, distributor: Actor, contract: UUID) -> None:
    """The statement of the creation of a partner is that of the programs of before, which the trigger refuses."""
    create, own = creation(what, cast, distributor, contract), distributor.organisation_id
    sizes = """
        select (select count(*) from partner where distributor_id = o.id and closed_at is null),
            (select count(*) from contract where distributor_id = o.id and closed_at is null),
            (select count(*) from member where organisation_id = o.id), o.closed_at
        from organisation o where o.id = %s"""
    first = run_blocked(cast, in_transaction(create), close(cast.operator, distributor))
    if what == "partner":
        with pytest.raises(Conflict, match="1 partner"):
            await first
        assert await cast.row(sizes, own) == (1, 1, 0, None)
        (late,) = await cast.row("select id from partner where distributor_id = %s", own)
        await cast.database.run(close_partner, distributor, late, NOW)
    else:
        await first
        assert await cast.row(sizes, own) == (0, 0, 0, LATER)
        distributor = await cast.distributor()
        contract = await cast.contract(distributor)
        create, own = creation(what, cast, distributor, contract), distributor.organisation_id
    with pytest.raises(NotFound):
        await run_blocked(cast, in_transaction(close(cast.operator, distributor)), create)
    assert await cast.row(sizes, own) == (0, 0, 0, LATER)


async def test_nothing_of_it_can_be_changed(cast: Cast, distributor: Actor, contract: UUID) -> None:
    await cast.database.run(close(cast.operator, distributor))
    for what in ("partner", "contract", "member", "API key"):
        async with refused(cast.database, NotFound):
            await cast.database.run(creation(what, cast, distributor, contract))
    async with refused(cast.database, NotFound):
        await cast.database.run(amend(cast, contract, TB))
    async with refused(cast.database, NotFound):
        await cast.database.run(lock_organisation, cast.operator, distributor.organisation_id, "Unpaid", LATER)


async def test_an_amendment_and_a_closing_at_once(cast: Cast, distributor: Actor, contract: UUID) -> None:
    with pytest.raises(NotFound):
        await run_blocked(cast, in_transaction(close(cast.operator, distributor)), amend(cast, contract, TB))
    other = await cast.distributor()
    contract = await cast.contract(other)
    await run_blocked(cast, in_transaction(amend(cast, contract, TB)), close(cast.operator, other))
    assert await cast.row("select reserved_capacity, closed_at from contract where id = %s", contract) == (TB, LATER)
