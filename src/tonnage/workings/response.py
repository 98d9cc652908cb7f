"""Lines of statements and their working as JSON, as the API describes them."""

from typing import Any, Literal

from pydantic import Field

from tonnage.web.schemas import Bytes, DayText, ResponseModel, UuidText, with_example

LINE = {
    "no": 1,
    "product": "excess",
    "subject": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
    "subjectName": "New partner company",
    "contract": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
    "quantityGbMonths": "500",
    "byteDays": 15_000_000_000_000,
    "unitPrice": "10",
    "amount": "50.00",
    "from": "2026-11-01",
    "to": "2026-11-30",
}


class BasisResponse(ResponseModel):
    """What a discount or a minimum is computed from, in short. Its working has all of it."""

    model_config = with_example({"percent": "10", "base": "50.00"})

    percent: str | None = None
    """Of a discount."""
    base: str | None = None
    """Of a discount: the sum that it is a part of."""
    minimum: str | None = None
    """Of a minimum charge: that of a whole month, in the major unit."""
    activeDays: int | None = None
    """Of a minimum charge that counts by days: those of the month on which the buyer was active."""
    minimumGb: int | None = None
    """Of a minimum of pay-per-use: GB, on average of a whole month."""
    pool: Literal["account", "partner", "contract"] | None = None
    """Of a minimum of pay-per-use: whose use is compared with it."""


class LineResponse(ResponseModel):
    """One subject, one product, one unit price under one contract."""

    model_config = with_example(LINE)

    no: int
    """Its number in the statement."""
    product: str
    """`reserved`, `excess`, `pay_per_use`, `egress`, `capacity_minimum`, `discount`, `minimum_charge` or
    `adjustment`."""
    subject: str
    """The id of the contract, the partner or the storage account that it is about."""
    subjectName: str
    """The name of that."""
    contract: str | None = None
    """The contract. Missing for storage accounts."""
    quantityGbMonths: str | None = None
    """GB-months, of egress GB, rounded to 9 decimal places. Like the next two, missing of a discount and a minimum
    charge."""
    byteDays: Bytes | None = None
    """The exact quantity: bytes times days, of egress bytes."""
    unitPrice: str | None = None
    """Hundredths of the major unit per GB-month, of egress per GB, as decimal text."""
    amount: str
    """In the major unit, as decimal text, rounded once. Every total is a sum of lines."""
    first: DayText = Field(alias="from")
    """The first day with that price."""
    last: DayText = Field(alias="to")
    """The last day with that price."""
    adjustment: UuidText | None = None
    """The id of the adjustment that the line has an amount of. Missing of other lines."""
    reason: str | None = None
    """Why a person made the adjustment."""
    creditedLine: int | None = None
    """Of a credit note: the number of the line that it takes back."""
    basis: BasisResponse | None = None
    """Of a discount, a minimum charge and a minimum of pay-per-use: what it is computed from."""


_BASE_LINE = {name: LINE[name] for name in ("no", "product", "subject", "subjectName", "amount")}
_DISCOUNT = {"percent": "10", "base": "50.00", "lines": [_BASE_LINE]}
_MINIMUM_CHARGE = {
    "minimum": "250.00",
    "prorated": True,
    "activeDays": 15,
    "required": "125.00",
    "base": "50.00",
    "difference": "75.00",
    "lines": [_BASE_LINE],
}
_CAPACITY_MINIMUM = {
    "minimumGb": 1000,
    "pool": "partner",
    "prorated": True,
    "activeDays": 15,
    "requiredGbMonths": "500",
    "averageGb": "400",
    "usedByteDays": 12_000_000_000_000,
    "missingGbMonths": "100",
    "unitPrice": "1.4",
}
_BAND = {
    "mode": "graduated",
    "aboveGb": 0,
    "upToGb": 100_000,
    "totalGbMonths": "500",
    "totalByteDays": 15_000_000_000_000,
}


def _example_line(product: str, amount: str, basis: dict[str, Any]) -> dict[str, Any]:
    kept = {name: LINE[name] for name in ("subject", "subjectName", "contract", "from", "to")}
    return {**kept, "no": 2, "product": product, "amount": amount, "basis": basis}


_DISCOUNT_LINE = _example_line("discount", "-5.00", {"percent": "10", "base": "50.00"})
_MINIMUM_LINE = _example_line("minimum_charge", "75.00", {"minimum": "250.00", "activeDays": 15})


class WorkingDayResponse(ResponseModel):
    """A day of a line. All in bytes."""

    day: DayText
    """The day, UTC."""
    used: Bytes
    """What was stored, of egress what was sent."""
    capacity: Bytes
    """What was reserved or allocated at its end; 0 is pay-per-use."""
    quantity: Bytes
    """What is charged of the day."""


