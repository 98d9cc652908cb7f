"""Audit entries of statements. They have no sums: a distributor reads the entries of its partners."""

import json
from datetime import date
from uuid import UUID

from tests.audit.recorded import AuditData, Case, Recorded
from tests.cast import TB
from tests.statements.months import MARCH, Sellers, sellers_with_prices, services_of
from tonnage.credit_notes.actions import create_credit_note, void_statement
from tonnage.month_end.freezing_actions import freeze
from tonnage.numbering.actions import open_stores
from tonnage.numbering.queries import skip
from tonnage.numbering.series import Gap, Series
from tonnage.statements import actions
from tonnage.statements.adjustment_actions import create_adjustment
from tonnage.statements.frozen import Payment


async def _sellers(data: AuditData) -> Sellers:
    found = await sellers_with_prices(data.cast)
    data.distributor = found.distributor
    return found


async def _frozen(data: AuditData) -> UUID:
    found = await _sellers(data)
    await found.freeze(found.distributor)
    ((statement_id,),) = await found.rows("id", found.distributor)
    return statement_id


async def statements_freeze(data: AuditData) -> Recorded:
    found = await _sellers(data)
    async with data.watched():
        await freeze(services_of(data.database), found.distributor, MARCH, data.cast.now)
    after = {"statements": 1, "first": "INV-2026-00001", "last": "INV-2026-00001"}
    return data.entry("statements.freeze", found.distributor, found.distributor, "2026-03", after=after)


async def statements_pay(data: AuditData) -> Recorded:
    statement_id = await _frozen(data)
    async with data.watched():
        payment = Payment(date(2026, 4, 2), "Line 4")
        await data.run(actions.pay, data.distributor, statement_id, payment)
    after = {"number": "INV-2026-00001", "paidOn": "2026-04-02"}
    return data.entry("statements.pay", data.distributor, data.distributor, statement_id, after=after)


async def statements_correct(data: AuditData) -> Recorded:
    found = await _sellers(data)
    await found.freeze(found.distributor)
    await found.store(12 * TB)
    async with data.watched():
        await freeze(services_of(data.database), found.distributor, MARCH, data.cast.now)
    after = {"adjustments": 1}
    return data.entry("statements.correct", found.distributor, found.distributor, "2026-03", after=after)


async def statements_adjust(data: AuditData) -> Recorded:
    found = await _sellers(data)
    buyer = found.partner.organisation_id
    async with data.watched():
        made = await data.run(create_adjustment, found.distributor, buyer, "-5", None, "Goodwill", data.cast.now)
    made_id = json.loads(made)["id"]
    return data.entry("statements.adjust", found.distributor, found.distributor, made_id, after={"buyer": "Pia"})


async def statements_credit(data: AuditData) -> Recorded:
    statement_id = await _frozen(data)
    stores = await open_stores(services_of(data.database))
    async with data.watched():
        made = await data.run(
            create_credit_note,
            stores,
            data.distributor,
            statement_id,
            None,
            "Outage",
            data.cast.now,
        )
    after = {"number": "INV-2026-00002", "original": "INV-2026-00001"}
    return data.entry("statements.credit", data.distributor, data.distributor, made.id, after=after)


async def statements_void(data: AuditData) -> Recorded:
    statement_id = await _frozen(data)
    async with data.watched():
        await data.run(void_statement, data.distributor, statement_id, "Wrong address", data.cast.now)
    after = {"number": "INV-2026-00001", "reason": "Wrong address"}
    return data.entry("statements.void", data.distributor, data.distributor, statement_id, after=after)


async def statements_skip(data: AuditData) -> Recorded:
    """When a restored database is confirmed."""
    seller, operator = data.distributor.organisation_id, data.cast.operator
    gap = Gap(Series(seller, "A{number}", 0), 2, 5)
    async with data.watched():
        await data.run(skip, [gap], data.cast.now, operator.stamp)
    return data.entry("statements.skip", operator, data.distributor, seller, after={"numbers": "A2 to A5"})


CASES: tuple[Case, ...] = (
    statements_skip,
    statements_freeze,
    statements_pay,
    statements_correct,
    statements_adjust,
    statements_credit,
    statements_void,
)
