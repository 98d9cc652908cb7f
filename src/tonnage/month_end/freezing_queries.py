"""SQL of freezing a month: the buyers to be billed, what is computed for them, and their numbers."""

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import LiteralString
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.billing.buyer import Buyer
from tonnage.billing.line import SubjectId, subject_columns
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.db import Connection, one_row
from tonnage.month_end.computed import Computed, design_digest
from tonnage.month_end.freeze_progress import FreezeProgress, FreezeStage
from tonnage.month_end.freezing import Blocked, FreezeResult
from tonnage.month_end.rated import StoredSubject
from tonnage.names import name_key
from tonnage.price_books.assignment import SubjectKind
from tonnage.statements.frozen_queries import FIRST_CORRECTION, OF_MONTH, OWED, insert_lines

BUYERS_AT_ONCE = 500

_IN_MONTH: LiteralString = "< (%(first)s::date + interval '1 month')::timestamp at time zone 'UTC'"

_ADJUSTED: LiteralString = """exists (
                select from adjustment a where a.remaining <> 0 and coalesce(a.month < %(first)s, true) and"""

_BUYERS: Mapping[Kind, LiteralString] = {
    Kind.OPERATOR: f"""
        select k.id, coalesce(k.details, d.name), k.distributor_id from contract k
        join organisation d on d.id = k.distributor_id
        where k.created_at {_IN_MONTH}
            and (k.closed_at is null or k.closed_at::date >= %(first)s or {_ADJUSTED} a.contract_id = k.id))
            and not exists (select from statement s where s.contract_id = k.id and s.month = %(first)s
                and ({OF_MONTH} or {FIRST_CORRECTION}))
        order by k.id""",
    Kind.DISTRIBUTOR: f"""
        select p.id, o.name, p.id from partner p join organisation o on o.id = p.id
        where p.distributor_id = %(seller)s and o.created_at {_IN_MONTH}
            and (p.closed_at is null or p.closed_at::date >= %(first)s or {_ADJUSTED} a.partner_id = p.id))
            and not exists (select from statement s where s.partner_id = p.id and s.month = %(first)s
                and ({OF_MONTH} or {FIRST_CORRECTION}))
        order by p.id""",
    Kind.PARTNER: f"""
        select b.id, b.name, null::uuid from storage_account b
        where b.partner_id = %(seller)s and b.created_at {_IN_MONTH}
            and (b.purged_at is null or b.purged_at::date >= %(first)s or {_ADJUSTED} a.account_id = b.id))
            and not exists (select from statement s where s.account_id = b.id and s.month = %(first)s
                and ({OF_MONTH} or {FIRST_CORRECTION}))
        order by b.id""",
}

_PROGRESS_VALID = timedelta(seconds=30)
"""It is stored each second; a busy database may let that wait, and clocks may differ a little."""

_KINDS = {
    Kind.OPERATOR: SubjectKind.CONTRACT,
    Kind.DISTRIBUTOR: SubjectKind.PARTNER,
    Kind.PARTNER: SubjectKind.ACCOUNT,
}


async def begin_close(conn: Connection, seller_id: UUID, first: date) -> None:
    """From now on, changes of the month are noted. Those of transactions that have not seen this are not: they have to
    end before a snapshot is taken."""
    await conn.execute(
        """
        insert into month_close (seller_id, month, in_progress, frozen) values (%s, %s, true, false)
        on conflict (seller_id, month) do update
            set in_progress = true, stage = null, done = null, total = null, progress_at = null
        """,
        [seller_id, first],
    )


_END: LiteralString = """
    update month_close set in_progress = false, stage = null, done = null, total = null, progress_at = null"""


async def end_close(conn: Connection, seller_id: UUID, first: date) -> None:
    """From now on, changes of profiles and settings do not count for the month, which has no numbers."""
    await conn.execute(f"{_END} where seller_id = %s and month = %s", [seller_id, first])


async def end_frozen(conn: Connection, done: FreezeResult, stamp: str) -> None:
    """Likewise, of a month that has its numbers. Stores the response to a request with an Idempotency-Key."""
    await conn.execute(
        f"""
        with c as ({_END}, frozen = true where seller_id = %(seller)s and month = %(first)s returning seller_id)
        select save_response(%(stamp)s::jsonb, %(response)s::json) from c
        """,
        {"seller": done.seller_id, "first": done.first, "stamp": stamp, "response": done.json()},
    )


async def store_progress(
    conn: Connection, seller_id: UUID, first: date, progress: FreezeProgress, at: datetime
) -> None:
    """Of a month that is being frozen; of another one nothing is stored."""
    await conn.execute(
        """
        update month_close set stage = %s, done = %s, total = %s, progress_at = %s
        where seller_id = %s and month = %s and in_progress
        """,
        [progress.stage, progress.done, progress.total, at, seller_id, first],
    )


