"""Partners against their contract: changes that the database permits, and the texts of refusals."""

import json
from uuid import UUID, uuid4

import pytest

from tests.cast import TB, Cast
from tests.unchanged import refused
from tonnage.access.actor import Actor
from tonnage.db import Database
from tonnage.errors import Conflict, NotFound
from tonnage.partners import actions
from tonnage.partners.partner import NewPartner, PartnerChange

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


async def change(cast: Cast, distributor: Actor, partner: Actor, **what: object) -> dict[str, object]:
    wanted = PartnerChange(**what)  # pyright: ignore[reportArgumentType]  the test's words are the fields
    changed = await cast.database.run(actions.update_partner, distributor, partner.organisation_id, wanted, cast.now)
    return json.loads(changed.json)


async def allocated(cast: Cast, contract: UUID) -> int:
    return (await cast.row("select allocated_capacity from contract where id = %s", contract))[0]


async def test_capacity_is_allocated_and_released(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    partner = await cast.partner(distributor, contract, 4 * TB)
    assert await allocated(cast, contract) == 4 * TB
    await change(cast, distributor, partner, allocated_capacity=9 * TB)
    assert await allocated(cast, contract) == 9 * TB
    await change(cast, distributor, partner, allocated_capacity=0)
    assert await allocated(cast, contract) == 0
    await change(cast, distributor, partner, allocated_capacity=10 * TB)
    await cast.database.run(actions.close_partner, distributor, partner.organisation_id, cast.now)
    assert await allocated(cast, contract) == 0


async def test_a_partner_as_it_is_is_not_written_again(cast: Cast) -> None:
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), TB, overdraft=False, name="Partner")

    async def versions() -> tuple[object, ...]:
        return await cast.row(
            "select p.ctid::text, o.ctid::text from partner p join organisation o using (id) where id = %s",
            partner.organisation_id,
        )

    before = await versions()
    same = await change(cast, distributor, partner, name="Partner", allocated_capacity=TB, allow_overdraft=False)
    assert await versions() == before
    assert (same["name"], same["allocatedCapacity"], same["allowOverdraft"]) == ("Partner", TB, False)
    renamed = await change(cast, distributor, partner, name="Other", allocated_capacity=TB)
    assert (renamed["name"], renamed["allocatedCapacity"]) == ("Other", TB)
    after = await versions()
    assert (after[0] != before[0], after[1] != before[1]) == (True, True)  # a new name is a new revision
    await change(cast, distributor, partner, allocated_capacity=2 * TB)
    assert [new != old for new, old in zip(await versions(), after, strict=True)] == [True, False]


async def test_a_contract_is_never_oversold_and_says_what_remains(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    partner = await cast.partner(distributor, contract, 4 * TB)
    async with refused(
        cast.database, Conflict, r"6 TB \(6000000000000 bytes\) left .* 6 TB \(6000000000001 bytes\) asked"
    ):
        await cast.partner(distributor, contract, 6 * TB + 1)
    async with refused(cast.database, Conflict, r"10 TB \(10000000000000 bytes\) left"):
        await change(cast, distributor, partner, allocated_capacity=10 * TB + 1)
    assert await allocated(cast, contract) == 4 * TB
    left_behind = await cast.row("select count(*) from organisation where parent_id = %s", distributor.organisation_id)
    assert left_behind == (1,)


async def test_an_overflow_of_the_total_is_the_same_refusal(cast: Cast) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 2**63 - 1)
    await cast.partner(distributor, contract, 2**63 - 2)
    async with refused(cast.database, Conflict, r"1 byte left .* \(9223372036854775807 bytes\)"):
        await cast.partner(distributor, contract, 2**63 - 1)


async def test_another_distributors_contract_is_not_found(cast: Cast) -> None:
    mine, theirs = await cast.distributor(), await cast.distributor()
    contract = await cast.contract(theirs)
    for unknown in (contract, uuid4()):
        async with refused(cast.database, NotFound):
            await cast.partner(mine, unknown, 1)
    assert await allocated(cast, contract) == 0


