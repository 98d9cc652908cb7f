"""`tonnage webhook`: where organisations get their events, and what was sent."""

from datetime import datetime
from uuid import UUID

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import chosen_organisation, organisation_or_operator, require_one
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import MOMENT
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.cli.services import open_services
from tonnage.config import Settings
from tonnage.webhooks import actions, delivery_queries, queries
from tonnage.webhooks.endpoint import EndpointChange, no_endpoint

_ENDPOINTS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("URL", "url"),
    PrintedColumn("Types", "types", ", ".join),
    PrintedColumn("Sends", "enabled", lambda enabled: "yes" if enabled else "no"),
    PrintedColumn("Why not", "disabledReason"),
    PrintedColumn("Failing since", "failingSince"),
)
_DELIVERIES = (
    PrintedColumn("ID", "id"),
    PrintedColumn("Event", "eventId"),
    PrintedColumn("Type", "type"),
    PrintedColumn("State", "state"),
    PrintedColumn("Attempts", "attempts", align="right"),
    PrintedColumn("Last", "attemptedAt"),
    PrintedColumn("Next", "nextAttemptAt"),
    PrintedColumn("Status", "status", align="right"),
    PrintedColumn("Reply", "detail"),
)


@click.group()
def webhook() -> None:
    """Webhooks: events that are sent to servers of organisations."""


@webhook.command("list")
@organisation_or_operator
@as_json
@on_database
def list_(settings: Settings, organisation_id: UUID | None, of_operator: bool, as_json: bool) -> None:
    """List the webhooks of an organisation."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> list[bytes]:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        return await session.documents(queries.endpoints_of(actor.organisation_id))

    show_list(run(settings, work), _ENDPOINTS, as_json=as_json)


@webhook.command()
@click.argument("url")
@organisation_or_operator
@click.option("--type", "types", multiple=True, help="Send only events of this type; can be repeated.")
@click.option("--description", default="", help="What it is for.")
@on_database
def create(
    settings: Settings,
    url: str,
    organisation_id: UUID | None,
    of_operator: bool,
    types: tuple[str, ...],
    description: str,
) -> None:
    """Create a webhook. Prints it as JSON, with its secret, which is not shown again."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> bytes:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        change = EndpointChange(url, description, types)
        async with open_services(session, settings) as services:
            made = await session.database.transaction(
                actions.create_endpoint, services, actor, change, session.wall_now
            )
            return made.json

    click.echo(run(settings, work))


def _changed(settings: Settings, organisation_id: UUID | None, of_operator: bool, endpoint_id: UUID, on: bool) -> None:
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> None:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        change = EndpointChange(enabled=on)
        async with open_services(session, settings) as services:
            await session.database.run(actions.change_endpoint, services, actor, endpoint_id, change, session.wall_now)

    run(settings, work)


@webhook.command()
@click.argument("endpoint_id", metavar="ID", type=UUID_TYPE)
@organisation_or_operator
@on_database
def enable(settings: Settings, endpoint_id: UUID, organisation_id: UUID | None, of_operator: bool) -> None:
    """Send events to a webhook again: what waits, and what happens from now on."""
    _changed(settings, organisation_id, of_operator, endpoint_id, on=True)
    click.echo("Enabled.", err=True)


@webhook.command()
@click.argument("endpoint_id", metavar="ID", type=UUID_TYPE)
@organisation_or_operator
@on_database
def disable(settings: Settings, endpoint_id: UUID, organisation_id: UUID | None, of_operator: bool) -> None:
    """Send no events to a webhook until it is enabled."""
    _changed(settings, organisation_id, of_operator, endpoint_id, on=False)
    click.echo("Disabled.", err=True)


@webhook.command()
@click.argument("endpoint_id", metavar="ID", type=UUID_TYPE)
@organisation_or_operator
@as_json
@on_database
def deliveries(
    settings: Settings, endpoint_id: UUID, organisation_id: UUID | None, of_operator: bool, as_json: bool
) -> None:
    """List what was sent to a webhook in the last 30 days, oldest first."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> list[bytes]:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        query = delivery_queries.deliveries_of(actor.organisation_id, endpoint_id)
        return await session.documents(query, no_endpoint(endpoint_id))

    show_list(run(settings, work), _DELIVERIES, as_json=as_json)


@webhook.command()
@click.argument("endpoint_id", metavar="ID", type=UUID_TYPE)
@organisation_or_operator
@on_database
def test(settings: Settings, endpoint_id: UUID, organisation_id: UUID | None, of_operator: bool) -> None:
    """Send a test event to a webhook. Prints its delivery as JSON."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> bytes:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        return await session.database.transaction(actions.send_test, actor, endpoint_id, session.wall_now)

    click.echo(run(settings, work))


@webhook.command()
@click.argument("endpoint_id", metavar="ID", type=UUID_TYPE)
@organisation_or_operator
@click.option("--delivery", "delivery_id", type=int, help="One delivery, by its id.")
@click.option("--since", type=MOMENT, help="All that were made at this time or later, such as 2026-11-24T08:00:00Z.")
@click.option("--failed", "failed_only", is_flag=True, help="Of these only those that are not tried any more.")
@on_database
def replay(
    settings: Settings,
    endpoint_id: UUID,
    organisation_id: UUID | None,
    of_operator: bool,
    delivery_id: int | None,
    since: datetime | None,
    failed_only: bool,
) -> None:
    """Send events to a webhook again."""
    require_one(organisation_id, of_operator=of_operator)
    if (delivery_id is None) is (since is None):
        raise click.UsageError("Give either --delivery ID or --since TIME.")

    async def work(session: Session) -> int:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        return await session.database.transaction(
            actions.replay,
            actor,
            endpoint_id,
            session.wall_now,
            delivery_id=delivery_id,
            since=since,
            failed_only=failed_only,
        )

    click.echo(f"Events that are sent again: {run(settings, work)}.", err=True)
