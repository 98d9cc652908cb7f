"""SQL of frozen statements: one of them, the inputs that are stored with it, and its payment."""

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any, LiteralString
from uuid import UUID

from tonnage.billing.line import Extra, Line, SubjectId, subject_columns
from tonnage.billing.month_record import read_buyer
from tonnage.db import Connection, one_row
from tonnage.money import Money
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.price_books.version import Product
from tonnage.statements.adjustment_queries import tax_kinds
from tonnage.statements.frozen import Payment, StoredStatement, Verification
from tonnage.workings.basis import has_basis
from tonnage.workings.queries import inputs_of, subjects_of

_COLUMNS: LiteralString = """s.id, s.seller_id, s.contract_id, s.partner_id, s.account_id, s.month, s.currency, s.net,
    s.gross, s.document, s.number, s.frozen_at, s.due_on, s.paid_on, s.payment_reference, s.credited, s.voided_at,
    s.void_reason, s.credits, (select o.number from statement o where o.id = s.credits), s.reason,
    m.sent_at, m.refused"""

OF_MONTH: LiteralString = "s.number is not null and s.credits is null and s.voided_at is null"
"""Rows `s` of statement that are what their buyers are charged for their months: at most one of each."""
OWED: LiteralString = "s.corrects is null and s.credits is null and (s.number is null or s.voided_at is not null)"
"""Rows `s` of statements that were not frozen, or are void: their buyers still get one of the month, if they have none
that is valid. Others who are charged something after the month was frozen get an adjustment."""
FIRST_CORRECTION: LiteralString = "s.corrects = s.id"
"""Rows `s` of what a buyer that had no statement of a frozen month is charged for it by its next statement."""

SOLD: LiteralString = "s.seller_id = %(viewer)s"
"""Rows `s` of statement that the viewer has sold; and, below, bought."""
BOUGHT: LiteralString = """(s.partner_id = %(viewer)s or s.contract_id = any(array(
    select k.id from contract k where k.distributor_id = %(viewer)s)))"""

_SEEN: LiteralString = f"(%(viewer)s::uuid is null or {SOLD} or {BOUGHT})"
"""None as viewer is the operator's command line, which may see all."""


def of_buyer(buyer_id: UUID | int) -> LiteralString:
    """Rows `s` of a contract, a partner or a storage account, the parameter `buyer`."""
    is_account = isinstance(buyer_id, int)
    return "s.account_id = %(buyer)s" if is_account else "(s.contract_id = %(buyer)s or s.partner_id = %(buyer)s)"


STATEMENTS_AT_ONCE = 500


async def find_statement(conn: Connection, viewer: UUID | None, statement_id: UUID) -> StoredStatement | None:
    """A frozen statement with its lines. None: there is none, or others are its seller and buyer."""
    condition: LiteralString = f"s.id = any(%(ids)s) and s.number is not null and {_SEEN}"
    return await _with_buyer(conn, (await _find(conn, condition, viewer, [statement_id])).get(statement_id))


async def frozen_of(conn: Connection, subject: Subject, first: date) -> StoredStatement | None:
    """The frozen statement of a buyer and month, for the operator's command line; None: there is none."""
    cursor = await conn.execute(
        f"""
        select s.id from statement s where s.month = %(first)s and {OF_MONTH}
            and coalesce(s.contract_id = %(contract)s::uuid, s.partner_id = %(partner)s::uuid,
                s.account_id = %(account)s)
        """,
        {"first": first, **{kind.value: subject.id if subject.kind is kind else None for kind in SubjectKind}},
    )
    row = await cursor.fetchone()
    return await _with_buyer(conn, await stored_statement(conn, row[0])) if row else None


