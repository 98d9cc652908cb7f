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
    PrintedColumn("Queued", "askedAt"),
    PrintedColumn("Next attempt", "nextTryAt"),
    PrintedColumn("Failed", "failedAt"),
    PrintedColumn("Reason", "reason"),
)


@click.group()
def jobs() -> None:
    """Background jobs of servers and workers. Successful jobs are not kept."""


@jobs.command("list")
@click.option("--failed", is_flag=True, help="Only failed jobs, which are not retried automatically.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Number of latest entries.")
@as_json
@on_database
def list_(settings: Settings, failed: bool, limit: int, as_json: bool) -> None:
    """List waiting, retrying, running and failed jobs, newest last.

    The subject is the name of a region or partner; in JSON, its id.
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
@click.option("--all", "every", is_flag=True, help="Retry every failed or retrying job.")
@on_database
def retry_(settings: Settings, ids: tuple[int, ...], every: bool) -> None:
    """Retry failed and retrying jobs now, by id."""
    if bool(ids) is every:
        raise click.UsageError("Give job ids, or --all.")

    async def work(session: Session) -> Retried:
        return await session.database.transaction(retry, session.operator, None if every else ids)

    tried, dropped = run(settings, work)
    click.echo(f"{tried} {'job is' if tried == 1 else 'jobs are'} retried within seconds.", err=True)
    if dropped:
        click.echo(f"{dropped} more were dropped: the next job of their kind does their work.", err=True)