async def progress_of(conn: Connection, seller_id: UUID, first: date, at: datetime) -> FreezeProgress | None:
    """None: the month is not being frozen, or that has only begun; or the freeze was killed, and says nothing more."""
    cursor = await conn.execute(
        """
        select stage, done, total from month_close
        where seller_id = %s and month = %s and in_progress and progress_at > %s
        """,
        [seller_id, first, at - _PROGRESS_VALID],
    )
    row = await cursor.fetchone()
    return FreezeProgress(FreezeStage(row[0]), *row[1:]) if row else None


async def own_transaction(conn: Connection) -> tuple[int, bool]:
    """An id that is higher than those of all transactions that have written something: that of this one; and whether
    all of them have ended. The upper end of a snapshot would not do, since it is lower than the ids of some that are
    still writing."""
    cursor = await conn.execute(
        """
        select own, pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= own
        from (select pg_current_xact_id()::text::bigint as own) transaction
        """
    )
    return await one_row(cursor)


async def have_ended(conn: Connection, transaction: int) -> bool:
    """Whether all transactions with a lower id have ended."""
    cursor = await conn.execute("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %s", [transaction])
    return (await one_row(cursor))[0]


async def has_changed(conn: Connection, seller_id: UUID, first: date) -> bool:
    """Whether a change of the month is noted that no snapshot has taken."""
    cursor = await conn.execute(
        "select exists (select from month_change where seller_id = %s and month = %s and not postponed)",
        [seller_id, first],
    )
    return (await one_row(cursor))[0]


async def buyers_of(
    conn: Connection, seller_id: UUID, kind: Kind, name: str, first: date
) -> AsyncGenerator[tuple[list[tuple[Buyer, UUID | None]], int]]:
    """Who existed in the month and has no frozen statement of it, some at a time, in order of id, each with the
    organisation whose billing profile counts; and how many they are in all.

    In a transaction, and to be closed: a cursor of the server reads them once.
    """
    async with conn.cursor(name="buyers") as cursor:
        await cursor.execute(
            f"select *, count(*) over () from ({_BUYERS[kind]}) buyer", {"seller": seller_id, "first": first}
        )
        done, count = 0, 1
        while done < count and (rows := await cursor.fetchmany(BUYERS_AT_ONCE)):
            done, count = done + len(rows), rows[0][3]
            yield [(Buyer(_KINDS[kind], row[0], row[1], seller_id, name), row[2]) for row in rows], count


async def owed_statements(conn: Connection, seller_id: UUID, first: date) -> frozenset[SubjectId]:
    """The buyers of a frozen month that still get a statement of it: theirs was blocked, or is void. Others that are
    charged something now had nothing to pay when it was frozen."""
    cursor = await conn.execute(
        f"""
        select coalesce(s.contract_id, s.partner_id), s.account_id from statement s
        where s.seller_id = %s and s.month = %s and {OWED}
        """,
        [seller_id, first],
    )
    return frozenset(organisation or account for organisation, account in await cursor.fetchall())


async def forget_computed(conn: Connection, seller_id: UUID, first: date) -> None:
    """Deletes what was computed of the seller's month and is not frozen."""
    computed: LiteralString = "seller_id = %s and month = %s and number is null and corrects is null"
    await conn.execute(f"delete from statement where {computed}", [seller_id, first])


async def insert_design(conn: Connection, design: str) -> str:
    """Keeps how documents look; returns its digest."""
    digest = design_digest(design)
    await conn.execute(
        "insert into statement_design (digest, design) values (%s, %s) on conflict do nothing", [digest, design]
    )
    return digest


async def insert_subjects(conn: Connection, subjects: Iterable[StoredSubject]) -> None:
    """The inputs of statements that are inserted later in the transaction."""
    columns: LiteralString = "statement_id, position, subject_id, subject_account, input"
    async with conn.cursor() as cursor, cursor.copy(f"copy statement_subject ({columns}) from stdin") as copy:
        for one in subjects:
            await copy.write_row(
                [one.statement_id, one.position, *subject_columns(one.subject_id), one.written.decode()]
            )


async def delete_subjects(conn: Connection, statement_id: UUID) -> None:
    """Deletes the inputs of a statement that is not made, because it has no lines."""
    await conn.execute("delete from statement_subject where statement_id = %s", [statement_id])