async def frozen_id_of(conn: Connection, viewer: UUID, buyer_id: UUID | int, first: date) -> UUID | None:
    """The id of the frozen statement of a buyer and month; None: there is none, or others are its seller and buyer."""
    cursor = await conn.execute(
        f"""
        select s.id from statement s
        where {of_buyer(buyer_id)} and s.month = %(first)s and {OF_MONTH} and {_SEEN}
        order by s.seq desc limit 1
        """,
        {"viewer": viewer, "buyer": buyer_id, "first": first},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def _with_buyer(conn: Connection, found: StoredStatement | None) -> StoredStatement | None:
    """With its prices and days, if it has lines that are computed from other lines or from a minimum."""
    if found is None or found.original_id or not any(has_basis(line) for line in found.lines):
        return found
    inputs = (await inputs_of(conn, [found.id])).get(found.id)
    return replace(found, rated=read_buyer(inputs.buyer)) if inputs else found


async def stored_statement(conn: Connection, statement_id: UUID) -> StoredStatement | None:
    """A computed or frozen statement with its lines; None: there is none."""
    return (await stored_statements(conn, [statement_id])).get(statement_id)


async def stored_statements(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, StoredStatement]:
    """Computed, frozen and corrected statements with their lines."""
    return await _find(conn, "s.id = any(%(ids)s) and s.currency is not null", None, ids)


async def _find(
    conn: Connection, condition: LiteralString, viewer: UUID | None, ids: Sequence[UUID]
) -> dict[UUID, StoredStatement]:
    cursor = await conn.execute(
        f"select {_COLUMNS} from statement s left join statement_mail m on m.statement_id = s.id where {condition}",
        {"ids": list(ids), "viewer": viewer},
    )
    rows = await cursor.fetchall()
    lines = await _lines(conn, {row[0]: row[6] for row in rows})
    return {row[0]: _statement(row, lines.get(row[0], [])) for row in rows}


def _statement(row: tuple[Any, ...], lines: list[tuple[Line, str]]) -> StoredStatement:
    found, seller, contract, partner, account, first, currency, net, gross, document, number, *events = row
    kinds = {SubjectKind.CONTRACT: contract, SubjectKind.PARTNER: partner, SubjectKind.ACCOUNT: account}
    return StoredStatement(
        found,
        seller,
        next(Subject(kind, one) for kind, one in kinds.items() if one is not None),
        first,
        currency,
        net,
        gross,
        document,
        number,
        *events,
        lines=[line for line, _ in lines],
        names=[name for _, name in lines],
    )


async def _lines(conn: Connection, currencies: Mapping[UUID, str]) -> dict[UUID, list[tuple[Line, str]]]:
    """The lines of statements, by their ids, and the names of their subjects."""
    cursor = await conn.execute(
        """
        select statement_id, subject_name, product, subject_id, subject_account, contract_id, first_day, last_day,
            amount, byte_days, trim_scale(unit_price), adjustment_id, reason, credited_line
        from statement_line where statement_id = any(%s) order by statement_id, no
        """,
        [list(currencies)],
    )
    found: dict[UUID, list[tuple[Line, str]]] = {}
    for statement_id, name, *row in await cursor.fetchall():
        found.setdefault(statement_id, []).append((_line(row, currencies[statement_id]), name))
    return found


def _line(row: Sequence[Any], currency: str) -> Line:
    product, organisation, account, contract, first, last, amount, byte_days, *more = row
    subject: SubjectId = organisation or account
    kind = Extra(product) if product in set(Extra) else Product(product)
    paid = Money(amount, currency)
    return Line(kind, subject, contract, first, last, paid, int(byte_days), *more)


async def insert_lines(
    conn: Connection, statements: Iterable[tuple[UUID, Sequence[Line], Mapping[SubjectId, str]]]
) -> None:
    """The lines of statements, and the names of their subjects. The statements themselves are inserted later in the
    transaction, since nothing is added to a frozen one."""
    columns: LiteralString = """statement_id, no, product, subject_id, subject_account, subject_name, contract_id,
        byte_days, unit_price, amount, first_day, last_day, adjustment_id, reason, credited_line"""
    async with conn.cursor() as cursor, cursor.copy(f"copy statement_line ({columns}) from stdin") as copy:
        for statement_id, lines, names in statements:
            for no, line in enumerate(lines, 1):
                named = names.get(line.subject_id, "")
                await copy.write_row(
                    [statement_id, no, line.product, *subject_columns(line.subject_id), named, line.contract_id,
                     line.byte_days, line.unit_price, line.amount.amount, line.first, line.last, line.adjustment_id,
                     line.reason, line.credited_line]
                )  # fmt: skip


async def verify(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Computes statements again from what is stored with them. Returns the first difference of each that differs."""
    inputs, stored = await inputs_of(conn, ids), await stored_statements(conn, ids)
    used = {line.adjustment_id for one in stored.values() for line in one.lines if line.adjustment_id}
    kinds = await tax_kinds(conn, used) if used else {}
    verifications = {
        statement_id: Verification(found, inputs[statement_id].buyer, kinds)
        for statement_id, found in stored.items()
        if statement_id in inputs
    }
    async for statement_id, written in subjects_of(conn, list(verifications)):
        verifications[statement_id].add(written)
    found = {one: "nothing is stored that it could be computed from" for one in ids if one not in verifications}
    for statement_id, verification in verifications.items():
        if (difference := verification.difference(inputs[statement_id].digest)) is not None:
            found[statement_id] = difference
    return found


async def pay(conn: Connection, seller_id: UUID, statement_id: UUID, payment: Payment, stamp: str) -> UUID | None:
    """Marks a frozen statement of the seller as paid, a credit note as refunded; returns its buyer if that is a
    partner, else the seller. None: it has no such statement; it is paid, void or taken back as a whole; its month began
    later; or nothing was paid that could be refunded."""
    cursor = await conn.execute(
        """
        with s as (
            update statement s set paid_on = %(paid_on)s, payment_reference = %(reference)s
            where id = %(id)s and seller_id = %(seller)s and number is not null and paid_on is null
                and month <= %(paid_on)s and (credits is null or exists (
                    select from statement o where o.id = s.credits and o.paid_on is not null))
                and voided_at is null and (credited = 0 or credited < gross)
            returning id, number, partner_id
        )
        select coalesce(s.partner_id, %(seller)s), save_response(%(stamp)s, null),
            audit(%(stamp)s, %(seller)s, 'statements.pay', s.id::text, null,
            jsonb_build_object('number', s.number, 'paidOn', %(paid_on)s::date)) from s
        """,
        {**asdict(payment), "id": statement_id, "seller": seller_id, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def design_of(conn: Connection, statement_id: UUID) -> dict[str, Any]:
    """How the documents of a frozen statement look."""
    cursor = await conn.execute(
        "select d.design::text from statement s join statement_design d on d.digest = s.design where s.id = %s",
        [statement_id],
    )
    (design,) = await one_row(cursor)
    return json.loads(design)


async def stored_pdf(conn: Connection, viewer: UUID | None, statement_id: UUID) -> bytes | None:
    """The document of a frozen statement; None: it was not made yet, or others are its seller and buyer."""
    cursor = await conn.execute(
        f"select d.pdf from statement_pdf d join statement s on s.id = d.statement_id where s.id = %(id)s and {_SEEN}",
        {"id": statement_id, "viewer": viewer},
    )
    row = await cursor.fetchone()
    return bytes(row[0]) if row else None


async def keep_pdf(conn: Connection, statement_id: UUID, pdf: bytes, now: datetime) -> None:
    """Stores the document of a frozen statement, unless another request has been first."""
    await conn.execute(
        """
        insert into statement_pdf (statement_id, pdf, digest, rendered_at) values (%s, %s, %s, %s)
        on conflict do nothing
        """,
        [statement_id, pdf, sha256(pdf).hexdigest(), now],
    )


async def frozen_ids(conn: Connection, seller_id: UUID | None) -> AsyncGenerator[list[UUID]]:
    """The frozen statements of a seller, or of all, some at a time, in order of id."""
    after: UUID | None = None
    while True:
        cursor = await conn.execute(
            """
            select id from statement where num_nonnulls(number, corrects::text) > 0
                and credits is null and coalesce(seller_id = %(seller)s::uuid, true)
                and (%(after)s::uuid is null or id > %(after)s) order by id limit %(most)s
            """,
            {"seller": seller_id, "after": after, "most": STATEMENTS_AT_ONCE},
        )
        rows = await cursor.fetchall()
        if not rows:
            return
        yield [row[0] for row in rows]
        after = rows[-1][0]
