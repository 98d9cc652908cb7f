"""`tonnage billing-profile`: what documents say about sellers and buyers."""

from typing import BinaryIO, Literal
from uuid import UUID

import click

from tonnage.access.actor import Actor, Kind
from tonnage.accounts.account import account_id
from tonnage.accounts.actions import no_account
from tonnage.accounts.queries import owner_of
from tonnage.billing_profiles import actions
from tonnage.billing_profiles.billing_profile import ProfileSubject, read_profile
from tonnage.billing_profiles.queries import blocked_buyer
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.json_file import read_object
from tonnage.cli.organisation import acting_for_distributor_of, acting_for_seller
from tonnage.cli.output import PrintedColumn, as_json, show_one
from tonnage.cli.param_types import SELLER
from tonnage.config import Settings
from tonnage.db.rendered import Versioned
from tonnage.organisations.queries import organisation_kind

_COLUMNS = (
    PrintedColumn("Legal name", "legalName"),
    PrintedColumn("Address", "addressLine1"),
    PrintedColumn("Address line 2", "addressLine2"),
    PrintedColumn("Postal code", "postalCode"),
    PrintedColumn("City", "city"),
    PrintedColumn("Country", "country"),
    PrintedColumn("VAT id", "vatId"),
    PrintedColumn("Tax number", "taxNumber"),
    PrintedColumn("IBAN", "iban"),
    PrintedColumn("BIC", "bic"),
    PrintedColumn("Payment term in days", "paymentTermDays"),
    PrintedColumn("Electronic address scheme", "electronicAddressScheme"),
    PrintedColumn("Electronic address", "electronicAddress"),
    PrintedColumn("Buyer reference", "buyerReference"),
    PrintedColumn("E-mail for statements", "contactEmail"),
)

_organisation = click.option("--organisation", type=SELLER, help="The id of a distributor or partner, or `operator`.")
_account = click.option("--account", "account", help="The 12-digit id of a storage account.")
_of_seller = click.option(
    "--kept-by-seller", is_flag=True, help="The profile that its seller keeps of the organisation, not its own."
)


@click.group()
def billing_profile() -> None:
    """Billing profiles: legal name, address, VAT id and bank account."""


@billing_profile.command()
@_organisation
@_account
@_of_seller
@as_json
@on_database
def show(
    settings: Settings,
    organisation: UUID | Literal["operator"] | None,
    account: str | None,
    kept_by_seller: bool,
    as_json: bool,
) -> None:
    """Show a billing profile.

    That of a storage account is kept by its partner.
    """
    _require_one(organisation, account)

    async def work(session: Session) -> Versioned:
        actor, subject = await _subject(session, organisation, account, kept_by_seller=kept_by_seller)
        return await session.database.run(actions.show_profile, actor, subject)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


@billing_profile.command("set")
@click.argument("file", type=click.File("rb"))
@_organisation
@_account
@_of_seller
@as_json
@on_database
def set_(
    settings: Settings,
    file: BinaryIO,
    organisation: UUID | Literal["operator"] | None,
    account: str | None,
    kept_by_seller: bool,
    as_json: bool,
) -> None:
    """Replace a billing profile by the one in a JSON file.

    Its members are those of the API. What is missing is removed.
    """
    _require_one(organisation, account)
    profile = read_profile(read_object(file))

    async def work(session: Session) -> Versioned:
        actor, subject = await _subject(session, organisation, account, kept_by_seller=kept_by_seller)
        return await session.database.run(actions.set_profile, actor, subject, profile, session.now)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


def _require_one(organisation: UUID | Literal["operator"] | None, account: str | None) -> None:
    if (organisation is None) == (account is None):
        raise click.UsageError("Give one subject: --organisation ID, --organisation operator or --account ID.")


async def _subject(
    session: Session, organisation: UUID | Literal["operator"] | None, account: str | None, *, kept_by_seller: bool
) -> tuple[Actor, ProfileSubject]:
    """Who keeps the profile, and whom it is about. NotFound."""
    if account is not None:
        number = account_id(account)
        if number is None:
            raise no_account(account)
        partner = await session.database.run(owner_of, number)
        if partner is None and (blocked := await session.database.run(blocked_buyer, account_id=number)):
            partner = blocked.seller_id
        if partner is None:
            raise no_account(account)
        actor = Actor.on_command_line(partner, Kind.PARTNER)
        return actor, actions.of_account(actor, number)
    if kept_by_seller and isinstance(organisation, UUID):
        closed = await session.database.run(organisation_kind, organisation) is None
        if closed and (blocked := await session.database.run(blocked_buyer, organisation)):
            is_sold_by_operator = blocked.seller_id == session.operator.organisation_id
            kind = Kind.OPERATOR if is_sold_by_operator else Kind.DISTRIBUTOR
            seller = Actor.on_command_line(blocked.seller_id, kind)
            return seller, actions.of_buyer(seller, organisation)
    actor = await acting_for_seller(session, organisation or "operator")
    if not kept_by_seller:
        return actor, ProfileSubject.own(actor)
    if actor.kind is Kind.OPERATOR:
        raise click.UsageError("The operator has no seller: leave out --kept-by-seller.")
    is_partner = actor.kind is Kind.PARTNER
    seller = await acting_for_distributor_of(session, actor.organisation_id) if is_partner else session.operator
    return seller, actions.of_buyer(seller, actor.organisation_id)
