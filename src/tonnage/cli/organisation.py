"""Which organisation a command is about, and acting in its name."""

from collections.abc import Callable
from typing import Literal, TypeVar
from uuid import UUID

import click

from tonnage.access.actor import Actor, Kind
from tonnage.accounts.account import account_id
from tonnage.accounts.actions import no_account
from tonnage.accounts.queries import owner_of
from tonnage.cli.context import Session
from tonnage.cli.param_types import SELLER
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.contracts.contract import no_contract
from tonnage.contracts.queries import distributor_of
from tonnage.organisations.organisation import no_distributor, no_organisation, no_partner
from tonnage.organisations.queries import organisation_kind
from tonnage.partners import queries as partner_queries

F = TypeVar("F", bound=Callable[..., object])


def organisation_or_operator(command: F) -> F:
    """Gives a command `--organisation` and `--operator`, of which it takes one: see `meant`."""
    either = click.option(
        "--organisation", "organisation_id", type=UUID_TYPE, help="The id of a distributor or partner."
    )
    operator = click.option("--operator", "of_operator", is_flag=True, help="The operator itself.")
    return either(operator(command))


async def chosen_organisation(session: Session, organisation_id: UUID | None, *, of_operator: bool) -> Actor:
    """The organisation as the actor that works on its own things. NotFound: there is none, or it is closed."""
    return session.operator if of_operator or organisation_id is None else await acting_for(session, organisation_id)


def require_one(organisation_id: UUID | None, *, of_operator: bool) -> None:
    """Raises click.UsageError unless just one organisation is named."""
    if (organisation_id is not None) == of_operator:
        raise click.UsageError("Give one organisation: --organisation ID or --operator.")


async def acting_for(session: Session, organisation_id: UUID) -> Actor:
    """The operator acting for an organisation that is open. NotFound."""
    kind = await session.database.run(organisation_kind, organisation_id)
    if kind is None:
        raise no_organisation(organisation_id)
    return Actor.on_command_line(organisation_id, Kind(kind))


def account_or_partner(command: F) -> F:
    """Gives a command `--account` and `--partner`, of which it takes one: see `require_subject`."""
    account = click.option("--account", help="The number of a storage account.")
    partner = click.option("--partner", "partner_id", type=UUID_TYPE, help="The id of a partner.")
    return account(partner(command))


def require_subject(account: str | None, partner_id: UUID | None) -> None:
    """Raises click.UsageError unless just one of them is named."""
    if (account is None) == (partner_id is None):
        raise click.UsageError("Give one of them: --account NUMBER or --partner ID.")


seller_option = click.option(
    "--organisation", required=True, type=SELLER, help="The id of a distributor or partner, or `operator`."
)
"""The organisation whose billing a command is about: see `acting_for_seller`."""


async def acting_for_seller(session: Session, seller: UUID | Literal["operator"]) -> Actor:
    """The operator itself, or acting for an open distributor or partner. NotFound."""
    return session.operator if seller == "operator" else await acting_for(session, seller)


async def acting_for_distributor(session: Session, distributor_id: UUID) -> Actor:
    """The same for a distributor. NotFound: it is another organisation, or none."""
    kind = await session.database.run(organisation_kind, distributor_id)
    if kind != Kind.DISTRIBUTOR:
        raise no_distributor(distributor_id)
    return Actor.on_command_line(distributor_id, Kind.DISTRIBUTOR)


async def acting_for_partner(session: Session, partner_id: UUID) -> Actor:
    """The same for a partner. NotFound: it is another organisation, or none."""
    kind = await session.database.run(organisation_kind, partner_id)
    if kind != Kind.PARTNER:
        raise no_partner(partner_id)
    return Actor.on_command_line(partner_id, Kind.PARTNER)


async def acting_for_distributor_of(session: Session, partner_id: UUID) -> Actor:
    """The operator acting for the distributor of an open partner. NotFound."""
    distributor_id = await session.database.run(partner_queries.distributor_of, partner_id)
    if distributor_id is None:
        raise no_partner(partner_id)
    return Actor.on_command_line(distributor_id, Kind.DISTRIBUTOR)


async def acting_for_account(session: Session, account: str) -> tuple[int, Actor]:
    """The number of a storage account, and the operator acting for its partner. NotFound."""
    number = account_id(account)
    partner_id = await session.database.run(owner_of, number) if number else None
    if number is None or partner_id is None:
        raise no_account(account)
    return number, Actor.on_command_line(partner_id, Kind.PARTNER)


async def acting_for_owner(session: Session, contract_id: UUID) -> Actor:
    """The operator acting for the open distributor whose contract it is. NotFound."""
    distributor_id = await session.database.run(distributor_of, contract_id)
    if distributor_id is None:
        raise no_contract(contract_id)
    return Actor.on_command_line(distributor_id, Kind.DISTRIBUTOR)
