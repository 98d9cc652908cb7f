"""Copies and erasure: one case per audited action."""

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.authentication.members import person
from tonnage.partners.actions import close_partner
from tonnage.personal_data import actions


async def member_export(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    async with data.watched():
        await data.run(actions.begin_member_copy, data.operator, ann.email)
    return data.entry("member.export", data.operator, data.partner, ann.id)


async def organisation_export(data: AuditData) -> Recorded:
    whose = data.partner
    async with data.watched():
        await data.run(actions.begin_organisation_copy, data.operator, whose.organisation_id)
    return data.entry("organisation.export", data.operator, whose, whose.organisation_id)


async def organisation_erase(data: AuditData) -> Recorded:
    whose = data.partner
    await data.run(close_partner, data.distributor, whose.organisation_id, NOW)
    async with data.watched():
        await data.run(actions.erase_organisation, data.operator, whose.organisation_id)
    return data.entry("organisation.erase", data.operator, whose, whose.organisation_id)


CASES: list[Case] = [member_export, organisation_export, organisation_erase]
