"""The content of the sample data. The ids, names and numbers of the walk-through are those of its text.

Names of customers are invented; addresses are in the domains that are reserved for examples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from tonnage.access.actor import Role
from tonnage.regions.region import NewRegion

MB, GB, TB = 10**6, 10**9, 10**12

FOUNDED = 396
"""Days before now when the sample data begins: 13 months of usage, and everything within the longest report."""


@dataclass(frozen=True)
class Customer:
    """A storage account. Sizes in bytes, times in days before now."""

    name: str
    contact_email: str
    allocated: int
    opened: int
    used_at_first: int
    used_now: int
    overdraft: bool = False
    deletion_requested: int | None = None

    @property
    def ceiling(self) -> int | None:
        """The upper limit of its use, which a cluster would enforce; None: there is no limit."""
        elastic = self.overdraft or self.allocated == 0
        return None if elastic else self.allocated


@dataclass(frozen=True)
class Partner:
    """A partner and its customers, in order of their creation."""

    id: UUID
    name: str
    allocated: int
    customers: tuple[Customer, ...]
    overdraft: bool | None = None


@dataclass(frozen=True)
class Contract:
    """A contract at 100 cents per excess GB-month, in EUR."""

    id: UUID
    reserved: int
    details: str
    partners: tuple[Partner, ...] = ()


@dataclass(frozen=True)
class Distributor:
    """A distributor with its contracts and partners."""

    id: UUID
    name: str
    contracts: tuple[Contract, ...]


@dataclass(frozen=True)
class Login:
    """A member. Without an organisation it belongs to the operator, whose id differs between databases."""

    email: str
    name: str
    role: Role
    organisation_id: UUID | None


def _region(name: str) -> NewRegion:
    return NewRegion(name, *(f"https://{service}.{name}.example.com" for service in ("s3", "iam", "sts")))


REGIONS = (_region("eu-central-2"), _region("eu-west-1"))

TEST_PARTNER = Partner(
    UUID("e37e6c0f-688e-4da4-8717-a52b48bcee3d"),
    "Test partner",
    5 * TB,
    (
        Customer("Hillside Dental Group", "it@hillside-dental.example.org", 1 * TB, 392, 210 * GB, 640 * GB),
        Customer("Old Town Surveyors", "office@old-town.example.org", 1500 * GB, 371, 600 * GB, 1320 * GB),
        Customer(
            "Riverside Film Studio", "post@riverside.example.org", 500 * GB, 344, 90 * GB, 742 * GB, overdraft=True
        ),
        Customer(
            "Lakeview Archive", "tapes@lakeview.example.org", 250 * GB, 331, 60 * GB, 118 * GB, deletion_requested=12
        ),
        Customer("Millbrook Bakery", "till@millbrook.example.org", 250 * GB, 96, 5 * GB, 38 * GB),
    ),
)
"""Leaves 1.5 TB of its 5 TB, so that new users of the demo can create accounts too."""

_PAY_PER_USE_PARTNER = Partner(
    UUID("e4985686-c089-46fd-ae82-0af7ce2888bf"),
    "Another test partner",
    0,
    (
        Customer("Green Valley Farms", "ops@green-valley.example.org", 0, 388, 40 * GB, 310 * GB),
        Customer("Northgate Logistics", "backup@northgate.example.org", 2 * TB, 290, 300 * GB, 1180 * GB),
        Customer("Sunday Podcast", "hello@sunday.example.org", 0, 41, 400 * MB, 96 * GB),
    ),
)

LARGE_PARTNER = Partner(
    UUID("67462971-1ff1-4415-b864-91797224fdb9"),
    "Large test partner",
    48 * TB,
    (
        Customer("Harbour Hospital", "storage@harbour.example.org", 20 * TB, 394, 7800 * GB, 15600 * GB),
        Customer("City Library", "media@city-library.example.org", 8 * TB, 380, 5200 * GB, 6900 * GB),
        Customer(
            "Eastside Broadcasting", "playout@eastside.example.org", 6 * TB, 366, 2100 * GB, 7350 * GB, overdraft=True
        ),
        Customer("Institute of Seismology", "data@seismology.example.org", 10 * TB, 238, 900 * GB, 9100 * GB),
        Customer("Bridge Street Lawyers", "it@bridge-street.example.org", 750 * GB, 187, 120 * GB, 410 * GB),
        Customer("Weather Watch", "feed@weather-watch.example.org", 0, 63, 15 * GB, 880 * GB),
    ),
    overdraft=True,
)

MOVED_PARTNER = Partner(
    UUID("d4da488e-3b09-4a3b-b3d9-b7459c9b02a1"),
    "Moved test partner",
    1 * TB,
    (
        Customer(
            "Winter Sports Club", "office@winter-sports.example.org", 500 * GB, 391, 450 * GB, 930 * GB, overdraft=True
        ),
    ),
    overdraft=True,
)
"""Begins under the first contract. In one month its prices, its allocation and its contract change: changes.py."""

_OTHER_PARTNER = Partner(
    UUID("64e45ccc-7526-4d07-b4a1-094618e94300"),
    "Other partner",
    4 * TB,
    (Customer("Other customer", "root@other-customer.example.net", 2 * TB, 300, 350 * GB, 1240 * GB),),
)

DISTRIBUTOR = Distributor(
    UUID("7e1fe78d-3f61-4215-8c48-eda9e1b08f13"),
    "Test distributor",
    (
        Contract(
            UUID("606f031c-0f85-4444-8c7d-4a8f1ede7cd3"),
            100 * TB,
            "Impossible Cloud Test Contract",
            (TEST_PARTNER, _PAY_PER_USE_PARTNER, LARGE_PARTNER, MOVED_PARTNER),
        ),
        Contract(UUID("bb0a102d-ad4b-4738-b405-561add97abbb"), 10 * TB, "Another test contract"),
    ),
)

OTHER_DISTRIBUTOR = Distributor(
    UUID("9186051f-c615-46c0-8932-4968eb46c47e"),
    "Other distributor",
    (Contract(UUID("211d2725-b577-447e-908c-e6afea82e1fd"), 20 * TB, "Other contract", (_OTHER_PARTNER,)),),
)

DISTRIBUTORS = (DISTRIBUTOR, OTHER_DISTRIBUTOR)

NAMES = {
    organisation.id: organisation.name
    for organisation in (DISTRIBUTOR, TEST_PARTNER, OTHER_DISTRIBUTOR, _OTHER_PARTNER)
}
"""The names of the organisations that have members and keys, without the operator."""

OPERATOR = "Operator"
"""The operator's name in the key file."""

