"""`tonnage secret`: the keys that seal secrets at rest."""

from pathlib import Path

import click

from tonnage import sealing
from tonnage.cli.context import Session, key_file, on_database, run
from tonnage.config import Settings
from tonnage.errors import Conflict


@click.group()
def secret() -> None:
    """Make and renew the keys that seal secrets in the database."""


@secret.command(short_help="Make the key file.")
@on_database
def create(settings: Settings) -> None:
    """Make the file of TONNAGE_SECRET_KEY_FILE, with one fresh key.

    Only for a database that holds no secrets yet. Keep a copy of the file, apart from the copies of the database.
    """
    file = _file(settings)

    async def make(session: Session) -> None:
        if await session.database.run(sealing.count_sealed):
            raise Conflict("The database holds sealed secrets, which a fresh key would not open; restore their file.")
        if not sealing.create_key_file(file):
            raise Conflict(f"There is a key file {file} already; it was left as it is.")

    run(settings, make)
    click.echo(f"Made {file}. Keep a copy of it, apart from the copies of the database.")


@secret.command(short_help="Put a fresh key on top of the file and seal anew.")
@on_database
@click.option("--prune", is_flag=True, help="Drop the old keys. Copies of the database from before need them still.")
def rotate(settings: Settings, prune: bool) -> None:
    """Put a fresh key on top of the key file and seal every secret with it.

    The power may go off at any moment: the file always opens every secret. Where several machines have a copy of the
    file each, give them the new one before you prune.
    """
    file = _file(settings)

    async def renew(session: Session) -> int:
        await session.database.run(sealing.prepare, file, may_create=False)
        return await session.database.run(sealing.rotate, file, prune=prune)

    count = run(settings, renew)
    click.echo(f"{file} has a fresh key, and it seals all {count} secrets.{' The old keys are gone.' if prune else ''}")


def _file(settings: Settings) -> Path:
    file = key_file(settings)
    if file is None:
        raise click.UsageError("Set TONNAGE_SECRET_KEY_FILE to the file of the keys.")
    return file
