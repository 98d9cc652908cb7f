"""`tonnage tax-rates`: a seller's table of tax rates."""

import json
from typing import BinaryIO, Literal
from uuid import UUID

import click

from tonnage.billing_profiles import settings_actions as actions
from tonnage.billing_profiles.tax import read_rates
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.json_file import read_object
from tonnage.cli.organisation import acting_for_seller, seller_option
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.config import Settings
from tonnage.db.rendered import Versioned

_COLUMNS = (PrintedColumn("From", "validFrom"), PrintedColumn("Percent", "percent", align="right"))


@click.group()
def tax_rates() -> None:
    """The tax rates of a seller, by the days from which they apply."""


@tax_rates.command()
@seller_option
@as_json
@on_database
def show(settings: Settings, organisation: UUID | Literal["operator"], as_json: bool) -> None:
    """Show the tax rates of a seller."""

    async def work(session: Session) -> Versioned:
        actor = await acting_for_seller(session, organisation)
        return await session.database.run(actions.show_tax_rates, actor)

    _print(run(settings, work).json, as_json=as_json)


@tax_rates.command("set")
@click.argument("file", type=click.File("rb"))
@seller_option
@as_json
@on_database
def set_(settings: Settings, file: BinaryIO, organisation: UUID | Literal["operator"], as_json: bool) -> None:
    """Replace the tax rates of a seller by those in a JSON file.

    It has the member `rates`, as the API: a list of objects with `validFrom` and `percent`.
    """
    rates = read_rates(read_object(file).get("rates"))

    async def work(session: Session) -> Versioned:
        actor = await acting_for_seller(session, organisation)
        return await session.database.run(actions.set_tax_rates, actor, rates, session.now)

    _print(run(settings, work).json, as_json=as_json)


def _print(document: bytes, *, as_json: bool) -> None:
    rates = [json.dumps(rate).encode() for rate in json.loads(document)["rates"]]
    if as_json:
        click.echo(document)
    else:
        show_list(rates, _COLUMNS, as_json=False)
