"""What is no change, and is in the audit log all the same: one case per action, or several if its entries differ."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.authentication.members import Person, client, person
from tonnage.access.actor import Actor
from tonnage.authentication import session_queries
from tonnage.devices.actions import use_link
from tonnage.devices.device import LINK_PAUSE, LINK_VALID_FOR
from tonnage.devices.queries import insert_link
from tonnage.security_events.actions import record_attempt, record_export, record_refusal, write_counted
from tonnage.security_events.counted_event import Counted
from tonnage.sessions.queries import end_sessions
from tonnage.tokens import new_token
from tonnage.utc import hour_of

_NEXT_HOUR = NOW + timedelta(hours=1, minutes=1)


async def member_sign_in(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    async with data.watched():
        await ann.sign_in()
    return data.entry("member.sign-in", ann.actor, data.partner, ann.id, after={"newDevice": True})


async def member_sign_in_with_a_code_on_a_known_device(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    app, _, _ = await ann.enrol(data.key_file)
    later = NOW + timedelta(minutes=1)
    token = (await ann.sign_in(now=later)).token
    device = (await ann.give_code(data.key_file, token, app.at(later), later)).device
    again = later + timedelta(minutes=1)
    at = client()
    token = (await ann.sign_in(now=again, at=at)).token
    async with data.watched():
        known = type(at)(at.address, at.agent, device)
        await ann.give_code(data.key_file, token, app.at(again), again, at=known)
    return data.entry("member.sign-in", ann.actor, data.partner, ann.id, after={"secondFactor": True})


async def member_sign_out(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    visitor = await ann.signed_in_member()
    async with data.watched():
        await data.run(session_queries.sign_out, ann.id, visitor.session_id, visitor.actor.stamp)
        # It has ended already.
        await data.run(session_queries.sign_out, ann.id, visitor.session_id, visitor.actor.stamp)
    return data.entry("member.sign-out", ann.actor, data.partner, ann.id)


async def member_end_sessions_own(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    visitor = await ann.signed_in_member()
    async with data.watched():
        await data.run(end_sessions, ann.id, visitor.actor.stamp, only=visitor.session_id)
    return data.entry("member.end-sessions", ann.actor, data.partner, ann.id, after={"sessions": 1})


async def member_end_sessions_all_but_one(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    visitor = await ann.signed_in_member()
    await ann.sign_in()
    await ann.sign_in()
    async with data.watched():
        await data.run(end_sessions, ann.id, visitor.actor.stamp, but=visitor.session_id)
        await data.run(end_sessions, ann.id, visitor.actor.stamp, but=visitor.session_id)
    return data.entry("member.end-sessions", ann.actor, data.partner, ann.id, after={"sessions": 2})


async def member_use_sign_in_link(data: AuditData) -> Recorded:
    ann, token = await person(data.cast, data.partner), new_token()
    await data.run(insert_link, ann.id, token, NOW, LINK_VALID_FOR, LINK_PAUSE)
    async with data.watched():
        await data.run(use_link, token, "", NOW)
    return data.entry("member.use-sign-in-link", ann.actor, data.partner, ann.id)


def _attempts(action: Counted) -> Case:
    async def attempts(data: AuditData) -> Recorded:
        ann = await person(data.cast, data.partner)

        async def count() -> None:
            await data.run(record_attempt, action, ann.id, NOW)
            await data.run(record_attempt, action, uuid4(), NOW)  # an address that no member has

        return await _counted(data, action, data.job, ann.id, count)

    return _named(attempts, action)


def _refusals(actor_of: Callable[[AuditData, Person], Actor], action: Counted) -> Case:
    async def refusals(data: AuditData) -> Recorded:
        actor = actor_of(data, await person(data.cast, data.partner))

        async def count() -> None:
            await data.run(record_refusal, actor, "role_too_low", NOW)

        return await _counted(data, action, actor, actor.via_id, count, {"code": "role_too_low"})

    return _named(refusals, action)


def _named(case: Case, action: Counted) -> Case:
    case.__name__ = action.replace(".", "_").replace("-", "_")
    return case


async def _counted(
    data: AuditData,
    action: Counted,
    actor: Actor,
    subject: UUID | None,
    count: Callable[[], Awaitable[None]],
    more: dict[str, object] | None = None,
) -> Recorded:
    """Twice in an hour is one entry, which follows when the hour is over."""
    await write_counted(data.database, _NEXT_HOUR)  # what other tests have counted
    async with data.watched():
        await count()
        await count()
        assert await write_counted(data.database, NOW) == 0
        assert await write_counted(data.database, _NEXT_HOUR) == 1
        assert await write_counted(data.database, _NEXT_HOUR) == 0
    after = {"times": 2, "hour": f"{hour_of(NOW):%Y-%m-%dT%H:%M:%SZ}", **(more or {})}
    return data.entry(action, actor, data.partner, subject, after=after)


async def organisation_export_file(data: AuditData) -> Recorded:
    whose = data.partner
    async with data.watched():
        await data.run(record_export, whose, whose.organisation_id, "partners.csv")
    after = {"file": "partners.csv"}
    return data.entry("organisation.export-file", whose, whose, whose.organisation_id, after=after)


CASES: list[Case] = [
    member_sign_in,
    member_sign_in_with_a_code_on_a_known_device,
    member_sign_out,
    member_end_sessions_own,
    member_end_sessions_all_but_one,
    member_use_sign_in_link,
    *map(
        _attempts,
        (
            Counted.FAILED_PASSWORD,
            Counted.FAILED_CODE,
            Counted.FAILED_LOCKED,
            Counted.REQUESTED_PASSWORD,
            Counted.REQUESTED_LINK,
        ),
    ),
    _refusals(lambda _, ann: ann.actor, Counted.MEMBER_REFUSED),
    _refusals(lambda data, _: data.partner, Counted.KEY_REFUSED),
    organisation_export_file,
]
