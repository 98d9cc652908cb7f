"""Organisations, members, sign-in and API keys: one case per audited action, or several if its entries differ."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from pyotp.totp import TOTP

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.authentication.members import OTHER_WORD, WORD, FakeOutbox, Person, cheap, client, person, services_of
from tests.blocks.failing import block, block_pair, blocks_seen_by, exhaust_address
from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys import actions as api_keys
from tonnage.api_keys.api_key import NewKey
from tonnage.api_keys.queries import announce_expiry
from tonnage.api_keys.rate_limit import KeyLimit
from tonnage.authentication import credential_actions, reset_actions, second_factor_actions, throttling
from tonnage.authentication.jobs import notify_blocked, notify_failures
from tonnage.authentication.session import SignedInMember
from tonnage.authentication.throttling import WARNED_AT, AddressFailures
from tonnage.blocks.actions import lift_block
from tonnage.clock import WallClock
from tonnage.devices.actions import make_link
from tonnage.locks import actions as locks
from tonnage.mail import Mailer
from tonnage.members import actions as member_actions
from tonnage.members.member import MemberChange, NewMember
from tonnage.organisations import actions as organisations
from tonnage.sessions import actions as sessions

LATER = NOW + timedelta(minutes=5)


async def distributor_create(data: AuditData) -> Recorded:
    async with data.watched():
        made = await data.run(organisations.create_distributor, data.operator, "Distribution", NOW)
    whose = Actor(made, Kind.DISTRIBUTOR, Role.ADMIN, "cli")
    return data.entry("distributor.create", data.operator, whose, made, after={"name": "Distribution"})


async def key_create(data: AuditData) -> Recorded:
    whose, details = data.partner, NewKey("Export", Role.VIEWER)
    async with data.watched():
        key, facts = await data.run(api_keys.create_key, data.operator, whose.organisation_id, details, NOW)
    after = {"description": "Export", "role": "viewer", "prefix": key[:8]}
    return data.entry("key.create", data.operator, whose, facts.id, after=after)


async def key_limit(data: AuditData) -> Recorded:
    whose, details = data.partner, NewKey("Export", Role.VIEWER, limit=KeyLimit(20))
    _, facts = await data.run(api_keys.create_key, whose, whose.organisation_id, details, NOW)
    async with data.watched():
        await data.run(api_keys.limit_key, whose, facts.id, KeyLimit(None))
    before, after = {"requestsPerSecond": 20}, {"requestsPerSecond": None}
    return data.entry("key.limit", whose, whose, facts.id, before=before, after=after)


async def _expiring(data: AuditData, days: int, year: int) -> Recorded:
    """In a year in which no other test has keys in this database."""
    whose, until = data.partner, datetime(year, 1, 21, tzinfo=UTC)
    details = NewKey("Export", Role.VIEWER, until)
    _, facts = await data.run(api_keys.create_key, whose, whose.organisation_id, details, until - timedelta(days=20))
    async with data.watched():
        await data.run(announce_expiry, until - timedelta(days=days), data.job.stamp)
        await data.run(announce_expiry, until - timedelta(days=days), data.job.stamp)
    after = {"validUntil": f"{year}-01-21T00:00:00Z"}
    return data.entry("key.near-expiry" if days else "key.expire", data.job, whose, facts.id, after=after)


async def key_near_expiry(data: AuditData) -> Recorded:
    return await _expiring(data, 14, 2001)


async def key_expire(data: AuditData) -> Recorded:
    return await _expiring(data, 0, 2003)


async def key_revoke(data: AuditData) -> Recorded:
    whose = data.partner
    _, facts = await data.run(api_keys.create_key, whose, whose.organisation_id, NewKey("Export", Role.VIEWER), NOW)
    async with data.watched():
        await data.run(api_keys.revoke_key, whose, facts.id, NOW)
    return data.entry("key.revoke", whose, whose, facts.id)


async def key_revoke_of_a_partner(data: AuditData) -> Recorded:
    whose = data.partner
    _, facts = await data.run(api_keys.create_key, whose, whose.organisation_id, NewKey("Export", Role.VIEWER), NOW)
    async with data.watched():
        await data.run(api_keys.revoke_key, data.distributor, facts.id, NOW)
        await data.run(api_keys.revoke_key, data.operator, facts.id, NOW)
    return data.entry("key.revoke", data.distributor, whose, facts.id)


def _new(role: Role) -> NewMember:
    return NewMember(f"{uuid4().hex}@example.org", role, "hash")


async def member_create(data: AuditData) -> Recorded:
    whose = data.distributor
    async with data.watched():
        made = await data.run(member_actions.create_team_member, whose, _new(Role.STAFF), NOW)
    return data.entry("member.create", whose, whose, made.id, after={"role": "staff"})


async def _member_of_partner(data: AuditData, role: Role = Role.VIEWER) -> UUID:
    partner = data.partner.organisation_id
    made = await data.run(member_actions.create_partner_member, data.distributor, partner, _new(role), NOW)
    return made.id


async def member_create_by_distributor(data: AuditData) -> Recorded:
    async with data.watched():
        made = await _member_of_partner(data)
    return data.entry("member.create", data.distributor, data.partner, made, after={"role": "viewer"})


async def member_update(data: AuditData) -> Recorded:
    partner, member = data.partner.organisation_id, await _member_of_partner(data)
    async with data.watched():
        change = MemberChange("Ann", Role.STAFF)
        await data.run(member_actions.change_member, data.distributor, partner, member, change)
    after = {"role": "staff", "nameChanged": True}
    return data.entry("member.update", data.distributor, data.partner, member, {"role": "viewer"}, after)


async def member_delete(data: AuditData) -> Recorded:
    partner, member = data.partner.organisation_id, await _member_of_partner(data)
    async with data.watched():
        await data.run(member_actions.delete_member, data.partner, partner, member)
    return data.entry("member.delete", data.partner, data.partner, member, before={"role": "viewer"})


async def member_delete_by_distributor(data: AuditData) -> Recorded:
    partner, member = data.partner.organisation_id, await _member_of_partner(data, Role.STAFF)
    async with data.watched():
        await data.run(member_actions.delete_partner_member, data.distributor, partner, member)
    return data.entry("member.delete", data.distributor, data.partner, member, before={"role": "staff"})


async def member_set_password(data: AuditData) -> Recorded:
    partner, member = data.partner.organisation_id, await _member_of_partner(data)
    async with data.watched():
        await data.run(credential_actions.set_password, data.distributor, partner, member, "hash")
    return data.entry("member.set-password", data.distributor, data.partner, member)


async def member_set_password_of_its_own(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    visitor = await ann.signed_in_member()
    async with data.watched():
        await credential_actions.change_own_password(data.database, cheap(), visitor, WORD, OTHER_WORD, ann.client, NOW)
    return data.entry("member.set-password", ann.actor, data.partner, ann.id)


async def member_set_password_by_mail(data: AuditData) -> Recorded:
    ann, kept = await person(data.cast, data.partner), FakeOutbox()
    await reset_actions.send_reset(data.database, Mailer(kept, "https://t"), ann.id, WallClock(lambda: NOW))
    token = kept.sent[0].text.split("/sign-in/new-password/")[1].split()[0]
    async with data.watched():
        await data.run(reset_actions.reset_password, token, "hash", ann.client, NOW)
    return data.entry("member.set-password", ann.actor, data.partner, ann.id)


async def member_blocked(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    async with data.watched():
        await notify_blocked(services_of(ann, lambda: NOW, Mailer(FakeOutbox(), "https://t")), str(ann.id))
    return data.entry("member.blocked", data.job, data.partner, ann.id)


async def member_sign_in_failures(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    address = AddressFailures.of(ann.email, NOW)
    added = "insert into sign_in_failures (subject, hour, failures) values (%s, %s, %s) returning failures"
    await data.cast.row(added, address.digest, address.hour, WARNED_AT)
    async with data.watched():
        await notify_failures(services_of(ann, lambda: NOW, Mailer(FakeOutbox(), "https://t")), str(ann.id))
    after = {"failures": WARNED_AT}
    return data.entry("member.sign-in-failures", data.job, data.partner, ann.id, after=after)


async def member_allow_sign_in(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    async with data.watched():
        await data.run(make_link, data.operator, ann.email, NOW)
    return data.entry("member.allow-sign-in", data.operator, data.partner, ann.id)


class _Protected(NamedTuple):
    """A member of the partner with a second factor, in an open session."""

    ann: Person
    visitor: SignedInMember
    codes: list[str]


async def _protected(data: AuditData) -> _Protected:
    ann = await person(data.cast, data.partner)
    _, codes, token = await ann.enrol(data.key_file)
    visitor = await ann.visit(token)
    assert visitor is not None
    return _Protected(ann, visitor, codes)


async def member_add_second_factor(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    visitor = await ann.signed_in_member()
    app = TOTP((await ann.begin(data.key_file, visitor)).seed)
    async with data.watched():
        await data.run(second_factor_actions.confirm_enrolment, data.key_file, visitor, app.at(NOW), NOW)
    return data.entry("member.add-second-factor", ann.actor, data.partner, ann.id)


async def member_use_recovery_code(data: AuditData) -> Recorded:
    one = await _protected(data)
    async with data.watched():
        assert await data.run(second_factor_actions.use_code, data.key_file, one.visitor, one.codes[0], LATER)
    return data.entry("member.use-recovery-code", one.ann.actor, data.partner, one.ann.id)


async def member_renew_recovery_codes(data: AuditData) -> Recorded:
    one = await _protected(data)
    async with data.watched():
        await data.run(second_factor_actions.renew_recovery_codes, one.visitor)
    return data.entry("member.renew-recovery-codes", one.ann.actor, data.partner, one.ann.id)


async def member_remove_second_factor(data: AuditData) -> Recorded:
    one = await _protected(data)
    async with data.watched():
        await data.run(second_factor_actions.remove_second_factor, one.visitor)
    return data.entry("member.remove-second-factor", one.ann.actor, data.partner, one.ann.id)


async def member_reset_second_factor(data: AuditData) -> Recorded:
    one, partner = await _protected(data), data.partner.organisation_id
    async with data.watched():
        await data.run(credential_actions.reset_second_factor, data.distributor, partner, one.ann.id)
    return data.entry("member.reset-second-factor", data.distributor, data.partner, one.ann.id)


async def organisation_require_second_factor(data: AuditData) -> Recorded:
    whose = replace(await data.cast.distributor(), via="member", via_id=uuid4())
    async with data.watched():
        await data.run(second_factor_actions.require_second_factor, data.key_file, whose, True)
    before, after = {"required": False}, {"required": True}
    return data.entry("organisation.require-second-factor", whose, whose, whose.organisation_id, before, after)


async def member_lock(data: AuditData) -> Recorded:
    partner, member = data.partner.organisation_id, await _member_of_partner(data)
    async with data.watched():
        await data.run(locks.lock_member, data.distributor, partner, member, NOW)
        await data.run(locks.lock_member, data.distributor, partner, member, LATER)
    return data.entry("member.lock", data.distributor, data.partner, member)


async def member_unlock(data: AuditData) -> Recorded:
    partner, member = data.partner.organisation_id, await _member_of_partner(data)
    await data.run(locks.lock_member, data.distributor, partner, member, NOW)
    async with data.watched():
        await data.run(locks.unlock_member, data.distributor, partner, member)
        await data.run(locks.unlock_member, data.distributor, partner, member)
    return data.entry("member.unlock", data.distributor, data.partner, member)


async def organisation_lock(data: AuditData) -> Recorded:
    partner = data.partner.organisation_id
    async with data.watched():
        await data.run(locks.lock_organisation, data.distributor, partner, "Unpaid", NOW)
        await data.run(locks.lock_organisation, data.distributor, partner, "Unpaid", LATER)
    after = {"reason": "Unpaid"}
    return data.entry("organisation.lock", data.distributor, data.partner, partner, after=after)


async def organisation_lock_with_another_reason(data: AuditData) -> Recorded:
    partner = data.partner.organisation_id
    await data.run(locks.lock_organisation, data.distributor, partner, "Unpaid", NOW)
    async with data.watched():
        await data.run(locks.lock_organisation, data.operator, partner, "Abuse", LATER)
    before, after = {"reason": "Unpaid"}, {"reason": "Abuse"}
    return data.entry("organisation.lock", data.operator, data.partner, partner, before, after)


async def organisation_unlock(data: AuditData) -> Recorded:
    partner = data.partner.organisation_id
    await data.run(locks.lock_organisation, data.distributor, partner, "Unpaid", NOW)
    async with data.watched():
        await data.run(locks.unlock_organisation, data.operator, partner)
        await data.run(locks.unlock_organisation, data.operator, partner)
    return data.entry("organisation.unlock", data.operator, data.partner, partner, before={"reason": "Unpaid"})


async def member_end_sessions(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner, Role.STAFF)
    await ann.sign_in()
    await ann.sign_in()
    async with data.watched():
        await data.run(sessions.end_sessions, data.distributor, data.partner.organisation_id, ann.id)
        await data.run(sessions.end_sessions, data.distributor, data.partner.organisation_id, ann.id)
    return data.entry("member.end-sessions", data.distributor, data.partner, ann.id, after={"sessions": 2})


async def member_end_sessions_one_by_one(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner, Role.STAFF)
    session = (await ann.signed_in_member()).session_id
    async with data.watched():
        await data.run(sessions.end_session, data.distributor, data.partner.organisation_id, session)
    return data.entry("member.end-sessions", data.distributor, data.partner, ann.id, after={"sessions": 1})


async def member_lift_block(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    await block_pair(data.cast, ann)
    [seen] = await blocks_seen_by(data.cast, data.partner)
    async with data.watched():
        await data.run(lift_block, data.distributor, seen.id, NOW)
    return data.entry("member.lift-block", data.distributor, data.partner, ann.id, before={"failures": 10})


async def member_lift_block_of_its_address(data: AuditData) -> Recorded:
    ann = await person(data.cast, data.partner)
    await exhaust_address(data.cast, ann)
    [seen] = await blocks_seen_by(data.cast, data.partner)
    async with data.watched():
        await data.run(lift_block, data.distributor, seen.id, NOW)
    return data.entry("member.lift-block", data.distributor, data.partner, ann.id, before={"failures": 100})


async def installation_lift_block(data: AuditData) -> Recorded:
    address = client().address
    await block(data.cast, throttling.client(address)[0])
    [seen] = await blocks_seen_by(data.cast, data.operator, throttling.network_of(address))
    async with data.watched():
        await data.run(lift_block, data.operator, seen.id, NOW)
    return data.entry("installation.lift-block", data.operator, data.operator, seen.id, before={"failures": 100})


CASES: list[Case] = [
    member_end_sessions,
    member_end_sessions_one_by_one,
    member_lift_block,
    member_lift_block_of_its_address,
    installation_lift_block,
    distributor_create,
    key_create,
    key_limit,
    key_near_expiry,
    key_expire,
    key_revoke,
    key_revoke_of_a_partner,
    member_create,
    member_create_by_distributor,
    member_update,
    member_delete,
    member_delete_by_distributor,
    member_set_password,
    member_set_password_of_its_own,
    member_set_password_by_mail,
    member_blocked,
    member_sign_in_failures,
    member_allow_sign_in,
    member_add_second_factor,
    member_use_recovery_code,
    member_renew_recovery_codes,
    member_remove_second_factor,
    member_reset_second_factor,
    organisation_require_second_factor,
    member_lock,
    member_unlock,
    organisation_lock,
    organisation_lock_with_another_reason,
    organisation_unlock,
]
