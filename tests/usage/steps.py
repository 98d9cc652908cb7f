"""Steps that the tests of usage share."""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from tests.cast import Cast
from tests.roles import run_as_owner, url_of
from tonnage.access.actor import Actor
from tonnage.accounts import actions as accounts
from tonnage.db import Connection
from tonnage.provisioning import purge_queries
from tonnage.usage import actions, queries
from tonnage.usage.actions import RecordedSamples
from tonnage.usage.period import Period
from tonnage.usage.sample import Sample

OPENED = datetime(2026, 1, 5, 10, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)
TODAY = LATER.date()


class PartnerData(NamedTuple):
    distributor: Actor
    contract: UUID
    partner: Actor


async def partner_data(cast: Cast) -> PartnerData:
    cast.now = OPENED
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    return PartnerData(distributor, contract, await cast.partner(distributor, contract))


def at(day: str, clock: str = "00:00:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}+00:00")


async def installed_on(cast: Cast, day: str) -> None:
    """As if the database had been created on that day: samples and hours of later days are in partitions of days."""
    for table in ("usage_sample", "traffic_hour"):
        await asyncio.to_thread(
            run_as_owner,
            url_of(cast.database),
            f"alter table {table} detach partition {table}_earlier",
            f"alter table {table} attach partition {table}_earlier for values from (minvalue) to ('{day}')",
        )


def clock_at(moment: datetime) -> actions.DatabaseClock:
    """A clock of the database that stands still."""

    async def read(conn: Connection) -> datetime:
        return moment

    return read


def numbered(samples: Iterable[tuple[int, datetime, int]]) -> list[Sample]:
    return [Sample(line, *sample) for line, sample in enumerate(samples, 1)]


async def record(cast: Cast, *samples: tuple[int, datetime, int], now: datetime = LATER) -> RecordedSamples:
    return await cast.database.transaction(actions.record_samples, numbered(samples), now)


async def import_lines(cast: Cast, *lines: str, now: datetime = LATER, force: bool = False) -> RecordedSamples:
    file = [f"{line}\n".encode() for line in lines]
    _, recorded = await actions.import_samples(cast.database, cast.operator, lambda: file, now, force=force)
    return recorded


async def purge(cast: Cast, partner: Actor, account: int, when: datetime) -> None:
    await cast.database.transaction(finish_purge, cast, partner, account, when)
    await cast.database.transaction(actions.finish_days, account)


async def finish_purge(conn: Connection, cast: Cast, partner: Actor, account: int, when: datetime) -> None:
    """In the caller's transaction. The days up to the purge are not written yet."""
    await accounts.delete_account(conn, partner, partner.organisation_id, account, 1, when - timedelta(days=1))
    await conn.execute("update storage_account set purge_started_at = %s where id = %s", [when, account])
    assert await purge_queries.finish_purge(conn, account, when, cast.operator.stamp)


async def rows_of(cast: Cast, account: int) -> list[tuple[date, int, int, int]]:
    async def read(conn: Connection) -> list[Any]:
        cursor = await conn.execute(
            "select day, usage, closing, samples from daily_usage where account_id = %s order by day", [account]
        )
        return await cursor.fetchall()

    return await cast.database.run(read)


async def assert_totals(cast: Cast, contract: UUID) -> None:
    """The totals of a contract and its partners are the sums of their accounts' last daily values."""
    wrong = await cast.row(
        """
        select
            (select count(*) from partner p where p.contract_id = k.id and p.used <> (
                select coalesce(sum(u.used), 0) from storage_account s join account_usage u on u.account_id = s.id
                where s.partner_id = p.id)),
            (select count(*) from storage_account s join partner p on p.id = s.partner_id
                join account_usage u on u.account_id = s.id
                where p.contract_id = k.id and u.used <> case when s.purged_at is null then coalesce((
                    select closing from daily_usage where account_id = s.id and day = u.rolled_up_to), 0) else 0 end),
            k.used - (select coalesce(sum(used), 0) from partner where contract_id = k.id)
        from contract k where id = %s
        """,
        contract,
    )
    assert wrong == (0, 0, 0)


async def report(
    cast: Cast, partner: Actor, first: str, last: str, today: date = TODAY, **page: Any
) -> list[dict[str, Any]] | None:
    """The partner's report, None for not found; each element is also requested alone and must be the same."""
    period = Period(date.fromisoformat(first), date.fromisoformat(last))
    scope = partner.organisation_id
    text, params = queries.usage_of_partner(scope, scope, period, today)(**page)

    async def read(conn: Connection) -> list[tuple[int, bytes | None]]:
        rows = await (await conn.execute(text, params)).fetchall()
        for _, element in rows:
            if element is not None:
                number = int(json.loads(element)["client_id"])
                assert await queries.usage_of_account(conn, scope, scope, number, period, today) == element
        return rows

    found = await cast.database.run(read)
    assert [seq for seq, _ in found] == sorted(seq for seq, _ in found)
    return [json.loads(element) for _, element in found if element is not None] if found else None


def points(element: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Date, usage, allocated capacity."""
    assert all(list(point) == ["date", "allocated_capacity", "usage"] for point in element["daily_usage"])
    return [(point["date"], point["usage"], point["allocated_capacity"]) for point in element["daily_usage"]]
