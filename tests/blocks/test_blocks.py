"""Blocks of sign-ins: who sees which, and what lifting one does."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.authentication.members import WORD, Person, client, person
from tests.blocks.failing import block, block_pair, blocks_seen_by, exhaust_address
from tests.cast import NOW, Cast, with_role
from tonnage.access.actor import Actor, Role
from tonnage.authentication import throttling
from tonnage.authentication.session import Stage
from tonnage.authentication.throttling import ThrottleKey
from tonnage.authentication.throttling_actions import LinkNeeded, count_attempts
from tonnage.blocks.actions import lift_block
from tonnage.blocks.block import ADDRESS
from tonnage.blocks.lists import block_documents, find_block
from tonnage.errors import Forbidden, NotFound, Throttled

pytestmark = pytest.mark.anyio


@pytest.fixture
async def distributor(cast: Cast) -> Actor:
    return await cast.distributor()


@pytest.fixture
async def ann(cast: Cast, distributor: Actor) -> Person:
    return await person(cast, await cast.partner(distributor, await cast.contract(distributor)), name="Ann")


def site() -> str:
    """A new /48 as it is written, so that tests do not count together."""
    some = uuid.uuid4().hex
    return f"fd{some[:2]}:a{some[2:5]}:b{some[5:8]}"


async def lift(cast: Cast, actor: Actor, block_id: uuid.UUID) -> None:
    await cast.database.run(lift_block, actor, block_id, NOW)


async def test_a_block_says_whose_it_is_and_how_long_it_lasts(cast: Cast, ann: Person) -> None:
    for _ in range(11):
        with pytest.raises(Exception, match=r"wrong|Too many"):
            await ann.sign_in("wrong")
    [seen] = await blocks_seen_by(cast, ann.actor)
    assert (seen.kind, seen.member_id, seen.email, seen.name) == ("pair", ann.id, ann.email, "Ann")
    assert (seen.failures, seen.since, seen.until) == (10, NOW, NOW + timedelta(minutes=1))
    assert seen.network == throttling.network_of(ann.client.address)
    assert seen.organisation_id == ann.actor.organisation_id


async def test_a_member_whose_block_is_lifted_signs_in_at_once(cast: Cast, ann: Person) -> None:
    await block_pair(cast, ann)
    with pytest.raises(Throttled):
        await ann.sign_in()
    [seen] = await blocks_seen_by(cast, ann.actor)
    await lift(cast, ann.actor, seen.id)
    assert await blocks_seen_by(cast, ann.actor) == []
    assert (await ann.sign_in()).stage is Stage.OPEN


async def test_the_failures_before_no_longer_count(cast: Cast, ann: Person) -> None:
    await block_pair(cast, ann)
    [seen] = await blocks_seen_by(cast, ann.actor)
    await lift(cast, ann.actor, seen.id)
    for _ in range(9):
        with pytest.raises(Exception, match="wrong"):
            await ann.sign_in("wrong")
    assert (await ann.sign_in()).stage is Stage.OPEN


async def test_after_too_many_from_everywhere_the_password_is_enough_again(cast: Cast, ann: Person) -> None:
    await exhaust_address(cast, ann)
    with pytest.raises(LinkNeeded):
        await ann.sign_in(at=client())
    [seen] = await blocks_seen_by(cast, ann.actor)
    hour = NOW.replace(minute=0)
    assert (seen.kind, seen.failures, seen.since, seen.until) == (ADDRESS, 100, NOW, hour + timedelta(hours=1))
    await lift(cast, ann.actor, seen.id)
    assert (await ann.sign_in(WORD, at=client())).stage is Stage.OPEN


SUBJECTS: dict[str, Callable[[Person], ThrottleKey]] = {
    "device": lambda ann: throttling.device(uuid.uuid4(), ann.email),
    "codes": lambda ann: throttling.codes_of(ann.id),
    "passwords": lambda ann: throttling.own_passwords_of(ann.id),
    "pair": lambda ann: throttling.email_and_client(ann.email.upper(), f"{site()}::1")[1],
}


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_every_block_of_a_member_is_its_own(kind: str, cast: Cast, ann: Person, distributor: Actor) -> None:
    subject = SUBJECTS[kind](ann)
    await block(cast, subject)
    [seen] = await blocks_seen_by(cast, distributor)
    assert (seen.kind, seen.member_id, seen.network) == (kind, ann.id, subject.network)
    await lift(cast, distributor, seen.id)
    await cast.database.run(count_attempts, [subject], NOW)


@pytest.mark.parametrize("subjects", [throttling.client, throttling.resets_of])
async def test_blocks_of_clients_are_the_operators(
    subjects: Callable[[str], tuple[ThrottleKey, ...]], cast: Cast, ann: Person, distributor: Actor
) -> None:
    prefix = site()
    await block(cast, *subjects(f"{prefix}::1"))
    seen = await blocks_seen_by(cast, cast.operator, prefix)
    assert {one.network for one in seen} == {f"{prefix}::/64", f"{prefix}::/48"}
    assert {one.member_id for one in seen} == {None}
    for actor in (distributor, ann.actor):
        assert await blocks_seen_by(cast, actor) == []
        with pytest.raises(NotFound):
            await lift(cast, actor, seen[0].id)
    for one in seen:
        await lift(cast, cast.operator, one.id)
    await cast.database.run(count_attempts, subjects(f"{prefix}::1"), NOW)


async def test_what_nobody_has_is_shown_without_the_address(cast: Cast) -> None:
    prefix, email = site(), f"{uuid.uuid4().hex}@example.org"
    await block(cast, throttling.email_and_client(email, f"{prefix}::1")[0])
    [seen] = await blocks_seen_by(cast, cast.operator, prefix)
    assert (seen.kind, seen.member_id, seen.email) == ("pair", None, None)
    (stored,) = await cast.row("select to_jsonb(t)::text from sign_in_throttle t where id = %s", seen.id)
    assert email not in stored


async def test_who_sees_and_lifts_whose(cast: Cast, ann: Person, distributor: Actor) -> None:
    boss = await person(cast, distributor)
    await block_pair(cast, ann)
    await block_pair(cast, boss)
    other = await cast.distributor()
    strangers = [other, await cast.partner(other, await cast.contract(other))]
    [of_ann] = await blocks_seen_by(cast, ann.actor)
    both = await blocks_seen_by(cast, distributor)
    assert {one.member_id for one in both} == {ann.id, boss.id}
    of_boss = next(one for one in both if one.member_id == boss.id)
    for stranger in strangers:
        assert await blocks_seen_by(cast, stranger) == []
        assert await cast.database.run(find_block, stranger.scope, of_ann.id, NOW) is None
    for actor, block_id, error in (
        *((stranger, of_ann.id, NotFound) for stranger in strangers),
        (ann.actor, of_boss.id, NotFound),
        (with_role(ann.actor, Role.STAFF), of_ann.id, Forbidden),
        (with_role(distributor, Role.STAFF), of_ann.id, Forbidden),
        (with_role(cast.operator, Role.STAFF), of_ann.id, Forbidden),
        (cast.operator, uuid.uuid4(), NotFound),
    ):
        with pytest.raises(error):
            await lift(cast, actor, block_id)
    assert len(await blocks_seen_by(cast, distributor)) == 2
    await lift(cast, distributor, of_ann.id)
    await lift(cast, cast.operator, of_boss.id)


async def test_the_search_finds_members_and_organisations(cast: Cast, ann: Person, distributor: Actor) -> None:
    await block_pair(cast, ann)
    (organisation,) = await cast.row("select name from organisation where id = %s", ann.actor.organisation_id)
    for search in ("ann", ann.email[:9].upper(), organisation[-8:], throttling.network_of(ann.client.address)):
        assert len(await blocks_seen_by(cast, distributor, search)) == 1, search
    assert await blocks_seen_by(cast, distributor, "nobody") == []


async def test_a_block_that_is_over_is_neither_shown_nor_lifted(cast: Cast, ann: Person) -> None:
    await block_pair(cast, ann)
    await exhaust_address(cast, ann)
    later = NOW + timedelta(hours=1)
    for one in await blocks_seen_by(cast, ann.actor):
        assert await cast.database.run(find_block, None, one.id, later) is None
        with pytest.raises(NotFound):
            await cast.database.run(lift_block, cast.operator, one.id, later)
    assert await cast.database.run(block_documents, ann.actor.organisation_id, later) == []


@pytest.mark.parametrize("fail", [block_pair, exhaust_address])
async def test_of_two_who_lift_it_at_once_one_does(
    fail: Callable[[Cast, Person], Awaitable[None]], cast: Cast, ann: Person, distributor: Actor
) -> None:
    for _ in range(4):
        await fail(cast, ann)
        [seen] = await blocks_seen_by(cast, ann.actor)
        results = await asyncio.gather(
            lift(cast, ann.actor, seen.id), lift(cast, distributor, seen.id), return_exceptions=True
        )
        assert sorted(type(result).__name__ for result in results) == ["NoneType", "NotFound"]
    (entries,) = await cast.row(
        "select count(*) from audit_entry where action = 'member.lift-block' and subject_id = %s", str(ann.id)
    )
    assert entries == 4


async def test_what_an_earlier_version_counted_is_the_operators(cast: Cast, ann: Person, distributor: Actor) -> None:
    digest = uuid.uuid4().bytes
    await cast.row(
        "insert into sign_in_throttle (subject, failures, last_failed_at, blocked_until)"
        " values (%s, 10, %s, %s) returning id", digest, NOW, NOW + timedelta(minutes=1),
    )  # fmt: skip
    (block_id,) = await cast.row("select id from sign_in_throttle where subject = %s", digest)
    assert block_id in {one.id for one in await blocks_seen_by(cast, cast.operator)}
    assert await blocks_seen_by(cast, distributor) == []
    await lift(cast, cast.operator, block_id)
