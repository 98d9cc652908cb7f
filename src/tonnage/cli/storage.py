"""`tonnage storage`: clusters beside the database."""

import json

import click

from tonnage.access.keyring import wall_clock
from tonnage.accounts.sweep import Finding
from tonnage.accounts.sweep_actions import plan, sweep
from tonnage.cli.context import Session, key_file, on_database, run
from tonnage.cli.output import Column, as_json, show_list
from tonnage.cli.rules import REGION
from tonnage.config import Settings
from tonnage.errors import Conflict
from tonnage.regions.planes import opened
from tonnage.regions.queries import clusters
from tonnage.regions.region import Cluster

_COLUMNS = (Column("Region", "region"), Column("What", "subject"), Column("How", "what"), Column("Now", "state"))


@click.group()
def storage() -> None:
    """What is on the clusters, compared with the database."""


@storage.command()
@click.option("--region", type=REGION, help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@as_json
@on_database
def reconcile(settings: Settings, region: str | None, dry_run: bool, as_json: bool) -> None:
    """Make every cluster what the database says, and show what was not so.

    Accounts are created, changed and purged as they should be. What the database does not know is left alone. Servers
    may go on running meanwhile: they do the same, a little at a time.
    """

    async def work(session: Session) -> tuple[int, list[bytes]]:
        count, found = 0, list[bytes]()
        async with opened(session.database, key_file(settings)) as planes:
            for cluster in await _meant(session, region):
                plane, region_id = await planes.of(cluster.region_id), cluster.region_id
                if dry_run:
                    compared = await plan(session.database, plane, region_id, session.operator)
                else:
                    compared = await sweep(session.database, plane, region_id, session.operator, wall_clock)
                count += compared.accounts
                found += [_document(cluster, finding) for finding in compared.findings]
        return count, found

    count, found = run(settings, work)
    if found or as_json:
        show_list(found, _COLUMNS, as_json=as_json)
    click.echo(f"{count} storage accounts compared, {len(found)} differences.", err=True)


async def _meant(session: Session, name: str | None) -> list[Cluster]:
    found = [one for one in await session.database.run(clusters) if name in {None, one.name}]
    if name is not None and not found:
        raise Conflict(f"There is no cluster behind {name}: see `tonnage region list`.")
    return found


def _document(cluster: Cluster, finding: Finding) -> bytes:
    state = "repaired" if finding.repaired else "left"
    fields = {"region": cluster.name, "subject": finding.subject, "what": finding.what, "state": state}
    return json.dumps(fields, ensure_ascii=False).encode()
