"""A partner whose accounts are on a real gateway, and the storage client that samples them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.cast import Cast
from tests.ceph_client import ClusterClient
from tests.storage.customer import Customer
from tonnage.access.actor import Actor
from tonnage.db import Connection
from tonnage.metering import traffic_actions
from tonnage.metering.sampling_actions import sample_region
from tonnage.provisioning.actions import reconcile
from tonnage.storage.admin_ops import Timeouts
from tonnage.storage.backend import ClusterUser, Traffic, Usage
from tonnage.storage.ceph import CephBackend


class Probe(CephBackend):
    """The product's client; records its calls, and awaits `before` ahead of each reading."""

    def __init__(self, client: ClusterClient, timeouts: Timeouts | None = None) -> None:
        super().__init__(client.gateway.address, client.admin, timeouts)
        self.read: list[int] = []
        self.spans: list[tuple[datetime, datetime]] = []
        self.trimmed: list[int] = []
        self.before: Callable[[int], Awaitable[None]] | None = None

    async def usage(self, user: ClusterUser) -> Usage | None:
        self.read.append(user.account_id)
        if self.before:
            await self.before(user.account_id)
        return await super().usage(user)

    def traffic(self, since: datetime, until: datetime, adopted: Mapping[str, int]) -> AsyncIterator[Traffic]:
        self.spans.append((since, until))
        return super().traffic(since, until, adopted)

    async def trim_traffic(self, user: ClusterUser, before: datetime) -> None:
        self.trimmed.append(user.account_id)
        await super().trim_traffic(user, before)


@dataclass
class SampledData:
    client: ClusterClient
    probe: Probe
    distributor: Actor
    contract: UUID
    partner: Actor

    @property
    def cast(self) -> Cast:
        return self.client.cast

    async def accounts(self, count: int) -> list[int]:
        """Creates that many more accounts of the partner, provisioned; in order of id."""
        made = [await self.cast.account(self.partner) for _ in range(count)]
        await self.provision()
        return sorted(made)

    async def provision(self) -> None:
        """Provisions all changes of accounts."""
        await reconcile(self.cast.database, self.probe, await self.client.permit_changes())

    async def sample(self, *, batch: int = 500, probe: Probe | None = None) -> None:
        await sample_region(
            self.cast.database,
            probe or self.probe,
            self.client.region_id,
            self.client.services.business_clock,
            self.client.permit_changes,
            batch=batch,
        )

    async def read(self, now: datetime) -> None:
        """Reads the traffic, as a run at that time does."""
        await traffic_actions.read(self.cast.database, self.probe, self.client.region_id, now)

    async def customer(self, account: int) -> Customer:
        key = await self.probe.create_key(ClusterUser(account), f"SAMPLED{account}")
        return self.client.customer(key.access_key, key.secret_key)

    async def run(self) -> tuple[Any, ...]:
        """The last run: hour, whether it has finished, numbers of sampled and missed accounts."""
        return await self.cast.row(
            "select hour, finished_at is not null, sampled, missed from sampling_run order by hour desc limit 1"
        )

    async def samples(self, account: int) -> list[tuple[Any, ...]]:
        """Time, bytes, objects."""

        async def read(conn: Connection) -> list[tuple[Any, ...]]:
            cursor = await conn.execute(
                "select sampled_at, bytes, objects from usage_sample where account_id = %s order by sampled_at",
                [account],
            )
            return await cursor.fetchall()

        return await self.cast.database.run(read)


@asynccontextmanager
async def sampled(client: ClusterClient, timeouts: Timeouts | None = None) -> AsyncGenerator[SampledData]:
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor)
    partner = await client.cast.partner(distributor, contract)
    probe = Probe(client, timeouts)
    try:
        yield SampledData(client, probe, distributor, contract, partner)
    finally:
        await probe.close()
