"""Actions on billing profiles: an organisation writes its own, and a seller those of its buyers."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.accounts.actions import no_account
from tonnage.billing_profiles import queries
from tonnage.billing_profiles.billing_profile import BillingProfile, ProfileSubject, changed, changed_facts
from tonnage.billing_profiles.queries import KeptProfile, ProfileUpdate
from tonnage.db import Connection
from tonnage.db.rendered import Versioned
from tonnage.errors import EditConflict, NotFound, PreconditionFailed
from tonnage.organisations.organisation import no_distributor, no_organisation, no_partner


def of_buyer(actor: Actor, organisation_id: UUID) -> ProfileSubject:
    """A distributor of the operator's, or a partner of a distributor's. NotFound: the actor itself is no such one."""
    subject = ProfileSubject(actor.organisation_id, organisation_id)
    if organisation_id == actor.organisation_id:
        raise _not_found(actor, subject)
    return subject


def of_account(actor: Actor, account_id: int) -> ProfileSubject:
    """A storage account of a partner's."""
    return ProfileSubject(actor.organisation_id, None, account_id)


async def find_profile(conn: Connection, actor: Actor, subject: ProfileSubject) -> KeptProfile:
    """The profile that the actor keeps. NotFound: the subject is out of its scope."""
    found = await queries.find_profile(conn, subject)
    if found is None:
        raise _not_found(actor, subject)
    return found


async def show_profile(conn: Connection, actor: Actor, subject: ProfileSubject) -> Versioned:
    """The same as JSON."""
    found = await find_profile(conn, actor, subject)
    return Versioned(_rendered(subject, found.profile, found.own), found.revision)


async def set_profile(
    conn: Connection,
    actor: Actor,
    subject: ProfileSubject,
    profile: BillingProfile,
    now: datetime,
    *,
    revision: int | None = None,
) -> Versioned:
    """Replaces a profile as a whole; returns it as JSON. NotFound. PreconditionFailed: it is not in the given
    `revision`.
    """
    actor.require(actor.kind, Role.ADMIN)
    async with conn.transaction():
        held = await _held(conn, actor, subject, now)
        if revision not in {None, held.revision}:
            raise PreconditionFailed(_rendered(subject, held.profile, held.own), held.revision)
        return await _written(conn, actor, subject, held, profile, now)


async def change_profile(
    conn: Connection,
    actor: Actor,
    subject: ProfileSubject,
    change: Mapping[str, str],
    now: datetime,
    *,
    expected: Mapping[str, str],
) -> Versioned:
    """Changes some fields, by their names in BillingProfile. NotFound; Invalid, for all fields that are wrong at once.
    EditConflict: one of them is neither as `expected` nor as it is to be.
    """
    actor.require(actor.kind, Role.ADMIN)
    async with conn.transaction():
        held = await _held(conn, actor, subject, now)
        profile = changed(held.profile, change)
        present, wanted = asdict(held.profile), asdict(profile)
        if any(present[name] not in {expected[name], wanted[name]} for name in change):
            raise EditConflict
        return await _written(conn, actor, subject, held, profile, now)


async def _held(conn: Connection, actor: Actor, subject: ProfileSubject, now: datetime) -> KeptProfile:
    held = await queries.hold_profile(conn, subject, now)
    if held is None:
        raise _not_found(actor, subject)
    return held


async def _written(
    conn: Connection, actor: Actor, subject: ProfileSubject, held: KeptProfile, profile: BillingProfile, now: datetime
) -> Versioned:
    response = _rendered(subject, profile, held.own)
    if profile == held.profile:
        await queries.save_unchanged(conn, response, held.revision, actor.stamp)
        return Versioned(response, held.revision)
    before = held.profile.audited() if held.profile else None
    update = ProfileUpdate(profile, response, before, changed_facts(held.profile, profile))
    return Versioned(response, await queries.update_profile(conn, subject, update, now, actor.stamp))


def _rendered(subject: ProfileSubject, profile: BillingProfile, own: BillingProfile) -> bytes:
    document = {**subject.identity, **profile.as_document()}
    if own:
        document["buyersOwn"] = own.as_document()
    return json.dumps(document, ensure_ascii=False).encode()


def _not_found(actor: Actor, subject: ProfileSubject) -> NotFound:
    if subject.account_id is not None:
        return no_account(subject.account_id)
    if subject.organisation_id is None or subject.organisation_id == subject.keeper_id:
        return no_organisation(subject.keeper_id)
    return (
        no_distributor(subject.organisation_id) if actor.kind is Kind.OPERATOR else no_partner(subject.organisation_id)
    )
