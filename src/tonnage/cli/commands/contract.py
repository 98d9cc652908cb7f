"""`tonnage contract`: what a distributor has reserved."""

from decimal import Decimal
from uuid import UUID

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.effective_date import effective_date
from tonnage.cli.organisation import acting_for_distributor
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one, size_column
from tonnage.cli.param_types import CURRENCY, NAME, PRICE, SIZE
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.contracts import actions, queries
from tonnage.contracts.contract import Amendment, NewContract
from tonnage.contracts.effective_date import EffectiveDate
from tonnage.db import Connection
from tonnage.db.rendered import Rendered

_COLUMNS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("Distributor", "distributorId"),
    PrintedColumn("Name", "details"),
    size_column("Reserved", "reservedCapacity"),
    size_column("Allocated", "allocatedCapacity"),
    PrintedColumn("Cents per excess GB-month", "costStorageGBCents", align="right"),
    PrintedColumn("Currency", "currency"),
)


@click.group()
def contract() -> None:
    """Contracts: reserved capacity, and the price of excess."""


@contract.command()
@click.option("--distributor", "distributor_id", required=True, type=UUID_TYPE, help="The distributor's id.")
@click.option("--reserved", required=True, type=SIZE, help="Reserved capacity, such as 100TB.")
@click.option(
    "--price", required=True, type=PRICE, help="Price in cents per GB and month of excess, such as 100 or 0.5."
)
@click.option("--currency", required=True, type=CURRENCY, help="ISO 4217 code, such as EUR.")
@click.option("--details", type=NAME, help="The contract's name.")
@as_json
@on_database
def create(
    settings: Settings,
    distributor_id: UUID,
    reserved: int,
    price: Decimal,
    currency: str,
    details: str | None,
    as_json: bool,
) -> None:
    """Create a contract with a distributor."""
    terms = NewContract(reserved, price, currency, details)

    async def work(session: Session) -> Rendered[UUID]:
        return await session.database.run(actions.create_contract, session.operator, distributor_id, terms, session.now)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


@contract.command()
@click.argument("contract_id", metavar="ID", type=UUID_TYPE)
@effective_date
@click.option("--reserved", type=SIZE, help="New reserved capacity; at least what partners have been allocated.")
@click.option("--price", type=PRICE, help="New price in cents per GB and month of excess.")
@click.option("--details", type=NAME, help="The contract's name.")
@as_json
@on_database
def amend(
    settings: Settings,
    contract_id: UUID,
    reserved: int | None,
    price: Decimal | None,
    details: str | None,
    effective: EffectiveDate | None,
    as_json: bool,
) -> None:
    """Change a contract from now on, or from an earlier day. The terms before that stay unchanged."""
    amendment = Amendment(reserved, price, details)
    if amendment == Amendment():
        raise click.UsageError("Name at least one change: --reserved, --price or --details.")

    async def work(session: Session) -> bytes:
        return await session.database.transaction(_amend, session, contract_id, amendment, effective)

    show_one(run(settings, work), _COLUMNS, as_json=as_json)


async def _amend(
    conn: Connection, session: Session, contract_id: UUID, amendment: Amendment, effective: EffectiveDate | None
) -> bytes:
    actor, moment = session.operator, session.now
    if effective is not None:
        moment = await actions.effective_moment(conn, actor, contract_id, effective, moment)
    return await actions.amend_contract(conn, actor, contract_id, amendment, moment)


@contract.command("list")
@click.option("--distributor", "distributor_id", type=UUID_TYPE, help="Only contracts of this distributor.")
@as_json
@on_database
def list_(settings: Settings, distributor_id: UUID | None, as_json: bool) -> None:
    """List contracts."""

    async def work(session: Session) -> list[bytes]:
        if distributor_id is None:
            return await session.documents(queries.all_contracts())
        holder = await acting_for_distributor(session, distributor_id)
        return await session.documents(queries.contracts_of(holder.organisation_id))

    show_list(run(settings, work), _COLUMNS, as_json=as_json)
