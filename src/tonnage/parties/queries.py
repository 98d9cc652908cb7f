"""SQL of sellers and buyers, as statements name them."""

from collections.abc import Sequence
from uuid import UUID

from tonnage.billing.buyer import Buyer
from tonnage.billing.line import SubjectId
from tonnage.billing_profiles.queries import BuyerProfile, buyer_profiles, seller_profile
from tonnage.billing_profiles.settings_queries import seller_settings, tax_rates
from tonnage.db import Connection, one_row
from tonnage.parties.party import Party, Seller
from tonnage.price_books.assignment import Subject, SubjectKind


async def find_seller(conn: Connection, seller_id: UUID) -> Seller:
    """An organisation that exists; it may be closed."""
    (name,) = await one_row(await conn.execute("select name from organisation where id = %s", [seller_id]))
    found = await seller_settings(conn, seller_id)
    return Seller(
        seller_id,
        name,
        await seller_profile(conn, seller_id),
        found.settings,
        await tax_rates(conn, seller_id),
        found.has_logo,
    )


async def parties(
    conn: Connection, seller_id: UUID, buyers: Sequence[tuple[Buyer, UUID | None]]
) -> dict[SubjectId, Party]:
    """By the ids of the buyers, each given with the organisation whose billing profile counts; None: its own."""
    organisations = [organisation for _, organisation in buyers if organisation]
    accounts = [buyer.id for buyer, _ in buyers if isinstance(buyer.id, int)]
    profiles = await buyer_profiles(conn, seller_id, organisations, accounts)
    return {buyer.id: _party(buyer.name, profiles.get(organisation or buyer.id)) for buyer, organisation in buyers}


async def find_party(conn: Connection, seller_id: UUID, buyer: Subject, name: str) -> Party:
    """One buyer. LookupError: there is no such contract."""
    if isinstance(buyer.id, int):
        profiles = await buyer_profiles(conn, seller_id, accounts=[buyer.id])
    else:
        organisation = await _distributor_of(conn, buyer.id) if buyer.kind is SubjectKind.CONTRACT else buyer.id
        profiles = await buyer_profiles(conn, seller_id, organisations=[organisation])
    return _party(name, next(iter(profiles.values()), None))


def _party(name: str, kept: BuyerProfile | None) -> Party:
    return Party(name, kept.profile, kept.payment_term_days) if kept else Party(name)


async def _distributor_of(conn: Connection, contract_id: UUID) -> UUID:
    cursor = await conn.execute("select distributor_id from contract where id = %s", [contract_id])
    row = await cursor.fetchone()
    if row is None:
        raise LookupError(f"there is no contract {contract_id}")
    return row[0]
