"""A partner is suspended as one act: computed for its accounts, beside what they have by themselves."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tests.cast import NOW, TB, Cast
from tests.roles import run_as_owner, url_of
from tonnage.access.actor import Actor, Kind, Role
from tonnage.accounts import actions as accounts
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange, NewAccount
from tonnage.accounts.account_queries import account_detail
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.errors import Conflict, EditConflict, Forbidden, NotFound, PreconditionFailed
from tonnage.provisioning import actions as provisioning
from tonnage.provisioning.queries import state_of
from tonnage.storage.backend import Access
from tonnage.suspensions import actions
from tonnage.suspensions.queries import suspension_of
from tonnage.suspensions.suspension import Cause

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


async def waiting(cast: Cast) -> None:
    """Until a statement of this database waits for a lock."""
    blocked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while (await cast.row(blocked))[0] == 0:
        pass


class Sold:
    """A partner with accounts in a region that has a cluster."""

    def __init__(self, cast: Cast, distributor: Actor, partner: Actor, region: str) -> None:
        self.cast, self.distributor, self.partner, self.region = cast, distributor, partner, region
        self.id = partner.organisation_id

    async def account(self) -> int:
        return await self.cast.account(self.partner, TB, region=self.region)

    async def suspend(
        self, reason: str = "Unpaid", *, expected: str | None = None, revision: int | None = None
    ) -> None:
        await self.cast.database.run(
            actions.suspend_partner,
            self.distributor,
            self.id,
            reason,
            NOW,
            expected_reason=expected,
            revision=revision,
        )

    async def resume(self) -> None:
        await self.cast.database.run(actions.resume_partner, self.distributor, self.id)

    async def access(self, account: int) -> Access:
        state = await self.cast.database.run(state_of, account)
        assert state is not None
        return state.desired.access

    async def desired(self, *ids: int) -> list[int]:
        (found,) = await self.cast.row(
            "select array_agg(desired_revision order by id) from storage_account where id = any(%s)", list(ids)
        )
        return found

    async def jobs(self) -> list[str]:
        (found,) = await self.cast.row(
            "select coalesce(array_agg(task_name), '{}') from procrastinate_jobs where args->>'subject' = %s",
            str(self.id),
        )
        return found


@pytest.fixture
async def data(cast: Cast) -> Sold:
    region = await cast.region()
    await cast.row(
        "update region set backend = 'ceph', admin_url = 'http://rgw.invalid', connected_at = %s where name = %s"
        " returning id",
        NOW,
        region,
    )
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), 50 * TB)
    return Sold(cast, distributor, partner, region)


async def test_its_accounts_are_suspended_and_their_own_suspensions_stay(data: Sold) -> None:
    plain, held = await data.account(), await data.account()
    own = data.partner, data.id, held
    await data.cast.database.run(change_actions.suspend_account, *own, "Own reason", NOW)
    await data.suspend()
    assert [await data.access(one) for one in (plain, held)] == [Access.SUSPENDED] * 2
    await data.resume()
    assert [await data.access(one) for one in (plain, held)] == [Access.FULL, Access.SUSPENDED]
    await data.suspend()
    # By the distributor: the partner itself cannot, meanwhile.
    await data.cast.database.run(change_actions.resume_account, data.distributor, data.id, held)
    assert await data.access(held) is Access.SUSPENDED
    await data.resume()
    assert await data.access(held) is Access.FULL


async def test_every_account_that_depends_on_it_is_applied_again(data: Sold) -> None:
    async def reconciles() -> int:
        (found,) = await data.cast.row(
            "select count(*) from procrastinate_jobs j join region r on r.id::text = j.args->>'subject'"
            " where j.task_name = 'provisioning.reconcile' and r.name = %s",
            data.region,
        )
        return found

    ids = sorted([await data.account() for _ in range(3)])
    before, deferred = await data.desired(*ids), await reconciles()
    await data.suspend()
    assert "provisioning.reapply_partners" in await data.jobs()
    await provisioning.reapply_partners(data.cast.database, [data.id])
    assert await data.desired(*ids) == [revision + 1 for revision in before]
    assert await reconciles() == deferred + 1


async def test_marking_goes_on_behind_the_first_part(data: Sold) -> None:
    ids = sorted([await data.account() for _ in range(5)])
    before = await data.desired(*ids)
    await provisioning.reapply_partners(data.cast.database, [data.id], 2)
    assert await data.desired(*ids) == [revision + 1 for revision in before]


async def test_no_account_is_created_meanwhile(data: Sold) -> None:
    await data.suspend()
    new = NewAccount("New", f"{uuid4().hex}@example.org", "hash", TB, False, data.region)
    for actor in (data.distributor, data.partner):
        with pytest.raises(Conflict) as refused:
            await data.cast.database.run(accounts.create_account, actor, data.id, new, NOW)
        assert refused.value.code is ConflictCode.SUSPENDED_PARTNER
    await data.resume()
    await data.cast.database.run(accounts.create_account, data.partner, data.id, new, NOW)


async def test_the_partner_changes_nothing_about_storage_and_its_distributor_does(data: Sold) -> None:
    account = await data.cast.account(data.partner, TB, region=await data.cast.region())
    await data.suspend()
    actor = replace(data.partner, suspension_reason="Unpaid")
    run, who = data.cast.database.run, (data.id, account)
    change = AccountChange(name="Renamed")
    for refused in (
        lambda: run(change_actions.change_account, actor, *who, change, NOW),
        lambda: run(change_actions.suspend_account, actor, *who, "Why", NOW),
        lambda: run(change_actions.resume_account, actor, *who),
        lambda: run(change_actions.set_password, actor, *who, "hash"),
        lambda: run(accounts.delete_account, actor, *who, 30, NOW),
        lambda: run(accounts.set_deletion, actor, *who, None, 30, NOW),
    ):
        with pytest.raises(Forbidden) as error:
            await refused()
        assert error.value.code is RequestCode.PARTNER_SUSPENDED
    await run(change_actions.change_account, data.distributor, *who, change, NOW)
    await run(accounts.delete_account, data.distributor, *who, 30, NOW)
    found = await run(account_detail, data.id, data.id, account)
    assert found
    assert (found.name, found.pending_deleted_at is not None) == ("Renamed", True)


async def test_it_is_idempotent_and_a_stale_change_is_refused(data: Sold) -> None:
    (revision,) = await data.cast.row("select revision from partner where id = %s", data.id)
    with pytest.raises(PreconditionFailed):
        await data.suspend(revision=revision + 1)
    await data.suspend(revision=revision)
    await data.suspend()
    with pytest.raises(EditConflict):
        await data.suspend("Mine", expected="")
    await data.suspend("Still unpaid", expected="Unpaid")
    found = await data.cast.database.run(suspension_of, None, data.id)
    assert found
    assert (found.suspended_at, found.reason, found.cause) == (NOW, "Still unpaid", Cause.PERSON)
    for _ in range(2):
        await data.resume()
    (entries,) = await data.cast.row(
        "select array_agg(action order by id) from audit_entry where subject_id = %s and action ~ 'suspend|resume'",
        str(data.id),
    )
    assert entries == ["partner.suspend", "partner.suspend", "partner.resume"]


async def test_a_stranger_finds_no_partner(data: Sold) -> None:
    stranger = await data.cast.distributor()
    with pytest.raises(NotFound):
        await data.cast.database.run(actions.suspend_partner, stranger, data.id, "Why", NOW)
    with pytest.raises(NotFound):
        await data.cast.database.run(actions.resume_partner, stranger, data.id)
    for actor in (data.partner, replace(data.distributor, role=Role.VIEWER), data.cast.operator):
        with pytest.raises(Forbidden):
            await data.cast.database.run(actions.suspend_partner, actor, data.id, "Why", NOW)
    assert await data.cast.row("select suspended_at from partner where id = %s", data.id) == (None,)


async def test_an_account_that_is_created_at_the_same_moment_is_there_before_or_refused(data: Sold) -> None:
    """The suspension waits for the creation, or the creation sees the suspension."""
    new = NewAccount("New", f"{uuid4().hex}@example.org", "hash", TB, False, data.region)
    created, entered = asyncio.Event(), asyncio.Event()

    async def creates(conn: Connection) -> int:
        made = await accounts.create_account(conn, data.partner, data.id, new, NOW)
        entered.set()
        await created.wait()
        return made.id

    creating = asyncio.create_task(data.cast.database.transaction(creates))
    await entered.wait()
    suspending = asyncio.create_task(data.suspend())
    await waiting(data.cast)
    created.set()
    account = await creating
    await suspending
    before = await data.desired(account)
    await provisioning.reapply_partners(data.cast.database, [data.id])
    assert await data.desired(account) == [before[0] + 1]
    assert await data.access(account) is Access.SUSPENDED


async def test_a_creation_that_waits_for_the_suspension_is_refused(data: Sold) -> None:
    new = NewAccount("New", f"{uuid4().hex}@example.org", "hash", TB, False, data.region)
    go_on, entered = asyncio.Event(), asyncio.Event()

    async def suspends(conn: Connection) -> None:
        await actions.suspend_partner(conn, data.distributor, data.id, "Unpaid", NOW)
        entered.set()
        await go_on.wait()

    suspending = asyncio.create_task(data.cast.database.transaction(suspends))
    await entered.wait()
    creating = asyncio.create_task(data.cast.database.run(accounts.create_account, data.partner, data.id, new, NOW))
    await waiting(data.cast)
    go_on.set()
    await suspending
    with pytest.raises(Conflict) as refused:
        await creating
    assert refused.value.code is ConflictCode.SUSPENDED_PARTNER


async def test_two_at_once_are_one(data: Sold) -> None:
    await asyncio.gather(*(data.suspend("Unpaid") for _ in range(4)))
    (entries,) = await data.cast.row(
        "select count(*) from audit_entry where subject_id = %s and action = 'partner.suspend'", str(data.id)
    )
    assert entries == 1


async def test_the_states_of_an_account_and_their_causes(data: Sold) -> None:
    account = await data.cast.account(data.partner, TB, region=await data.cast.region())

    async def state() -> tuple[str, str | None, int | None]:
        found = await data.cast.database.run(account_detail, data.id, data.id, account)
        assert found is not None
        return found.state, found.state_cause, found.level

    async def write(statement: str) -> None:
        await asyncio.to_thread(run_as_owner, url_of(data.cast.database), statement)

    assert await state() == ("normal", None, None)
    await write(
        "insert into alert (organisation_id, account_id, level, crossed_at, used, capacity)"
        f" values ('{data.id}', {account}, 80, now(), 8, 10), ('{data.id}', {account}, 50, now(), 8, 10)"
    )
    assert await state() == ("warned", "level", 80)
    await write(f"update storage_account set quota = {TB} where id = {account}")
    await write(f"update account_usage set used = {TB} where account_id = {account}")
    assert await state() == ("no_new_data", "quota", 80)
    await data.cast.database.run(accounts.delete_account, data.partner, data.id, account, 30, NOW)
    assert await state() == ("no_new_data", "deletion", 80)
    await data.suspend()
    assert await state() == ("closed", "partner", 80)
    await write(
        f"update partner set suspension_cause = 'overdue', suspension_statement_id = '{UUID(int=1)}',"
        ' suspension_overdue = \'{"number": "1", "dueOn": "2026-03-17"}\''
        f" where id = '{data.id}'"
    )
    assert await state() == ("closed", "overdue", 80)
    await data.cast.database.run(change_actions.suspend_account, data.distributor, data.id, account, "Own", NOW)
    assert await state() == ("closed", "person", 80)


def test_only_a_partner_is_suspended() -> None:
    actor = Actor(UUID(int=1), Kind.PARTNER, Role.ADMIN, "key", suspension_reason="Unpaid")
    with pytest.raises(Forbidden, match="Unpaid"):
        actor.require_for_storage(Role.VIEWER)
    replace(actor, suspension_reason=None).require_for_storage(Role.ADMIN)
    with pytest.raises(Forbidden) as role:
        replace(actor, role=Role.VIEWER).require_for_storage(Role.STAFF)
    assert role.value.code is RequestCode.ROLE_TOO_LOW
