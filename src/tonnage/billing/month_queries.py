"""SQL of what months are rated from: use, terms and lifetimes, of many buyers at once.

The ids are those that the caller has found in its scope. Days are numbers, 0 is the first of the month.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import LiteralString, NamedTuple, TypeVar
from uuid import UUID

from tonnage.billing.month import AccountUse, Capacity, Lifetime, Month, Span, spans
from tonnage.db import Connection, one_row
from tonnage.usage.lists import DAYS

Id = TypeVar("Id", UUID, int)

# A text is several times faster to read than an array of numerics.
_DAYS_AS_TEXT: LiteralString = """string_agg(coalesce(d.usage, 0)::text, ',' order by n)
    from generate_series(0, %(last)s::date - %(first)s::date) n"""


async def use_of_partners(conn: Connection, partner_ids: Sequence[UUID], month: Month) -> dict[UUID, list[int]]:
    """Bytes on each day that counts."""
    cursor = await conn.execute(
        f"""
        with owned as materialized (
            select partner_id from unnest(%(ids)s::uuid[]) as partner_id order by partner_id
        )
        select owned.partner_id, (
            select {_DAYS_AS_TEXT} left join ({DAYS}) d on d.day = %(first)s::date + n)
        from owned
        """,
        {"ids": list(partner_ids), "today": month.last, **_days(month)},
    )
    return {partner: _numbers(days) for partner, days in await cursor.fetchall()}


# As DAYS, for one account: after the last daily value the last known use is carried forward, of a purged account
# through the day of its purge.
_OF_ACCOUNT: LiteralString = """
    select day, usage from daily_usage where account_id = s.id and day between %(first)s and %(last)s
        and day <= u.rolled_up_to
    union all
    select c.since + step, case when s.purged_at is null then u.used else (
            select closing from daily_usage where account_id = s.id and day = u.rolled_up_to) end
    from (
        select greatest(u.rolled_up_to + 1, s.created_at::date, %(first)s::date) as since,
            least(s.purged_at::date, %(last)s::date) as until
    ) c cross join lateral generate_series(0, c.until - c.since) step"""

_ACCOUNT_DAYS: LiteralString = f"""
    select s.id, s.partner_id, s.created_at::date - %(first)s::date, s.purged_at::date - %(first)s::date, (
        select {_DAYS_AS_TEXT} left join ({_OF_ACCOUNT}) d on d.day = %(first)s::date + n)
    from storage_account s join account_usage u on u.account_id = s.id
    where s.created_at < %(last)s::date + 1 and (s.purged_at is null or s.purged_at >= %(first)s::date)"""


async def use_of_accounts(conn: Connection, account_ids: Sequence[int], month: Month) -> dict[int, AccountUse]:
    """The accounts that existed in the month."""
    cursor = await conn.execute(
        f"{_ACCOUNT_DAYS} and s.id = any(%(ids)s) order by s.id", {"ids": list(account_ids), **_days(month)}
    )
    return {row[0]: _account(row) for row in await cursor.fetchall()}


async def accounts_of_partners(
    conn: Connection, partner_ids: Sequence[UUID], month: Month
) -> dict[UUID, list[AccountUse]]:
    """The accounts of each partner that existed in the month."""
    cursor = await conn.execute(
        f"{_ACCOUNT_DAYS} and s.partner_id = any(%(ids)s) order by s.id", {"ids": list(partner_ids), **_days(month)}
    )
    found: dict[UUID, list[AccountUse]] = {}
    for row in await cursor.fetchall():
        found.setdefault(row[1], []).append(_account(row))
    return found


async def egress_of_partners(conn: Connection, partner_ids: Sequence[UUID], month: Month) -> dict[UUID, list[int]]:
    """Bytes sent to clients on each day that counts; nothing of partners where none was measured."""
    cursor = await conn.execute(
        """
        select s.partner_id, d.day - %(first)s::date, sum(d.sent) from storage_account s
        join daily_traffic d on d.account_id = s.id and d.day between %(first)s and %(last)s and d.sent > 0
        where s.partner_id = any(%(ids)s) group by s.partner_id, d.day
        """,
        {"ids": list(partner_ids), **_days(month)},
    )
    return _by_day(await cursor.fetchall(), month)


async def egress_of_accounts(conn: Connection, account_ids: Sequence[int], month: Month) -> dict[int, list[int]]:
    """The same for accounts."""
    cursor = await conn.execute(
        """
        select d.account_id, d.day - %(first)s::date, d.sent from daily_traffic d
        where d.account_id = any(%(ids)s) and d.day between %(first)s and %(last)s and d.sent > 0
        """,
        {"ids": list(account_ids), **_days(month)},
    )
    return _by_day(await cursor.fetchall(), month)


async def partner_capacities(
    conn: Connection, partner_ids: Sequence[UUID], month: Month
) -> dict[UUID, list[Span[Capacity]]]:
    """The contract and the allocation at the end of each day, from the partner's first one on. From the day on which it
    was closed, those of the day before."""
    cursor = await conn.execute(
        """
        select t.partner_id, t.valid_from::date - %(first)s::date, t.contract_id, t.allocated_capacity
        from partner_terms t join partner p on p.id = t.partner_id join organisation o on o.id = p.id
        where t.partner_id = any(%(ids)s) and t.valid_from < %(last)s::date + 1
            and (t.valid_from < p.closed_at::date or p.closed_at is null or o.created_at::date = p.closed_at::date)
        order by t.partner_id, t.valid_from, t.id
        """,
        {"ids": list(partner_ids), **_days(month)},
    )
    return _capacities(await cursor.fetchall(), month)


async def account_capacities(
    conn: Connection, account_ids: Sequence[int], month: Month
) -> dict[int, list[Span[Capacity]]]:
    """The allocation at the end of each day, from the account's first one on. From the day of its purge on, that of the
    day before."""
    cursor = await conn.execute(
        """
        select t.account_id, t.valid_from::date - %(first)s::date, null::uuid, t.allocated_capacity
        from account_terms t join storage_account s on s.id = t.account_id
        where t.account_id = any(%(ids)s) and t.valid_from < %(last)s::date + 1
            and (t.valid_from < s.purged_at::date or s.purged_at is null or s.created_at::date = s.purged_at::date)
        order by t.account_id, t.valid_from, t.id
        """,
        {"ids": list(account_ids), **_days(month)},
    )
    return _capacities(await cursor.fetchall(), month)


async def overrides_of_partners(
    conn: Connection, partner_ids: Sequence[UUID], month: Month, *, free_only: bool
) -> dict[UUID, list[Span[int]]]:
    """The bytes of timed overrides on the days at whose end they run; of those that are free, or of all. What runs on
    a partner's last day goes on after it, as its terms do."""
    cursor = await conn.execute(
        """
        select v.partner_id, v.capacity, v.first_day - %(first)s::date,
            case when v.last_day + 1 = p.closed_at::date then %(last)s else v.last_day end - %(first)s::date
        from capacity_override v join partner p on p.id = v.partner_id
        where v.partner_id = any(%(ids)s) and v.first_day <= least(v.last_day, %(last)s::date)
            and (v.is_free or not %(free)s)
        """,
        {"ids": list(partner_ids), "free": free_only, **_days(month)},
    )
    return _overrides(await cursor.fetchall())


