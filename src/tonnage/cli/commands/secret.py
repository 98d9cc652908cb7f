"""`tonnage secret`: the keys that seal secrets at rest."""

from pathlib import Path

import click

from tonnage import sealing
from tonnage.cli.context import Session, key_file, on_database, run
from tonnage.config import Settings
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict


@click.group()
def secret() -> None:
    """Create and renew the keys that encrypt secrets in the database."""


@secret.command(short_help="Create the key file.")
@on_database
def create(settings: Settings) -> None:
    """Create the file of TONNAGE_SECRET_KEY_FILE, with one new key.

    Only for a database that holds no secrets yet. Keep a copy of the file, separate from the backups of the database.
    """
    file = _file(settings)

    async def make(session: Session) -> None:
        if await session.database.run(sealing.count_sealed):
            raise Conflict(
                "The database holds encrypted secrets, which a new key cannot decrypt. Restore their key file.",
                ConflictCode.NO_SECRET_KEY,
            )
        if not sealing.create_key_file(file):
            raise Conflict(f"The key file {file} already exists. It was not changed.", ConflictCode.NO_SECRET_KEY)

    run(settings, make)
    click.echo(f"Created {file}. Keep a copy of it, separate from the backups of the database.")


@secret.command(short_help="Add a new key and re-encrypt all secrets with it.")
@on_database
@click.option("--prune", is_flag=True, help="Remove the old keys. Older backups of the database still need them.")
def rotate(settings: Settings, prune: bool) -> None:
    """Add a new key at the top of the key file and re-encrypt every secret with it.

    A power failure at any moment is safe: the file always decrypts every secret. If several machines have a copy of the
    file, give them the new one before you prune.
    """
    file = _file(settings)

    async def renew(session: Session) -> int:
        await session.database.run(sealing.prepare, file, may_create=False)
        return await session.database.run(sealing.rotate, file, prune=prune)

    count = run(settings, renew)
    click.echo(
        f"Added a key to {file} and re-encrypted all {count} secrets.{' The old keys were removed.' if prune else ''}"
    )


def _file(settings: Settings) -> Path:
    file = key_file(settings)
    if file is None:
        raise click.UsageError("Set TONNAGE_SECRET_KEY_FILE to the path of the key file.")
    return file
