"""Statements as they are rendered: JSON of every kind."""

from decimal import Decimal
from typing import Any

SELLER = {
    "legalName": "Nordlicht Speicher GmbH",
    "addressLine1": "Hafenstraße 12",
    "postalCode": "20457",
    "city": "Hamburg",
    "country": "DE",
    "vatId": "DE136695976",
    "taxNumber": "22/815/08150",
    "iban": "DE89370400440532013000",
    "bic": "COBADEFFXXX",
}
BUYER = {
    "legalName": "Alpenblick Backup GmbH",
    "addressLine1": "Ringstraße 7",
    "postalCode": "1010",
    "city": "Wien",
    "country": "AT",
    "vatId": "ATU13585627",
    "buyerReference": "PO-4711",
}


def line(number: int, amount: str, name: str = "New partner company", **other: Any) -> dict[str, Any]:
    return {
        "no": number,
        "product": "excess",
        "subject": f"4b14e456-ef23-46ed-9070-{number:012}",
        "subjectName": name,
        "contract": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
        "quantityGbMonths": "500",
        "byteDays": 15_000_000_000_000,
        "unitPrice": "0.69",
        "amount": amount,
        "from": "2026-11-01",
        "to": "2026-11-30",
        **other,
    }


def extra(number: int, product: str, amount: str, **other: Any) -> dict[str, Any]:
    none = dict.fromkeys(("quantityGbMonths", "byteDays", "unitPrice"))
    return line(number, amount, "Alpenblick", product=product, subject="buyer", **{**none, **other})


def paper(*lines: dict[str, Any], rate: str = "19", category: str = "S", **other: Any) -> dict[str, Any]:
    """A frozen invoice; `other` are its members, and `locale` is that of its design."""
    currency = other.get("currency", "EUR")
    places = {"JPY": "1", "KWD": "0.001"}.get(currency, "0.01")
    net = sum((Decimal(one["amount"]) for one in lines), Decimal(0))
    tax = (net * Decimal(rate) / 100).quantize(Decimal(places))
    design = {"locale": other.pop("locale", "en_GB"), "colour": "#1f3a5f", "footer": other.pop("footer", "")}
    return {
        "id": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
        "seller": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
        "sellerName": "Nordlicht",
        "buyer": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
        "buyerName": "Alpenblick",
        "level": "partner",
        "month": "2026-11",
        "currency": currency,
        "kind": "statement",
        "document": "invoice",
        "number": "INV-2026-00012",
        "corrects": None,
        "frozenOn": "2026-12-03",
        "dueOn": "2026-12-17",
        "lines": list(lines),
        "net": f"{net:f}",
        "taxes": [{"category": category, "rate": rate, "base": f"{net:f}", "amount": f"{tax:f}"}],
        "gross": f"{net + tax:f}",
        "parties": {"seller": SELLER, "buyer": BUYER},
        "design": {**design, "logo": other.pop("logo", None)},
        **other,
    }


def draft(*lines: dict[str, Any]) -> dict[str, Any]:
    made = paper(*lines, through="2026-11-20")
    for name in ("number", "parties", "frozenOn", "dueOn", "kind", "document", "design"):
        del made[name]
    return {**made, "taxes": [], "gross": made["net"], "state": "draft"}
