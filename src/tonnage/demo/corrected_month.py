"""A month in which everything changes for one partner: prices, allocation, contract, and usage after it was frozen.

Its statement, and the adjustment in the next one, are examples of what can be computed again.
"""

from datetime import datetime, timedelta

from tonnage.access.actor import Actor, Kind
from tonnage.accounts.account import AccountChange
from tonnage.accounts.change_actions import change_account
from tonnage.db import Connection
from tonnage.demo import queries, scene, usage_curve
from tonnage.demo.billing_scene import CHANGE, CORRECTED_BY, CORRECTED_DAYS, CORRECTED_ON, MOVED_ON, RESIZED_ON
from tonnage.demo.months import months_before
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange
from tonnage.usage.actions import record_samples
from tonnage.usage.sample import Sample

_PARTNER, _CONTRACT = scene.MOVED_PARTNER.id, scene.DISTRIBUTOR.contracts[1].id


async def change_terms(conn: Connection, now: datetime) -> None:
    """Resizes and moves the partner in the caller's transaction. From the next month on it pays for what it uses, and
    its customer has more room."""
    distributor = Actor.on_command_line(scene.DISTRIBUTOR.id, Kind.DISTRIBUTOR)
    (customer,) = scene.MOVED_PARTNER.customers
    account_id, later = await queries.account_of(conn, _PARTNER), _on(now, CHANGE - 1, 1)
    smaller, none = PartnerChange(allocated_capacity=customer.allocated), PartnerChange(allocated_capacity=0)
    larger = AccountChange(allocated_capacity=2 * scene.TB)
    await partners.update_partner(conn, distributor, _PARTNER, smaller, _on(now, CHANGE, RESIZED_ON))
    await partners.move_partner(conn, distributor, _PARTNER, _CONTRACT, _on(now, CHANGE, MOVED_ON))
    await partners.update_partner(conn, distributor, _PARTNER, none, later)
    await change_account(conn, distributor, _PARTNER, account_id, larger, later)


async def correct_usage(conn: Connection, now: datetime) -> None:
    """Replaces readings of the month, which is frozen: by the same ones whenever it is called."""
    (customer,) = scene.MOVED_PARTNER.customers
    account_id = await queries.account_of(conn, _PARTNER)
    first, last = (_on(now, CHANGE, day).date() for day in (CORRECTED_DAYS[0], CORRECTED_DAYS[-1]))
    readings = [(at, size) for at, size in usage_curve.samples(customer, now) if first <= at.date() <= last]
    corrected = (Sample(number, account_id, at, size + CORRECTED_BY) for number, (at, size) in enumerate(readings, 1))
    await record_samples(conn, corrected, _on(now, CHANGE - 1, CORRECTED_ON))


def _on(now: datetime, months: int, day: int) -> datetime:
    """The morning of a day of the month that many months before the running one."""
    return months_before(now, months) + timedelta(days=day - 1, hours=9)
