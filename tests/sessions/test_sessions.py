"""Sessions of a team: who sees and ends whose."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.authentication.members import IDLE, Person, person
from tests.cast import NOW, Cast, with_role
from tests.unchanged import refused
from tonnage.access.actor import Actor, Role
from tonnage.authentication.session import LONGEST
from tonnage.errors import Forbidden, NotFound
from tonnage.sessions.actions import end_session, end_sessions
from tonnage.sessions.lists import SESSIONS, MemberSession, find_member_session, session_documents, session_rows
from tonnage.web.list_state import read_list_state

pytestmark = pytest.mark.anyio


@pytest.fixture
async def distributor(cast: Cast) -> Actor:
    return await cast.distributor()


@pytest.fixture
async def partner(cast: Cast, distributor: Actor) -> Actor:
    return await cast.partner(distributor, await cast.contract(distributor))


async def open_of(cast: Cast, organisation: Actor, now: datetime = NOW, search: str = "") -> list[MemberSession]:
    state = read_list_state(SESSIONS, {"q": search})
    return (await cast.database.run(session_rows, organisation.organisation_id, now, IDLE, state)).rows


async def end_one(cast: Cast, actor: Actor, whose: Person, session: MemberSession) -> None:
    await cast.database.run(end_session, actor, whose.actor.organisation_id, session.id)


async def end_all(cast: Cast, actor: Actor, whose: Person) -> None:
    await cast.database.run(end_sessions, actor, whose.actor.organisation_id, whose.id)


async def test_they_are_those_that_open_the_console(cast: Cast, partner: Actor, distributor: Actor) -> None:
    ann, bob = await person(cast, partner, name="Ann"), await person(cast, partner, Role.VIEWER)
    await person(cast, distributor)
    token = (await ann.sign_in()).token
    await bob.sign_in(now=NOW + timedelta(minutes=20))
    later = NOW + timedelta(minutes=29)
    seen = await open_of(cast, partner, later)
    assert [(one.member_id, one.role) for one in seen] == [(bob.id, Role.VIEWER), (ann.id, Role.ADMIN)]
    assert (seen[1].name, seen[1].ip_address, seen[1].created_at) == ("Ann", ann.client.address, NOW)
    assert [one.member_id for one in await open_of(cast, partner, later, "ANN")] == [ann.id]
    assert await open_of(cast, distributor, later) == []
    # Idle ones are over, and so are those that are too old.
    assert [one.member_id for one in await open_of(cast, partner, NOW + IDLE)] == [bob.id]
    assert await ann.visit(token, NOW + IDLE) is None
    await cast.row("update session set last_seen_at = %s where id = %s returning id", NOW + LONGEST, seen[1].id)
    assert await open_of(cast, partner, NOW + LONGEST) == []
    for session in seen:
        found = await cast.database.run(find_member_session, partner.organisation_id, session.id, NOW + LONGEST, IDLE)
        assert found is None


async def test_a_session_that_waits_for_a_code_or_is_locked_is_not_open(cast: Cast, partner: Actor) -> None:
    ann, bob = await person(cast, partner), await person(cast, partner)
    await ann.sign_in()
    await bob.sign_in()
    [first, _] = await open_of(cast, partner)
    await cast.row("update session set stage = 'code' where id = %s returning id", first.id)
    [left] = await open_of(cast, partner)
    await cast.row("update member set locked_at = %s where id = %s returning id", NOW, left.member_id)
    assert await open_of(cast, partner) == []
    assert await cast.database.run(session_documents, partner.organisation_id, NOW, IDLE) == []


async def test_an_ended_session_opens_nothing_and_others_stay(cast: Cast, partner: Actor) -> None:
    ann, bob = await person(cast, partner), await person(cast, partner)
    first, second, other = (await ann.sign_in()).token, (await ann.sign_in()).token, (await bob.sign_in()).token
    session = next(one for one in await open_of(cast, partner) if one.member_id == ann.id)
    await end_one(cast, bob.actor, ann, session)
    assert [bool(await ann.visit(token)) for token in (first, second)].count(True) == 1
    await end_all(cast, bob.actor, ann)
    assert [await ann.visit(token) for token in (first, second)] == [None, None]
    assert await bob.visit(other)
    assert await ann.visit((await ann.sign_in()).token)


async def test_one_is_kept_where_it_is_said(cast: Cast, partner: Actor) -> None:
    ann = await person(cast, partner)
    kept, token = await ann.signed_in_member(), (await ann.sign_in()).token
    await cast.database.run(end_sessions, ann.actor, ann.actor.organisation_id, ann.id, but=kept.session_id)
    assert await ann.visit(token) is None
    assert [one.id for one in await open_of(cast, partner)] == [kept.session_id]


async def test_who_may_end_whose(cast: Cast, distributor: Actor, partner: Actor) -> None:
    admin, clerk = await person(cast, partner), await person(cast, partner, Role.STAFF)
    boss, other = await person(cast, distributor), await cast.distributor()
    for one in (admin, clerk, boss):
        await one.sign_in()
    staff = with_role(distributor, Role.STAFF)
    for actor, whose, error in (
        (staff, admin, Forbidden),
        (with_role(distributor, Role.VIEWER), clerk, Forbidden),
        (clerk.actor, admin, Forbidden),
        (clerk.actor, clerk, Forbidden),
        (with_role(cast.operator, Role.STAFF), clerk, Forbidden),
        (other, clerk, NotFound),
        (admin.actor, boss, NotFound),
    ):
        [session] = [one for one in await open_of(cast, whose.actor) if one.member_id == whose.id]
        async with refused(cast.database, error):
            await end_one(cast, actor, whose, session)
        async with refused(cast.database, error):
            await end_all(cast, actor, whose)
    # Nor under the name of an organisation where the actor may.
    [session] = await open_of(cast, boss.actor)
    async with refused(cast.database, NotFound):
        await cast.database.run(end_session, admin.actor, partner.organisation_id, session.id)
    async with refused(cast.database, NotFound):
        await cast.database.run(end_sessions, admin.actor, partner.organisation_id, boss.id)
    for actor, whose in ((staff, clerk), (distributor, admin), (admin.actor, clerk), (cast.operator, boss)):
        await whose.sign_in()
        session = next(one for one in await open_of(cast, whose.actor) if one.member_id == whose.id)
        await end_one(cast, actor, whose, session)
        await whose.sign_in()
        await end_all(cast, actor, whose)


async def test_of_two_who_end_it_at_once_one_does(cast: Cast, distributor: Actor, partner: Actor) -> None:
    ann = await person(cast, partner)
    for _ in range(4):
        await ann.sign_in()
        [session] = await open_of(cast, partner)
        results = await asyncio.gather(
            *(end_one(cast, actor, ann, session) for actor in (partner, distributor)), return_exceptions=True
        )
        assert sorted(type(result).__name__ for result in results) == ["NoneType", "NotFound"]
    query = "select count(*) from audit_entry where action = 'member.end-sessions' and subject_id = %s"
    assert await cast.row(query, str(ann.id)) == (4,)


async def test_without_a_session_nothing_is_recorded(cast: Cast, partner: Actor) -> None:
    ann = await person(cast, partner)
    (before,) = await cast.row("select count(*) from audit_entry")
    await end_all(cast, partner, ann)
    assert await cast.row("select count(*) from audit_entry") == (before,)
