"""`tonnage billing-settings`: how a seller makes its documents."""

from typing import BinaryIO, Literal
from uuid import UUID

import click

from tonnage.billing_profiles import settings_actions as actions
from tonnage.billing_profiles.logo import MOST_BYTES, logo
from tonnage.billing_profiles.settings import read_settings
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.json_file import read_object
from tonnage.cli.organisation import acting_for_seller, seller_option
from tonnage.cli.output import PrintedColumn, as_json, show_one
from tonnage.config import Settings
from tonnage.db.rendered import Versioned
from tonnage.wording.choices import locale_name

_COLUMNS = (
    PrintedColumn("Documents", "document"),
    PrintedColumn("Locale", "locale"),
    PrintedColumn("Colour", "colour"),
    PrintedColumn("Footer", "footer"),
    PrintedColumn("Final on day", "freezeDay"),
    PrintedColumn("Document numbers", "numberFormat"),
    PrintedColumn("First number", "numberStart"),
    PrintedColumn("Small business", "smallBusiness", lambda flag: "yes" if flag else "no"),
    PrintedColumn("Years kept", "retentionYears"),
    PrintedColumn("Total below zero", "negativeTotal"),
    PrintedColumn("Mailed to buyers", "mailDocuments", lambda flag: "yes" if flag else "no"),
    PrintedColumn("Suspends after days overdue", "suspendOverdueDays", lambda days: str(days) if days else "never"),
    PrintedColumn("Logo", "hasLogo", lambda flag: "yes" if flag else "no"),
)


@click.group()
def billing_settings() -> None:
    """How a seller's documents are made: numbers, language, colour, logo."""


@billing_settings.command()
@seller_option
@as_json
@on_database
def show(settings: Settings, organisation: UUID | Literal["operator"], as_json: bool) -> None:
    """Show the settings of a seller."""

    async def work(session: Session) -> Versioned:
        actor = await acting_for_seller(session, organisation)
        return await session.database.run(actions.show_settings, actor)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


@billing_settings.command("set")
@click.argument("file", type=click.File("rb"))
@seller_option
@as_json
@on_database
def set_(settings: Settings, file: BinaryIO, organisation: UUID | Literal["operator"], as_json: bool) -> None:
    """Replace the settings of a seller by those in a JSON file.

    Its members are those of the API. What is missing is set to its default; the logo stays.
    """
    wanted = read_settings(read_object(file))
    try:
        locale_name(wanted.locale)
    except ValueError as error:
        raise click.ClickException(f"locale: {error}") from error

    async def work(session: Session) -> Versioned:
        actor = await acting_for_seller(session, organisation)
        return await session.database.run(actions.set_settings, actor, wanted, session.now)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


@billing_settings.command("logo")
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--remove", is_flag=True, help="Remove the logo.")
@seller_option
@on_database
def logo_(settings: Settings, file: BinaryIO | None, remove: bool, organisation: UUID | Literal["operator"]) -> None:
    """Set the logo of a seller's documents to the PNG image in a file, of at most 200 KB."""
    if (file is None) != remove:
        raise click.UsageError("Give a file, or --remove.")
    try:
        image = logo(file.read(MOST_BYTES + 1)) if file else None
    except ValueError as error:
        raise click.ClickException(f"The file {error.args[0]}.") from error

    async def work(session: Session) -> None:
        actor = await acting_for_seller(session, organisation)
        await session.database.run(actions.set_logo, actor, image, session.now)

    run(settings, work)
    click.echo("Logo removed." if remove else "Logo saved.", err=True)
