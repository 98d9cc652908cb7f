"""Terms when two machines' clocks differ: none begins before its predecessor, and the later written counts."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.cast import NOW, TB, Cast
from tests.source import texts
from tonnage.access.actor import Actor
from tonnage.accounts.account import AccountChange
from tonnage.accounts.change_actions import change_account
from tonnage.contracts.actions import amend_contract
from tonnage.contracts.contract import Amendment
from tonnage.db import Connection
from tonnage.partners.actions import move_partner, update_partner
from tonnage.partners.partner import PartnerChange

pytestmark = pytest.mark.anyio

EARLIER = NOW - timedelta(hours=1)
LATER = NOW + timedelta(hours=1)


@dataclass
class TermsData:
    cast: Cast
    distributor: Actor
    contract: UUID
    other_contract: UUID
    partner: Actor
    account: int


@pytest.fixture
async def data(cast: Cast) -> TermsData:
    await cast.region()
    distributor = await cast.distributor()
    contract, other = await cast.contract(distributor), await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 10 * TB)
    return TermsData(cast, distributor, contract, other, partner, await cast.account(partner, TB))


Work = Callable[[Connection], Awaitable[Any]]


@dataclass(frozen=True)
class Change:
    """A statement that replaces terms: it changes `what`, to each of `values`."""

    table: str
    of: str
    what: str
    do: Callable[[TermsData, Any], Work]
    values: tuple[Any, Any]


def _amend(data: TermsData, price: Decimal) -> Work:
    return lambda conn: amend_contract(conn, data.cast.operator, data.contract, Amendment(None, price), data.cast.now)


def _update(data: TermsData, allocated: int) -> Work:
    change, partner = PartnerChange(allocated_capacity=allocated), data.partner.organisation_id
    return lambda conn: update_partner(conn, data.distributor, partner, change, data.cast.now)


def _move(data: TermsData, to: str) -> Work:
    partner = data.partner.organisation_id
    return lambda conn: move_partner(conn, data.distributor, partner, getattr(data, to), data.cast.now)


def _change(data: TermsData, allocated: int) -> Work:
    change, partner = AccountChange(allocated_capacity=allocated), data.partner.organisation_id
    return lambda conn: change_account(conn, data.partner, partner, data.account, change, data.cast.now)


CHANGES = {
    "amendment": Change("contract_terms", "contract", "price_cents", _amend, (Decimal(90), Decimal(80))),
    "resize of a partner": Change("partner_terms", "partner", "allocated_capacity", _update, (9 * TB, 8 * TB)),
    "move": Change("partner_terms", "partner", "contract_id", _move, ("other_contract", "contract")),
    "resize of an account": Change("account_terms", "account", "allocated_capacity", _change, (2 * TB, 3 * TB)),
}


async def written(data: TermsData, change: Change) -> list[tuple[Any, Any]]:
    """Start and value of its terms, in the order of writing."""
    thing = {"contract": data.contract, "partner": data.partner.organisation_id, "account": data.account}[change.of]

    async def read(conn: Connection) -> list[tuple[Any, Any]]:
        table: Any = f"select valid_from, {change.what} from {change.table} where {change.of}_id = %s order by id"
        return [(at, value) for at, value in await (await conn.execute(table, [thing])).fetchall()]

    return await data.cast.database.run(read)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_clock_that_is_behind_moves_nothing_back(data: TermsData, change: Change) -> None:
    first, second = (getattr(data, value) if isinstance(value, str) else value for value in change.values)
    (begun, before), *_ = await written(data, change)
    assert begun == NOW
    for now, value in ((EARLIER, change.values[0]), (LATER, change.values[1]), (NOW, change.values[0])):
        data.cast.now = now
        await data.cast.database.run(change.do(data, value))
    assert await written(data, change) == [(NOW, before), (NOW, first), (LATER, second), (LATER, first)]


def test_every_statement_that_changes_terms_is_here() -> None:
    """A statement that also inserts the owner has no earlier terms."""
    changing: Counter[str] = Counter()
    for text in texts():
        for table in re.findall(r"insert into (\w+_terms)\b", text):
            if not re.search(rf"insert into (storage_)?{table.removesuffix('_terms')} ", text):
                changing[table] += 1
    assert changing == Counter(change.table for change in CHANGES.values())
