"""Alert levels that are crossed, and what members choose to be notified of."""

from typing import Any, LiteralString
from uuid import UUID

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.authentication.members import person
from tests.cast import TB
from tonnage.access.actor import Actor, Role
from tonnage.alerts import actions
from tonnage.notifications.actions import choose
from tonnage.notifications.notification_kind import Delivery

_USES: dict[str, LiteralString] = {
    "account": "update account_usage set used = %(used)s where account_id = %(id)s",
    "partner": "update partner set used = %(used)s where id = %(id)s",
    "contract": "update contract set used = %(used)s where id = %(id)s",
}


async def _use(data: AuditData, subject: str, subject_id: object, used: int) -> None:
    async def update(conn: Any) -> None:
        await conn.execute(_USES[subject], {"used": used, "id": subject_id})

    await data.database.run(update)


def _crossing(subject: str, verb: str, percent: int, level: int | None) -> Case:
    async def case(data: AuditData) -> Recorded:
        contract = await data.cast.contract(data.distributor, TB)
        partner = await data.cast.partner(data.distributor, contract, TB)
        whose: dict[str, tuple[object, Actor]] = {
            "account": (await data.cast.account(partner, TB), partner),
            "partner": (partner.organisation_id, partner),
            "contract": (contract, data.distributor),
        }
        subject_id, owner = whose[subject]
        if level is None:
            await _use(data, subject, subject_id, TB // 2)
        await actions.evaluate(data.database, NOW)  # what other tests have left
        await _use(data, subject, subject_id, percent * TB // 100)
        async with data.watched():
            await actions.evaluate(data.database, NOW)
            await actions.evaluate(data.database, NOW)
        after = {"used": percent * TB // 100, "capacity": TB} | ({} if level is None else {"level": level})
        return data.entry(f"{subject}.{verb}", data.job, owner, subject_id, after=after)

    case.__name__ = f"{subject}_{verb.replace('-', '_')}"
    return case


async def organisation_set_alert_levels(data: AuditData) -> Recorded:
    whose = await data.cast.distributor()
    async with data.watched():
        for _ in range(2):
            await data.run(actions.set_levels, whose, [70, 90])
    return data.entry("organisation.set-alert-levels", whose, whose, whose.organisation_id, after={"levels": [70, 90]})


async def member_choose_notifications(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.distributor, Role.VIEWER)
    member: UUID = ann.id
    async with data.watched():
        for _ in range(2):
            await data.run(choose, ann.actor, {"keys": Delivery.DAILY})
    return data.entry("member.choose-notifications", ann.actor, data.distributor, member, after={"keys": "daily"})


CASES: list[Case] = [
    *(
        _crossing(subject, verb, percent, level)
        for subject in ("account", "partner", "contract")
        for verb, percent, level in (("reach-level", 91, 90), ("exceed", 100, 100), ("leave-level", 10, None))
    ),
    organisation_set_alert_levels,
    member_choose_notifications,
]
