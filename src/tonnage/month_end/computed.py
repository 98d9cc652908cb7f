"""The statement of a buyer as it is computed to be frozen: what is copied into it, so that it never changes."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from tonnage.billing.buyer import Buyer
from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month import last_day_of
from tonnage.billing_profiles.billing_profile import BillingProfile
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.billing_profiles.tax import TaxBlocked, TaxDecision, TaxRate, tax, tax_document
from tonnage.money import Money

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

    @cached_property
    def profile_document(self) -> dict[str, Any] | None:
        """Its profile as JSON. Many statements have the same."""
        return _party(self.profile)

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


@dataclass(frozen=True)
class Computed:
    """The statement of one buyer, before it has a number. It has no lines if prices in several currencies block it."""

    id: UUID
    buyer: Buyer
    document: Mapping[str, Any]
    """As `document_of` makes it."""
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
    corrects: UUID | None = None
    """The frozen statement that was computed again."""


def design_digest(design: str) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(design.encode()).hexdigest()


def decide_tax(seller: Seller, party: Party, net: Money, first: date) -> TaxDecision | TaxBlocked:
    """The tax on what a buyer is charged for the month that begins on `first`: its service period ends with it."""
    small_business = seller.settings.small_business
    return tax(seller.profile, party.profile, net, last_day_of(first), seller.rates, small_business=small_business)


def document_of(
    seller: Seller, party: Party, taxes: Iterable[TaxDecision], warning: str | None = None
) -> dict[str, Any]:
    """Names, parties and taxes, as JSON. Addresses of persons are not copied."""
    return {
        "sellerName": seller.name,
        "buyerName": party.name,
        "document": seller.settings.document,
        "parties": {"seller": seller.profile_document, "buyer": _party(party.profile)},
        "taxes": [tax_document(one) for one in taxes],
        "taxWarning": warning,
    }


def _party(profile: BillingProfile | None) -> dict[str, Any] | None:
    if profile is None:
        return None
    return {name: value for name, value in profile.as_document().items() if name != "contactEmail"}
