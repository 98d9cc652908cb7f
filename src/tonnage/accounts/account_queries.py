"""SQL of one storage account as pages show it."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import suspension_reason
from tonnage.accounts.extended_queries import PROVISIONING, REJECTION_REASON, STATE
from tonnage.accounts.queries import LIVING
from tonnage.db import Connection
from tonnage.partners.partner import OverdraftCap, effective_capacity
from tonnage.partners.queries import CAP_COLUMNS


class AccountDetail(NamedTuple):
    """An account that is not purged. Capacities in bytes."""

    id: int
    name: str
    contact_email: str
    partner_id: UUID
    partner: str
    region: str
    s3_url: str
    iam_url: str
    sts_url: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    used: int
    objects: int | None
    """None: never counted."""
    measured_at: datetime | None
    created_at: datetime
    deletion_requested_at: datetime | None
    pending_deleted_at: datetime | None
    is_being_purged: bool
    """Since then it cannot be restored."""
    suspended_at: datetime | None
    suspension_reason: str | None
    partner_suspended_at: datetime | None
    partner_suspension_reason: str | None
    state: str
    """As in AccountRow, and the two after it."""
    state_cause: str | None
    level: int | None
    provisioning: str
    """`metered` (there is no cluster), `pending`, `rejected` or `done`."""
    rejection_reason: str | None
    """Why its cluster refuses it."""
    access_keys: int
    override_capacity: int | None
    """None: it has no override."""
    override_until: datetime | None
    """Its end, a midnight. Later than that: a job has not ended it yet."""
    contact_stopped_at: datetime | None
    """When the contact has stopped mails about alerts; None: it has not."""
    cap: OverdraftCap | None
    """None: it has no cap of overdraft or pay-per-use."""

    def effective(self, now: datetime) -> int:
        """The allocation, in bytes, with an override that runs."""
        return effective_capacity(self.allocated, self.override_capacity, self.override_until, now)


async def account_detail(conn: Connection, scope: UUID, partner_id: UUID, account_id: int) -> AccountDetail | None:
    """`scope` is the partner or its distributor; the operator passes the partner's own id."""
    cursor = await conn.execute(
        f"""
        with s as (select s.* from {LIVING})
        select s.id, s.name, s.contact_email, s.partner_id, o.name, r.name, r.s3_url, r.iam_url, r.sts_url,
            s.allocated_capacity, s.allow_overdraft, u.used, u.objects, u.measured_at, s.created_at,
            s.deletion_requested_at, s.pending_deleted_at, s.purge_started_at is not null,
            s.suspended_at, s.suspension_reason, p.suspended_at, p.suspension_reason, c.state, c.cause, c.level,
            {PROVISIONING}, {REJECTION_REASON},
            (select count(*) from access_key where account_id = s.id and state = 'active'),
            s.override_capacity, s.override_until,
            (select unsubscribed_at from contact_mail where account_id = s.id and email_key = s.contact_email_key),
            p.suspension_overdue, {CAP_COLUMNS.format("s")}
        from s join account_usage u on u.account_id = s.id
        join region r on r.id = s.region_id join organisation o on o.id = s.partner_id
        join partner p on p.id = s.partner_id cross join lateral {STATE} c
        """,
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    *columns, overdue = row[:-4]
    found = AccountDetail(*columns, cap=OverdraftCap.read(*row[-4:]))
    return found._replace(partner_suspension_reason=suspension_reason(found.partner_suspension_reason, overdue))
