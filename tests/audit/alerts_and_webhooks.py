"""Alert levels that are crossed, what members choose to be notified of, and webhooks."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, LiteralString, TypeAlias
from uuid import UUID

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.authentication.members import person
from tests.cast import TB
from tests.webhooks.inserted import insert_webhook
from tonnage.access.actor import Actor, Role, system_stamp
from tonnage.alerts import actions
from tonnage.contact_mails.actions import set_contact_mails, stop_mails
from tonnage.contact_mails.queries import email_key_of
from tonnage.contact_mails.stop_link import read_token, stop_path
from tonnage.notifications.actions import change_preferences
from tonnage.notifications.notification_kind import Delivery
from tonnage.overdraft_caps import actions as caps
from tonnage.overdraft_caps.overdraft_cap import NewCap
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.webhooks import actions as webhooks
from tonnage.webhooks.delivery import DeliveryAttempt, DueDelivery
from tonnage.webhooks.delivery_queries import store_attempt
from tonnage.webhooks.endpoint import EndpointChange

_Things: TypeAlias = Callable[[AuditData], Awaitable[Mapping[str, tuple[object, Actor]]]]

_USES: dict[str, LiteralString] = {
    "account": "update account_usage set used = %(used)s where account_id = %(id)s",
    "partner": "update partner set used = %(used)s where id = %(id)s",
    "contract": "update contract set used = %(used)s where id = %(id)s",
}


async def _use(data: AuditData, subject: str, subject_id: object, used: int) -> None:
    async def update(conn: Any) -> None:
        await conn.execute(_USES[subject], {"used": used, "id": subject_id})

    await data.database.run(update)


async def _things(data: AuditData) -> Mapping[str, tuple[object, Actor]]:
    """Each with a capacity of 1 TB, and whose it is."""
    contract = await data.cast.contract(data.distributor, TB)
    partner = await data.cast.partner(data.distributor, contract, TB)
    return {
        "account": (await data.cast.account(partner, TB), partner),
        "partner": (partner.organisation_id, partner),
        "contract": (contract, data.distributor),
    }


async def _capped_things(data: AuditData) -> Mapping[str, tuple[object, Actor]]:
    """Pay-per-use, which has no capacity but a cap of 1 TB."""
    partner = await data.cast.partner(data.distributor, await data.cast.contract(data.distributor, TB))
    account, cap = await data.cast.account(partner), NewCap(capacity=TB)
    await data.run(caps.set_of_account, partner, account, cap, NOW)
    await data.run(caps.set_of_partner, data.distributor, partner.organisation_id, cap, NOW)
    return {"account": (account, partner), "partner": (partner.organisation_id, partner)}


def _crossing(things: _Things, subject: str, verb: str, percent: int, level: int | None) -> Case:
    async def case(data: AuditData) -> Recorded:
        subject_id, owner = (await things(data))[subject]
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


async def organisation_set_contact_mails(data: AuditData) -> Recorded:
    contract = await data.cast.contract(data.distributor, TB)
    whose = await data.cast.partner(data.distributor, contract, TB)
    async with data.watched():
        for _ in range(2):
            await data.database.transaction(set_contact_mails, whose, enabled=False)
    facts = {"before": {"enabled": True}, "after": {"enabled": False}}
    return data.entry("organisation.set-contact-mails", whose, whose, whose.organisation_id, **facts)


async def account_stop_contact_mails(data: AuditData) -> Recorded:
    contract = await data.cast.contract(data.distributor, TB)
    whose = await data.cast.partner(data.distributor, contract, TB)
    account = await data.cast.account(whose, TB)
    email_key = await data.database.run(email_key_of, account) or ""
    link = read_token(stop_path(account, email_key, bytes(32)).rpartition("/")[2])
    assert link is not None
    async with data.watched():
        for _ in range(2):
            await data.database.transaction(stop_mails, link, NOW, system_stamp())
    return data.entry("account.stop-contact-mails", data.job, whose, account)


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
            await data.run(change_preferences, ann.actor, {"keys": Delivery.DAILY})
    return data.entry("member.choose-notifications", ann.actor, data.distributor, member, after={"keys": "daily"})


def _services(data: AuditData) -> Services:
    return Services(data.database, OpenBackends(data.database, None), key_file=data.key_file)


_URL = "https://example.com/hooks"


async def webhook_create(data: AuditData) -> Recorded:
    whose = data.distributor
    async with data.watched():
        made = await data.run(
            webhooks.create_endpoint, _services(data), whose, EndpointChange(_URL, "Tickets", ("key.created",)), NOW
        )
    after = {"url": _URL, "description": "Tickets", "types": ["key.created"], "enabled": True}
    return data.entry("webhook.create", whose, whose, made.id, after=after)


async def webhook_update(data: AuditData) -> Recorded:
    whose = data.distributor
    made = await insert_webhook(data.cast, whose)
    async with data.watched():
        for _ in range(2):
            change = EndpointChange(enabled=False)
            await data.run(webhooks.change_endpoint, _services(data), whose, made.id, change, NOW)
    before, after = {"url": _URL, "enabled": True}, {"url": _URL, "enabled": False}
    return data.entry("webhook.update", whose, whose, made.id, before, after)


async def webhook_delete(data: AuditData) -> Recorded:
    whose = data.distributor
    made = await insert_webhook(data.cast, whose)
    async with data.watched():
        await data.run(webhooks.delete_endpoint, whose, made.id)
    return data.entry("webhook.delete", whose, whose, made.id, before={"url": _URL, "enabled": True})


async def webhook_revoke_secret(data: AuditData) -> Recorded:
    whose = data.distributor
    made = await insert_webhook(data.cast, whose)
    async with data.watched():
        await data.run(webhooks.revoke_secret, whose, made.id, made.secret)
    return data.entry("webhook.revoke-secret", whose, whose, made.id)


async def webhook_add_secret(data: AuditData) -> Recorded:
    whose = data.distributor
    made = await insert_webhook(data.cast, whose)
    await data.run(webhooks.revoke_secret, whose, made.id, made.secret)
    async with data.watched():
        await data.run(webhooks.add_secret, _services(data), whose, made.id, NOW)
    return data.entry("webhook.add-secret", whose, whose, made.id)


async def webhook_test(data: AuditData) -> Recorded:
    whose = data.distributor
    made = await insert_webhook(data.cast, whose)
    async with data.watched():
        await data.run(webhooks.send_test, whose, made.id, NOW)
    return data.entry("webhook.test", whose, whose, made.id)


async def webhook_replay(data: AuditData) -> Recorded:
    whose = data.distributor
    made = await insert_webhook(data.cast, whose)
    async with data.watched():
        await data.run(webhooks.replay, whose, made.id, NOW, delivery_id=made.delivery)
    return data.entry("webhook.replay", whose, whose, made.id, after={"events": 1})


async def webhook_disable(data: AuditData) -> Recorded:
    made = await insert_webhook(data.cast, data.distributor)
    delivery = DueDelivery(made.delivery, UUID(int=1), "key.created", NOW, 0)
    async with data.watched():
        for _ in range(2):
            await data.run(store_attempt, made.id, delivery, DeliveryAttempt(NOW, 5, 410, ""), NOW)
    return data.entry(
        "webhook.disable",
        data.job,
        data.distributor,
        made.id,
        after={"url": "https://example.com/hooks", "reason": "gone"},
    )


CASES: list[Case] = [
    *(
        _crossing(_things, subject, verb, percent, level)
        for subject in ("account", "partner", "contract")
        for verb, percent, level in (("reach-level", 91, 90), ("exceed", 100, 100), ("leave-level", 10, None))
    ),
    *(
        _crossing(_capped_things, subject, verb, percent, level)
        for subject in ("account", "partner")
        for verb, percent, level in (
            ("reach-cap-level", 91, 90),
            ("exceed-cap", 100, 100),
            ("leave-cap-level", 10, None),
        )
    ),
    organisation_set_alert_levels,
    organisation_set_contact_mails,
    account_stop_contact_mails,
    member_choose_notifications,
    webhook_create,
    webhook_update,
    webhook_delete,
    webhook_add_secret,
    webhook_revoke_secret,
    webhook_test,
    webhook_replay,
    webhook_disable,
]