async def insert_computed(
    conn: Connection, computed: Sequence[Computed], first: date, design: str, now: datetime
) -> None:
    """Statements without numbers, and their lines: those before, since nothing is added to a correction."""
    await insert_lines(conn, ((one.id, one.lines, one.names) for one in computed))
    columns: LiteralString = """id, seller_id, contract_id, partner_id, account_id, month, buyer_key, currency, net,
        gross, document, design, input, digest, computed_at, blocked, payment_term_days, corrects"""
    async with conn.cursor() as cursor, cursor.copy(f"copy statement ({columns}) from stdin") as copy:
        for one in computed:
            ids = [one.buyer.id if one.buyer.kind is kind else None for kind in SubjectKind]
            document = json.dumps(one.document, ensure_ascii=False)
            written = one.input.decode() if one.input is not None else None
            await copy.write_row(
                [one.id, one.buyer.seller_id, *ids, first, name_key(one.buyer.name), one.currency, one.net, one.gross,
                 document, design, written, one.digest, now, one.blocked, one.payment_term_days, one.corrects]
            )  # fmt: skip


async def computed_statements(
    conn: Connection, seller_id: UUID, first: date
) -> tuple[Sequence[UUID], Sequence[Blocked]]:
    """What can be frozen of what is computed, and the buyers that cannot be; in order of buyer, that of the numbers."""
    cursor = await conn.execute(
        """
        select id, document ->> 'buyerName', blocked from statement
        where seller_id = %s and month = %s and number is null and corrects is null order by buyer_key, id
        """,
        [seller_id, first],
    )
    rows = await cursor.fetchall()
    return [row[0] for row in rows if row[2] is None], [Blocked(*row[1:]) for row in rows if row[2] is not None]


async def blocked_buyers(conn: Connection, seller_id: UUID, first: date) -> list[Blocked]:
    """Those that cannot be frozen, in order of buyer."""
    cursor = await conn.execute(
        """select document ->> 'buyerName', blocked from statement
        where seller_id = %s and month = %s and blocked is not null order by buyer_key, id""",
        [seller_id, first],
    )
    return [Blocked(*row) for row in await cursor.fetchall()]


async def freeze(
    conn: Connection, seller_id: UUID, first: date, numbered: Mapping[UUID, str], now: datetime, stamp: str
) -> None:
    """Gives computed statements their numbers, with an audit entry of the month, and one of each for its seller and for
    the buyer, if that is an organisation. LookupError: some of them are gone."""
    numbers = list(numbered.values())
    cursor = await conn.execute(
        """
        with f as (
            update statement s set number = n.number, frozen_at = %(now)s,
                due_on = case when s.gross > 0 then
                    (%(now)s::timestamptz at time zone 'UTC')::date + s.payment_term_days end
            from unnest(%(ids)s::uuid[], %(numbers)s::text[]) as n (id, number)
            where s.id = n.id and s.number is null and s.blocked is null
            returning s.id, s.seller_id, s.contract_id, s.partner_id, s.buyer_key, s.number
        ), each as (
            select audit(%(stamp)s, %(seller)s, 'statements.number', f.id::text, null, f.facts),
                case when f.buyer_id is not null
                    then audit(%(stamp)s, f.buyer_id, 'statements.receive', f.id::text, null, f.facts) end
            from (
                select f.id, coalesce(k.distributor_id, f.partner_id) as buyer_id,
                    jsonb_build_object('number', f.number) as facts
                from f left join contract k on k.id = f.contract_id order by f.buyer_key, f.id) f)
        select count(*), (select count(*) from each),
            audit(%(stamp)s, %(seller)s, 'statements.freeze', to_char(%(month)s::date, 'YYYY-MM'), null,
            jsonb_build_object('statements', count(*), 'first', (%(numbers)s::text[])[1],
                'last', (%(numbers)s::text[])[count(*)])) from f
        """,
        {"now": now, "ids": list(numbered), "numbers": numbers, "stamp": stamp, "seller": seller_id, "month": first},
    )
    if (await one_row(cursor))[0] != len(numbers):
        raise LookupError("a program of an older version has frozen the month at the same time: freeze it again")


async def due_sellers(conn: Connection, day: int) -> list[tuple[UUID, Kind]]:
    """The operator, and sellers with a price book, if they freeze on this day of the month or before it."""
    cursor = await conn.execute(
        """
        select o.id, o.kind from organisation o left join seller_settings s on s.organisation_id = o.id
        where coalesce(s.freeze_day, %(default)s) <= %(day)s
            and (o.kind = 'operator' or exists (select from price_book b where b.seller_id = o.id))
        order by o.seq
        """,
        {"day": day, "default": SellerSettings().freeze_day},
    )
    return [(row[0], Kind(row[1])) for row in await cursor.fetchall()]
