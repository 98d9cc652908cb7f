"""`tonnage storage`: clusters beside the database."""

import json
from collections.abc import Iterable
from typing import Any

import click

from tonnage.cli.context import Session, key_file, on_database, run
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import REGION
from tonnage.clock import WallClock
from tonnage.config import Settings
from tonnage.errors import Conflict, TonnageError
from tonnage.provisioning.drift import LEFT, Drift
from tonnage.provisioning.drift_actions import Comparison, confirm_cluster, full_reconcile, full_reconcile_dry_run
from tonnage.provisioning.drift_queries import recorded_drift
from tonnage.regions.backends import OpenBackends, open_backends
from tonnage.regions.queries import clusters
from tonnage.storage.backend import Cluster

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
        async with open_backends(session.database, key_file(settings)) as backends:
            return {
                cluster: await _compared(session, backends, cluster, dry_run=dry_run)
                for cluster in await _meant(session, region)
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


async def _meant(session: Session, name: str | None) -> list[Cluster]:
    found = [one for one in await session.database.run(clusters) if name in {None, one.name}]
    if name is not None and not found:
        raise Conflict(f"There is no region {name} with a cluster. See: tonnage region list")
    return found


async def _compared(
    session: Session, backends: OpenBackends, cluster: Cluster, *, dry_run: bool
) -> Comparison | TonnageError:
    """What was found on a cluster; an error when it could not be compared, since others may be well."""
    database, region_id = session.database, cluster.region_id
    try:
        looked_at, backend = await backends.any_state(region_id)
        if dry_run:
            return await full_reconcile_dry_run(database, backend, region_id, session.operator)
        # Calling this command asserts that it is the right cluster.
        await database.transaction(confirm_cluster, session.operator, looked_at)
        return await full_reconcile(database, backend, region_id, session.operator, WallClock())
    except TonnageError as error:
        return error


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
@as_json
@on_database
def drift(settings: Settings, as_json: bool) -> None:
    """Show what is on clusters but not in the database, as found by the last comparisons, for you to decide."""
    show_list(run(settings, lambda session: session.documents(recorded_drift())), _DRIFT_COLUMNS, as_json=as_json)
