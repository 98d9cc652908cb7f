"""SQL of one partner as pages show it. `scope` is the partner itself or its distributor; None is the operator."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import suspension_reason
from tonnage.db import Connection
from tonnage.partners.partner import OverdraftCap, effective_capacity
from tonnage.partners.queries import CAP_COLUMNS


class PartnerDetail(NamedTuple):
    """An open partner and what its contract leaves it. Capacities in bytes."""

    id: UUID
    name: str
    created_at: datetime
    distributor_id: UUID
    distributor: str
    contract_id: UUID
    contract: str | None
    """The contract's `details`."""
    contract_remaining: int
    """What the contract has left for partners, in addition to this partner's allocation."""
    price_cents: Decimal
    currency: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    allocated_to_accounts: int
    used: Decimal
    accounts: int
    members: int
    locked_at: datetime | None
    """None: it is not locked, and has neither of the following."""
    locked_by: str | None
    """The name of its distributor or of the operator."""
    lock_reason: str | None
    override_capacity: int | None
    """None: it has no override."""
    override_until: datetime | None
    """Its end, a midnight. Later than that: a job has not ended it yet."""
    overrides_of_accounts: int
    """What overrides add to the allocations of its storage accounts."""
    suspended_at: datetime | None
    """None: it is not suspended, and has neither of the following."""
    suspension_reason: str | None
    suspension_cause: str | None
    """`person` or `overdue`."""
    cap: OverdraftCap | None
    """None: it has no cap of overdraft or pay-per-use."""

    def effective(self, now: datetime) -> int:
        """The allocation, in bytes, with an override that runs."""
        return effective_capacity(self.allocated, self.override_capacity, self.override_until, now)


async def partner_detail(conn: Connection, scope: UUID | None, partner_id: UUID) -> PartnerDetail | None:
    """For the partner's distributor and the operator."""
    cursor = await conn.execute(
        f"""
        select p.id, o.name, o.created_at, p.distributor_id, d.name,
            k.id, k.details, k.reserved_capacity - k.allocated_capacity, trim_scale(k.price_cents), k.currency,
            p.allocated_capacity, coalesce(p.allow_overdraft, false), p.allocated_to_accounts, p.used, p.account_count,
            (select count(*) from member m where m.organisation_id = p.id),
            o.locked_at, (select name from organisation where id = o.locked_by_id), o.lock_reason,
            p.override_capacity, p.override_until, p.overrides_of_accounts, p.suspended_at, p.suspension_reason,
            p.suspension_cause, p.suspension_overdue, {CAP_COLUMNS.format("p")}
        from partner p
        join organisation o on o.id = p.id
        join organisation d on d.id = p.distributor_id
        join contract k on k.id = p.contract_id
        where p.id = %(partner)s and p.closed_at is null
            and (%(scope)s::uuid is null or p.distributor_id = %(scope)s)
        """,
        {"scope": scope, "partner": partner_id},
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    *columns, overdue = row[:-4]
    found = PartnerDetail(*columns, cap=OverdraftCap.read(*row[-4:]))
    return found._replace(suspension_reason=suspension_reason(found.suspension_reason, overdue))


class PartnerTotals(NamedTuple):
    """A partner's capacity, and how much of it its accounts use. Capacities in bytes."""

    name: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    allocated_to_accounts: int
    used: Decimal
    accounts: int
    override_capacity: int | None
    override_until: datetime | None
    """As of `PartnerDetail`."""
    remaining: int
    """What it can allocate to other accounts for good: with overrides of accounts, which are taken out of it too."""
    cap: OverdraftCap | None
    """None: it has no cap of overdraft or pay-per-use."""

    def effective(self, now: datetime) -> int:
        """The allocation, in bytes, with an override that runs."""
        return effective_capacity(self.allocated, self.override_capacity, self.override_until, now)


async def partner_totals(conn: Connection, scope: UUID | None, partner_id: UUID) -> PartnerTotals | None:
    """For the partner itself, its distributor and the operator."""
    cursor = await conn.execute(
        f"""
        select o.name, p.allocated_capacity, coalesce(p.allow_overdraft, false), p.allocated_to_accounts,
            p.used, p.account_count, p.override_capacity, p.override_until,
            greatest(0, least(p.allocated_capacity,
                effective_capacity(p.allocated_capacity, p.override_capacity) - p.overrides_of_accounts)
                - p.allocated_to_accounts),
            {CAP_COLUMNS.format("p")}
        from partner p join organisation o on o.id = p.id
        where p.id = %(partner)s and p.closed_at is null
            and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        """,
        {"scope": scope, "partner": partner_id},
    )
    row = await cursor.fetchone()
    return PartnerTotals(*row[:-4], cap=OverdraftCap.read(*row[-4:])) if row else None
