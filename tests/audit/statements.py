"""Audit entries of statements. They have no sums: a distributor reads the entries of its partners."""

import json
from dataclasses import replace
from datetime import date
from uuid import UUID

from tests.audit.recorded import AuditData, Case, Recorded
from tests.cast import TB
from tests.statements.months import MARCH, Sellers, sellers_with_prices, services_of
from tonnage.access.actor import system_stamp
from tonnage.credit_notes.actions import create_credit_note, void_statement
from tonnage.month_end.freezing_actions import freeze
from tonnage.numbering.actions import open_stores
from tonnage.numbering.queries import skip
from tonnage.numbering.series import Gap, Series
from tonnage.statement_mails.queries import queue_mails, store_sent
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


async def _freeze(data: AuditData) -> list[Recorded]:
    found = await _sellers(data)
    async with data.watched():
        await freeze(services_of(data.database), found.distributor, MARCH, data.cast.now)
    ((statement_id,),) = await found.rows("id", found.distributor)
    number = "INV-2026-00001"
    of_month, seller = {"statements": 1, "first": number, "last": number}, found.distributor
    return [
        data.entry("statements.freeze", seller, seller, "2026-03", after=of_month),
        data.entry("statements.number", seller, seller, statement_id, after={"number": number}),
        data.entry("statements.receive", seller, found.partner, statement_id, after={"number": number}),
    ]


async def statements_freeze(data: AuditData) -> Recorded:
    frozen, numbered, received = await _freeze(data)
    return replace(frozen, beside=(numbered, received))


async def statements_number(data: AuditData) -> Recorded:
    frozen, numbered, received = await _freeze(data)
    return replace(numbered, beside=(frozen, received))


async def statements_receive(data: AuditData) -> Recorded:
    frozen, numbered, received = await _freeze(data)
    return replace(received, beside=(frozen, numbered))


async def statements_mail(data: AuditData) -> Recorded:
    statement_id = await _frozen(data)
    await data.run(queue_mails, [statement_id], data.cast.now)
    async with data.watched():
        await data.run(store_sent, statement_id, data.cast.now, system_stamp())
    return data.entry("statements.mail", data.job, data.distributor, statement_id, after={"number": "INV-2026-00001"})


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


async def _credit(data: AuditData) -> tuple[Recorded, Recorded]:
    found = await _sellers(data)
    await found.freeze(found.distributor)
    ((statement_id,),) = await found.rows("id", found.distributor)
    stores, seller = await open_stores(services_of(data.database)), data.distributor
    async with data.watched():
        made = await data.run(create_credit_note, stores, seller, statement_id, None, "Outage", data.cast.now)
    after = {"number": "INV-2026-00002", "original": "INV-2026-00001"}
    return (
        data.entry("statements.credit", seller, seller, made.id, after=after),
        data.entry("statements.receive-credit", seller, found.partner, made.id, after=after),
    )


async def statements_credit(data: AuditData) -> Recorded:
    credited, received = await _credit(data)
    return replace(credited, beside=(received,))


async def statements_receive_credit(data: AuditData) -> Recorded:
    credited, received = await _credit(data)
    return replace(received, beside=(credited,))


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
    statements_number,
    statements_receive,
    statements_mail,
    statements_pay,
    statements_correct,
    statements_adjust,
    statements_credit,
    statements_receive_credit,
    statements_void,
)
