"""The services of commands that also work with what is outside of the database: clusters and the data directory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tonnage.cli.context import Session, key_file
from tonnage.config import Settings
from tonnage.regions.backends import open_backends
from tonnage.services import Services


@asynccontextmanager
async def open_services(session: Session, settings: Settings) -> AsyncGenerator[Services]:
    """With backends that are closed at the end of the block."""
    keys = key_file(settings)
    async with open_backends(session.database, keys) as backends:
        yield Services(session.database, backends, key_file=keys, data_dir=settings.data_dir, **session.clock.options)
