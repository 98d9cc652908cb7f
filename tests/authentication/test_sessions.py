"""Sessions: whom a cookie identifies, and for how long."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.authentication.members import IDLE, Person, client, key_file, person, services_of
from tests.cast import NOW, Cast, with_role
from tonnage.access.actor import Kind, Role
from tonnage.authentication import second_factor_actions, session_queries
from tonnage.authentication.jobs import run_maintenance
from tonnage.authentication.session import LONGEST, ClientInfo, Stage
from tonnage.db import Connection
from tonnage.tokens import digest, new_token

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor("Distribution"), Role.STAFF, "Ann Miller")


async def test_a_session_identifies_its_member(ann: Person) -> None:
    signed_in = await ann.sign_in()
    assert signed_in.stage is Stage.OPEN
    visitor = await ann.visit(signed_in.token)
    assert visitor is not None
    assert visitor.member_id == ann.id == visitor.actor.via_id
    assert (visitor.actor.kind, visitor.actor.role, visitor.actor.via) == (Kind.DISTRIBUTOR, Role.STAFF, "member")
    assert visitor.actor.organisation_id == ann.actor.organisation_id
    assert (visitor.organisation_name, visitor.email, visitor.name) == ("Distribution", ann.email, "Ann Miller")
    assert (visitor.locale, visitor.time_zone, visitor.has_second_factor) == (None, None, False)
    assert (visitor.stage, visitor.since) == (Stage.OPEN, NOW)


async def test_unknown_tokens_identify_nobody(ann: Person) -> None:
    token = (await ann.sign_in()).token
    assert await ann.visit(new_token()) is None
    assert await ann.visit("") is None
    assert await ann.visit(token + "\udcff") is None
    assert await ann.visit(token[:-1]) is None


async def test_the_role_is_that_of_the_moment(ann: Person, cast: Cast) -> None:
    token = (await ann.sign_in()).token
    await cast.row("update member set role = 'viewer' where id = %s returning id", ann.id)
    visitor = await ann.visit(token)
    assert visitor is not None
    assert visitor.actor.role is Role.VIEWER


async def test_it_ends_when_it_is_idle(ann: Person) -> None:
    token = (await ann.sign_in()).token
    assert await ann.visit(token, NOW + IDLE - MINUTE)
    # It was used, so its idle time starts anew.
    assert await ann.visit(token, NOW + 2 * IDLE - 2 * MINUTE)
    assert await ann.visit(token, NOW + 3 * IDLE - 2 * MINUTE) is None


async def test_it_ends_after_30_days_however_much_it_is_used(ann: Person) -> None:
    token = (await ann.sign_in()).token
    now = NOW
    while now < NOW + LONGEST:
        assert await ann.visit(token, now), now
        now += IDLE - MINUTE
    assert await ann.visit(token, NOW + LONGEST) is None


async def test_being_seen_is_written_once_a_minute_and_never_back(ann: Person, cast: Cast) -> None:
    token = (await ann.sign_in()).token

    async def seen() -> Any:
        return (await cast.row("select last_seen_at from session where digest = %s", digest(token)))[0]

    await ann.visit(token, NOW + timedelta(seconds=59))
    assert await seen() == NOW
    await ann.visit(token, NOW + MINUTE)
    assert await seen() == NOW + MINUTE
    await ann.visit(token, NOW)
    assert await seen() == NOW + MINUTE


async def test_it_ends_with_the_organisation(ann: Person, cast: Cast) -> None:
    token = (await ann.sign_in()).token
    await cast.row("update organisation set closed_at = now() where id = %s returning id", ann.actor.organisation_id)
    assert await ann.visit(token) is None


async def test_finding_the_visitor_is_one_statement(ann: Person) -> None:
    token = (await ann.sign_in()).token
    asked: list[str] = []

    async def counting(conn: Connection) -> None:
        execute = conn.execute

        async def counted(query: Any, *args: Any, **kwargs: Any) -> Any:
            asked.append(query)
            return await execute(query, *args, **kwargs)

        conn.execute = counted
        try:
            assert await session_queries.find_session(conn, digest(token), NOW + MINUTE, IDLE)
        finally:
            conn.execute = execute

    await ann.database.run(counting)
    assert len(asked) == 1


async def test_one_can_see_and_end_ones_own_sessions_only(ann: Person, cast: Cast) -> None:
    first = await ann.visit((await ann.sign_in(at=ClientInfo("192.0.2.1", "First\0 " + "x" * 300))).token)
    second = await ann.visit((await ann.sign_in(now=NOW + MINUTE, at=client("192.0.2.2"))).token, NOW + MINUTE)
    bob = await person(cast, ann.actor)
    other = await bob.signed_in_member()
    assert first
    assert second

    async def listed() -> list[Any]:
        return await ann.database.run(session_queries.sessions_of, ann.id, NOW + MINUTE, IDLE)

    rows = await listed()
    assert [row.id for row in rows] == [second.session_id, first.session_id]
    assert (rows[1].ip_address, len(rows[1].user_agent), rows[1].user_agent[:7]) == ("192.0.2.1", 200, "First x")
    assert not await ann.database.run(session_queries.sign_out, ann.id, other.session_id, ann.actor.stamp)
    assert await ann.database.run(session_queries.sign_out, ann.id, second.session_id, ann.actor.stamp)
    assert [row.id for row in await listed()] == [first.session_id]
    third = await ann.signed_in_member()
    await ann.database.run(session_queries.end_other_sessions, ann.id, third.session_id)
    assert [row.id for row in await listed()] == [third.session_id]


async def test_members_without_a_factor_get_only_as_far_as_making_one_where_it_is_required(
    ann: Person, tmp_path: Path
) -> None:
    keys = key_file(tmp_path)
    token = (await ann.sign_in()).token
    admin = with_role(ann.actor, Role.ADMIN)

    async def require(required: bool) -> Stage | None:
        await ann.database.run(second_factor_actions.require_second_factor, keys, admin, required)
        visitor = await ann.visit(token)
        return visitor.stage if visitor else None

    assert await require(True) is Stage.ENROLMENT
    assert await require(False) is Stage.OPEN


async def test_the_nightly_job_deletes_ended_sessions(ann: Person, cast: Cast) -> None:
    await ann.sign_in(now=NOW - timedelta(days=2))
    kept = (await ann.sign_in(now=NOW)).token
    await run_maintenance(services_of(ann, lambda: NOW + timedelta(hours=1)), "")
    assert await cast.row("select count(*) from session where member_id = %s", ann.id) == (1,)
    assert await ann.visit(kept)


def test_tokens_are_long_and_never_the_same() -> None:
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) == 43
