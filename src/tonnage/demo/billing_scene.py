"""What the sample data sells: prices as they are customary, profiles, and how documents look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.billing_profiles.settings import INVOICE, SellerSettings
from tonnage.demo import scene
from tonnage.price_books.version import MinimumPool, PayPerUseMinimum, Prices

MONTHS = 12
"""Months that are over and frozen, on all levels."""

CHANGE = 5
"""Months before the running one when a distributor's prices have changed, on a day within the month."""

PRICES_CHANGE_ON = 11
RESIZED_ON = 16
MOVED_ON = 21
"""Days of that month: of the prices, and of the changes of the partner that is moved."""

CORRECTED_DAYS = range(23, 26)
"""Days of that month whose readings are corrected after it is frozen: by how many bytes each, on which day of the next
month."""
CORRECTED_BY = 400 * scene.GB
CORRECTED_ON = 9


@dataclass(frozen=True)
class SampleSeller:
    """A seller with its only price book, which applies to all of its buyers."""

    id: UUID | None
    """None: the operator, whose id differs between databases."""
    kind: Kind
    book: str
    currency: str
    prices: Prices
    settings: SellerSettings
    changed: Prices | None = None
    """Its prices of today, where they have changed."""
    draft: Prices | None = None
    """What it is thinking about."""


_CUSTOMARY = PayPerUseMinimum(1000, MinimumPool.PARTNER)

SELLERS = (
    SampleSeller(
        None,
        Kind.OPERATOR,
        "Distributors",
        "EUR",
        Prices(reserved=Decimal("0.69"), excess=Decimal(1), pay_per_use=Decimal(1)),
        SellerSettings(document=INVOICE, colour="#16425b", number_format="OP-{year}-{number:05}"),
    ),
    SampleSeller(
        scene.DISTRIBUTOR.id,
        Kind.DISTRIBUTOR,
        "Partners",
        "EUR",
        Prices(
            reserved=Decimal("0.9"),
            excess=Decimal("1.4"),
            pay_per_use=Decimal("1.4"),
            pay_per_use_minimum=_CUSTOMARY,
        ),
        SellerSettings(document=INVOICE, locale="de_DE", colour="#1d6f5c", footer="Test Distribution GmbH"),
        Prices(
            reserved=Decimal("0.88"),
            excess=Decimal("1.4"),
            pay_per_use=Decimal("1.3"),
            pay_per_use_minimum=_CUSTOMARY,
        ),
        Prices(
            reserved=Decimal("0.84"),
            excess=Decimal("1.4"),
            pay_per_use=Decimal("1.3"),
            pay_per_use_minimum=_CUSTOMARY,
            discount_percent=Decimal(2),
        ),
    ),
    SampleSeller(
        scene.TEST_PARTNER.id,
        Kind.PARTNER,
        "Customers",
        "USD",
        Prices(reserved=Decimal("2.2"), excess=Decimal(3), pay_per_use=Decimal("2.8")),
        SellerSettings(locale="en_US", colour="#7a3b69"),
    ),
)


@dataclass(frozen=True)
class Company:
    """What documents say about an organisation."""

    name: str
    city: str
    country: str = "DE"
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def profile(self) -> dict[str, Any]:
        """As JSON."""
        address = {"legalName": self.name, "addressLine1": "Example Street 1", "city": self.city}
        return {**address, "country": self.country, "paymentTermDays": 14, **self.more}


OPERATOR = Company("Operator Storage GmbH", "Hamburg", more={"vatId": "DE136695976", "iban": "DE89370400440532013000"})

COMPANIES: Mapping[UUID, Company] = {
    scene.DISTRIBUTOR.id: Company("Test Distribution GmbH", "Berlin", more={"vatId": "DE136695976"}),
    scene.OTHER_DISTRIBUTOR.id: Company("Other Distribution GmbH", "Vienna", "AT", {"vatId": "ATU13585627"}),
    scene.TEST_PARTNER.id: Company("Test Partner GmbH", "Munich"),
    scene.LARGE_PARTNER.id: Company("Large Test Partner GmbH", "Graz", "AT", {"vatId": "ATU13585627"}),
    scene.MOVED_PARTNER.id: Company("Moved Test Partner GmbH", "Hanover"),
}
"""Without the partner that pays for what it uses: its statements are blocked until its address is known."""

CUSTOMERS = frozenset({"Hillside Dental Group", "Old Town Surveyors", "Riverside Film Studio", "Millbrook Bakery"})
"""Customers of the partner that sells, whose addresses it has."""

GOODWILL = ("-25.00", "Goodwill for the maintenance window")
"""Of the distributor for its partner, on the next statement."""

CREDIT = ("4.40", "Not available for three days")
"""Of the distributor for the first line of its partner's newest statement."""
