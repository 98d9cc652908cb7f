"""SQL of the series of document numbers, and the lock of those who issue documents of a seller."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.billing_profiles.document_number import DocumentNumberFormat
from tonnage.db import Connection, one_row
from tonnage.numbering.series import Gap, NotedGap, Series


class Taken(NamedTuple):
    """Numbers of a series: the last one, and all of them as they stand on documents."""

    series: Series
    last: int
    numbers: Sequence[str]


async def take_numbers(
    conn: Connection, seller_id: UUID, form: DocumentNumberFormat, start: int, count: int, today: date
) -> Taken:
    """The next numbers of the seller's series, whose row is held until the transaction ends. `start`: the first number
    of its first series; others begin at 1."""
    year = today.year if form.has_year else 0
    cursor = await conn.execute(
        """
        insert into statement_series as s (seller_id, format, year, last_number)
        select %(seller)s, %(format)s, %(year)s, %(count)s + case when exists (
            select from statement_series where seller_id = %(seller)s) then 0 else %(start)s - 1 end
        on conflict (seller_id, format, year) do update set last_number = s.last_number + %(count)s
        returning last_number
        """,
        {"seller": seller_id, "format": form.text, "year": year, "start": start, "count": count},
    )
    (last,) = await one_row(cursor)
    numbers = [form.written(today.year, number) for number in range(last - count + 1, last + 1)]
    return Taken(Series(seller_id, form.text, year), last, numbers)


async def lock_seller(conn: Connection, seller_id: UUID) -> None:
    """Keeps others from issuing documents of the seller until `unlock_seller`, or the end of the connection. Of any
    month: two freezes could use the same adjustments."""
    await conn.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"statements {seller_id}"])


async def unlock_seller(conn: Connection, seller_id: UUID) -> None:
    """What `lock_seller` has locked on this connection."""
    await conn.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [f"statements {seller_id}"])


async def lock_seller_in_transaction(conn: Connection, seller_id: UUID) -> None:
    """The same until the end of the transaction."""
    await conn.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"statements {seller_id}"])


async def missing(conn: Connection, outside: Mapping[Series, int]) -> list[Gap]:
    """What was recorded outside, and the database does not know; of sellers that it knows."""
    wanted = list(outside)
    cursor = await conn.execute(
        """
        select w.place, coalesce(s.last_number, 0), case when s.last_number is null then g.number_start end
        from unnest(%(sellers)s::uuid[], %(formats)s::text[], %(years)s::smallint[]) with ordinality
            as w (seller_id, format, year, place)
        join organisation o on o.id = w.seller_id
        left join statement_series s on s.seller_id = w.seller_id and s.format = w.format and s.year = w.year
        left join seller_settings g on g.organisation_id = w.seller_id
        order by w.place
        """,
        {
            "sellers": [one.seller_id for one in wanted],
            "formats": [one.format for one in wanted],
            "years": [one.year for one in wanted],
        },
    )
    found: list[Gap] = []
    rows: list[tuple[int, int, int | None]] = await cursor.fetchall()
    for place, last, start in rows:
        series, highest = wanted[place - 1], outside[wanted[place - 1]]
        if highest > last:
            # A series that the database does not know may have begun with the seller's first number.
            found.append(Gap(series, start if start and start <= highest else last + 1, highest))
    return found


async def skip(conn: Connection, gaps: Iterable[Gap], now: datetime, stamp: str) -> None:
    """Lets series go on after numbers that are missing, and keeps those, with an audit entry for each."""
    for gap in gaps:
        await conn.execute(
            """
            with s as (
                insert into statement_series as s (seller_id, format, year, last_number)
                values (%(seller)s, %(format)s, %(year)s, %(last)s)
                on conflict (seller_id, format, year) do update set
                    last_number = greatest(s.last_number, excluded.last_number)
            ), g as (
                insert into number_gap (seller_id, format, year, first_number, last_number, noted_at)
                values (%(seller)s, %(format)s, %(year)s, %(first)s, %(last)s, %(now)s)
                on conflict do nothing returning seller_id
            )
            select audit(%(stamp)s, g.seller_id, 'statements.skip', %(subject)s, null,
                jsonb_build_object('numbers', %(text)s::text)) from g
            """,
            {
                "seller": gap.series.seller_id,
                "format": gap.series.format,
                "year": gap.series.year,
                "first": gap.first,
                "last": gap.last,
                "now": now,
                "stamp": stamp,
                "subject": str(gap.series.seller_id),
                "text": gap.text,
            },
        )


async def gaps_of(conn: Connection, seller_id: UUID, since: datetime, until: datetime) -> list[NotedGap]:
    """What is missing in the series of a seller, noted from `since` on and before `until`."""
    cursor = await conn.execute(
        """
        select format, year, first_number, last_number, noted_at from number_gap
        where seller_id = %s and noted_at >= %s and noted_at < %s order by noted_at, format collate "C", year
        """,
        [seller_id, since, until],
    )
    return [
        NotedGap(Gap(Series(seller_id, form, year), first, last), noted_at)
        for form, year, first, last, noted_at in await cursor.fetchall()
    ]
