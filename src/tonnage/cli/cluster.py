"""The storage clusters that a command is about."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tonnage.cli.context import Session, key_file
from tonnage.config import Settings
from tonnage.errors import NotFound
from tonnage.regions.backends import open_backends
from tonnage.regions.queries import clusters
from tonnage.storage.backend import Cluster, StorageBackend


async def chosen_clusters(session: Session, name: str | None) -> list[Cluster]:
    """The cluster of the region of that name, or for None all. NotFound: no such region, or it has no cluster."""
    found = [one for one in await session.database.run(clusters) if name in {None, one.name}]
    if name is not None and not found:
        raise NotFound(f"There is no region {name} with a cluster. See: tonnage region list")
    return found


@asynccontextmanager
async def open_cluster(
    session: Session, settings: Settings, name: str
) -> AsyncGenerator[tuple[Cluster, StorageBackend]]:
    """The cluster of a region, and its backend while the block lasts. Misconfigured: its identity is unverified."""
    (cluster,) = await chosen_clusters(session, name)
    async with open_backends(session.database, key_file(settings)) as backends:
        yield cluster, await backends.of(cluster.region_id)
