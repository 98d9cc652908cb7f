"""`tonnage storage adopt-file`: many users of a cluster at once."""

import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO

import click

from tonnage.accounts.account import NewAccount
from tonnage.cli.adoption_file import AdoptionLine, adoption_lines
from tonnage.cli.cluster import open_cluster
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for_partner
from tonnage.cli.output import PrintedColumn, as_json, show_list, size_column
from tonnage.cli.param_types import REGION
from tonnage.config import Settings
from tonnage.db import Connection
from tonnage.drift.adoption import Adoption, chosen_user
from tonnage.drift.adoption_actions import adopt, unknown_users
from tonnage.errors import TonnageError
from tonnage.passwords import Passwords

_COLUMNS = (
    PrintedColumn("Line", "line", align="right"),
    PrintedColumn("User", "user"),
    PrintedColumn("Company name", "name"),
    size_column("Stored", "bytes"),
    PrintedColumn("Account", "account"),
    PrintedColumn("Changes on the cluster", "changes", "; ".join),
    PrintedColumn("Result", "result"),
)


@click.command("adopt-file")
@click.argument("file", type=click.File("rb"))
@click.option("--region", required=True, type=REGION, help="The region on whose cluster the users are.")
@click.option("--dry-run", is_flag=True, help="Show what would be written and changed, and change nothing.")
@as_json
@on_database
def adopt_file(settings: Settings, file: BinaryIO, region: str, dry_run: bool, as_json: bool) -> None:
    """Make many users of a cluster storage accounts, as `tonnage storage adopt` does for one.

    FILE is a CSV file with the columns user,partner,name,email,allocated and, optionally, overdraft (yes or no). The
    partner is an id, and allocated a size such as 5TB. A wrong line refuses the whole file. What the database or the
    cluster refuses is reported, and the others are adopted: exit status 1. You can run it again: users that are adopted
    already are refused, and nothing is done twice. With --dry-run each line is examined by itself, so several lines
    together may need more capacity than there is.
    """
    lines = adoption_lines(file)

    async def work(session: Session) -> list[dict[str, Any]]:
        async with open_cluster(session, settings, region) as (cluster, backend):
            users = await unknown_users(session.database, backend, cluster, session.operator)
        unknown = {user.uid: user for user in users}
        # Of a password that nobody knows; the partner can set others. Hashing one for each would take minutes.
        hashed = await Passwords().hash(secrets.token_urlsafe(32))

        async def adopted(line: AdoptionLine) -> Adoption:
            user = chosen_user(unknown, line.user, line.email)
            partner = await acting_for_partner(session, line.partner_id)
            account = NewAccount(line.name, line.email, hashed, line.allocated, line.overdraft, region)

            async def write(conn: Connection) -> Adoption:
                grace = settings.deletion_grace_days
                return await adopt(
                    conn, partner, user, account, grace, session.now, dry_run=dry_run, limits=settings.limits
                )

            return await session.database.run(write)

        return [await _result(line, adopted, dry_run=dry_run) for line in lines]

    done = run(settings, work)
    show_list([json.dumps(one, ensure_ascii=False).encode() for one in done], _COLUMNS, as_json=as_json)
    refused = sum(not one["accepted"] for one in done)
    word = "can be adopted" if dry_run else "adopted"
    click.echo(f"Users: {len(done)}, {word}: {len(done) - refused}, refused: {refused}.", err=True)
    if refused:
        raise SystemExit(1)


async def _result(
    line: AdoptionLine, adopted: Callable[[AdoptionLine], Awaitable[Adoption]], *, dry_run: bool
) -> dict[str, Any]:
    shown: dict[str, Any] = {"line": line.line, "user": line.user, "name": line.name}
    try:
        done = await adopted(line)
    except TonnageError as error:
        return {**shown, "accepted": False, "result": str(error)}
    number = None if dry_run and done.user.account_id is None else json.loads(done.account)["clientAccountId"]
    return {
        **shown,
        "bytes": done.user.usage.bytes,
        "account": number,
        "changes": [f"{one.name}: {one.there or 'none'} -> {one.here}" for one in done.changes],
        "accepted": True,
        "result": "would be adopted" if dry_run else "adopted",
    }