async def free_overrides_of_accounts(
    conn: Connection, account_ids: Sequence[int], month: Month
) -> dict[int, list[Span[int]]]:
    """The same of accounts, of those that are free."""
    cursor = await conn.execute(
        """
        select v.account_id, v.capacity, v.first_day - %(first)s::date,
            case when v.last_day + 1 = s.purged_at::date then %(last)s else v.last_day end - %(first)s::date
        from capacity_override v join storage_account s on s.id = v.account_id
        where v.account_id = any(%(ids)s) and v.first_day <= least(v.last_day, %(last)s::date) and v.is_free
        """,
        {"ids": list(account_ids), **_days(month)},
    )
    return _overrides(await cursor.fetchall())


def _overrides(rows: Iterable[tuple[Id, int, int, int]]) -> dict[Id, list[Span[int]]]:
    found: dict[Id, list[Span[int]]] = {}
    for subject, capacity, first, last in rows:
        found.setdefault(subject, []).append(Span(first, last + 1, capacity))
    return found


class ReservationTerms(NamedTuple):
    """What applied to a contract at the end of a day."""

    reserved: int
    """Bytes."""
    price: Decimal
    """Of a GB-month of excess, in hundredths of the major unit."""


class ContractMonth(NamedTuple):
    """A contract, and its terms of a month."""

    currency: str
    lifetime: Lifetime
    terms: list[Span[ReservationTerms]]
    """From its first day on."""


