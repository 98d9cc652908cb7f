"""SQL of the assignments of price books. `seller_id` is the scope: what is not the seller's is not found."""

from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.price_books.assignment import Book, NewAssignment, Subject, SubjectKind

OF_SELLER: LiteralString = """
    select null::uuid, null::uuid, case when o.kind = 'operator' then k.currency end from contract k, o
    where k.id = %(contract)s and k.closed_at is null and (o.kind = 'operator' or k.distributor_id = o.id)
    union all
    select case when o.kind = 'distributor' then p.contract_id end, null, null from partner p, o
    where p.id = %(partner)s and p.closed_at is null and o.id in (p.distributor_id, p.id)
    union all
    select null, s.partner_id, null from storage_account s, o
    where s.id = %(account)s and s.purged_at is null and s.partner_id = o.id"""
"""Rows `k`, `p` and `s` that the seller may assign a book to: what they belong to, and the only currency."""

_IS_SUBJECT: LiteralString = """(a.contract_id = %(contract)s or a.partner_id = %(partner)s
    or a.account_id = %(account)s)"""

_ASSIGNMENT: LiteralString = f"""json_strip_nulls(json_build_object(
    'priceBook', a.book_id, 'validFrom', a.valid_from, 'assignedAt', to_char(a.assigned_at, {TIMESTAMP_FORMAT})))"""


async def insert_assignment(
    conn: Connection, seller_id: UUID, subject: Subject, assignment: NewAssignment, now: datetime, stamp: str
) -> bytes:
    """Returns it as JSON. Constraint price_assignment_book: the seller has no such book."""
    cursor = await conn.execute(
        f"""
        with a as (
            insert into price_assignment (
                seller_id, contract_id, partner_id, account_id, book_id, valid_from, assigned_at)
            values (%(seller)s, %(contract)s, %(partner)s, %(account)s, %(book)s, %(valid_from)s, %(now)s)
            returning *
        )
        select save_response(%(stamp)s, {_ASSIGNMENT}), audit(%(stamp)s, %(seller)s, 'prices.assign-book', %(subject)s,
            null, jsonb_build_object('kind', %(kind)s::text, 'priceBookId', a.book_id, 'validFrom', a.valid_from))
        from a
        """,
        {
            "seller": seller_id,
            **subject_ids(subject),
            "subject": str(subject.id),
            "kind": subject.kind,
            "book": assignment.book_id,
            "valid_from": assignment.valid_from,
            "now": now,
            "stamp": stamp,
        },
    )
    return (await one_row(cursor))[0]


def assignments_to(seller_id: UUID, subject: Subject) -> ListQuery:
    """The list of the seller's assignments to a subject, in the order in which they were made; no row at all: the
    seller can assign no book to it."""
    return ListQuery(
        f"""
        with o as (
            select id, kind from organisation where id = %(seller)s
        ), subject as (
            {OF_SELLER}
        )
        select coalesce(a.id, 0), case when a.id is not null then {_ASSIGNMENT} end
        from subject left join price_assignment a on a.seller_id = %(seller)s and {_IS_SUBJECT}
            and (%(after)s::bigint is null or a.id > %(after)s)
        order by a.id limit %(limit)s
        """,
        {"seller": seller_id, **subject_ids(subject)},
    )


async def start_within_month(conn: Connection, seller_id: UUID, book_id: UUID, since: date) -> date | None:
    """The first day since then, not the first of a month, on which an assignment begins to a subject that has, had or
    will have the book.
    """
    cursor = await conn.execute(
        """
        with subject as (
            select distinct contract_id, partner_id, account_id from price_assignment
            where seller_id = %(seller)s and book_id = %(book)s
        )
        select min(a.valid_from) from price_assignment a join subject s
            on a.contract_id = s.contract_id or a.partner_id = s.partner_id or a.account_id = s.account_id
        where a.seller_id = %(seller)s and a.valid_from >= %(since)s and extract(day from a.valid_from) <> 1
        """,
        {"seller": seller_id, "book": book_id, "since": since},
    )
    return (await one_row(cursor))[0]


async def default_book(conn: Connection, seller_id: UUID) -> Book | None:
    """The book of the seller's buyers that have no other."""
    cursor = await conn.execute("select id, currency from price_book where seller_id = %s and is_default", [seller_id])
    row = await cursor.fetchone()
    return Book(*row) if row else None


def subject_ids(subject: Subject) -> dict[str, object]:
    """The parameters `contract`, `partner` and `account` of statements, of which one is given."""
    return {kind.value: subject.id if subject.kind is kind else None for kind in SubjectKind}
