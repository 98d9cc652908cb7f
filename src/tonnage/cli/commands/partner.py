"""`tonnage partner`: who gets a part of a contract."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import click

from tonnage.access.actor import Actor
from tonnage.api_keys.key_cache import CACHE_SECONDS
from tonnage.billing.actions import compute_partner
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.effective_date import effective_date
from tonnage.cli.lock_commands import add_lock_commands
from tonnage.cli.organisation import acting_for_distributor_of, acting_for_owner, acting_for_partner
from tonnage.cli.output import ALLOCATED_COLUMN, OVERDRAFT_COLUMN, PrintedColumn, as_json, show_list, show_one
from tonnage.cli.param_types import NAME, SIZE
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.contracts.effective_date import EffectiveDate
from tonnage.db import Connection
from tonnage.db.rendered import Rendered, Versioned
from tonnage.partners import actions, queries
from tonnage.partners.partner import NewPartner, PartnerChange
from tonnage.suspensions.actions import resume_partner, suspend_partner

_COLUMNS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("Contract", "distributorContractId"),
    PrintedColumn("Name", "name"),
    ALLOCATED_COLUMN,
    OVERDRAFT_COLUMN,
)


@click.group()
def partner() -> None:
    """Partners: organisations that create storage accounts within their part of a contract."""


@partner.command()
@click.option("--contract", "contract_id", required=True, type=UUID_TYPE, help="The contract's id.")
@click.option("--name", required=True, type=NAME, help="The partner's name.")
@click.option("--allocated", required=True, type=SIZE, help="Allocated capacity, such as 5TB; 0 is pay-per-use.")
@click.option("--overdraft/--no-overdraft", default=None, help="Whether the partner may use more than its allocation.")
@as_json
@on_database
def create(
    settings: Settings, contract_id: UUID, name: str, allocated: int, overdraft: bool | None, as_json: bool
) -> None:
    """Create a partner under a contract, on behalf of its distributor."""
    details = NewPartner(contract_id, name, allocated, overdraft)

    async def work(session: Session) -> Rendered[UUID]:
        distributor = await acting_for_owner(session, contract_id)
        return await session.database.run(
            actions.create_partner, distributor, details, session.now, limits=settings.limits
        )

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


@partner.command("list")
@click.option("--contract", "contract_id", type=UUID_TYPE, help="Only partners under this contract.")
@as_json
@on_database
def list_(settings: Settings, contract_id: UUID | None, as_json: bool) -> None:
    """List partners."""

    async def work(session: Session) -> list[bytes]:
        if contract_id is None:
            return await session.documents(queries.all_partners())
        distributor = await acting_for_owner(session, contract_id)
        return await session.documents(queries.partners_of(distributor.organisation_id, contract_id))

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@partner.command()
@click.argument("partner_id", metavar="ID", type=UUID_TYPE)
@effective_date
@click.option("--allocated", type=SIZE, help="New allocated capacity, such as 5TB; 0 is pay-per-use.")
@click.option("--overdraft/--no-overdraft", default=None, help="Whether the partner may use more than its allocation.")
@as_json
@on_database
def resize(
    settings: Settings,
    partner_id: UUID,
    allocated: int | None,
    overdraft: bool | None,
    effective: EffectiveDate | None,
    as_json: bool,
) -> None:
    """Change a partner's allocation from now on, or from an earlier day, on behalf of its distributor."""
    change = PartnerChange(allocated_capacity=allocated, allow_overdraft=overdraft)
    if not change.of_pool:
        raise click.UsageError("Name at least one change: --allocated, or --overdraft or --no-overdraft.")

    async def work(session: Session) -> Versioned:
        async def act(conn: Connection, distributor: Actor, moment: datetime) -> Versioned:
            return await actions.update_partner(conn, distributor, partner_id, change, moment)

        return await _change_terms(session, partner_id, effective, act)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


async def _change_terms(
    session: Session,
    partner_id: UUID,
    effective: EffectiveDate | None,
    act: Callable[[Connection, Actor, datetime], Awaitable[Versioned]],
    contract_id: UUID | None = None,
) -> Versioned:
    """`act` gets the moment from which the terms apply, and then what the partner pays is computed again."""
    distributor = await acting_for_distributor_of(session, partner_id)

    async def change(conn: Connection) -> Versioned:
        moment = session.now
        if effective is not None:
            moment = await actions.effective_moment(
                conn, distributor, partner_id, effective, moment, contract_id=contract_id
            )
        return await act(conn, distributor, moment)

    changed = await session.database.transaction(change)
    await compute_partner(session.database, distributor.organisation_id, partner_id, session.now)
    return changed


@partner.command()
@click.argument("partner_id", metavar="ID", type=UUID_TYPE)
@effective_date
@click.option("--contract", "contract_id", required=True, type=UUID_TYPE, help="The contract that it moves to.")
@as_json
@on_database
def move(
    settings: Settings, partner_id: UUID, contract_id: UUID, effective: EffectiveDate | None, as_json: bool
) -> None:
    """Move a partner to another contract from now on, or from an earlier day, on behalf of its distributor.

    Its allocated capacity moves with it. The contract is one of the same distributor, in the same currency.
    """

    async def work(session: Session) -> Versioned:
        async def act(conn: Connection, distributor: Actor, moment: datetime) -> Versioned:
            return await actions.move_partner(conn, distributor, partner_id, contract_id, moment)

        return await _change_terms(session, partner_id, effective, act, contract_id)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


@partner.command()
@click.argument("partner_id", metavar="ID", type=UUID_TYPE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_database
def close(settings: Settings, partner_id: UUID, yes: bool) -> None:
    """Close a partner that has no storage accounts, on behalf of its distributor. This cannot be undone.

    Its members are deleted and its API keys stop working. Its allocation returns to the contract.
    """
    if not yes:
        click.confirm("Close the partner for good?", abort=True, err=True)

    async def work(session: Session) -> None:
        distributor = await acting_for_distributor_of(session, partner_id)
        await session.database.run(actions.close_partner, distributor, partner_id, session.now)

    run(settings, work)
    click.echo(f"Partner closed. Its API keys stop working everywhere within {CACHE_SECONDS:g} s.", err=True)


@partner.command()
@click.argument("partner_id", metavar="ID", type=UUID_TYPE)
@click.option("--reason", required=True, type=NAME, help="Shown to the partner's members and programs.")
@on_database
def suspend(settings: Settings, partner_id: UUID, reason: str) -> None:
    """Suspend a partner with all of its storage accounts, on behalf of its distributor.

    Its API keys can only read. One that is suspended already gets the new reason.
    """

    async def work(session: Session) -> None:
        distributor = await acting_for_distributor_of(session, partner_id)
        await session.database.run(suspend_partner, distributor, partner_id, reason, session.now)

    run(settings, work)
    said = f"Partner suspended. Its API keys can only read, everywhere within {CACHE_SECONDS:g} s."
    click.echo(said, err=True)


@partner.command()
@click.argument("partner_id", metavar="ID", type=UUID_TYPE)
@on_database
def resume(settings: Settings, partner_id: UUID) -> None:
    """Resume a partner, on behalf of its distributor.

    Storage accounts that are suspended by themselves stay suspended.
    """

    async def work(session: Session) -> None:
        distributor = await acting_for_distributor_of(session, partner_id)
        await session.database.run(resume_partner, distributor, partner_id)

    run(settings, work)
    click.echo("Partner resumed.", err=True)


add_lock_commands(partner, "partner", acting_for_partner)
