"""`tonnage storage`: clusters beside the database."""

import json
from collections.abc import Iterable
from typing import Any

import click

from tonnage.cli.cluster import chosen_clusters
from tonnage.cli.commands.storage_adoption import adopt, unknown
from tonnage.cli.commands.storage_adoption_file import adopt_file
from tonnage.cli.commands.storage_resolution import resolve
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import REGION
from tonnage.cli.services import open_services
from tonnage.config import Settings
from tonnage.epoch.actions import permit_changes
from tonnage.epoch.epoch import OnHold, Permit
from tonnage.errors import TonnageError
from tonnage.provisioning.drift import LEFT, Drift
from tonnage.provisioning.drift_actions import Comparison, confirm_cluster, full_reconcile, full_reconcile_dry_run
from tonnage.provisioning.drift_queries import recorded_drift
from tonnage.services import Services
from tonnage.storage.backend import Cluster, StorageBackend

_COLUMNS = (
    PrintedColumn("Region", "region"),
    PrintedColumn("What", "subject"),
    PrintedColumn("How", "description"),
    PrintedColumn("Remedy", "action"),
)


_DRIFT_COLUMNS = (
    PrintedColumn("Region", "region"),
    PrintedColumn("What", "subject"),
    PrintedColumn("How", "description"),
    PrintedColumn("Since", "foundAt"),
    PrintedColumn("Compared", "comparedAt"),
)


@click.group()
def storage() -> None:
    """Storage clusters, compared with the database."""


@storage.command()
@click.option("--region", type=REGION, help="Only this region.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@as_json
@on_database
def reconcile(settings: Settings, region: str | None, dry_run: bool, as_json: bool) -> None:
    """Make every cluster match the database, and show the differences found.

    Accounts are created, changed and purged as needed. Accounts and keys that are not in the database are left alone.
    Servers can keep running: they do the same regularly. Exit status 1 if a cluster could not be compared; the others
    still are.
    """

    async def work(session: Session) -> dict[Cluster, Comparison | TonnageError]:
        async with open_services(session, settings) as services:
            return {
                cluster: await _compared(session, services, cluster, dry_run=dry_run)
                for cluster in await chosen_clusters(session, region)
            }

    outcome = run(settings, work)
    compared = {cluster: one for cluster, one in outcome.items() if isinstance(one, Comparison)}
    found = [_document(cluster, finding) for cluster, one in compared.items() for finding in one.findings]
    if found or as_json:
        _show(found, dry_run=dry_run, as_json=as_json)
    accounts = sum(one.accounts for one in compared.values())
    click.echo(f"Compared {accounts} storage accounts, found {len(found)} differences.", err=True)
    for cluster, one in outcome.items():
        if isinstance(one, TonnageError):
            click.echo(f"{cluster.name}: {one}", err=True)
    if len(compared) < len(outcome):
        raise SystemExit(1)


async def _compared(
    session: Session, services: Services, cluster: Cluster, *, dry_run: bool
) -> Comparison | TonnageError:
    """What was found on a cluster; an error when it could not be compared, since others may be well."""
    database, backends, region_id = session.database, services.backends, cluster.region_id
    try:
        looked_at, backend = await backends.any_state(region_id)
        if dry_run:
            return await full_reconcile_dry_run(database, backend, region_id, session.operator, session.wall_now)
        # Calling this command asserts that it is the right cluster.
        await database.transaction(confirm_cluster, session.operator, looked_at)
        permitted = await _permission(services, region_id, backend)
        return await full_reconcile(database, backend, region_id, session.operator, services.wall_clock, permitted)
    except TonnageError as error:
        return error


async def _permission(services: Services, region_id: int, backend: StorageBackend) -> Permit | None:
    """None: the database is on hold, so nothing is repaired."""
    try:
        return await permit_changes(services, region_id, backend)
    except OnHold as error:
        click.echo(f"Nothing is repaired. {error}", err=True)
        return None


def _document(cluster: Cluster, finding: Drift) -> dict[str, Any]:
    return {
        "region": cluster.name,
        "subject": finding.subject,
        "description": finding.description,
        "action": finding.remedy,
        "done": finding.repaired,
    }


def _show(found: Iterable[dict[str, Any]], *, dry_run: bool, as_json: bool) -> None:
    """Scripts get the bare word and whether that is done; people get both as one phrase."""
    rows = found if as_json else [one | {"action": _phrase(one, dry_run=dry_run)} for one in found]
    show_list([json.dumps(row, ensure_ascii=False).encode() for row in rows], _COLUMNS, as_json=as_json)


def _phrase(found: dict[str, Any], *, dry_run: bool) -> str:
    action: str = found["action"]
    if found["done"] or action == LEFT:
        return action
    return f"would be {action}" if dry_run else f"could not be {action}"


@storage.command()
@click.option("--region", type=REGION, help="Only this region.")
@as_json
@on_database
def drift(settings: Settings, region: str | None, as_json: bool) -> None:
    """Show the differences between clusters and the database that the last comparisons left for you to decide.

    Decide them with `tonnage storage resolve` and `tonnage storage adopt`.
    """
    found = run(settings, lambda session: session.documents(recorded_drift(region)))
    show_list(found, _DRIFT_COLUMNS, as_json=as_json)


storage.add_command(unknown)
storage.add_command(adopt)
storage.add_command(adopt_file)
storage.add_command(resolve)