class BaseLineResponse(ResponseModel):
    """A line of the same statement that a discount or a minimum charge is computed from."""

    model_config = with_example(_BASE_LINE)

    no: int
    """Its number."""
    product: str
    """As in the statement; and the next two."""
    subject: str
    """What it is about."""
    subjectName: str
    """The name of that."""
    amount: str
    """What it charges."""


class DiscountResponse(ResponseModel):
    """How a discount is computed: percent of a sum of lines."""

    model_config = with_example(_DISCOUNT)

    percent: str
    """As decimal text."""
    base: str
    """The sum of `lines`."""
    lines: list[BaseLineResponse]
    """Those of use and of minimums of pay-per-use."""


class MinimumChargeResponse(ResponseModel):
    """How a minimum charge is computed: what is missing of it after use, the minimum of pay-per-use and discount."""

    model_config = with_example(_MINIMUM_CHARGE)

    minimum: str
    """That of a whole month, in the major unit."""
    prorated: bool
    """Whether it counts by days."""
    activeDays: int
    """The days of the month on which the buyer was active, at their end."""
    required: str
    """What is charged at least: if `prorated`, `minimum` times `activeDays` by the days of the month. Rounded to 9
    decimal places where it has more."""
    base: str
    """The sum of `lines`."""
    difference: str
    """What is missing: the line's amount, before it is rounded."""
    lines: list[BaseLineResponse]
    """Those that count towards it."""


class CapacityMinimumResponse(ResponseModel):
    """How a minimum of pay-per-use is computed: what the use of a pool lacks in the month as a whole."""

    model_config = with_example(_CAPACITY_MINIMUM)

    minimumGb: int
    """GB, on average of a whole month."""
    pool: Literal["account", "partner", "contract"]
    """Whose use is added up."""
    prorated: bool
    """Whether it counts by days."""
    activeDays: int
    """The days at whose end something of the pool was open and pay-per-use."""
    requiredGbMonths: str
    """If `prorated`, `minimumGb` times `activeDays` by the days of the month; else `minimumGb`. Quantities are rounded
    to 9 decimal places."""
    averageGb: str
    """What was used, on average of all days of the month."""
    usedByteDays: Bytes
    """The same exactly: bytes times days."""
    missingGbMonths: str
    """`requiredGbMonths` less `averageGb`: the quantity of the line."""
    unitPrice: str
    """That of the line."""


class ReachedBandResponse(ResponseModel):
    """Which part of the month's quantity a line of prices by quantity has."""

    model_config = with_example(_BAND)

    mode: Literal["graduated", "volume"]
    """`graduated`: each part at the price of its band. `volume`: all at the price of the band that it reaches."""
    aboveGb: int
    """GB-months above which the band begins."""
    upToGb: int | None = None
    """GB-months up to which it goes, and which it includes. Missing of the last band."""
    totalGbMonths: str
    """The quantity of the buyer's whole month, which all bands share."""
    totalByteDays: Bytes
    """The same exactly: the sum of the days' `quantity`."""


class WorkingResponse(ResponseModel):
    """The working of a line: how its quantity or its amount comes about."""

    model_config = with_example(
        {
            "line": LINE,
            "currency": "EUR",
            "daysOfMonth": 30,
            "days": [
                {
                    "day": "2026-11-01",
                    "used": 1_500_000_000_000,
                    "capacity": 1_000_000_000_000,
                    "quantity": 500_000_000_000,
                }
            ],
        },
        {"line": _DISCOUNT_LINE, "currency": "EUR", "daysOfMonth": 30, "days": [], "discount": _DISCOUNT},
        {"line": _MINIMUM_LINE, "currency": "EUR", "daysOfMonth": 30, "days": [], "minimumCharge": _MINIMUM_CHARGE},
    )

    line: LineResponse
    """The line."""
    currency: str
    """The currency of its amount."""
    daysOfMonth: int
    """The days of the calendar month, by which byte-days become GB-months."""
    days: list[WorkingDayResponse]
    """The days with the line's price. None of a discount, a minimum charge and an adjustment."""
    discount: DiscountResponse | None = None
    """Of a discount."""
    minimumCharge: MinimumChargeResponse | None = None
    """Of a minimum charge."""
    capacityMinimum: CapacityMinimumResponse | None = None
    """Of a minimum of pay-per-use; `days` are what was used of it."""
    band: ReachedBandResponse | None = None
    """Of a line of prices by quantity; `days` are those of all bands."""
