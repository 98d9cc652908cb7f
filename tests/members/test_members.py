"""Teams: permissions on members, and the last admin."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from tests.authentication.members import OTHER_WORD, Person, cheap, person
from tests.cast import NOW, Cast, unique, with_role
from tests.unchanged import refused
from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys import lists as api_key_lists
from tonnage.authentication import credential_actions
from tonnage.db import Connection, Database
from tonnage.errors import Conflict, Forbidden, NotFound
from tonnage.members import actions as member_actions
from tonnage.members import lists as member_lists
from tonnage.members import queries as member_queries
from tonnage.members.member import MemberChange, NewMember, TeamMember, leaves_no_admin
from tonnage.web.list_state import read_list_state

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor())


async def partner_of(cast: Cast, distributor: Actor) -> Actor:
    return await cast.partner(distributor, await cast.contract(distributor))


def new_member(role: Role = Role.VIEWER) -> NewMember:
    return NewMember(f"{uuid.uuid4().hex}@example.org", role, "hash")


async def change(database: Database, actor: Actor, organisation: UUID, member: UUID, role: Role) -> None:
    member_change = MemberChange("New name", role)
    await database.run(member_actions.change_member, actor, organisation, member, member_change)


async def delete(database: Database, actor: Actor, organisation: UUID, member: UUID) -> None:
    await database.run(member_actions.delete_member, actor, organisation, member)


async def test_an_admin_changes_and_removes_its_team(ann: Person, cast: Cast) -> None:
    own = ann.actor.organisation_id
    bob = await person(cast, ann.actor, Role.VIEWER, "Bob")
    token = (await bob.sign_in()).token
    await change(ann.database, ann.actor, own, bob.id, Role.STAFF)
    visitor = await bob.visit(token)
    assert visitor
    assert (visitor.actor.role, visitor.name) == (Role.STAFF, "New name")
    audited = "select before::text, after::text from audit_entry where action = 'member.update' and subject_id = %s"
    assert await cast.row(audited, str(bob.id)) == ('{"role": "viewer"}', '{"role": "staff", "nameChanged": true}')
    await delete(ann.database, ann.actor, own, bob.id)
    assert await bob.visit(token) is None
    async with refused(ann.database, NotFound):
        await delete(ann.database, ann.actor, own, bob.id)


async def test_the_last_admin_is_neither_removed_nor_demoted(ann: Person, cast: Cast) -> None:
    own = ann.actor.organisation_id
    await person(cast, ann.actor, Role.STAFF)
    async with refused(ann.database, Conflict, "only admin"):
        await delete(ann.database, ann.actor, own, ann.id)
    async with refused(ann.database, Conflict, "only admin"):
        await change(ann.database, ann.actor, own, ann.id, Role.STAFF)
    await change(ann.database, ann.actor, own, ann.id, Role.ADMIN)
    bob = await person(cast, ann.actor)
    await change(ann.database, ann.actor, own, ann.id, Role.STAFF)
    async with refused(ann.database, Conflict, "only admin"):
        await delete(ann.database, bob.actor, own, bob.id)


async def test_one_of_several_admins_who_remove_each_other_remains(cast: Cast) -> None:
    for turn in range(6):
        distributor = await cast.distributor()
        people = [await person(cast, distributor) for _ in range(4)]
        own = distributor.organisation_id

        async def act(one: Person, other: Person, turn: int = turn, own: UUID = own) -> bool:
            try:
                if turn % 2:
                    await delete(one.database, one.actor, own, other.id)
                else:
                    await change(one.database, one.actor, own, other.id, Role.VIEWER)
            except (Conflict, NotFound):
                return False
            return True

        done = await asyncio.gather(*(act(people[number - 1], people[number]) for number in range(4)))
        assert sum(done) == 3
        left = "select count(*) from member where organisation_id = %s and role = 'admin'"
        assert await cast.row(left, own) == (1,)


async def test_a_distributor_may_leave_a_partner_without_admins(ann: Person, cast: Cast) -> None:
    partner = await partner_of(cast, ann.actor)
    bob, eve = await person(cast, partner), await person(cast, partner)
    await change(ann.database, ann.actor, partner.organisation_id, bob.id, Role.VIEWER)
    await delete(ann.database, ann.actor, partner.organisation_id, eve.id)
    async with refused(ann.database, Forbidden):
        await delete(ann.database, with_role(ann.actor, Role.STAFF), partner.organisation_id, bob.id)


MemberAction = Callable[[Connection, Actor, UUID, UUID, Role], Awaitable[object]]

MEMBER_ACTIONS: dict[str, MemberAction] = {
    "create": lambda conn, actor, organisation, _, role: member_actions.create_member(
        conn, actor, organisation, new_member(role), NOW
    ),
    "change the role": lambda conn, actor, organisation, member, role: member_actions.change_member(
        conn, actor, organisation, member, MemberChange(role=role)
    ),
    "change the name": lambda conn, actor, organisation, member, _: member_actions.change_member(
        conn, actor, organisation, member, MemberChange(name="Other")
    ),
    "delete": lambda conn, actor, organisation, member, _: member_actions.delete_member(
        conn, actor, organisation, member
    ),
    "password": lambda conn, actor, organisation, member, _: credential_actions.set_password(
        conn, actor, organisation, member, "hash"
    ),
    "factor": lambda conn, actor, organisation, member, _: credential_actions.reset_second_factor(
        conn, actor, organisation, member
    ),
}

GIVEN = {"create", "change the role"}
"""The role is what the member gets; in the other actions it has it already."""

LEAST = dict.fromkeys(MEMBER_ACTIONS, Role.STAFF) | {"delete": Role.ADMIN}
"""The least role of a distributor's member for each action on a partner's members: and not below the member's."""


