"""Locked members: nothing of theirs works any more, and a team always has an admin who can sign in."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.authentication.members import OTHER_WORD, FakeOutbox, Person, key_file, person
from tests.cast import NOW, Cast, with_role
from tests.unchanged import refused, unchanged
from tonnage.access.actor import Actor, Role
from tonnage.authentication import reset_actions
from tonnage.authentication.session import Stage
from tonnage.authentication.sign_in_actions import WRONG_PASSWORD, submit_code
from tonnage.clock import WallClock
from tonnage.devices import actions as devices
from tonnage.errors import Conflict, Forbidden, NotFound, Unauthenticated
from tonnage.locks.actions import lock_member, unlock_member
from tonnage.mail import Mailer
from tonnage.members.actions import change_member, delete_member
from tonnage.members.member import MEMBER_LOCKED, MemberChange

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor())


@pytest.fixture
async def bob(cast: Cast, ann: Person) -> Person:
    return await person(cast, ann.actor)


async def lock(by: Person | Actor, other: Person) -> None:
    actor = by.actor if isinstance(by, Person) else by
    await other.database.run(lock_member, actor, other.actor.organisation_id, other.id, NOW)


async def unlock(by: Person | Actor, other: Person) -> None:
    actor = by.actor if isinstance(by, Person) else by
    await other.database.run(unlock_member, actor, other.actor.organisation_id, other.id)


async def test_a_locked_member_can_no_longer_sign_in_and_is_signed_out(ann: Person, bob: Person) -> None:
    token = (await bob.sign_in()).token
    assert await bob.visit(token)
    await lock(ann, bob)
    assert await bob.visit(token) is None
    async with refused(ann.database, Unauthenticated, MEMBER_LOCKED):
        await bob.sign_in()
    await unlock(ann, bob)
    # The sessions of before have ended.
    assert await bob.visit(token) is None
    assert await bob.visit((await bob.sign_in()).token)


async def test_only_the_right_password_says_that_the_login_is_locked(ann: Person, bob: Person) -> None:
    await lock(ann, bob)
    async with refused(ann.database, Unauthenticated, WRONG_PASSWORD):
        await bob.sign_in(OTHER_WORD)


async def test_the_right_password_of_a_locked_login_is_no_failure(ann: Person, bob: Person) -> None:
    """Nor does it forgive those before."""
    await lock(ann, bob)
    for _ in range(30):
        with pytest.raises(Unauthenticated, match=MEMBER_LOCKED):
            await bob.sign_in()
    await unlock(ann, bob)
    assert (await bob.sign_in()).stage is Stage.OPEN


async def test_the_code_of_a_locked_member_opens_nothing(ann: Person, bob: Person, tmp_path: Path) -> None:
    keys = key_file(tmp_path)
    app, _, _ = await bob.enrol(keys)
    waiting = await bob.visit((await bob.sign_in()).token)
    assert waiting is not None
    await lock(ann, bob)
    # The request found the session just before.
    with pytest.raises(Unauthenticated, match="session has ended"):
        await submit_code(bob.database, keys, waiting, app.at(NOW + timedelta(seconds=30)), bob.client, NOW)


async def test_links_of_a_locked_member_do_not_work_and_none_is_sent(ann: Person, bob: Person) -> None:
    kept = FakeOutbox()
    mailer = Mailer(kept, "https://tonnage.example")
    await reset_actions.send_reset(bob.database, mailer, bob.id, WallClock(lambda: NOW))
    token = kept.sent[0].text.split("/sign-in/new-password/")[1].split()[0]
    await lock(ann, bob)
    async with unchanged(bob.database):
        assert await bob.database.run(reset_actions.valid_reset, token, NOW) is None
        with pytest.raises(NotFound):
            await bob.database.transaction(reset_actions.reset_password, token, "hash", bob.client, NOW)
        await reset_actions.send_reset(bob.database, mailer, bob.id, WallClock(lambda: NOW))
        await devices.send_link(bob.database, mailer, bob.id, WallClock(lambda: NOW))
    assert len(kept.sent) == 1


async def test_nobody_locks_itself_or_the_last_admin_who_can_sign_in(cast: Cast, ann: Person, bob: Person) -> None:
    async with refused(ann.database, Conflict, "your own login"):
        await lock(ann, ann)
    await lock(ann, bob)
    for actor in (bob.actor, cast.operator):
        async with refused(ann.database, Conflict, "only admin who can sign in"):
            await lock(actor, ann)
    # A locked admin counts for nothing when the other one leaves.
    own = ann.actor.organisation_id
    async with refused(ann.database, Conflict, "only admin who can sign in"):
        await ann.database.run(delete_member, ann.actor, own, ann.id)
    async with refused(ann.database, Conflict, "only admin who can sign in"):
        await ann.database.run(change_member, ann.actor, own, ann.id, MemberChange(role=Role.STAFF))
    await unlock(ann, bob)
    await lock(bob, ann)


async def test_of_two_admins_who_lock_each_other_one_remains(cast: Cast) -> None:
    for _ in range(6):
        distributor = await cast.distributor()
        one, other = await person(cast, distributor), await person(cast, distributor)
        results = await asyncio.gather(lock(one, other), lock(other, one), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]


async def test_a_sign_in_at_the_moment_of_the_lock_leaves_no_session(cast: Cast, ann: Person, bob: Person) -> None:
    """Both wait for the row: whichever comes first, nobody is signed in afterwards."""
    for _ in range(6):
        await unlock(ann, bob)
        await asyncio.gather(lock(ann, bob), bob.sign_in(), return_exceptions=True)
        assert await cast.row("select count(*) from session where member_id = %s", bob.id) == (0,)


async def test_who_may_lock_whom(cast: Cast, ann: Person) -> None:
    partner = await cast.partner(ann.actor, await cast.contract(ann.actor))
    admin, clerk = await person(cast, partner), await person(cast, partner, Role.STAFF)
    await person(cast, partner)
    staff = with_role(ann.actor, Role.STAFF)
    stranger = await cast.distributor()
    for actor, other, error in (
        (staff, admin, Forbidden),
        (clerk.actor, admin, Forbidden),
        (with_role(ann.actor, Role.VIEWER), clerk, Forbidden),
        (stranger, clerk, NotFound),
        (admin.actor, ann, NotFound),
    ):
        async with refused(ann.database, error):
            await lock(actor, other)
        async with refused(ann.database, error):
            await unlock(actor, other)
    for actor in (staff, ann.actor, cast.operator, admin.actor):
        await lock(actor, clerk)
        await unlock(actor, clerk)
    await lock(ann.actor, admin)