async def contract_month(conn: Connection, contract_id: UUID, month: Month) -> ContractMonth:
    """Of a contract that exists; it may be closed."""
    cursor = await conn.execute(
        """
        select currency, created_at::date - %(first)s::date, closed_at::date - %(first)s::date
        from contract where id = %(id)s
        """,
        {"id": contract_id, **_days(month)},
    )
    currency, opened, closed = await one_row(cursor)
    cursor = await conn.execute(
        """
        select valid_from::date - %(first)s::date, reserved_capacity, price_cents from contract_terms
        where contract_id = %(id)s and valid_from < %(last)s::date + 1 order by valid_from, id
        """,
        {"id": contract_id, **_days(month)},
    )
    written = [(first, ReservationTerms(reserved, price)) for first, reserved, price in await cursor.fetchall()]
    return ContractMonth(currency, Lifetime(opened, closed), spans(written, month.through))


async def partner_lifetimes(conn: Connection, partner_ids: Sequence[UUID], month: Month) -> dict[UUID, Lifetime]:
    """Of partners, closed ones too."""
    cursor = await conn.execute(
        """
        select p.id, o.created_at::date - %(first)s::date, p.closed_at::date - %(first)s::date
        from partner p join organisation o on o.id = p.id where p.id = any(%(ids)s)
        """,
        {"ids": list(partner_ids), **_days(month)},
    )
    return {partner: Lifetime(opened, closed) for partner, opened, closed in await cursor.fetchall()}


async def partners_under(
    conn: Connection, contract_id: UUID, month: Month, after: UUID | None, most: int
) -> list[UUID]:
    """The next partners, in order of id, that were under the contract at the end of a day that counts."""
    cursor = await conn.execute(
        """
        select distinct t.partner_id from partner_terms t
        where t.contract_id = %(contract)s and t.valid_from < %(last)s::date + 1
            and (%(after)s::uuid is null or t.partner_id > %(after)s)
            and not exists (
                select from partner_terms n where n.partner_id = t.partner_id
                    and (n.valid_from, n.id) > (t.valid_from, t.id) and n.valid_from < %(first)s::date + 1)
        order by t.partner_id limit %(most)s
        """,
        {"contract": contract_id, "after": after, "most": most, **_days(month)},
    )
    return [row[0] for row in await cursor.fetchall()]


def _days(month: Month) -> dict[str, object]:
    return {"first": month.first, "last": month.first + timedelta(days=month.through - 1)}


def _numbers(text: str) -> list[int]:
    return list(map(int, text.split(",")))


def _account(row: tuple[int, UUID, int, int | None, str]) -> AccountUse:
    account, _, opened, closed, days = row
    return AccountUse(account, _numbers(days), Lifetime(opened, closed))


def _by_day(rows: Sequence[tuple[Id, int, Decimal | int]], month: Month) -> dict[Id, list[int]]:
    found: dict[Id, list[int]] = {}
    for subject, day, amount in rows:
        found.setdefault(subject, [0] * month.through)[day] = int(amount)
    return found


def _capacities(rows: Sequence[tuple[Id, int, UUID | None, int]], month: Month) -> dict[Id, list[Span[Capacity]]]:
    written: dict[Id, list[tuple[int, Capacity]]] = {}
    for subject, first, contract_id, allocated in rows:
        written.setdefault(subject, []).append((first, Capacity(contract_id, allocated)))
    return {subject: spans(of_subject, month.through) for subject, of_subject in written.items()}
