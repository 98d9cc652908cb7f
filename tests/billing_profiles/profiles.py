"""Billing profiles of the cast."""

from typing import Any

PROFILE: dict[str, Any] = {
    "legalName": "Nordlicht Cloud GmbH",
    "addressLine1": "Speicherstadt 12",
    "postalCode": "20457",
    "city": "Hamburg",
    "country": "DE",
    "vatId": "DE136695976",
    "iban": "DE89370400440532013000",
    "paymentTermDays": 14,
}
"""Of a German company, as JSON."""


def of_country(country: str, vat_id: str = "", **more: Any) -> dict[str, Any]:
    address = {"legalName": f"Company of {country}", "addressLine1": "1 High Street", "city": "Capital"}
    return {**address, "country": country, **({"vatId": vat_id} if vat_id else {}), **more}
