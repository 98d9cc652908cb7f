"""SQL of assignments of price books as pages show them. `seller_id` is the scope: only its own assignments count."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, one_row
from tonnage.price_books.assignment import Assignment, Assignments, Book, Subject, SubjectKind
from tonnage.price_books.assignment_queries import OF_SELLER, subject_ids

MOST_ASSIGNED = 100
"""Assignments that the page of a book lists."""


class AssignmentRow(NamedTuple):
    """An assignment to a subject, or to what it belongs to."""

    kind: SubjectKind
    valid_from: date
    assigned_at: datetime
    book_id: UUID | None
    book_name: str | None
    currency: str | None


class SubjectAssignments(NamedTuple):
    """What decides which book applies to a subject, but for the seller's default book."""

    currency: str | None
    """The only one that a book may have; None: any."""
    rows: Sequence[AssignmentRow]
    """In the order in which they were made."""

    def of(self, kind: SubjectKind) -> list[AssignmentRow]:
        """Those to the subject itself, or to what it belongs to."""
        return [row for row in self.rows if row.kind is kind]

    def with_added(self, kind: SubjectKind, added: Assignment) -> list[Assignments]:
        """`nearest_first`, if this were assigned to the subject itself."""
        own = (SubjectKind.ACCOUNT, SubjectKind.PARTNER, SubjectKind.CONTRACT).index(kind)
        return [[*one, added] if place == own else one for place, one in enumerate(self.nearest_first)]

    @property
    def nearest_first(self) -> list[Assignments]:
        """By account, partner and contract."""
        return [
            [
                Assignment(row.valid_from, Book(row.book_id, row.currency) if row.book_id and row.currency else None)
                for row in self.of(kind)
            ]
            for kind in (SubjectKind.ACCOUNT, SubjectKind.PARTNER, SubjectKind.CONTRACT)
        ]


async def subject_assignments(conn: Connection, seller_id: UUID, subject: Subject) -> SubjectAssignments | None:
    """None: the seller sells nothing to that subject."""
    cursor = await conn.execute(
        f"""
        with o as (
            select id, kind from organisation where id = %(seller)s
        ), subject (contract_id, partner_id, currency) as (
            {OF_SELLER}
        )
        select s.currency, case when a.account_id is not null then 'account' when a.partner_id is not null
            then 'partner' else 'contract' end, a.valid_from, a.assigned_at, b.id, b.name, b.currency
        from subject s left join price_assignment a on a.seller_id = %(seller)s and (
            a.contract_id in (s.contract_id, %(contract)s) or a.partner_id in (s.partner_id, %(partner)s)
            or a.account_id = %(account)s)
        left join price_book b on b.id = a.book_id
        order by a.id
        """,
        {"seller": seller_id, **subject_ids(subject)},
    )
    rows = await cursor.fetchall()
    if not rows:
        return None
    made = [AssignmentRow(SubjectKind(row[1]), *row[2:]) for row in rows if row[2] is not None]
    return SubjectAssignments(rows[0][0], made)


class Assigned(NamedTuple):
    """What a book is assigned to."""

    kind: SubjectKind
    contract_id: UUID | None
    partner_id: UUID | None
    account_id: int | None
    name: str | None
    valid_from: date
    ends: date | None
    """The first day on which another assignment to the same counts."""


async def assigned_to(conn: Connection, seller_id: UUID, book_id: UUID, today: date) -> list[Assigned]:
    """What the book applies to by assignment today or later, at most one more than MOST_ASSIGNED; by day."""
    cursor = await conn.execute(
        """
        with made as (
            select a.*, lead(a.valid_from) over (
                partition by a.contract_id, a.partner_id, a.account_id order by a.valid_from, a.id) as ends
            from price_assignment a where a.seller_id = %(seller)s
        )
        select case when a.account_id is not null then 'account' when a.partner_id is not null then 'partner'
            else 'contract' end, a.contract_id, a.partner_id, a.account_id, coalesce(k.details, p.name, s.name),
            a.valid_from, a.ends
        from made a left join contract k on k.id = a.contract_id left join organisation p on p.id = a.partner_id
        left join storage_account s on s.id = a.account_id
        where a.book_id = %(book)s and (a.ends is null or a.ends > greatest(a.valid_from, %(today)s))
            and k.closed_at is null and p.closed_at is null and s.purged_at is null
        order by a.valid_from desc, a.id desc limit %(most)s
        """,
        {"seller": seller_id, "book": book_id, "today": today, "most": MOST_ASSIGNED + 1},
    )
    return [Assigned(SubjectKind(row[0]), *row[1:]) for row in await cursor.fetchall()]


# Rows of a seller's open buyers: the subjects whose assignments count, nearest first, and the currency of a contract.
_BUYERS: LiteralString = """
    select k.id as contract_id, null::uuid as partner_id, null::bigint as account_id, k.currency::text as currency
    from contract k, o where o.kind = 'operator' and k.closed_at is null
    union all
    select p.contract_id, p.id, null, null from partner p, o where p.distributor_id = o.id and p.closed_at is null
    union all
    select null, s.partner_id, s.id, null from storage_account s, o where s.partner_id = o.id and s.purged_at is null"""


RULED: LiteralString = f"""
        o as (
            select id, kind from organisation where id = %(seller)s
        ), made as materialized (
            select distinct on (contract_id, partner_id, account_id) contract_id, partner_id, account_id, book_id
            from price_assignment where seller_id = %(seller)s and valid_from <= %(day)s
            order by contract_id, partner_id, account_id, valid_from desc, id desc
        ), d as (
            select id, currency from price_book where seller_id = %(seller)s and is_default
        ), ruled as (
            select buyer.contract_id, buyer.partner_id, buyer.account_id from ({_BUYERS}) buyer
            left join made a on a.account_id = buyer.account_id
            left join made p on p.partner_id = buyer.partner_id
            left join made k on k.contract_id = buyer.contract_id
            left join d on d.currency = coalesce(buyer.currency, d.currency)
            where coalesce(a.book_id, p.book_id, k.book_id, d.id) = %(book)s
        )"""
"""CTEs, of which `ruled` has a seller's open buyers to whom a book of its own applies on a day: by account, partner or
contract, with what that belongs to."""


async def count_buyers(conn: Connection, seller_id: UUID, book_id: UUID, day: date) -> int:
    """The open buyers to whom the book applies on a day: contracts, partners or storage accounts."""
    cursor = await conn.execute(
        f"with {RULED} select count(*) from ruled", {"seller": seller_id, "book": book_id, "day": day}
    )
    return (await one_row(cursor))[0]


class PartnerSeller(NamedTuple):
    """Who sells to a partner, and the contract whose assignments count for it."""

    id: UUID
    name: str
    contract_id: UUID


async def seller_of_partner(conn: Connection, partner_id: UUID) -> PartnerSeller | None:
    """For the partner itself."""
    cursor = await conn.execute(
        "select d.id, d.name, p.contract_id from partner p join organisation d on d.id = p.distributor_id"
        " where p.id = %s",
        [partner_id],
    )
    row = await cursor.fetchone()
    return PartnerSeller(*row) if row else None
