"""Statements as JSON, as the API describes them."""

from typing import Literal

from tonnage.web.schemas import DayText, ResponseModel, TimestampText, UuidText, with_example
from tonnage.workings.response import LINE, LineResponse


class TaxResponse(ResponseModel):
    """A tax on the sum of lines."""

    category: str
    """The category by EN 16931, such as `S` or `AE`."""
    rate: str
    """Percent, as decimal text."""
    base: str
    """The sum that it is on."""
    amount: str
    """The tax."""


class PartiesResponse(ResponseModel):
    """The seller and the buyer, with the members of their billing profiles."""

    seller: dict[str, str | int]
    """Its billing profile."""
    buyer: dict[str, str | int]
    """Its billing profile, without the contact's e-mail address."""


class StatementResponse(ResponseModel):
    """A buyer's month."""

    model_config = with_example(
        {
            "id": "draft-4b14e456-ef23-46ed-9070-f5eaf1b5ef04-2026-11",
            "seller": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
            "sellerName": "Test distributor",
            "buyer": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
            "buyerName": "New partner company",
            "level": "partner",
            "month": "2026-11",
            "currency": "EUR",
            "state": "draft",
            "through": "2026-11-30",
            "lines": [LINE],
            "net": "50.00",
            "taxes": [],
            "gross": "50.00",
        }
    )

    id: str
    """Its id: of a draft `draft-`, the id of the buyer, and the month; of a frozen one a UUID."""
    seller: UuidText
    """The id of the organisation that charges."""
    sellerName: str
    """Its name."""
    buyer: str
    """The id of the contract, the partner or the storage account that is charged."""
    buyerName: str
    """Its name."""
    level: Literal["contract", "partner", "account"]
    """What the buyer is."""
    month: str
    """The month, UTC: `2026-11`."""
    currency: str
    """The currency of its amounts, as three letters (ISO 4217)."""
    state: Literal["draft", "frozen", "issued", "overdue", "paid", "credited", "void"]
    """A draft is computed whenever it is looked at; what is frozen never changes. `issued`: frozen, and mailed to the
    buyer. `overdue`: the day on which it was
    due has passed. `credited`: credit notes have taken back all of it. `void`: it counts nowhere."""
    blocked: (
        Literal["seller_without_profile", "buyer_without_address", "seller_without_vat_id", "no_tax_rate"] | None
    ) = None
    """Why a draft cannot be frozen; until that is mended it has no taxes. `seller_without_vat_id`: the buyer in another
    member state owes the tax, and the seller has no VAT id."""
    through: DayText | None = None
    """The last day that a draft counts: today, or the last one of the month."""
    number: str | None = None
    """Its number in the seller's series, without gaps. A draft has none, nor what is said about numbers below."""
    kind: Literal["statement", "credit_note"] | None = None
    """Of what has a number: what a buyer is charged for a month, or what takes such a statement back. All sums of a
    credit note are below zero."""
    original: UuidText | None = None
    """Of a credit note: the id of the statement that it takes back."""
    originalNumber: str | None = None
    """The number of that."""
    reason: str | None = None
    """Why a person has made the credit note."""
    credited: str | None = None
    """What credit notes have taken back of the statement, with taxes."""
    voidedAt: TimestampText | None = None
    """When it became void, UTC."""
    voidReason: str | None = None
    """Why."""
    document: Literal["statement", "invoice"] | None = None
    """What it is: a statement is no invoice, which the seller then writes elsewhere."""
    frozenAt: TimestampText | None = None
    """When it got its number, UTC."""
    issuedAt: TimestampText | None = None
    """When it was mailed to the buyer, UTC."""
    mailRefused: Literal["no_address", "rejected", "failed"] | None = None
    """Why it could not be mailed when that was last tried: the buyer's billing profile has no e-mail address, the mail
    server does not accept it, or the mail could not be made, which the operator's log explains. It is tried again each
    day."""
    dueOn: DayText | None = None
    """When it is due, if the seller has terms of payment."""
    paidOn: DayText | None = None
    """When it was paid, as the seller has said."""
    paymentReference: str | None = None
    """What the payment can be found by."""
    parties: PartiesResponse | None = None
    """Seller and buyer, as their billing profiles were; of a draft, as they are now."""
    taxWarning: str | None = None
    """What the seller should know: `buyer_without_vat_id`, of a buyer in another member state that is taxed as at
    home."""
    lines: list[LineResponse]
    """The lines, as people read them."""
    net: str
    """The sum of the lines, as decimal text."""
    taxes: list[TaxResponse]
    """The taxes. None of a draft that is `blocked`."""
    gross: str
    """With taxes."""


class ListedStatementResponse(ResponseModel):
    """A frozen statement in a list, without its lines."""

    model_config = with_example(
        {
            "id": "5a0c7d3e-8a53-4a52-9e0a-5a5a2f6f2f11",
            "number": "INV-2026-00012",
            "seller": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
            "sellerName": "Test distributor",
            "buyer": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
            "buyerName": "New partner company",
            "level": "partner",
            "kind": "statement",
            "month": "2026-11",
            "currency": "EUR",
            "state": "frozen",
            "net": "50.00",
            "gross": "59.50",
            "frozenAt": "2026-12-03T02:23:00Z",
            "dueOn": "2026-12-17",
        }
    )

    id: str
    """Its id: a UUID; of a draft `draft-`, the id of the buyer, and the month."""
    number: str | None = None
    """Its number in the seller's series. A draft has none."""
    seller: UuidText
    """The id of the organisation that charges."""
    sellerName: str
    """Its name."""
    buyer: str
    """The id of the contract, the partner or the storage account that is charged."""
    buyerName: str
    """Its name."""
    level: Literal["contract", "partner", "account"]
    """What the buyer is."""
    month: str
    """The month, UTC: `2026-11`."""
    currency: str
    """The currency of its amounts, as three letters (ISO 4217)."""
    kind: Literal["statement", "credit_note"]
    """What a buyer is charged for a month, or what takes such a statement back: its sums are below zero."""
    state: Literal["draft", "frozen", "issued", "overdue", "paid", "credited", "void"]
    """`issued`: frozen, and mailed to the buyer. `overdue`: frozen, and the day on which it was due has passed.
    `credited`: credit notes have taken back all of it. `void`: it counts nowhere."""
    credited: str | None = None
    """What credit notes have taken back of the total."""
    net: str
    """The sum of the lines, as decimal text; of a draft without its adjustments."""
    gross: str | None = None
    """With taxes. A draft in a list has none."""
    computedAt: TimestampText | None = None
    """When a draft was computed, UTC."""
    frozenAt: TimestampText | None = None
    """When it got its number, UTC."""
    dueOn: DayText | None = None
    """When it is due."""
    paidOn: DayText | None = None
    """When it was paid."""
