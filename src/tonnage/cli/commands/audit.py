"""`tonnage audit`: what was done, and by whom; and the proof that nobody has changed that."""

import json
from typing import Any, BinaryIO
from uuid import UUID

import click

from tonnage import sealing
from tonnage.access.audit_file import (
    PURPOSE,
    AuditFileError,
    FileContents,
    head_line,
    public_key_hex,
    signing_key,
    verify_lines,
)
from tonnage.access.audit_sequence import Mismatch
from tonnage.access.audit_sequence_actions import verify as verify_entries
from tonnage.access.audit_sequence_queries import dropped_lines, last_dropped, sequenced_lines
from tonnage.access.lists import latest_audit
from tonnage.cli.context import Session, key_file, on_database, run
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.epoch.queries import installation
from tonnage.organisations.organisation import no_organisation
from tonnage.organisations.queries import organisation_kind
from tonnage.security_events.actions import record_export


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_COLUMNS = (
    PrintedColumn("At", "at"),
    PrintedColumn("By", "actor"),
    PrintedColumn("Key or member", "actorId"),
    PrintedColumn("Action", "action"),
    PrintedColumn("Subject", "subjectId"),
    PrintedColumn("Before", "before", _compact),
    PrintedColumn("After", "after", _compact),
    PrintedColumn("Client", "address"),
    PrintedColumn("Request", "requestId"),
)


@click.group()
def audit() -> None:
    """The audit log: every change. Entries cannot be changed."""


@audit.command("list")
@click.option(
    "--organisation", "organisation_id", type=UUID_TYPE, help="Only entries of this organisation and its partners."
)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Number of latest entries.")
@as_json
@on_database
def list_(settings: Settings, organisation_id: UUID | None, limit: int, as_json: bool) -> None:
    """List the latest entries, newest last."""

    async def work(session: Session) -> list[bytes]:
        unknown = None if organisation_id is None else no_organisation(organisation_id)
        return await session.documents(latest_audit(organisation_id, limit), unknown)

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@audit.command()
@click.option("--organisation", "organisation_id", type=UUID_TYPE, help="Only entries of this organisation.")
@on_database
def export(settings: Settings, organisation_id: UUID | None) -> None:
    """Print all entries as JSON lines with their digests, and a signed head.

    Keep the file elsewhere: it proves later what the log contained now. The public key of the signature is printed to
    standard error.
    """
    file = key_file(settings)
    if file is None:
        raise click.UsageError("The file is signed with a key of this instance. Set TONNAGE_SECRET_KEY_FILE.")
    key = signing_key(sealing.read_keys(file).derive(PURPOSE))

    async def work(session: Session) -> None:
        found = await session.database.run(installation)
        if organisation_id is not None and await session.database.run(organisation_kind, organisation_id) is None:
            raise no_organisation(organisation_id)
        scope = organisation_id or session.operator.organisation_id
        await session.database.run(record_export, session.operator, scope, "audit.jsonl")
        contents = FileContents()
        dropped = await session.database.run(last_dropped)
        async with session.database.streams.connection() as conn:
            async for position, text in dropped_lines(conn, organisation_id):
                contents.add_dropped(line := f"{text}\n".encode(), position)
                click.echo(line, nl=False)
            async for position, text in sequenced_lines(conn, organisation_id):
                contents.add(line := f"{text}\n".encode(), position)
                click.echo(line, nl=False)
        if await session.database.run(last_dropped) != dropped:
            raise click.ClickException("Old entries were dropped meanwhile. Export again.")
        click.echo(head_line(contents, key, found.id, organisation_id, session.wall_now), nl=False)

    run(settings, work)
    click.echo(f"Signed with the public key {public_key_hex(key.public_key())}", err=True)


@audit.command()
@click.option("--file", type=click.File("rb"), help="Verify this exported file instead, without a database.")
@click.option("--public-key", metavar="HEX", help="The public key that the file must be signed with.")
@on_database
def verify(settings: Settings, file: BinaryIO | None, public_key: str | None) -> None:
    """Verify that no entry was changed or removed since it was written.

    Names the first entry of each organisation that does not fit; exit status 1 if there is one. The newest entries, of
    the last seconds, have no digests yet.
    """
    if file is None and public_key is not None:
        raise click.UsageError("--public-key needs --file.")
    if file is not None:
        _verify_file(file, public_key)
        return

    async def work(session: Session) -> tuple[int, list[Mismatch]]:
        return await verify_entries(session.database)

    positions, mismatches = run(settings, work)
    for one in mismatches:
        click.echo(f"{one}: {one.reason}")
    if mismatches:
        raise SystemExit(1)
    click.echo(f"All {positions} entries fit.")


def _verify_file(file: BinaryIO, public_key: str | None) -> None:
    try:
        verified = verify_lines(file)
    except AuditFileError as error:
        raise click.ClickException(str(error)) from error
    if public_key is not None and public_key.strip().lower() != verified.public_key:
        raise click.ClickException(f"The file is signed with another public key: {verified.public_key}")
    click.echo(f"All {verified.head['entries']} entries fit.")
    click.echo(f"Exported at {verified.head['at']}, signed with the public key {verified.public_key}")
