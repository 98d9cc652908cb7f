"""`tonnage storage resolve`: decides differences between a cluster and the database."""

import json
from typing import Any

import click

from tonnage.access.actor import Actor, Kind
from tonnage.accounts.account import account_id
from tonnage.accounts.actions import no_account
from tonnage.accounts.queries import owner_of
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.services import open_services
from tonnage.config import Settings
from tonnage.db import Connection
from tonnage.drift.resolution import Resolution, Side
from tonnage.drift.resolution_actions import both_sides, resolve_account, resolve_key
from tonnage.errors import NotFound, TonnageError
from tonnage.provisioning.drift_queries import region_of
from tonnage.services import Services

_COLUMNS = (
    PrintedColumn("Account", "account"),
    PrintedColumn("What", "what"),
    PrintedColumn("On the cluster", "there"),
    PrintedColumn("Here", "here"),
    PrintedColumn("Decision", "decision"),
)


@click.command()
@click.argument("accounts", nargs=-1, required=True, metavar="ACCOUNT...")
@click.option(
    "--use", required=True, type=click.Choice([side.value for side in Side]), help="Whose state is right: see below."
)
@click.option("--key", "access_key", help="Decide this access key of the account instead of the account itself.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@as_json
@on_database
def resolve(
    settings: Settings, accounts: tuple[str, ...], use: str, access_key: str | None, dry_run: bool, as_json: bool
) -> None:
    """Decide the differences of storage accounts between their cluster and the database.

    --use cluster writes what the cluster has to the database: name, suspension, scheduled deletion, and the allocation
    if the quota is the account's own allocation. --use database applies what the database has to the cluster. An access
    key that was not made here is accepted, or deleted on the cluster; one that is missing there is removed here. Exit
    status 1 if an account could not be decided; the others are.
    """
    if access_key is not None and len(accounts) > 1:
        raise click.UsageError("Give the one account that --key is about.")
    errors: list[str] = []

    async def work(session: Session) -> list[dict[str, Any]]:
        decided: list[dict[str, Any]] = []
        async with open_services(session, settings) as services:
            for account in accounts:
                try:
                    decided += await _decide(session, settings, services, account, Side(use), access_key, dry_run)
                except TonnageError as error:
                    errors.append(f"{account}: {error}")
        return decided

    decided = run(settings, work)
    if decided or as_json:
        show_list([json.dumps(one, ensure_ascii=False).encode() for one in decided], _COLUMNS, as_json=as_json)
    elif not errors:
        click.echo("No differences found.", err=True)
    for error in errors:
        click.echo(error, err=True)
    if errors:
        raise SystemExit(1)


async def _decide(
    session: Session,
    settings: Settings,
    services: Services,
    account: str,
    use: Side,
    access_key: str | None,
    dry_run: bool,
) -> list[dict[str, Any]]:
    number, partner = await _found(session, account)
    done = "would be " if dry_run else ""
    if access_key is not None:
        difference = await resolve_key(services, partner, number, access_key, use, dry_run=dry_run)
        is_there = difference.there != "missing"
        word = "removed here" if not is_there else "accepted" if use is Side.CLUSTER else "deleted on the cluster"
        return [_document(number, Resolution(difference), f"{done}{word}")]
    backend = await services.backends.of(await session.database.run(region_of, number))
    sides = await both_sides(session.database, backend, number)

    async def write(conn: Connection) -> list[Resolution]:
        grace = settings.deletion_grace_days
        return list(await resolve_account(conn, partner, sides, use, grace, session.now, dry_run=dry_run))

    word = "taken over" if use is Side.CLUSTER else "applied to the cluster"
    resolved = await session.database.run(write)
    return [_document(number, one, f"left: {one.left}" if one.left else f"{done}{word}") for one in resolved]


async def _found(session: Session, account: str) -> tuple[int, Actor]:
    """The account's number, and the operator acting for its partner. NotFound."""
    number = account_id(account)
    if number is None:
        raise no_account(account)
    partner_id = await session.database.run(owner_of, number)
    if partner_id is None:
        raise NotFound(f"The storage account {account} is not in the database. See: tonnage storage unknown")
    return number, Actor.on_command_line(partner_id, Kind.PARTNER)


def _document(account: int, resolution: Resolution, decision: str) -> dict[str, Any]:
    difference = resolution.difference
    return {
        "account": str(account),
        "what": difference.name,
        "there": difference.there,
        "here": difference.here,
        "decision": decision,
    }
