"""`tonnage event`: the feed of events."""

import json
from typing import Any
from uuid import UUID

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import chosen_organisation, organisation_or_operator, require_one
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.events import actions
from tonnage.events.event_feed import MOST, FeedReader
from tonnage.events.registry import types_for


def _changed(data: dict[str, Any]) -> str:
    return json.dumps({name: data[name] for name in ("before", "after") if name in data}, ensure_ascii=False)


_COLUMNS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("At", "timestamp"),
    PrintedColumn("Type", "type"),
    PrintedColumn("Subject", "data", lambda data: data["subjectId"]),
    PrintedColumn("Change", "data", _changed),
)


@click.group()
def event() -> None:
    """Events: what has happened, as programs of an organisation read it."""


@event.command("list")
@organisation_or_operator
@click.option("--after", type=UUID_TYPE, help="Only events after the one with this id.")
@click.option("--type", "types", multiple=True, help="Only events of this type; can be repeated.")
@click.option("--limit", type=click.IntRange(1, MOST), default=100, show_default=True, help="The most events to list.")
@as_json
@on_database
def list_(
    settings: Settings,
    organisation_id: UUID | None,
    of_operator: bool,
    after: UUID | None,
    types: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """List the events that an organisation sees, oldest first."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> list[bytes]:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        reader = FeedReader.of(actor)
        page = await session.database.run(
            actions.read_feed, reader, after, reader.types(types), limit, session.wall_now
        )
        return [one.body for one in page.events]

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@event.command("types")
@organisation_or_operator
@as_json
@on_database
def types_(settings: Settings, organisation_id: UUID | None, of_operator: bool, as_json: bool) -> None:
    """List the types of events that an organisation can see."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> list[bytes]:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        return [json.dumps({"type": one.type, "description": one.label}).encode() for one in types_for(actor.kind)]

    columns = (PrintedColumn("Type", "type"), PrintedColumn("What has happened", "description"))
    show_list(run(settings, work), columns, as_json=as_json)
