"""Seller and buyer, as statements name them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from tonnage.billing_profiles.billing_profile import BillingProfile
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.billing_profiles.tax import TaxDecision, TaxRate, tax_document


@dataclass(frozen=True)
class Seller:
    """What a seller's statements say about it, as it is when they are computed."""

    id: UUID
    name: str
    profile: BillingProfile | None
    settings: SellerSettings
    rates: Sequence[TaxRate]
    has_logo: bool = False

    @cached_property
    def profile_document(self) -> dict[str, Any] | None:
        """Its profile as JSON. Many statements have the same."""
        return _party(self.profile)


@dataclass(frozen=True)
class Party:
    """A buyer, as statements name it."""

    name: str
    profile: BillingProfile | None = None
    payment_term_days: int | None = None


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
