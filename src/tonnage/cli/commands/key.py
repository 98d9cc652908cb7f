"""`tonnage key`: API keys."""

from datetime import datetime
from uuid import UUID

import click

from tonnage.access.actor import Role
from tonnage.api_keys import actions as api_key_actions
from tonnage.api_keys import queries as api_key_queries
from tonnage.api_keys.api_key import NewKey
from tonnage.api_keys.key_cache import CACHE_SECONDS
from tonnage.api_keys.rate_limit import MOST, KeyLimit
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for, chosen_organisation, organisation_or_operator, require_one
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import MOMENT, NAME, ROLE
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.clock import system_time
from tonnage.config import Settings
from tonnage.db.rendered import Rendered, with_member

_COLUMNS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("Organisation", "organisationId"),
    PrintedColumn("Starts with", "prefix"),
    PrintedColumn("Description", "description"),
    PrintedColumn("Role", "role"),
    PrintedColumn("Requests/s", "requestsPerSecond"),
    PrintedColumn("Created", "createdAt"),
    PrintedColumn("Valid until", "validUntil"),
    PrintedColumn("Last used", "lastUsedAt"),
    PrintedColumn("Revoked", "revokedAt"),
)


_LIMIT = click.option(
    "--requests-per-second",
    type=click.IntRange(1, MOST),
    help="How often the key can be used, on average; without it as TONNAGE_API_REQUESTS_PER_SECOND says.",
)


@click.group()
def key() -> None:
    """API keys. A key belongs to an organisation and is shown once, when it is created."""


@key.command()
@organisation_or_operator
@click.option("--role", required=True, type=ROLE, help="The key's role.")
@click.option("--description", required=True, type=NAME, help="What the key is for.")
@click.option(
    "--valid-until", type=MOMENT, help="When the key expires: 2026-12-31 (midnight UTC) or 2026-12-31T18:00:00Z."
)
@_LIMIT
@as_json
@on_database
def create(
    settings: Settings,
    organisation_id: UUID | None,
    of_operator: bool,
    role: str,
    description: str,
    valid_until: datetime | None,
    requests_per_second: int | None,
    as_json: bool,
) -> None:
    """Create an API key. Prints only the key, so that KEY=$(tonnage key create ...) works."""
    require_one(organisation_id, of_operator=of_operator)
    if valid_until is not None and valid_until <= system_time():
        raise click.BadParameter("must be in the future", param_hint="'--valid-until'")
    details = NewKey(description, Role(role), valid_until, KeyLimit(requests_per_second))

    async def work(session: Session) -> tuple[str, Rendered[UUID]]:
        owner = (await chosen_organisation(session, organisation_id, of_operator=of_operator)).organisation_id
        return await session.database.run(
            api_key_actions.create_key, session.operator, owner, details, session.wall_now, limits=settings.limits
        )

    made, facts = run(settings, work)
    if as_json:
        click.echo(with_member(facts.json, "key", made))
        return
    click.echo(made)
    click.echo(f"This key is shown only once. Its id is {facts.id}.", err=True)


@key.command("list")
@click.option("--organisation", "organisation_id", type=UUID_TYPE, help="Only keys of this organisation.")
@as_json
@on_database
def list_(settings: Settings, organisation_id: UUID | None, as_json: bool) -> None:
    """List API keys with their purpose and last use, without the keys themselves."""

    async def work(session: Session) -> list[bytes]:
        if organisation_id is not None:
            await acting_for(session, organisation_id)
        return await session.documents(api_key_queries.api_keys(organisation_id))

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@key.command()
@click.argument("key_id", metavar="ID", type=UUID_TYPE)
@_LIMIT
@on_database
def limit(settings: Settings, key_id: UUID, requests_per_second: int | None) -> None:
    """Change how often an API key can be used, by id."""

    async def work(session: Session) -> None:
        wanted = KeyLimit(requests_per_second)
        await session.database.run(api_key_actions.limit_key, session.operator, key_id, wanted, limits=settings.limits)

    run(settings, work)
    click.echo(f"Limit changed. It holds everywhere within {CACHE_SECONDS:g} s.", err=True)


@key.command()
@click.argument("key_id", metavar="ID", type=UUID_TYPE)
@on_database
def revoke(settings: Settings, key_id: UUID) -> None:
    """Revoke an API key permanently, by id."""

    async def work(session: Session) -> None:
        await session.database.run(api_key_actions.revoke_key, session.operator, key_id, session.wall_now)

    run(settings, work)
    click.echo(f"API key revoked. It stops working everywhere within {CACHE_SECONDS:g} s.", err=True)
