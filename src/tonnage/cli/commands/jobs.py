"""`tonnage jobs`: what is done in the background, and what went wrong there."""

import json
from collections.abc import Sequence

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import JOB
from tonnage.config import Settings
from tonnage.jobs import queries
from tonnage.jobs.actions import Retried, retry
from tonnage.organisations.queries import organisation_names
from tonnage.regions.queries import all_clusters

_COLUMNS = (
    PrintedColumn("ID", "id", align="right"),
    PrintedColumn("Name", "name"),
    PrintedColumn("Subject", "subject"),
    PrintedColumn("Status", "status"),
    PrintedColumn("Attempts", "attempts", align="right"),
    PrintedColumn("Asked for", "askedAt"),
    PrintedColumn("Next try", "nextTryAt"),
    PrintedColumn("Failed", "failedAt"),
    PrintedColumn("Reason", "reason"),
)


@click.group()
def jobs() -> None:
    """What servers and workers do in the background. Jobs that went well are not kept."""


@jobs.command("list")
@click.option("--failed", is_flag=True, help="Only those that failed and are not tried again by themselves.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many of the latest.")
@as_json
@on_database
def list_(settings: Settings, failed: bool, limit: int, as_json: bool) -> None:
    """Show the jobs that wait, run or have failed, the newest at the end.

    The subject is the name of a region or a partner; in JSON its id.
    """

    async def work(session: Session) -> list[bytes]:
        found = await session.documents(queries.latest_jobs(limit, failed=failed))
        return found if as_json else await _by_name(session, found)

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


async def _by_name(session: Session, documents: Sequence[bytes]) -> list[bytes]:
    """With the names of the regions and partners that jobs are about; those that are gone keep their id."""
    found = [json.loads(document) for document in documents]
    ids = [job["subject"] for job in found if "subject" in job]
    names = await session.database.run(organisation_names, ids)
    names |= {str(region.region_id): region.name for region in await session.database.run(all_clusters)}
    return [json.dumps(job | {"subject": names.get(job.get("subject"), job.get("subject"))}).encode() for job in found]


@jobs.command("retry")
@click.argument("ids", metavar="[ID]...", nargs=-1, type=JOB)
@click.option("--all", "every", is_flag=True, help="Every job that has failed or waits for its next try.")
@on_database
def retry_(settings: Settings, ids: tuple[int, ...], every: bool) -> None:
    """Try jobs again now, by their ids: those that have failed, and those that wait for their next try."""
    if bool(ids) is every:
        raise click.UsageError("Name the ids of jobs, or --all.")

    async def work(session: Session) -> Retried:
        return await session.database.transaction(retry, session.operator, None if every else ids)

    tried, dropped = run(settings, work)
    click.echo(f"{tried} {'job is' if tried == 1 else 'jobs are'} tried again within seconds.", err=True)
    if dropped:
        click.echo(f"{dropped} more were dropped: the next of their kind does their work.", err=True)
