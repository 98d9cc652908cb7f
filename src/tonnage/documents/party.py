"""Sellers and buyers as documents name them."""

from collections.abc import Mapping
from typing import cast

from babel import Locale

from tonnage.billing_profiles.billing_profile import BillingProfile


def address(party: BillingProfile, language: str) -> list[str]:
    """In lines, of a buyer that is known by its name alone only that."""
    return [line for line in (party.legal_name, *_place(party, language)) if line]


def address_line(party: BillingProfile, language: str) -> str:
    """In one line."""
    return " · ".join(address(party, language))


def in_groups(iban: str) -> str:
    """`DE89 3704 0044 0532 0130 00`, as an IBAN is printed."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def _place(party: BillingProfile, language: str) -> list[str]:
    town = f"{party.postal_code} {party.city}".strip()
    territories = cast("Mapping[str, str]", Locale.parse(language).territories)
    country = territories.get(party.country, party.country)
    return [party.address_line1, party.address_line2, town, country]