async def test_an_allocation_stays_above_what_is_given_onwards(cast: Cast) -> None:
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 5 * TB)
    await cast.account(partner, 3 * TB)
    async with refused(cast.database, Conflict, r"allocated 3 TB \(3000000000000 bytes\)"):
        await change(cast, distributor, partner, allocated_capacity=2 * TB)
    await change(cast, distributor, partner, allocated_capacity=0)
    async with refused(cast.database, Conflict):
        await change(cast, distributor, partner, allocated_capacity=2 * TB)
    await change(cast, distributor, partner, allocated_capacity=2 * TB, allow_overdraft=True)
    async with refused(cast.database, Conflict, "allow overdraft"):
        await change(cast, distributor, partner, allow_overdraft=False)


async def test_terms_follow_every_change_and_only_those(cast: Cast) -> None:
    distributor = await cast.distributor()
    first, second = await cast.contract(distributor), await cast.contract(distributor)
    partner = await cast.partner(distributor, first, TB)
    await change(cast, distributor, partner, name="Another name")
    await change(cast, distributor, partner, allocated_capacity=2 * TB)
    await change(cast, distributor, partner, allocated_capacity=2 * TB, allow_overdraft=False)
    await change(cast, distributor, partner, allow_overdraft=True)
    await cast.database.run(actions.move_partner, distributor, partner.organisation_id, second, cast.now)
    terms = await cast.row(
        "select array_agg(allocated_capacity order by id), array_agg(allow_overdraft order by id),"
        " array_agg(contract_id order by id) from partner_terms where partner_id = %s",
        partner.organisation_id,
    )
    assert terms == ([TB, 2 * TB, 2 * TB, 2 * TB], [False, False, True, True], [first, first, first, second])


async def test_a_move_takes_the_capacity_along(cast: Cast) -> None:
    distributor = await cast.distributor()
    first, second = await cast.contract(distributor, 10 * TB), await cast.contract(distributor, 3 * TB)
    pounds = await cast.contract(distributor, currency="GBP")
    strange = await cast.contract(await cast.distributor())
    partner = await cast.partner(distributor, first, 3 * TB)
    big = await cast.partner(distributor, first, 4 * TB)

    async def move(who: Actor, to: UUID) -> dict[str, object]:
        moved = await cast.database.run(actions.move_partner, distributor, who.organisation_id, to, cast.now)
        return json.loads(moved.json)

    assert (await move(partner, second))["distributorContractId"] == str(second)
    assert (await allocated(cast, first), await allocated(cast, second)) == (4 * TB, 3 * TB)
    assert (await move(partner, second))["distributorContractId"] == str(second)
    async with refused(cast.database, Conflict, "0 bytes left"):
        await move(big, second)
    async with refused(cast.database, Conflict, "currency"):
        await move(big, pounds)
    for unknown in (strange, uuid4()):
        async with refused(cast.database, NotFound, "contract"):
            await move(big, unknown)
    assert (await allocated(cast, first), await allocated(cast, second)) == (4 * TB, 3 * TB)


async def test_a_partner_closes_when_it_is_empty(cast: Cast, database: Database) -> None:
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner, empty = await cast.partner(distributor, contract, TB), await cast.partner(distributor, contract, TB)
    await cast.account(partner, TB)

    async def close(who: Actor) -> None:
        await database.run(actions.close_partner, distributor, who.organisation_id, cast.now)

    async with refused(cast.database, Conflict, "1 storage account,"):
        await close(partner)
    await close(empty)
    for _ in range(2):
        async with refused(cast.database, NotFound):
            await close(empty)
    async with refused(cast.database, NotFound):
        await change(cast, distributor, empty, name="Nobody")
    assert await allocated(cast, contract) == TB


async def test_a_refusal_inside_a_transaction_still_says_the_numbers(cast: Cast, database: Database) -> None:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, TB)
    partner = NewPartner(contract, "Too large", 2 * TB)
    async with refused(cast.database, Conflict, "1 TB"):
        await database.transaction(actions.create_partner, distributor, partner, cast.now)