@pytest.mark.parametrize("action", MEMBER_ACTIONS)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("of_member", Role)
async def test_permissions(ann: Person, cast: Cast, action: str, role: Role, of_member: Role) -> None:
    partner, held = await partner_of(cast, ann.actor), Role.VIEWER if action in GIVEN else of_member
    in_partner, in_own = await person(cast, partner, held), await person(cast, ann.actor, held)
    await person(cast, partner)  # so that none of them is the last admin

    async def outcome(actor: Actor, of: Actor, member: Person) -> str:
        # What is permitted is rolled back.
        async def tried(conn: Connection) -> None:
            await MEMBER_ACTIONS[action](conn, actor, of.organisation_id, member.id, of_member)
            raise _Done

        try:
            await ann.database.transaction(tried)
        except (_Done, Forbidden, NotFound) as error:
            return type(error).__name__
        raise AssertionError("not reached")

    own = "_Done" if role is Role.ADMIN else "Forbidden"
    of_partner = "_Done" if role.includes(LEAST[action]) and role.includes(of_member) else "Forbidden"
    operator = await person(cast, cast.operator, role)
    stranger = await cast.distributor()
    other_partner = await partner_of(cast, ann.actor)
    assert await outcome(with_role(ann.actor, role), ann.actor, in_own) == own
    assert await outcome(with_role(ann.actor, role), partner, in_partner) == of_partner
    assert await outcome(with_role(partner, role), partner, in_partner) == own
    assert await outcome(operator.actor, partner, in_partner) == own
    assert await outcome(operator.actor, ann.actor, in_own) == own
    # A member of another organisation is not found, by roles that may read members.
    unseen = {"NotFound", "Forbidden"} if role is not Role.ADMIN else {"NotFound"}
    assert await outcome(with_role(stranger, role), partner, in_partner) in unseen
    assert await outcome(with_role(stranger, role), ann.actor, in_own) in unseen
    assert await outcome(with_role(partner, role), ann.actor, in_own) == "NotFound"
    assert await outcome(with_role(partner, role), other_partner, in_partner) == "NotFound"
    if action != "create":
        assert await outcome(with_role(ann.actor, role), partner, in_own) in unseen
        assert await outcome(with_role(ann.actor, role), ann.actor, in_partner) in unseen


class _Done(Exception):
    """The action was permitted."""


async def test_ones_own_password_is_not_set_without_the_present_one(ann: Person) -> None:
    password_hash = await cheap().hash(OTHER_WORD)
    async with refused(ann.database, Conflict, "in your profile"):
        await ann.database.run(
            credential_actions.set_password, ann.actor, ann.actor.organisation_id, ann.id, password_hash
        )


