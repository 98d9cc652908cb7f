"""Steps of the tests of stored nets."""

from datetime import datetime
from uuid import UUID

from tests.cast import Cast
from tonnage.access.actor import Actor
from tonnage.billing.actions import compute_buyers
from tonnage.billing.month import Month
from tonnage.billing.month_net import BUYERS, PricedSeller
from tonnage.utc import day_of


async def compute(cast: Cast, seller: Actor, *buyers: UUID | int, now: datetime, month: datetime | None = None) -> None:
    """The nets of some buyers of a seller, of the month of `now` or of another one."""
    of = PricedSeller(0, seller.organisation_id, BUYERS[seller.kind])
    await compute_buyers(cast.database, of, buyers, Month.of(day_of(month or now), day_of(now)), now)
