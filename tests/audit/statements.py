"""Audit entries of statements. They have no sums: a distributor reads the entries of its partners."""

import json
from datetime import date
from uuid import UUID

from tests.audit.recorded import AuditData, Case, Recorded
from tests.cast import TB
from tests.statements.months import MARCH, Sellers, sellers
from tonnage.month_end.freezing_actions import freeze
from tonnage.statements import frozen_actions
from tonnage.statements.adjustment_actions import create_adjustment
from tonnage.statements.frozen import Payment


async def _sellers(data: AuditData) -> Sellers:
    found = await sellers(data.cast)
    for seller in (found.distributor, found.partner):
        await found.describe(seller)
    await found.price(found.distributor)
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
        await freeze(data.database, found.distributor, MARCH, data.cast.now)
    after = {"statements": 1, "first": "INV-2026-00001", "last": "INV-2026-00001"}
    return data.entry("statements.freeze", found.distributor, found.distributor, "2026-03", after=after)


async def statements_pay(data: AuditData) -> Recorded:
    statement_id = await _frozen(data)
    async with data.watched():
        payment = Payment(date(2026, 4, 2), "Line 4")
        await data.run(frozen_actions.pay, data.distributor, statement_id, payment)
    after = {"number": "INV-2026-00001", "paidOn": "2026-04-02"}
    return data.entry("statements.pay", data.distributor, data.distributor, statement_id, after=after)


async def statements_correct(data: AuditData) -> Recorded:
    found = await _sellers(data)
    await found.freeze(found.distributor)
    await found.store(12 * TB)
    async with data.watched():
        await freeze(data.database, found.distributor, MARCH, data.cast.now)
    after = {"adjustments": 1}
    return data.entry("statements.correct", found.distributor, found.distributor, "2026-03", after=after)


async def statements_adjust(data: AuditData) -> Recorded:
    found = await _sellers(data)
    buyer = found.partner.organisation_id
    async with data.watched():
        made = await data.run(create_adjustment, found.distributor, buyer, "-5", None, "Goodwill", data.cast.now)
    made_id = json.loads(made)["id"]
    return data.entry("statements.adjust", found.distributor, found.distributor, made_id, after={"buyer": "Pia"})


CASES: tuple[Case, ...] = (statements_freeze, statements_pay, statements_correct, statements_adjust)