async def test_a_team_as_pages_show_it(ann: Person, cast: Cast) -> None:
    partner = await partner_of(cast, ann.actor)
    bob = await person(cast, partner, Role.VIEWER, "Bob")
    await bob.sign_in(now=NOW + timedelta(hours=1))
    eve = await person(cast, partner)

    async def team(scope: UUID | None, organisation: UUID) -> list[member_queries.TeamRow] | None:
        return await ann.database.run(member_queries.team, scope, organisation)

    for scope in (None, ann.actor.organisation_id, partner.organisation_id):
        rows = await team(scope, partner.organisation_id)
        assert rows
        assert [(row.id, row.name, row.email, row.role) for row in rows] == [
            (bob.id, "Bob", bob.email, Role.VIEWER),
            (eve.id, None, eve.email, Role.ADMIN),
        ]
        assert [(row.has_second_factor, row.last_seen) for row in rows] == [
            (False, NOW + timedelta(hours=1)),
            (False, None),
        ]
    assert await team((await cast.distributor()).organisation_id, partner.organisation_id) is None
    assert await team(partner.organisation_id, ann.actor.organisation_id) is None
    empty = await partner_of(cast, ann.actor)
    assert await team(ann.actor.organisation_id, empty.organisation_id) == []


async def test_one_member(ann: Person, cast: Cast) -> None:
    stranger = await person(cast, await cast.distributor())
    own = ann.actor.organisation_id

    async def found(member: UUID) -> member_queries.TeamRow | None:
        return await ann.database.run(member_queries.team_member, own, own, member)

    row = await found(ann.id)
    assert row
    assert row.email == ann.email
    assert await found(stranger.id) is None


async def test_the_operator_sees_all_members(cast: Cast) -> None:
    word = unique("Needle").replace(" ", "")
    distributor = await cast.distributor(f"D {word}")
    partner = await cast.partner(distributor, await cast.contract(distributor), name=f"P {word}")
    ann, bob = await person(cast, distributor, name="Zoe"), await person(cast, partner, Role.VIEWER, "Adam")

    async def listed(**query: str) -> list[tuple[UUID, str, Kind]]:
        state = read_list_state(member_lists.MEMBERS, {"q": word.upper(), **query})
        found = await cast.database.run(member_lists.member_rows, state)
        assert found.total == len(found.rows)
        return [(row.id, row.organisation, row.kind) for row in found.rows]

    first, second = (ann.id, f"D {word}", Kind.DISTRIBUTOR), (bob.id, f"P {word}", Kind.PARTNER)
    assert await listed() == [second, first]  # the newest first
    assert await listed(sort="name") == [second, first]
    assert await listed(sort="organisation") == [first, second]
    assert await listed(sort="role.asc") == [second, first]
    assert await listed(show="partner") == [second]
    assert await listed(q=ann.email) == [first]


async def test_keys_as_pages_show_them(ann: Person, cast: Cast) -> None:
    first = await cast.key(ann.actor, Role.VIEWER, valid_until=NOW + timedelta(days=1))
    second = await cast.key(ann.actor)
    rows = await ann.database.run(api_key_lists.api_keys_of, ann.actor.organisation_id)
    assert [(row.prefix, row.role) for row in rows] == [(second[:8], Role.ADMIN), (first[:8], Role.VIEWER)]
    assert (rows[1].valid_until, rows[1].created_at, rows[1].revoked_at) == (NOW + timedelta(days=1), NOW, None)
    assert await ann.database.run(api_key_lists.api_keys_of, (await cast.distributor()).organisation_id) == []


async def test_a_new_members_json(ann: Person, cast: Cast) -> None:
    made = await ann.database.run(
        member_actions.create_member, cast.operator, ann.actor.organisation_id, new_member(), NOW
    )
    assert json.loads(made.json)["role"] == "viewer"


def test_when_a_team_loses_its_last_admin() -> None:
    a, b = uuid.uuid4(), uuid.uuid4()
    admin, staff, locked = TeamMember(Role.ADMIN), TeamMember(Role.STAFF), TeamMember(Role.ADMIN, can_sign_in=False)
    one, two = {a: admin, b: staff}, {a: admin, b: admin}
    assert leaves_no_admin(one, a, None)
    assert leaves_no_admin(one, a, Role.STAFF)
    assert not leaves_no_admin(one, a, Role.ADMIN)
    assert not leaves_no_admin(one, b, None)
    assert not leaves_no_admin(two, a, None)
    # Without an admin before, none is lost.
    assert not leaves_no_admin({a: staff}, a, None)
    # An admin who cannot sign in is of no use.
    assert leaves_no_admin({a: admin, b: locked}, a, None)
    assert not leaves_no_admin({a: admin, b: locked}, b, None)
