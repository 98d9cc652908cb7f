"""A company whose database is backed up, goes on beside its cluster, and is put back from the backup.

`before` is what the backup has. `go_on` is what only the cluster and the data directory know afterwards.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.api.conftest import Clock
from tests.authentication.members import FakeOutbox, person
from tests.cast import ANY_AGE, TB, Cast
from tests.ceph_client import ClusterClient
from tests.clocks import clocks
from tests.storage.customer import Customer
from tonnage.access.actor import Actor
from tonnage.accounts import actions as accounts
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange
from tonnage.api_keys.actions import revoke_key
from tonnage.api_keys.queries import find_key
from tonnage.db import Database, connect
from tonnage.epoch.actions import advance
from tonnage.jobs import defer
from tonnage.jobs.declaration import DECLARED
from tonnage.mail import Mailer
from tonnage.members.actions import delete_member
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.storage.backend import ActualAccount, ClusterUser
from tonnage.tokens import digest
from tonnage.worker import perform

GRACE = 30
OBJECTS = 5
MAILS = 2


@dataclass
class Company:
    """Its accounts, all of one partner, and people. `kept`: the account whose deletion is cancelled after the backup.
    `gone`: the one that waits for its deletion all the time."""

    client: ClusterClient
    partner: Actor
    kept: int
    gone: int
    raised: int
    resumed: int
    customer: Customer
    api_key: str
    api_key_id: UUID
    member: UUID
    outbox: FakeOutbox
    opened: int = 0
    new_key: str = ""

    @property
    def accounts(self) -> list[int]:
        """Those that are on the cluster at the end."""
        return [self.kept, self.gone, self.raised, self.resumed, self.opened]


async def before(client: ClusterClient) -> Company:
    """Everything that the backup has."""
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor), 20 * TB)
    kept, gone, raised, resumed = [await client.cast.account(partner, TB) for _ in range(4)]
    await client.work()
    backend = await client.backend()
    customer = client.customer(**asdict(await backend.create_key(ClusterUser(kept), f"CUSTOMER{kept}")))
    customer.s3.create_bucket(Bucket="data")
    for number in range(OBJECTS):
        customer.s3.put_object(Bucket="data", Key=str(number), Body=b"%d" % number)
    api_key = await client.cast.key(partner)
    known = await client.database.run(find_key, digest(api_key))
    assert known is not None
    assert known.actor.via_id is not None
    member = await person(client.cast, partner)
    company = Company(
        client, partner, kept, gone, raised, resumed, customer, api_key, known.actor.via_id, member.id, FakeOutbox()
    )
    client.app.state.services = _mailing(client.services, company)
    for account in (kept, gone):
        await _delete(company, account)
    await client.database.run(
        change_actions.suspend_account, partner, partner.organisation_id, resumed, "unpaid", client.clock.now
    )
    await client.work()
    company.outbox.sent.clear()
    await advance(client.services)
    # The backup has the mails as jobs that wait: to a member who is removed later, and to one who stays.
    for addressee in (company.member, (await person(client.cast, partner)).id):
        await client.database.run(defer, "authentication.send_reset", addressee)
    return company


def _mailing(services: Services, company: Company) -> Services:
    return replace(services, mailer=Mailer(company.outbox, "https://console.example"), deletion_grace_days=ANY_AGE.days)


async def _delete(company: Company, account: int) -> None:
    client, scope = company.client, company.partner.organisation_id
    await client.database.run(accounts.delete_account, company.partner, scope, account, GRACE, client.clock.now)


async def go_on(company: Company) -> None:
    """Everything that happens after the backup."""
    client, partner, scope = company.client, company.partner, company.partner.organisation_id
    await client.database.run(accounts.set_deletion, partner, scope, company.kept, None, GRACE, client.clock.now)
    await client.database.run(change_actions.resume_account, partner, scope, company.resumed)
    change = AccountChange(allocated_capacity=3 * TB)
    await client.database.run(change_actions.change_account, partner, scope, company.raised, change, client.clock.now)
    company.opened = await client.cast.account(partner, TB)
    await client.work()
    assert len(company.outbox.sent) == MAILS
    company.new_key = f"NEWKEY{company.raised}"
    await (await client.backend()).create_key(ClusterUser(company.raised), company.new_key)
    company.customer.s3.put_object(Bucket="data", Key="later", Body=b"later")
    await client.database.run(revoke_key, client.cast.operator, company.api_key_id, client.clock.now)
    await client.database.run(delete_member, client.cast.operator, scope, company.member)
    await advance(client.services)


@dataclass
class Restored:
    """The database that was put back, with the services of a new process."""

    company: Company
    services: Services

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def cast(self) -> Cast:
        return Cast(self.database, self.company.client.cast.operator, self.company.client.clock.now)

    async def work(self) -> list[str]:
        """Runs each waiting job once, as a worker does; a failure is raised."""
        done: list[str] = []
        while row := await self.database.run(_next_job):
            name, subject = row
            done.append(name)
            await perform(self.services, DECLARED[name], subject)
        return done

    async def perform(self, name: str) -> None:
        """Runs a job about the region."""
        await perform(self.services, DECLARED[name], str(self.company.client.region_id))

    async def states(self) -> dict[int, ActualAccount | None]:
        """All accounts as they are on the cluster."""
        backend = await self.services.backends.of(self.company.client.region_id)
        return {account: await backend.state(ClusterUser(account)) for account in self.company.accounts}

    async def drift(self) -> dict[str, str]:
        """What a person has to decide, about this company's accounts."""

        async def read(conn: Any) -> dict[str, str]:
            cursor = await conn.execute("select subject, description from drift")
            return {
                subject: description
                for subject, description in await cursor.fetchall()
                if any(str(account) in subject for account in self.company.accounts)
            }

        return await self.database.run(read)

    def objects(self) -> dict[str, bytes]:
        """What the customer of `kept` has."""
        s3 = self.company.customer.s3
        listed = s3.list_objects_v2(Bucket="data").get("Contents", [])
        return {one["Key"]: s3.get_object(Bucket="data", Key=one["Key"])["Body"].read() for one in listed}


ALL_OBJECTS = {**{str(number): b"%d" % number for number in range(OBJECTS)}, "later": b"later"}


async def _next_job(conn: Any) -> tuple[str, str] | None:
    cursor = await conn.execute(
        """
        delete from procrastinate_jobs where id = (
            select id from procrastinate_jobs where status = 'todo' order by id limit 1)
        returning task_name, args->>'subject'
        """
    )
    return await cursor.fetchone()


@asynccontextmanager
async def restored(
    company: Company, conninfo: str, data_dir: Path | None, *, days: int = GRACE + 1
) -> AsyncGenerator[Restored]:
    """A new process on the database that was put back, a month later: the deletions of the backup are due."""
    client = company.client
    clock = Clock(client.clock.now + timedelta(days=days))
    async with connect(conninfo) as database:
        backends = OpenBackends(database, client.key_file)
        try:
            services = Services(database, backends, key_file=client.key_file, data_dir=data_dir, **clocks(clock))
            yield Restored(company, _mailing(services, company))
        finally:
            await backends.close()