LOGINS = (
    Login("admin@distributor.example.com", "Ada Distributor", Role.ADMIN, DISTRIBUTOR.id),
    Login("staff@distributor.example.com", "Sam Distributor", Role.STAFF, DISTRIBUTOR.id),
    Login("viewer@distributor.example.com", "Vic Distributor", Role.VIEWER, DISTRIBUTOR.id),
    Login("admin@partner.example.com", "Ada Partner", Role.ADMIN, TEST_PARTNER.id),
    Login("staff@partner.example.com", "Sam Partner", Role.STAFF, TEST_PARTNER.id),
    Login("viewer@partner.example.com", "Vic Partner", Role.VIEWER, TEST_PARTNER.id),
    Login("admin@other-distributor.example.net", "Ada Other", Role.ADMIN, OTHER_DISTRIBUTOR.id),
    Login("admin@other-partner.example.net", "Olu Other", Role.ADMIN, _OTHER_PARTNER.id),
    Login("admin@operator.example.com", "Ada Operator", Role.ADMIN, None),
    Login("staff@operator.example.com", "Sam Operator", Role.STAFF, None),
    Login("viewer@operator.example.com", "Vic Operator", Role.VIEWER, None),
)

ADMIN_KEY = "distributor_admin"
"""The key that the start prints."""

KEYS = {
    ADMIN_KEY: (DISTRIBUTOR.id, Role.ADMIN),
    "distributor_staff": (DISTRIBUTOR.id, Role.STAFF),
    "distributor_viewer": (DISTRIBUTOR.id, Role.VIEWER),
    "partner_admin": (TEST_PARTNER.id, Role.ADMIN),
    "partner_viewer": (TEST_PARTNER.id, Role.VIEWER),
    "other_distributor_admin": (OTHER_DISTRIBUTOR.id, Role.ADMIN),
    "other_partner_admin": (_OTHER_PARTNER.id, Role.ADMIN),
}
"""The organisation and role of each key, by its name in the key file."""


def openings() -> Iterator[tuple[Distributor, Partner, Customer]]:
    """All customers, the oldest first, in the order of their creation."""
    found = [
        (distributor, partner, customer)
        for distributor in DISTRIBUTORS
        for contract in distributor.contracts
        for partner in contract.partners
        for customer in partner.customers
    ]
    yield from sorted(found, key=lambda opening: -opening[2].opened)
