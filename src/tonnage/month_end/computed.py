"""The statement of a buyer as it is computed to be frozen: what is copied into it, so that it never changes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month import BuyerMonth, SubjectMonth, last_day_of
from tonnage.billing.month_record import length_prefixed, written_buyer, written_subject
from tonnage.billing_profiles.billing_profile import BillingProfile
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.billing_profiles.tax import TaxBlocked, TaxDecision, TaxRate, tax
from tonnage.money import Money
from tonnage.statements.buyer import Buyer
from tonnage.statements.statement import plain

OTHER_CURRENCY = "other_currency"
"""Blocked: the buyer's prices are in several currencies."""


@dataclass(frozen=True)
class Seller:
    """What a seller's documents say about it, as it is when they are computed."""

    id: UUID
    name: str
    profile: BillingProfile | None
    settings: SellerSettings
    rates: Sequence[TaxRate]
    logo: str | None

    @property
    def design(self) -> str:
        """How its documents look, as JSON."""
        settings = self.settings
        look = {"locale": settings.locale, "colour": settings.colour, "footer": settings.footer, "logo": self.logo}
        return json.dumps(look, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True)
class Party:
    """A buyer, as documents name it."""

    name: str
    profile: BillingProfile | None = None
    payment_term_days: int | None = None


class StoredSubject(NamedTuple):
    """What a statement is computed from: a partner or a storage account."""

    statement_id: UUID
    position: int
    subject_id: SubjectId
    written: bytes


class Inputs:
    """What a statement is computed from, as it is written, with the digest of all of it."""

    def __init__(self, statement_id: UUID, buyer: BuyerMonth) -> None:
        self.statement_id = statement_id
        self.buyer = buyer
        self.written = written_buyer(buyer)
        self.count = 0
        """Of the subjects so far."""
        self._digest = hashlib.sha256(length_prefixed(self.written))

    def add(self, subject: SubjectMonth) -> StoredSubject:
        """The next subject, as it is stored."""
        written = written_subject(subject)
        self._digest.update(length_prefixed(written))
        self.count += 1
        return StoredSubject(self.statement_id, self.count, subject.id, written)

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of the buyer and its subjects in their order."""
        return self._digest.hexdigest()


@dataclass(frozen=True)
class Computed:
    """The statement of one buyer, before it has a number. It has no lines if prices in several currencies block it."""

    id: UUID
    buyer: Buyer
    document: Mapping[str, Any]
    """As `copied` makes it."""
    payment_term_days: int | None
    blocked: str | None = None
    """Why it cannot be frozen."""
    currency: str | None = None
    net: Decimal | None = None
    gross: Decimal | None = None
    input: bytes | None = None
    """What the buyer had and paid, as billing/month_record.py writes it."""
    digest: str | None = None
    lines: Sequence[Line] = ()
    names: Mapping[SubjectId, str] = field(default_factory=dict[SubjectId, str])


def design_digest(design: str) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(design.encode()).hexdigest()


def decide_tax(seller: Seller, party: Party, net: Money, first: date) -> TaxDecision | TaxBlocked:
    """The tax on what a buyer is charged for the month that begins on `first`: its service period ends with it."""
    small_business = seller.settings.small_business
    return tax(seller.profile, party.profile, net, last_day_of(first), seller.rates, small_business=small_business)


def copied(seller: Seller, party: Party, decision: TaxDecision | TaxBlocked | None) -> dict[str, Any]:
    """Names, parties and taxes, as JSON. Addresses of persons are not copied."""
    taxes = [tax_document(decision)] if isinstance(decision, TaxDecision) else []
    return {
        "sellerName": seller.name,
        "buyerName": party.name,
        "document": seller.settings.document,
        "parties": {"seller": _party(seller.profile), "buyer": _party(party.profile)},
        "taxes": taxes,
        "taxWarning": decision.warning if isinstance(decision, TaxDecision) else None,
    }


def tax_document(decision: TaxDecision) -> dict[str, str]:
    """A tax as JSON."""
    return {
        "category": decision.category,
        "rate": plain(decision.rate),
        "base": f"{decision.base.amount:f}",
        "amount": f"{decision.amount.amount:f}",
    }


def _party(profile: BillingProfile | None) -> dict[str, Any] | None:
    if profile is None:
        return None
    return {name: value for name, value in profile.as_document().items() if name != "contactEmail"}
