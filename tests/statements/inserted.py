"""Frozen statements without a month that was computed: by the statements that freezing uses."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from tests.billing_profiles.profiles import PROFILE
from tests.cast import TB, Cast
from tonnage.access.actor import Actor
from tonnage.billing.buyer import Buyer
from tonnage.billing.month import BuyerMonth, Capacity, Lifetime, Month, Span, SubjectMonth
from tonnage.billing.rating import rate
from tonnage.billing_profiles.billing_profile import read_profile
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.db import Connection
from tonnage.month_end import freezing_queries as queries
from tonnage.month_end.computed import Computed, design_of
from tonnage.month_end.rated import Inputs
from tonnage.parties.party import Party, Seller, document_of
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.price_books.version import Prices
from tonnage.statements.adjustment_actions import create_adjustment


async def adjust(cast: Cast, seller: Actor, buyer: Actor, amount: str = "-5.00") -> UUID:
    """Goodwill for a buyer's next statement in yen: those of tests are in euros."""
    made = await cast.database.run(
        create_adjustment, seller, buyer.organisation_id, amount, "JPY", "Goodwill", cast.now
    )
    return UUID(json.loads(made)["id"])


async def insert_statement(
    conn: Connection, distributor: Actor, partner: Actor, contract: UUID, first: date = date(2026, 2, 1)
) -> UUID:
    """Of a partner with 10 TB, for 0.9 cents, of a month of 28 days."""
    return await insert_statement_of(
        conn, distributor, Subject(SubjectKind.PARTNER, partner.organisation_id), contract, first
    )


async def insert_statement_of(
    conn: Connection,
    who: Actor,
    to: Subject,
    contract: UUID,
    first: date = date(2026, 2, 1),
    *,
    name: str = "Buyer",
    lines: int = 1,
    partner: UUID | None = None,
) -> UUID:
    """Of any buyer, or of a contract with as many partners as there are `lines`, of which `partner` is the first."""
    spans = [Span(0, 28, Capacity(contract, 10 * TB))]
    prices: dict[UUID | None, Sequence[Span[Prices | None]]] = {
        contract: [Span(0, 28, Prices(reserved=Decimal("0.9"), excess=Decimal(2)))]
    }
    month = BuyerMonth(to.id, Month(first, 28), "EUR", spans, prices)
    used = [11 * TB if lines > 1 else TB] * 28
    ids = [to.id] if lines == 1 else [partner or uuid4(), *(uuid4() for _ in range(1, lines))]
    subjects = [SubjectMonth(one, used, spans, Lifetime(0)) for one in ids]
    profile, now = read_profile(PROFILE), datetime(2026, 3, 3, tzinfo=UTC)
    seller = Seller(who.organisation_id, "Seller", profile, SellerSettings(), [])
    buyer = Buyer(to.kind, to.id, name, seller.id, seller.name)
    inputs, charged = Inputs(uuid4(), month), rate(month, subjects)
    stored = [inputs.add(subject) for subject in subjects]
    net = sum((line.amount.amount for line in charged), Decimal(0))
    names = {to.id: name, **{subject.id: f"{name} {number}" for number, subject in enumerate(subjects) if lines > 1}}
    computed = Computed(
        inputs.statement_id, buyer, document_of(seller, Party(name, profile), []), 14, None, "EUR", net, net,
        inputs.written, inputs.digest, charged, names,
    )  # fmt: skip
    async with conn.transaction():
        design = await queries.insert_design(conn, design_of(seller.settings, None))
        await queries.insert_subjects(conn, stored)
        await queries.insert_computed(conn, [computed], first, design, now)
        number = f"T-{inputs.statement_id}"
        await queries.freeze(conn, seller.id, first, {inputs.statement_id: number}, now, who.stamp)
    return inputs.statement_id
