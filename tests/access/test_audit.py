"""The audit log, as pages read it."""

import uuid
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from tests.authentication.members import Person, person
from tests.cast import NOW, Cast
from tonnage.access import lists as access_lists
from tonnage.access.actor import Actor, Role
from tonnage.access.audit import AuditEntry, AuditFilter, AuditPosition
from tonnage.api_keys import actions as api_key_actions
from tonnage.api_keys.api_key import NewKey
from tonnage.db import Database
from tonnage.members import actions as member_actions
from tonnage.members.member import NewMember

pytestmark = pytest.mark.anyio

EVERYTHING = AuditFilter()


async def read(
    database: Database,
    scope: UUID | None,
    audit_filter: AuditFilter = EVERYTHING,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    return await database.run(access_lists.audit_entries, scope, audit_filter, AuditPosition(before), limit)


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor("Distribution"), name="Ann Miller")


async def added(ann: Person, organisation_id: UUID) -> None:
    details = NewMember(f"{uuid.uuid4().hex}@example.org", Role.VIEWER, "hash")
    await ann.database.run(member_actions.create_member, ann.actor, organisation_id, details, NOW)


async def test_actor_action_and_subject(ann: Person, cast: Cast) -> None:
    own = ann.actor.organisation_id
    key, _ = await ann.database.run(
        api_key_actions.create_key, ann.actor, own, NewKey("Nightly export", Role.VIEWER), NOW
    )
    newest, *_, oldest = await read(ann.database, own)
    assert (newest.actor_kind, newest.actor_id, newest.actor_name) == ("member", ann.id, "Ann Miller")
    assert (newest.actor_organisation, newest.organisation) == ("Distribution", "Distribution")
    assert (newest.action, newest.subject_name) == ("key.create", f"Nightly export ({key[:8]}…)")
    assert newest.before is None
    assert newest.after == {"description": "Nightly export", "prefix": key[:8], "role": "viewer"}
    assert (oldest.action, oldest.actor_kind, oldest.actor_name) == ("distributor.create", "cli", None)
    assert oldest.subject_name == "Distribution"
    assert oldest.id < newest.id


async def test_a_distributor_sees_its_partners_entries_and_no_others(ann: Person, cast: Cast) -> None:
    partner = await cast.partner(ann.actor, await cast.contract(ann.actor), name="Hillside")
    stranger = await person(cast, await cast.distributor())
    await added(ann, partner.organisation_id)
    await added(stranger, stranger.actor.organisation_id)
    seen = await read(ann.database, ann.actor.organisation_id)
    assert {entry.organisation_id for entry in seen} == {ann.actor.organisation_id, partner.organisation_id}
    assert [entry.action for entry in seen][:2] == ["member.create", "partner.create"]
    assert seen[1].subject_name == "Hillside"
    of_partner = await read(ann.database, partner.organisation_id)
    assert {entry.organisation_id for entry in of_partner} == {partner.organisation_id}
    # The partner sees the distributor's organisation, but not the member.
    assert (of_partner[0].actor_organisation, of_partner[0].actor_name) == ("Distribution", None)
    every = await read(ann.database, None, limit=1000)
    assert {entry.id for entry in seen} < {entry.id for entry in every}
    assert await read(ann.database, uuid.uuid4()) == []


async def test_entries_are_filtered(ann: Person, cast: Cast) -> None:
    own = ann.actor.organisation_id
    partner = await cast.partner(ann.actor, await cast.contract(ann.actor))
    await added(ann, partner.organisation_id)

    async def actions_of(audit_filter: AuditFilter) -> list[str]:
        return [entry.action for entry in await read(ann.database, own, audit_filter)]

    everything = ["member.create", "partner.create", "contract.create", "member.create", "distributor.create"]
    assert await actions_of(AuditFilter()) == everything
    assert await actions_of(AuditFilter(action="member")) == ["member.create"] * 2
    assert await actions_of(AuditFilter(action="member.create")) == ["member.create"] * 2
    assert await actions_of(AuditFilter(action="mem")) == []
    assert await actions_of(AuditFilter(actor_id=ann.id)) == ["member.create", "partner.create"]
    assert await actions_of(AuditFilter(subject_id=str(partner.organisation_id))) == ["partner.create"]
    assert await actions_of(AuditFilter(subject_id="' or true --")) == []
    at: datetime = (await read(ann.database, own))[0].at
    assert await actions_of(AuditFilter(until=at)) == everything[1:]
    assert await actions_of(AuditFilter(since=at)) == everything[:1]
    assert await actions_of(AuditFilter(since=at + timedelta(days=1))) == []
    both = AuditFilter(since=at, until=at + timedelta(days=1), action="member", actor_id=ann.id)
    assert await actions_of(both) == ["member.create"]


async def test_entries_come_in_pages_and_whole(ann: Person) -> None:
    own = ann.actor.organisation_id
    for _ in range(5):
        await added(ann, own)
    whole = await read(ann.database, own)
    paged: list[AuditEntry] = []
    while page := await read(ann.database, own, before=paged[-1].id if paged else None, limit=3):
        paged += page
    assert paged == whole
    assert len(whole) == 7
    async with ann.database.streams.connection() as conn:
        file = [entry async for entry in access_lists.every_audit_entry(conn, own, AuditFilter())]
    assert file == whole


async def test_subjects_that_are_no_ids_are_shown_as_they_are(ann: Person, cast: Cast) -> None:
    region = await cast.region()
    newest, *_ = await read(ann.database, None, AuditFilter(action="region"), limit=5)
    assert (newest.subject_id, newest.subject_name) == (region, None)


async def test_a_deleted_subject_has_no_name(ann: Person, cast: Cast) -> None:
    bob = await person(cast, ann.actor)
    own = ann.actor.organisation_id
    await added(bob, own)
    await ann.database.run(member_actions.delete_member, ann.actor, own, bob.id)
    gone, made, *_ = await read(ann.database, own)
    assert (gone.action, gone.subject_id, gone.subject_name) == ("member.delete", str(bob.id), None)
    assert (made.actor_id, made.actor_name, made.actor_organisation) == (bob.id, None, "Distribution")


async def test_no_address_is_ever_in_it(ann: Person, cast: Cast) -> None:
    assert await cast.row("select count(*) from audit_entry a where a::text like %s", f"%{ann.email}%") == (0,)


async def test_entries_of_partners_know_their_distributor(cast: Cast) -> None:
    distributor: Actor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    parents = "select array_agg(distinct parent_id) from audit_entry where organisation_id = %s"
    assert await cast.row(parents, partner.organisation_id) == ([distributor.organisation_id],)
    assert await cast.row(parents, distributor.organisation_id) == ([None],)
