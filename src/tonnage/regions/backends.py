"""The open clients of the regions' clusters; one instance per process."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tonnage import sealing
from tonnage.db import Connection, Database
from tonnage.errors import NotFound, Sentence
from tonnage.regions import queries
from tonnage.regions.region import SIMULATED, Gateway
from tonnage.sealing import SealingError
from tonnage.storage.admin_ops import Timeouts
from tonnage.storage.backend import AccessKey, Cluster, StorageBackend
from tonnage.storage.ceph import CephBackend
from tonnage.storage.errors import Misconfigured
from tonnage.storage.metered import MeteredBackend
from tonnage.storage.simulated import SimulatedBackend

_log = logging.getLogger(__name__)


class OpenBackends:
    """Provides the backend of a region, and caches its client.

    `key_file`: the keys that open sealed credentials. `timeouts`: time-outs for clusters; None: the defaults.
    """

    def __init__(self, database: Database, key_file: Path | None, timeouts: Timeouts | None = None) -> None:
        self._database = database
        self._key_file = key_file
        self._timeouts = timeouts
        self._open: dict[int, tuple[int, StorageBackend]] = {}
        self._replaced: list[StorageBackend] = []
        """Clients of former connections. They may still be in use, so they are closed at the end."""
        self._opening = asyncio.Lock()

    async def of(self, region_id: int) -> StorageBackend:
        """The backend of a region as it is connected now.

        NotFound: no such region. Misconfigured: its credentials cannot be opened, or the cluster's identity is
        unverified.
        """
        cluster, backend = await self.any_state(region_id)
        if cluster.identity_unverified is not None:
            raise Misconfigured(
                cluster.identity_unverified
                or Sentence(
                    "The cluster of the region {region} is being checked. Try again later.", region=cluster.name
                )
            )
        return backend

    async def any_state(self, region_id: int) -> tuple[Cluster, StorageBackend]:
        """The same even while the cluster's identity is unverified, for checks. Callers must change nothing there."""
        cluster = await self._database.run(queries.cluster, region_id)
        if cluster is None:
            raise NotFound("The region no longer exists.")
        async with self._opening:
            connection, former = self._open.get(region_id, (None, None))
            if former is not None and connection == cluster.connection:
                return cluster, former
            backend = await self._connect(cluster)
            # Not before: while the credentials cannot be opened, every call gets here again.
            if former is not None:
                self._replaced.append(former)
            self._open[region_id] = (cluster.connection, backend)
            return cluster, backend

    @property
    def clients(self) -> int:
        """How many clients are in memory: of each region one, and those of former connections."""
        return len(self._open) + len(self._replaced)

    async def _connect(self, cluster: Cluster) -> StorageBackend:
        if cluster.backend == SIMULATED:
            return SimulatedBackend(self._database, cluster.region_id)
        if cluster.admin_url is None:
            return MeteredBackend()
        key = await self._database.run(self._credentials, cluster)
        return CephBackend(cluster.admin_url, key, self._timeouts)

    async def _credentials(self, conn: Connection, cluster: Cluster) -> AccessKey:
        # Does not name the file: the readiness probe is public and shows this text.
        closed = f"The credentials of the region {cluster.name} cannot be decrypted"
        if self._key_file is None:
            raise Misconfigured(f"{closed}: TONNAGE_SECRET_KEY_FILE is not set.")
        try:
            sealed = await sealing.fetch(conn, self._key_file, _secret_of(cluster.region_id))
        except SealingError as error:
            _log.warning("the credentials of the region %s cannot be decrypted: %s", cluster.name, error)
            raise Misconfigured(f"{closed}. Run `tonnage doctor` to see why.") from error
        if sealed is None:
            raise Misconfigured(f"The region {cluster.name} has no credentials. Set them with: tonnage region connect")
        return AccessKey(**json.loads(sealed))

    async def close(self) -> None:
        """Closes all connections."""
        for backend in [*self._replaced, *(backend for _, backend in self._open.values())]:
            await backend.close()


@asynccontextmanager
async def open_backends(database: Database, key_file: Path | None) -> AsyncGenerator[OpenBackends]:
    """Backends that are closed at the end of the block."""
    backends = OpenBackends(database, key_file)
    try:
        yield backends
    finally:
        await backends.close()


async def store_credentials(conn: Connection, key_file: Path, region_id: int, gateway: Gateway) -> None:
    """Seals and stores a gateway's credentials, in the caller's transaction. Raises SealingError."""
    secret = json.dumps({"access_key": gateway.access_key, "secret_key": gateway.secret_key})
    await sealing.store(conn, key_file, _secret_of(region_id), secret.encode())


async def discard_credentials(conn: Connection, region_id: int) -> None:
    """Deletes the credentials of a region that is removed."""
    await sealing.discard(conn, _secret_of(region_id))


def _secret_of(region_id: int) -> str:
    return f"region/{region_id}"
