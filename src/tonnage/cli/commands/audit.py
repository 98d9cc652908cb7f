"""`tonnage audit`: what was done, and by whom."""

import json
from typing import Any
from uuid import UUID

import click

from tonnage.access.lists import latest_audit
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.organisations.organisation import no_organisation


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
