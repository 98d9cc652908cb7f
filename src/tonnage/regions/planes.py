"""The open clients of the regions' clusters. A process has one of these."""

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
from tonnage.regions.region import METERED, Cluster, Gateway
from tonnage.sealing import SealingError
from tonnage.storage.admin_ops import Patience
from tonnage.storage.ceph import CephPlane
from tonnage.storage.errors import Misconfigured
from tonnage.storage.metered import MeteredPlane
from tonnage.storage.plane import AccessKey, StoragePlane

_log = logging.getLogger(__name__)


class Planes:
    """Gives the plane of a region, and keeps its client for the next time.

    `key_file` opens the credentials. `patience` is how long clusters are waited for; None: as is usual.
    """

    def __init__(self, database: Database, key_file: Path | None, patience: Patience | None = None) -> None:
        self._database = database
        self._key_file = key_file
        self._patience = patience
        self._open: dict[int, tuple[int, StoragePlane]] = {}
        self._replaced: list[StoragePlane] = []
        """May still be in use, so they are closed at the end."""
        self._opening = asyncio.Lock()

    async def of(self, region_id: int) -> StoragePlane:
        """The plane as the region is now.

        NotFound: there is no such region. Misconfigured: its secret is lost, or it may be another cluster.
        """
        cluster, plane = await self.whatever(region_id)
        if cluster.doubt is not None:
            raise Misconfigured(
                cluster.doubt
                or Sentence("The cluster of the region {region} is just being looked at.", region=cluster.name)
            )
        return plane

    async def whatever(self, region_id: int) -> tuple[Cluster, StoragePlane]:
        """The same, whichever cluster it may be: for those who look at it. They must change nothing there."""
        cluster = await self._database.run(lambda conn: queries.cluster(conn, region_id))
        if cluster is None:
            raise NotFound("The region is not there any more.")
        async with self._opening:
            connection, plane = self._open.get(region_id, (None, None))
            if plane is None or connection != cluster.connection:
                if plane is not None:
                    self._replaced.append(plane)
                plane = await self._connect(cluster)
                self._open[region_id] = (cluster.connection, plane)
            return cluster, plane

    async def _connect(self, cluster: Cluster) -> StoragePlane:
        if cluster.plane == METERED or cluster.admin_url is None:
            return MeteredPlane()
        key = await self._database.run(lambda conn: self._credentials(conn, cluster))
        return CephPlane(cluster.admin_url, key, self._patience)

    async def _credentials(self, conn: Connection, cluster: Cluster) -> AccessKey:
        # Without the name of the file, since whoever asks whether we are ready gets to read it.
        closed = f"The credentials of the region {cluster.name} cannot be opened"
        if self._key_file is None:
            raise Misconfigured(f"{closed}: TONNAGE_SECRET_KEY_FILE is not set.")
        try:
            sealed = await sealing.fetch(conn, self._key_file, _secret_of(cluster.region_id))
        except SealingError as error:
            _log.warning("the credentials of the region %s cannot be opened: %s", cluster.name, error)
            raise Misconfigured(f"{closed}; `tonnage doctor` says why.") from error
        if sealed is None:
            raise Misconfigured(f"The region {cluster.name} has no credentials; set them with: tonnage region connect")
        return AccessKey(**json.loads(sealed))

    async def close(self) -> None:
        """Ends all connections."""
        for plane in [*self._replaced, *(plane for _, plane in self._open.values())]:
            await plane.close()


@asynccontextmanager
async def opened(database: Database, key_file: Path | None) -> AsyncGenerator[Planes]:
    """Planes that are closed afterwards."""
    planes = Planes(database, key_file)
    try:
        yield planes
    finally:
        await planes.close()


async def keep_credentials(conn: Connection, key_file: Path, region_id: int, gateway: Gateway) -> None:
    """Seals a gateway's credentials, in the caller's transaction. Raises SealingError."""
    secret = json.dumps({"access_key": gateway.access_key, "secret_key": gateway.secret_key})
    await sealing.store(conn, key_file, _secret_of(region_id), secret.encode())


async def forget_credentials(conn: Connection, region_id: int) -> None:
    """Of a region that goes."""
    await sealing.discard(conn, _secret_of(region_id))


def _secret_of(region_id: int) -> str:
    return f"region/{region_id}"
