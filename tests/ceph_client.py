"""The whole application with a region on a real gateway, in a database of its own. Its accounts are in that region."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from testbed.gateway import CAPABILITIES
from testbed.gateway import Gateway as RealGateway
from tests.api.conftest import CHEAP, AccountData, AppClient, Clock
from tests.cast import TB, Cast
from tests.clocks import clocks
from tests.storage.customer import Customer
from tests.webhooks.inserted import insert_webhook
from tonnage.asgi import create_app
from tonnage.db import Database
from tonnage.epoch.actions import permit_changes
from tonnage.epoch.epoch import Permit
from tonnage.jobs.declaration import DECLARED
from tonnage.passwords import Passwords
from tonnage.provisioning.actions import reconcile
from tonnage.regions import actions as regions
from tonnage.regions import queries
from tonnage.regions.backends import OpenBackends
from tonnage.regions.region import Gateway, NewRegion
from tonnage.sealing import create_key_file
from tonnage.services import Services
from tonnage.storage.admin_ops import AdminOps, Timeouts
from tonnage.storage.backend import AccessKey, Backends, DesiredAccount, StorageBackend

REGION = "on-ceph"


@dataclass(kw_only=True)
class ClusterClient(AppClient):
    """An application whose default region is on a gateway. `backends` are those of the application."""

    conninfo: str
    gateway: RealGateway
    admin: AccessKey
    """Of the region's user on the cluster. It has a bucket of its own there, so that databases do not meet."""
    key_file: Path
    region_id: int

    @property
    def database(self) -> Database:
        return self.cast.database

    @property
    def services(self) -> Services:
        return self.app.state.services

    @property
    def backends(self) -> Backends:
        return self.services.backends

    async def backend(self) -> StorageBackend:
        return await self.backends.of(self.region_id)

    async def permit_changes(self) -> Permit:
        """The permission to change the cluster."""
        return await permit_changes(self.services, self.region_id, await self.backend())

    async def reconcile(self) -> int:
        """Applies what is pending, as the job does."""
        return await reconcile(self.database, await self.backend(), await self.permit_changes())

    async def data(self) -> AccountData:
        """A distributor with a contract, a partner and an account of 1 TB, which is already provisioned."""
        distributor = await self.cast.distributor()
        contract = await self.cast.contract(distributor)
        partner = await self.cast.partner(distributor, contract, 10 * TB)
        account = await self.cast.account(partner, TB)
        await self.provision(account)
        member, book, statement, adjustment = (uuid.uuid4() for _ in range(4))
        webhook = await insert_webhook(self.cast, distributor)
        return AccountData(distributor, contract, partner, account, member, book, statement, adjustment, webhook)

    async def provision(self, account_id: int, quota: int | None = TB) -> None:
        """Provisions an account without a job."""
        desired = DesiredAccount(account_id, "Customer", f"{account_id}@customer.example", quota)
        await (await self.backend()).apply(desired)

    async def mark_verified(self) -> None:
        """Marks the clusters' identities as verified, as the first job after connecting does."""
        for cluster in await self.database.run(queries.clusters):
            await self.database.run(queries.set_identity_unverified, cluster, None)

    async def work(self) -> list[str]:
        """Runs the waiting jobs and those that they defer; returns their names. A failure is raised."""
        done: list[str] = []
        while job := await self._next_job():
            name, subject = job
            done.append(name)
            await DECLARED[name].function(self.services, subject)
        return done

    async def _next_job(self) -> tuple[str, str] | None:
        async def take(conn: Any) -> tuple[str, str] | None:
            cursor = await conn.execute(
                """
                delete from procrastinate_jobs where id = (
                    select id from procrastinate_jobs where status = 'todo' order by id limit 1)
                returning task_name, args->>'subject'
                """
            )
            return await cursor.fetchone()

        return await self.database.run(take)

    def customer(self, access_key: str, secret_key: str) -> Customer:
        """An S3 client with that key."""
        return Customer(self.gateway, AccessKey(access_key, secret_key))


@asynccontextmanager
async def on_cluster(
    conninfo: str,
    gateway: RealGateway,
    key_file: Path,
    timeouts: Timeouts | None = None,
    *,
    data_dir: Path | None = None,
) -> AsyncGenerator[ClusterClient]:
    """An application on an empty database. `timeouts`: its time limits for the gateway; None: the product's own."""
    create_key_file(key_file)
    clock = Clock()
    app = create_app(conninfo, **clocks(clock), passwords=Passwords(CHEAP), key_file=key_file, data_dir=data_dir)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        # The application's own connections: others would take longer to open than most requests take.
        database: Database = app.state.services.database
        await database.pool.wait()
        cast = await Cast.of(database)
        admin = await new_admin(gateway)
        region_id = await _region(cast, gateway, admin, key_file)
        if timeouts:
            backends = OpenBackends(database, key_file, timeouts)
            app.state.services = replace(app.state.services, backends=backends)
            stack.push_async_callback(backends.close)
        transport = httpx.ASGITransport(app)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://tonnage"))
        client = ClusterClient(
            app,
            cast,
            clock,
            http,
            stack,
            conninfo=conninfo,
            gateway=gateway,
            admin=admin,
            key_file=key_file,
            region_id=region_id,
        )
        await client.mark_verified()
        yield client


async def new_admin(gateway: RealGateway, *, max_buckets: str = "1000") -> AccessKey:
    """Another user with the rights that Tonnage needs. Buckets of different tenants may have the same name."""
    key = AccessKey(f"ADMIN{uuid.uuid4().hex[:15].upper()}", uuid.uuid4().hex)
    ops = AdminOps(gateway.address, AccessKey(gateway.access_key, gateway.secret_key), Timeouts())
    user = {"uid": f"t{uuid.uuid4().hex}$tonnage-admin", "display-name": "Tonnage", "user-caps": CAPABILITIES}
    user |= {"max-buckets": max_buckets}
    try:
        await ops.call("PUT", "user", {**user, "access-key": key.access_key, "secret-key": key.secret_key})
    finally:
        await ops.close()
    return key


async def _region(cast: Cast, gateway: RealGateway, admin: AccessKey, key_file: Path) -> int:
    region = NewRegion(REGION, gateway.address, gateway.address, gateway.address)
    reached = Gateway(gateway.address, admin.access_key, admin.secret_key)
    await cast.database.transaction(
        regions.add_region, cast.operator, region, cast.now, gateway=reached, key_file=key_file
    )
    (cluster,) = await cast.database.run(queries.clusters)
    return cluster.region_id
