"""Partners that are suspended and resumed, by a person and by the rule about overdue statements."""

from datetime import date, datetime, timedelta
from uuid import UUID

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.statements.inserted import insert_statement
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.billing_profiles.settings_actions import set_settings
from tonnage.db import Connection
from tonnage.statements.actions import pay
from tonnage.statements.frozen import Payment
from tonnage.suspensions import actions
from tonnage.suspensions.overdue_actions import apply_rules, resume_if_settled

_DUE = datetime(2026, 3, 17, 12, tzinfo=NOW.tzinfo)


async def partner_suspend(data: AuditData) -> Recorded:
    partner_id = data.partner.organisation_id
    async with data.watched():
        for _ in range(2):
            await data.run(actions.suspend_partner, data.distributor, partner_id, "Unpaid", NOW)
    after = {"reason": "Unpaid", "cause": "person", "revision": 2}
    return data.entry("partner.suspend", data.distributor, data.partner, partner_id, after=after)


async def partner_resume(data: AuditData) -> Recorded:
    partner_id = data.partner.organisation_id
    await data.run(actions.suspend_partner, data.distributor, partner_id, "Unpaid", NOW)
    async with data.watched():
        for _ in range(2):
            await data.run(actions.resume_partner, data.distributor, partner_id)
    before, after = {"reason": "Unpaid", "cause": "person"}, {"cause": "person", "revision": 3}
    return data.entry("partner.resume", data.distributor, data.partner, partner_id, before, after)


async def _statement(data: AuditData) -> tuple[UUID, str]:

    async def others_off(conn: Connection) -> None:
        await conn.execute("update seller_settings set suspend_overdue_days = 0")

    await data.run(others_off)
    await data.run(set_settings, data.distributor, SellerSettings(suspend_overdue_days=30), NOW - timedelta(days=9))
    statement_id = await data.run(insert_statement, data.distributor, data.partner, data.contract)
    return statement_id, f"T-{statement_id}"


async def partner_warn_of_suspension(data: AuditData) -> Recorded:
    statement_id, number = await _statement(data)
    partner_id = data.partner.organisation_id
    async with data.watched():
        for _ in range(2):
            await apply_rules(data.database, _DUE + timedelta(days=23))
    after = {"day": "2026-04-16", "statement": number, "statementId": str(statement_id), "dueOn": "2026-03-17"}
    return data.entry("partner.warn-of-suspension", data.job, data.partner, partner_id, after=after)


async def partner_suspend_overdue(data: AuditData) -> Recorded:
    statement_id, number = await _statement(data)
    partner_id = data.partner.organisation_id
    await apply_rules(data.database, _DUE + timedelta(days=29))
    async with data.watched():
        for _ in range(2):
            await apply_rules(data.database, _DUE + timedelta(days=30))
    reason = f"Statement {number} is overdue since 2026-03-17"
    facts = {"statementId": str(statement_id), "statement": number, "dueOn": "2026-03-17"}
    after = {"reason": reason, "cause": "overdue", **facts, "revision": 2}
    return data.entry("partner.suspend", data.job, data.partner, partner_id, after=after)


async def partner_resume_settled(data: AuditData) -> Recorded:
    statement_id, number = await _statement(data)
    partner_id = data.partner.organisation_id
    for days in (29, 30):
        await apply_rules(data.database, _DUE + timedelta(days=days))
    await data.run(pay, data.distributor, statement_id, Payment(date(2026, 4, 17), "Line 4"))
    async with data.watched():
        for _ in range(2):
            await resume_if_settled(data.database, partner_id, _DUE + timedelta(days=31))
    before = {"reason": f"Statement {number} is overdue since 2026-03-17", "cause": "overdue"}
    after = {"cause": "settled", "revision": 3}
    return data.entry("partner.resume", data.job, data.partner, partner_id, before, after)


CASES: list[Case] = [
    partner_suspend,
    partner_resume,
    partner_warn_of_suspension,
    partner_suspend_overdue,
    partner_resume_settled,
]
