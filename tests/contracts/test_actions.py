"""Refused changes of contracts, and that they have no effect."""

import json
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.cast import TB, Cast, with_role
from tests.unchanged import refused
from tonnage.access.actor import Role
from tonnage.contracts.actions import amend_contract, create_contract
from tonnage.contracts.contract import Amendment, NewContract
from tonnage.errors import Conflict, Forbidden, NotFound

pytestmark = pytest.mark.anyio

NEW = NewContract(TB, Decimal(100), "EUR")


async def test_less_than_its_partners_have_been_allocated(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    await cast.partner(distributor, contract, 4 * TB)
    below = Amendment(4 * TB - 1, Decimal(1), "Renamed")
    async with refused(cast.database, Conflict, r"4 TB \(4000000000000 bytes\) allocated to the contract's partners"):
        await cast.database.run(amend_contract, cast.operator, contract, below, cast.now)
    just = Amendment(4 * TB)
    await cast.database.run(amend_contract, cast.operator, contract, just, cast.now)


async def test_a_contract_as_it_is_is_not_written_again(cast: Cast) -> None:
    contract = await cast.contract(await cast.distributor(), TB, details="Disks")

    async def amended(amendment: Amendment) -> tuple[object, object]:
        shown = json.loads(await cast.database.run(amend_contract, cast.operator, contract, amendment, cast.now))
        assert (shown["reservedCapacity"], shown["costStorageGBCents"]) == (TB, "100")
        (version,) = await cast.row("select ctid::text from contract where id = %s", contract)
        return version, shown.get("details")

    before, _ = await amended(Amendment())
    assert await amended(Amendment(TB, Decimal("100.0"), "Disks")) == (before, "Disks")
    version, details = await amended(Amendment(details=""))
    assert (version == before, details) == (False, None)


async def test_of_an_unknown_distributor(cast: Cast) -> None:
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    async with refused(cast.database, NotFound):
        await cast.database.run(amend_contract, cast.operator, uuid4(), Amendment(TB), cast.now)
    for nobody in (uuid4(), partner.organisation_id, cast.operator.organisation_id):
        async with refused(cast.database, NotFound):
            await cast.database.run(create_contract, cast.operator, nobody, NEW, cast.now)


async def test_by_another_organisation(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    for actor in (distributor, with_role(cast.operator, Role.STAFF)):
        async with refused(cast.database, Forbidden):
            await cast.database.run(amend_contract, actor, contract, Amendment(TB), cast.now)
        async with refused(cast.database, Forbidden):
            await cast.database.run(create_contract, actor, distributor.organisation_id, NEW, cast.now)
