"""Lists of partners, contracts and distributors: search, filters, sort orders, paging and scope."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.cast import TB, Cast, unique
from tests.list_pages import walk
from tests.usage.steps import LATER, OPENED, TODAY, at, record
from tonnage.access.actor import Actor
from tonnage.lists import ListState, PageOf
from tonnage.partners import actions as partners
from tonnage.partners.contract_lists import CONTRACTS, contract_picker, contract_rows, every_contract, one_contract
from tonnage.partners.distributor_lists import DISTRIBUTORS, distributor_rows, every_distributor, one_distributor
from tonnage.partners.lists import OWN_PARTNERS, PartnerRow, every_partner, partner_rows
from tonnage.partners.partner_queries import partner_detail, partner_totals
from tonnage.web.list_state import read_list_state

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

HOSTILE = ["100%", "a_b", "back\\slash", 'O\'Neil "Sons"', "ship 🚢 GmbH", "ÄRGER straße", "a%b"]


@dataclass(frozen=True)
class PartnerData:
    distributor: Actor
    contract: UUID
    other: UUID

    @property
    def scope(self) -> UUID:
        return self.distributor.organisation_id


@pytest.fixture
async def data(cast: Cast) -> PartnerData:
    cast.now = OPENED
    await cast.region()
    distributor = await cast.distributor()
    return PartnerData(distributor, await cast.contract(distributor), await cast.contract(distributor, details="Other"))


async def asked(cast: Cast, scope: UUID | None, contract: UUID | None = None, **query: str) -> PageOf[PartnerRow]:
    return await read(cast, scope, contract, read_list_state(OWN_PARTNERS, query))


async def read(cast: Cast, scope: UUID | None, contract: UUID | None, state: ListState) -> PageOf[PartnerRow]:
    """One page; also checks that the whole list, row by row, has the same rows there."""
    found = await cast.database.run(partner_rows, scope, contract, state, TODAY)
    async with cast.database.streams.connection() as conn:
        whole = await collected(every_partner(conn, scope, contract, state, TODAY))
    assert len(whole) == found.total
    assert whole[found.preceding : found.preceding + len(found.rows)] == found.rows
    return found


async def collected(rows: AsyncIterator[Any]) -> list[Any]:
    return [row async for row in rows]


def names(found: PageOf[PartnerRow]) -> list[str]:
    return [row.name for row in found.rows]


async def test_a_partners_row(cast: Cast, data: PartnerData) -> None:
    name = unique("Nimbus")
    partner = await cast.partner(data.distributor, data.other, 5 * TB, overdraft=True, name=name)
    account = await cast.account(partner, 2 * TB)
    await record(cast, (account, at("2026-01-06"), 3 * TB))
    (row,) = (await asked(cast, data.scope)).rows
    assert row == await cast.row(
        "select p.id, %s, p.contract_id, 'Other', d.id, d.name, 5 * 10^12::bigint, true, 2 * 10^12::bigint,"
        " 3 * 10^12::numeric, 1, %s::timestamptz, null, null, null, null, false, null"
        " from partner p join organisation d on d.id = p.distributor_id where p.id = %s",
        name,
        OPENED,
        partner.organisation_id,
    )


async def test_pages_of_equal_rows_miss_and_repeat_nothing(cast: Cast, data: PartnerData) -> None:
    made = [(await cast.partner(data.distributor, data.contract)).organisation_id for _ in range(60)]
    for sort in OWN_PARTNERS.sorts:
        for way, expected in ((".asc", made), (".desc", made[::-1])):
            seen: list[UUID] = []
            state = read_list_state(OWN_PARTNERS, {"sort": sort + way, "size": "25"})
            async for found in walk(state, partial(read, cast, data.scope, None)):
                assert found.total == 60
                assert found.preceding == len(seen)
                seen += [row.id for row in found.rows]
            assert sorted(seen) == sorted(made)
            if sort == "fee":  # of equal rows by id
                assert seen == sorted(made, reverse=way == ".desc")
            elif sort != "name":
                assert seen == expected
    last = await asked(cast, data.scope, sort="created.asc", size="25", page="last")
    assert [row.id for row in last.rows] == made[50:]


async def test_sorts(cast: Cast, data: PartnerData) -> None:
    sizes = {"b": (5 * TB, 4 * TB), "A": (TB, 3 * TB), "c": (0, TB), "É": (9 * TB, 9 * TB)}
    for name, (allocated, used) in sizes.items():
        partner = await cast.partner(data.distributor, data.contract, allocated, name=name)
        accounts = [await cast.account(partner) for _ in range(1 + (name == "c"))]
        await record(cast, (accounts[0], at("2026-01-06"), used))
    expected = {
        "created.asc": "bAcÉ",
        "created": "ÉcAb",
        "name": "AbcÉ",
        "name.desc": "ÉcbA",
        "allocated": "ÉbAc",
        "allocated.asc": "cAbÉ",
        "used": "ÉbAc",
        "used.asc": "cAbÉ",
        "load": "AÉbc",
        "accounts": "cÉAb",
    }
    for sort, order in expected.items():
        assert "".join(names(await asked(cast, data.scope, sort=sort))) == order, sort


async def test_use_beyond_every_integer_is_sorted_too(cast: Cast, data: PartnerData) -> None:
    first = await cast.partner(data.distributor, data.contract)
    second = await cast.partner(data.distributor, data.contract)
    accounts = [await cast.account(owner) for owner in (first, first, second)]
    await record(cast, *[(account, at("2026-01-06"), 2**63 - 1) for account in accounts])
    found = await asked(cast, data.scope, sort="used")
    assert [int(row.used) for row in found.rows] == [2 * (2**63 - 1), 2**63 - 1]


async def test_hostile_search_words_are_literal(cast: Cast, data: PartnerData) -> None:
    for name in HOSTILE:
        await cast.partner(data.distributor, data.contract, name=name)
    for words, expected in {
        "%": ["a%b", "100%"],
        "_": ["a_b"],
        "\\": ["back\\slash"],
        "'": ['O\'Neil "Sons"'],
        'sons"': ['O\'Neil "Sons"'],
        "🚢": ["ship 🚢 GmbH"],
        "ärger": ["ÄRGER straße"],
        "GMBH": ["ship 🚢 GmbH"],
        "  neil  ": ['O\'Neil "Sons"'],
        "'; drop table partner; --": [],
        "a": ["a%b", "ÄRGER straße", "back\\slash", "a_b"],
        "": HOSTILE[::-1],
    }.items():
        assert names(await asked(cast, data.scope, q=words)) == expected, words


async def test_filters(cast: Cast, data: PartnerData) -> None:
    uses = {"none": (0, 5), "low": (100, 89), "near": (100, 90), "full": (100, 100), "over": (100, 101), "max": (0, 0)}
    for name, (allocated, used) in uses.items():
        partner = await cast.partner(data.distributor, data.contract, allocated, name=name)
        await record(cast, (await cast.account(partner), at("2026-01-06"), used))
    for show, expected in {
        "pay-per-use": ["none", "max"],
        "near": ["near", "full"],
        "over": ["over"],
        "": list(uses),
    }.items():
        assert names(await asked(cast, data.scope, show=show, sort="created.asc")) == expected
    assert names(await asked(cast, data.scope, show="near", q="ful")) == ["full"]


async def test_scopes(cast: Cast, data: PartnerData) -> None:
    word = uuid4().hex
    here = await cast.partner(data.distributor, data.contract, name=f"{word} here")
    there = await cast.partner(data.distributor, data.other, name=f"{word} there")
    closed = await cast.partner(data.distributor, data.contract, name=f"{word} closed")
    await cast.database.run(partners.close_partner, data.distributor, closed.organisation_id, OPENED)
    rival = await cast.distributor()
    foreign = await cast.partner(rival, await cast.contract(rival), name=f"{word} foreign")

    async def ids(scope: UUID | None, contract: UUID | None = None) -> set[UUID]:
        return {row.id for row in (await asked(cast, scope, contract, q=word)).rows}

    assert await ids(data.scope) == {here.organisation_id, there.organisation_id}
    assert await ids(data.scope, data.contract) == {here.organisation_id}
    assert await ids(None) == {here.organisation_id, there.organisation_id, foreign.organisation_id}
    assert await ids(None, data.other) == {there.organisation_id}
    assert await ids(rival.organisation_id, data.contract) == set()
    assert await ids(uuid4()) == set()
    assert (await asked(cast, uuid4())) == ([], 0, 0, None, None)


async def test_facts_of_one_partner(cast: Cast, data: PartnerData) -> None:
    partner = await cast.partner(data.distributor, data.other, 40 * TB)
    own = partner.organisation_id
    rival = await cast.distributor()
    for scope, seen in ((data.scope, True), (None, True), (rival.organisation_id, False), (own, False)):
        facts = await cast.database.run(partner_detail, scope, own)
        assert bool(facts) is seen
        if facts:
            assert (facts.contract, facts.contract_remaining, facts.price_cents, facts.currency) == (
                "Other",
                60 * TB,
                100,
                "EUR",
            )
            assert (facts.allocated, facts.allocated_to_accounts, facts.members, facts.accounts) == (40 * TB, 0, 0, 0)
    for scope, seen in ((data.scope, True), (None, True), (rival.organisation_id, False), (own, True)):
        totals = await cast.database.run(partner_totals, scope, own)
        assert bool(totals) is seen


async def test_contracts(cast: Cast, data: PartnerData) -> None:
    await cast.partner(data.distributor, data.contract, 91 * TB)
    await cast.partner(data.distributor, data.other, 90 * TB)
    gone = await cast.partner(data.distributor, data.other)
    await cast.database.run(partners.close_partner, data.distributor, gone.organisation_id, OPENED)

    async def ids(scope: UUID | None, **query: str) -> list[UUID]:
        state = read_list_state(CONTRACTS, query)
        found = await cast.database.run(contract_rows, scope, state, TODAY)
        async with cast.database.streams.connection() as conn:
            whole = await collected(every_contract(conn, scope, state, TODAY))
        assert whole[: len(found.rows)] == found.rows
        assert len(whole) == found.total
        return [row.id for row in found.rows]

    assert await ids(data.scope) == [data.other, data.contract]
    for sort in CONTRACTS.sorts:
        assert set(await ids(data.scope, sort=sort)) == {data.contract, data.other}
    assert await ids(data.scope, show="full") == [data.contract]
    assert await ids(data.scope, q="oTHer") == [data.other]
    assert await ids(uuid4()) == []
    assert data.contract in await ids(None, size="250")
    picked = await cast.database.run(contract_picker, data.scope)
    assert [(row.id, row.allocated, row.remaining, row.partners) for row in picked] == [
        (data.contract, 91 * TB, 9 * TB, 1),
        (data.other, 90 * TB, 10 * TB, 1),
    ]
    for scope, seen in ((data.scope, True), (None, True), (uuid4(), False)):
        one = await cast.database.run(one_contract, scope, data.other)
        assert (one == picked[1]) is seen


async def test_distributors(cast: Cast, data: PartnerData) -> None:
    partner = await cast.partner(data.distributor, data.contract, 7 * TB)
    await record(cast, (await cast.account(partner), at("2026-01-06"), 5), now=LATER)
    idle = await cast.distributor()
    made = await cast.row("select name from organisation where id = %s", data.scope)
    for sort in DISTRIBUTORS.sorts:
        state = read_list_state(DISTRIBUTORS, {"q": made[0].upper(), "sort": sort})
        found = await cast.database.run(distributor_rows, state, LATER.date())
        async with (
            cast.database.streams.connection() as conn,
            aclosing(every_distributor(conn, state, LATER.date())) as rows,
        ):
            assert [row async for row in rows] == found.rows
        (row,) = found.rows
        assert row == (data.scope, made[0], 2, 1, 200 * TB, 7 * TB, 5, OPENED, None, None, None, None)
        assert row == await cast.database.run(one_distributor, data.scope)
    row = await cast.database.run(one_distributor, idle.organisation_id)
    assert row is not None
    assert (row.contracts, row.partners, row.reserved, row.used) == (0, 0, 0, 0)
    assert await cast.database.run(one_distributor, partner.organisation_id) is None
