"""Locked organisations: no sign-in, no API key, and nothing of their data is touched."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.api.conftest import AccountData, AppClient, Clock, client, data
from tests.authentication.members import OTHER_WORD, FakeOutbox, Person, person
from tests.cast import NOW, Cast, with_role
from tests.unchanged import refused
from tonnage.access.actor import Actor, Role
from tonnage.api_keys.key_cache import KeyCache
from tonnage.authentication import reset_actions
from tonnage.authentication.sign_in_actions import WRONG_PASSWORD
from tonnage.clock import WallClock
from tonnage.devices import actions as devices
from tonnage.errors import Conflict, Forbidden, NotFound, ReauthenticationRequired, Unauthenticated
from tonnage.locks.actions import lock_organisation, unlock_organisation
from tonnage.mail import Mailer
from tonnage.tokens import digest, new_token

__all__ = ["client", "data"]

pytestmark = pytest.mark.anyio


async def lock(cast: Cast, actor: Actor, organisation: Actor, reason: str = "Unpaid") -> None:
    await cast.database.run(lock_organisation, actor, organisation.organisation_id, reason, NOW)


async def unlock(cast: Cast, actor: Actor, organisation: Actor) -> None:
    await cast.database.run(unlock_organisation, actor, organisation.organisation_id)


@pytest.fixture
async def distributor(cast: Cast) -> Actor:
    return await cast.distributor()


@pytest.fixture
async def partner(cast: Cast, distributor: Actor) -> Actor:
    return await cast.partner(distributor, await cast.contract(distributor))


async def test_nobody_signs_in_and_sessions_end(cast: Cast, distributor: Actor, partner: Actor) -> None:
    ann, bystander = await person(cast, partner), await person(cast, distributor)
    token, other = (await ann.sign_in()).token, (await bystander.sign_in()).token
    await lock(cast, distributor, partner, "Unpaid {invoice} 7")
    assert await ann.visit(token) is None
    async with refused(cast.database, Unauthenticated, r"locked. Reason: Unpaid \{invoice\} 7"):
        await ann.sign_in()
    async with refused(cast.database, Unauthenticated, WRONG_PASSWORD):
        await ann.sign_in(OTHER_WORD)
    assert await bystander.visit(other)
    await unlock(cast, distributor, partner)
    assert await ann.visit(token) is None
    assert await ann.visit((await ann.sign_in()).token)


async def session_of(ann: Person) -> str:
    """The token of a session that was opened at the moment of the lock, and that it did not end."""
    token = new_token()
    insert = """
        insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
        values (%s, %s, 'open', %s, %s, '', '') returning id"""
    await Cast(ann.database, ann.actor).row(insert, ann.id, digest(token), NOW, NOW)
    return token


async def test_a_session_of_the_moment_of_the_lock_opens_nothing(cast: Cast, partner: Actor) -> None:
    ann = await person(cast, partner)
    await lock(cast, cast.operator, partner)
    token = await session_of(ann)
    assert await ann.visit(token) is None
    await unlock(cast, cast.operator, partner)
    assert await ann.visit(token) is None


async def test_a_session_of_a_locked_member_opens_nothing(cast: Cast, partner: Actor) -> None:
    ann = await person(cast, partner)
    token = await session_of(ann)
    assert await ann.visit(token)
    await cast.row("update member set locked_at = %s where id = %s returning id", NOW, ann.id)
    assert await ann.visit(token) is None


async def test_links_do_not_work_and_none_is_sent(cast: Cast, partner: Actor) -> None:
    ann, kept = await person(cast, partner), FakeOutbox()
    mailer, clock = Mailer(kept, "https://tonnage.example"), WallClock(lambda: NOW)
    await reset_actions.send_reset(cast.database, mailer, ann.id, clock)
    token = kept.sent[0].text.split("/sign-in/new-password/")[1].split()[0]
    await lock(cast, cast.operator, partner)
    assert await cast.database.run(reset_actions.valid_reset, token, NOW) is None
    async with refused(cast.database, NotFound):
        await cast.database.transaction(reset_actions.reset_password, token, "hash", ann.client, NOW)
    await reset_actions.send_reset(cast.database, mailer, ann.id, WallClock(lambda: NOW + timedelta(minutes=10)))
    await devices.send_link(cast.database, mailer, ann.id, clock)
    assert len(kept.sent) == 1


async def test_keys_stop_within_a_second_on_every_process_and_work_again(
    cast: Cast, distributor: Actor, partner: Actor
) -> None:
    clock, key, other = Clock(), await cast.key(partner), await cast.key(distributor)
    processes = [KeyCache(cast.database, WallClock(clock)) for _ in range(2)]
    for process in processes:
        await process.admit(key)
    await lock(cast, distributor, partner)
    clock.now += timedelta(seconds=1)
    for process in processes:
        with pytest.raises(Forbidden, match="is locked"):
            await process.admit(key)
        assert await process.admit(other)
    await unlock(cast, distributor, partner)
    clock.now += timedelta(seconds=1)
    for process in processes:
        assert await process.admit(key)


async def test_the_api_answers_403_and_the_data_is_as_it_was(client: AppClient, data: AccountData) -> None:
    cast = client.cast
    accounts = "select jsonb_agg(to_jsonb(s)) from storage_account s where partner_id = %s"
    before = await cast.row(accounts, data.partner.organisation_id)
    key = await client.key(data.partner)
    headers = {"Authorization": f"Bearer {key}"}
    assert (await client.http.get("/v1/storage-account/list", headers=headers)).status_code == 200
    await lock(cast, data.distributor, data.partner)
    client.clock.now += timedelta(seconds=1)
    for method, path in (("GET", "/v1/storage-account/list"), ("POST", "/v1/storage-account")):
        answer = await client.http.request(method, path, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["detail"] == "The access of your organisation is locked. Reason: Unpaid"
    assert await cast.row(accounts, data.partner.organisation_id) == before


async def test_who_may_lock_whom(cast: Cast, distributor: Actor, partner: Actor) -> None:
    stranger = await cast.distributor()
    for actor, other, error in (
        (with_role(cast.operator, Role.STAFF), distributor, Forbidden),
        (with_role(distributor, Role.STAFF), partner, Forbidden),
        (distributor, distributor, NotFound),
        (distributor, stranger, NotFound),
        (stranger, partner, NotFound),
        (partner, partner, NotFound),
        (partner, distributor, NotFound),
        (cast.operator, cast.operator, NotFound),
    ):
        async with refused(cast.database, error):
            await lock(cast, actor, other)
        async with refused(cast.database, error):
            await unlock(cast, actor, other)
    for actor, other in ((cast.operator, distributor), (cast.operator, partner), (distributor, partner)):
        await lock(cast, actor, other)
        await unlock(cast, actor, other)


async def test_a_distributor_does_not_undo_what_the_operator_has_locked(
    cast: Cast, distributor: Actor, partner: Actor
) -> None:
    (operator,) = await cast.row("select name from organisation where kind = 'operator'")
    await lock(cast, distributor, partner)
    await lock(cast, cast.operator, partner, "Abuse")
    for change in (lock, unlock):
        async with refused(cast.database, Conflict, f"was locked by {operator}"):
            await change(cast, distributor, partner)
    await unlock(cast, cast.operator, partner)


async def test_a_lock_needs_a_recent_proof(cast: Cast, distributor: Actor, partner: Actor) -> None:
    async with refused(cast.database, ReauthenticationRequired):
        await lock(cast, replace(distributor, must_reauthenticate=True), partner)


async def test_a_closed_organisation_is_not_locked(cast: Cast, distributor: Actor, partner: Actor) -> None:
    await cast.row("update organisation set closed_at = %s where id = %s returning id", NOW, partner.organisation_id)
    async with refused(cast.database, NotFound):
        await lock(cast, distributor, partner)
