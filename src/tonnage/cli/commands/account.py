"""`tonnage account`: storage accounts, and the access keys that S3 clients need."""

from uuid import UUID

import click

from tonnage.access_keys import actions as access_key_actions
from tonnage.access_keys import lists as access_key_lists
from tonnage.access_keys.access_key import CreatedKey
from tonnage.accounts import queries
from tonnage.accounts.actions import no_account
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for, acting_for_account
from tonnage.cli.output import ALLOCATED_COLUMN, OVERDRAFT_COLUMN, PrintedColumn, as_json, show_list
from tonnage.cli.param_types import NAME
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.cli.services import open_services
from tonnage.config import Settings

_COLUMNS = (
    PrintedColumn("Account", "clientAccountId"),
    PrintedColumn("Name", "name"),
    PrintedColumn("Partner", "partnerId"),
    PrintedColumn("Region", "region"),
    ALLOCATED_COLUMN,
    OVERDRAFT_COLUMN,
    PrintedColumn("Deletion", "pendingDeletedAt"),
)

_KEY_COLUMNS = (
    PrintedColumn("Access key", "accessKey"),
    PrintedColumn("Description", "description"),
    PrintedColumn("Created", "createdAt"),
    PrintedColumn("Status", "status"),
    PrintedColumn("Origin", "madeHere", lambda _: "not made here"),
)


@click.group()
def account() -> None:
    """Storage accounts, which partners create for their customers."""


@account.command("list")
@click.option("--partner", "partner_id", type=UUID_TYPE, help="Only accounts of this partner.")
@as_json
@on_database
def list_(settings: Settings, partner_id: UUID | None, as_json: bool) -> None:
    """List storage accounts, including those waiting for deletion."""

    async def work(session: Session) -> list[bytes]:
        if partner_id is not None:
            await acting_for(session, partner_id)
        return await session.documents(queries.all_accounts(partner_id))

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@account.group()
def key() -> None:
    """The access keys of a storage account, for S3 clients."""


@key.command()
@click.argument("account")
@click.option("--description", type=NAME, help="What the key is for.")
@as_json
@on_database
def create(settings: Settings, account: str, description: str | None, as_json: bool) -> None:
    """Create an access key on behalf of the partner. Prints two lines for a shell or an env file."""

    async def work(session: Session) -> CreatedKey:
        number, partner = await acting_for_account(session, account)
        async with open_services(session, settings) as services:
            return await access_key_actions.create_key(services, partner, partner.organisation_id, number, description)

    made = run(settings, work)
    if as_json:
        click.echo(made.json)
        return
    click.echo(f"AWS_ACCESS_KEY_ID={made.pair.access_key}\nAWS_SECRET_ACCESS_KEY={made.pair.secret_key}")
    click.echo("This secret key is shown only once.", err=True)


@key.command("list")
@click.argument("account")
@as_json
@on_database
def list_keys(settings: Settings, account: str, as_json: bool) -> None:
    """List the access keys of an account, without their secret keys.

    Keys that are "not made here" were found on the storage cluster by a comparison, or taken over with their account.
    """

    async def work(session: Session) -> list[bytes]:
        number, partner = await acting_for_account(session, account)
        select = access_key_lists.access_keys(partner.organisation_id, partner.organisation_id, number)
        return await session.documents(select, no_account(number))

    show_list(run(settings, work), _KEY_COLUMNS, as_json=as_json)


@key.command()
@click.argument("account")
@click.argument("access_key", metavar="KEY")
@on_database
def delete(settings: Settings, account: str, access_key: str) -> None:
    """Delete an access key permanently, also one that was not made here."""

    async def work(session: Session) -> None:
        number, partner = await acting_for_account(session, account)
        async with open_services(session, settings) as services:
            await access_key_actions.delete_key(services, partner, partner.organisation_id, number, access_key)

    run(settings, work)
    click.echo("Access key deleted. It fails from its next request.", err=True)
