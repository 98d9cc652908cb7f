"""`tonnage organisation`: copies of what is stored about a distributor or partner, and erasure."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.db import Connection
from tonnage.db.snapshot import take_snapshot
from tonnage.personal_data.actions import begin_organisation_copy, erase_organisation
from tonnage.personal_data.queries import organisation_copy


@click.group()
def organisation() -> None:
    """Personal data of distributors and partners: copies, and erasure."""


@organisation.command()
@click.argument("organisation_id", metavar="ID", type=UUID_TYPE)
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The ZIP file to write; it must not exist.",
)
@on_database
def export(settings: Settings, organisation_id: UUID, output: Path) -> None:
    """Write all that is stored about an organisation and its partners into a ZIP file.

    It has a file of JSON lines per table, with the columns of the database, all as of the same moment. Passwords, keys
    and other secrets are left out. Usage is that of days; hourly readings are not copied. Closed organisations can be
    exported, too.
    """

    with _new_file(output) as file:

        async def work(session: Session) -> int:
            await session.database.run(begin_organisation_copy, session.operator, organisation_id)
            async with session.database.streams.connection() as conn, conn.transaction():
                await take_snapshot(conn)
                return await _write(conn, organisation_id, file)

        count = run(settings, work)
    click.echo(f"{count} rows written to {output}. The file contains personal data: keep it safe.", err=True)


@contextmanager
def _new_file(path: Path) -> Generator[BinaryIO]:
    """A file that only its owner can read; removed again unless the block succeeds."""
    try:
        file = open(path, "xb", opener=partial(os.open, mode=0o600))  # noqa: SIM115  Path.open takes no opener
    except OSError as error:
        raise click.ClickException(f"Cannot write {path}: {error.strerror}.") from error
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise


async def _write(conn: Connection, organisation_id: UUID, file: BinaryIO) -> int:
    count = 0
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for table, rows in organisation_copy(conn, organisation_id):
            with archive.open(f"{table}.jsonl", "w") as part:
                async for row in rows:
                    part.write(f"{row}\n".encode())
                    count += 1
    return count


@organisation.command()
@click.argument("organisation_id", metavar="ID", type=UUID_TYPE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_database
def erase(settings: Settings, organisation_id: UUID, yes: bool) -> None:
    """Erase the names and texts of a closed organisation and of its partners. This cannot be undone.

    Its members were deleted when it was closed. Terms and usage stay, because they are accounts, without names. Backups
    contain the names until you delete them.
    """
    if not yes:
        click.confirm("Erase the names and texts for good?", abort=True, err=True)

    async def work(session: Session) -> None:
        await session.database.run(erase_organisation, session.operator, organisation_id)

    run(settings, work)
    click.echo("Erased.", err=True)
