"""The services of commands that also work with what is outside of the database: clusters and the data directory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict

from tonnage.cli.context import Session, key_file
from tonnage.config import Settings
from tonnage.public_http import PublicHttp
from tonnage.regions.backends import open_backends
from tonnage.services import Services


class ConfiguredOptions(TypedDict):
    """Those of `ServiceOptions` that are settings of processes which serve or run jobs."""

    key_file: Path | None
    data_dir: Path
    deletion_grace_days: int
    client_address_days: int
    audit_months: int | None
    public_http: PublicHttp


def configured_options(settings: Settings) -> ConfiguredOptions:
    """What processes that serve or run jobs have of the settings, however they are started."""
    return {
        "key_file": key_file(settings),
        "data_dir": settings.data_dir,
        "deletion_grace_days": settings.deletion_grace_days,
        "client_address_days": settings.client_address_days,
        "audit_months": settings.audit_months,
        "public_http": PublicHttp(settings.webhook_networks),
    }


@asynccontextmanager
async def open_services(session: Session, settings: Settings) -> AsyncGenerator[Services]:
    """With backends that are closed at the end of the block."""
    keys = key_file(settings)
    async with open_backends(session.database, keys) as backends:
        yield Services(session.database, backends, **configured_options(settings), **session.clock.options)
