"""SQL of forecasts: the daily use that they are computed from, and the stored ones."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.alerts.alert_level import AlertSubject
from tonnage.db import Connection
from tonnage.forecasts.forecast import Forecast, FullBy, NoForecast
from tonnage.forecasts.measured_subject import MeasuredSubject
from tonnage.usage.lists import DAYS


async def measured_accounts(conn: Connection, first: date, last: date, after: int, most: int) -> list[MeasuredSubject]:
    """The next accounts with an allocation, in order of their numbers."""
    cursor = await conn.execute(
        """
        select s.id, s.id, s.partner_id, s.partner_id, null::uuid, s.allocated_capacity, s.created_at::date,
            d.days, d.usage, m.rolled_up_to, m.used::float8
        from (
            select * from storage_account where id > %(after)s and purged_at is null and allocated_capacity > 0
            order by id limit %(most)s
        ) s
        join account_usage m on m.account_id = s.id
        cross join lateral (
            select array_agg(day - %(first)s::date) as days, array_agg(usage::float8) as usage from daily_usage
            where account_id = s.id and day between %(first)s and %(last)s offset 0
        ) d
        order by s.id
        """,
        {"after": after, "most": most, "first": first, "last": last},
        binary=True,
    )
    return [MeasuredSubject(*row) for row in await cursor.fetchall()]


async def measured_partners(conn: Connection, first: date, last: date, after: int, most: int) -> list[MeasuredSubject]:
    """The next partners, in order of creation: pay-per-use ones too, and those that were closed since the first day,
    whose use is in that of their contract."""
    cursor = await conn.execute(
        f"""
        select owned.seq, owned.partner_id, owned.partner_id, owned.distributor_id, owned.contract_id,
            case when owned.closed_at is null then owned.allocated_capacity else 0 end, owned.born,
            d.days, d.usage, null::date, 0::float8
        from (
            select p.*, p.id as partner_id, o.created_at::date as born
            from (
                select * from partner where seq > %(after)s and (closed_at is null or closed_at >= %(first)s)
                order by seq limit %(most)s
            ) p join organisation o on o.id = p.id
        ) owned
        cross join lateral (
            select array_agg(day - %(first)s::date) as days, array_agg(usage::float8) as usage from ({DAYS}) n offset 0
        ) d
        order by owned.seq
        """,
        {"after": after, "most": most, "first": first, "last": last, "today": last},
        binary=True,
    )
    return [MeasuredSubject(*row) for row in await cursor.fetchall()]


async def open_contracts(conn: Connection, after: int, most: int) -> list[MeasuredSubject]:
    """The next contracts that reserve something, in order of creation, without their use: it is that of their
    partners."""
    cursor = await conn.execute(
        """
        select seq, id, distributor_id, operator_id(), null::uuid, reserved_capacity, created_at::date,
            null::int[], null::float8[], null::date, 0::float8
        from contract where seq > %(after)s and closed_at is null and reserved_capacity > 0
        order by seq limit %(most)s
        """,
        {"after": after, "most": most},
    )
    return [MeasuredSubject(*row) for row in await cursor.fetchall()]


_IDS: Mapping[AlertSubject, tuple[LiteralString, LiteralString]] = {
    AlertSubject.ACCOUNT: ("account_id", "bigint[]"),
    AlertSubject.PARTNER: ("partner_id", "uuid[]"),
    AlertSubject.CONTRACT: ("contract_id", "uuid[]"),
}


async def store(
    conn: Connection,
    subject: AlertSubject,
    found: Sequence[tuple[MeasuredSubject, FullBy | NoForecast]],
    today: date,
) -> None:
    """Replaces the forecasts of these. Two runs at once store the same, in the same order."""
    column, array = _IDS[subject]
    days = [one if isinstance(one, FullBy) else None for _, one in found]
    await conn.execute(
        f"""
        insert into forecast as f (
            {column}, organisation_id, seller_id, capacity, computed_on, reason, earliest, likely, latest)
        select id, organisation_id, seller_id, capacity, %(today)s, reason, earliest, likely, latest
        from unnest(%(ids)s::{array}, %(organisations)s::uuid[], %(sellers)s::uuid[], %(capacities)s::bigint[],
            %(reasons)s::text[], %(earliest)s::date[], %(likely)s::date[], %(latest)s::date[])
            as n (id, organisation_id, seller_id, capacity, reason, earliest, likely, latest)
        order by id
        on conflict ({column}) where {column} is not null do update set
            organisation_id = excluded.organisation_id, seller_id = excluded.seller_id, capacity = excluded.capacity,
            computed_on = excluded.computed_on, reason = excluded.reason, earliest = excluded.earliest,
            likely = excluded.likely, latest = excluded.latest
        """,
        {
            "today": today,
            "ids": [one.id for one, _ in found],
            "organisations": [one.organisation_id for one, _ in found],
            "sellers": [one.seller_id for one, _ in found],
            "capacities": [one.capacity for one, _ in found],
            "reasons": [one.value if isinstance(one, NoForecast) else None for _, one in found],
            "earliest": [one and one.earliest for one in days],
            "likely": [one and one.likely for one in days],
            "latest": [one and one.latest for one in days],
        },
    )


async def delete_obsolete(conn: Connection) -> None:
    """Deletes the forecasts of what is gone, and of what has no capacity any more."""
    await conn.execute(
        """
        delete from forecast f where exists (
            select from storage_account s
            where s.id = f.account_id and (s.purged_at is not null or s.allocated_capacity = 0))
        or exists (select from partner p where p.id = f.partner_id and (p.closed_at is not null
            or p.allocated_capacity = 0))
        or exists (select from contract k where k.id = f.contract_id and (k.closed_at is not null
            or k.reserved_capacity = 0))
        """
    )


class ForecastRun(NamedTuple):
    """The last run that has computed all forecasts."""

    finished_at: datetime
    seconds: float
    subjects: int
    """What has a capacity."""
    forecasts: int
    """Of these, with days."""


async def record_run(conn: Connection, run: ForecastRun) -> None:
    """As the last one."""
    await conn.execute(
        """
        insert into forecast_run (finished_at, seconds, subjects, forecasts)
        values (%(finished_at)s, %(seconds)s, %(subjects)s, %(forecasts)s)
        on conflict (is_only_row) do update set finished_at = excluded.finished_at, seconds = excluded.seconds,
            subjects = excluded.subjects, forecasts = excluded.forecasts
        """,
        run._asdict(),
    )


async def last_run(conn: Connection) -> ForecastRun | None:
    """None: there was none yet."""
    cursor = await conn.execute("select finished_at, seconds, subjects, forecasts from forecast_run")
    row = await cursor.fetchone()
    return ForecastRun(*row) if row else None


_FORECAST: LiteralString = "f.reason, f.earliest, f.likely, f.latest, f.computed_on"

_ONE: Mapping[AlertSubject, LiteralString] = {
    AlertSubject.ACCOUNT: f"""
        select s.allocated_capacity > 0, {_FORECAST} from storage_account s join partner p on p.id = s.partner_id
        left join forecast f on f.account_id = s.id and f.capacity = s.allocated_capacity
        where s.id = %(id)s and s.purged_at is null
            and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))""",
    AlertSubject.PARTNER: f"""
        select p.allocated_capacity > 0, {_FORECAST} from partner p
        left join forecast f on f.partner_id = p.id and f.capacity = p.allocated_capacity
        where p.id = %(id)s and p.closed_at is null
            and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))""",
    AlertSubject.CONTRACT: f"""
        select k.reserved_capacity > 0, {_FORECAST} from contract k
        left join forecast f on f.contract_id = k.id and f.capacity = k.reserved_capacity
        where k.id = %(id)s and (%(scope)s::uuid is null or k.distributor_id = %(scope)s)""",
}


async def forecast_of(
    conn: Connection, scope: UUID | None, subject: AlertSubject, subject_id: int | UUID
) -> Forecast | None:
    """What is known of an account, a partner or a contract; None: the scope has no such thing. A forecast for a
    capacity that was changed since does not count."""
    cursor = await conn.execute(_ONE[subject], {"scope": scope, "id": subject_id})
    row = await cursor.fetchone()
    if row is None:
        return None
    has_capacity, reason, earliest, likely, latest, computed_on = row
    if not has_capacity:
        return Forecast(None, NoForecast.PAY_PER_USE, None)
    if computed_on is None:
        return Forecast(None, NoForecast.NOT_COMPUTED, None)
    if reason:
        return Forecast(None, NoForecast(reason), computed_on)
    return Forecast(FullBy(earliest, likely, latest), None, computed_on)
