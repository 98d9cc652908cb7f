"""SQL of credit notes, and of statements that are void."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID, uuid4

from tonnage.billing_profiles.tax import TaxCategory
from tonnage.credit_notes.credit_note import CreditNote, difference
from tonnage.credit_notes.original import Original
from tonnage.db import Connection, one_row
from tonnage.money import Money
from tonnage.statements.adjustment import Adjustment, TaxKind
from tonnage.statements.adjustment_queries import tax_kinds
from tonnage.statements.frozen import StoredStatement, line_kinds
from tonnage.statements.frozen_queries import insert_lines, stored_statements


async def lock_statement(conn: Connection, seller_id: UUID, statement_id: UUID) -> None:
    """Keeps others from changing a statement of the seller until the transaction ends."""
    await conn.execute("select from statement where id = %s and seller_id = %s for update", [statement_id, seller_id])


async def original_of(conn: Connection, seller_id: UUID | None, statement_id: UUID) -> Original | None:
    """A frozen statement of the seller, with what was taken back of it so far. None: it has none. None as seller is the
    operator's command line."""
    cursor = await conn.execute(
        """
        select id from statement where (id = %(id)s or credits = %(id)s) and number is not null
            and coalesce(seller_id = %(seller)s::uuid, true) order by seq
        """,
        {"id": statement_id, "seller": seller_id},
    )
    ids = [row[0] for row in await cursor.fetchall()]
    if statement_id not in ids:
        return None
    stored = await stored_statements(conn, ids)
    found = stored.pop(statement_id)
    used = [line.adjustment_id for line in found.lines if line.adjustment_id]
    kinds = await tax_kinds(conn, used) if used else {}
    cursor = await conn.execute(
        """
        select coalesce(sum(a.amount - coalesce((
            select sum(l.amount) from statement_line l join statement n on n.id = l.statement_id
            where l.adjustment_id = a.id and n.credits = c.corrects), 0)), 0)
        from adjustment a join statement c on c.id = a.correction_id
        where c.corrects = %s and a.currency = %s
        """,
        [statement_id, found.currency],
    )
    (corrected,) = await one_row(cursor)
    notes = [stored[one] for one in ids if one != statement_id]
    return Original(found, line_kinds(found, kinds), notes, Money(corrected, found.currency))


_INSERT_NOTE: LiteralString = """
    with o as (
        update statement set credited = credited - %(gross)s where id = %(original)s returning *
    ), n as (
        insert into statement (id, seller_id, contract_id, partner_id, account_id, month, buyer_key, currency, net,
            gross, document, design, input, digest, computed_at, number, frozen_at, credits, reason)
        select %(id)s, o.seller_id, o.contract_id, o.partner_id, o.account_id, o.month, o.buyer_key, o.currency,
            %(net)s, %(gross)s, %(document)s, o.design, %(input)s, %(digest)s, %(now)s, %(number)s, %(now)s, o.id,
            %(reason)s
        from o
        returning id, seller_id, number
    ), facts as (
        select jsonb_build_object('number', n.number, 'original', o.number) as after from n, o
    )
    select audit(%(stamp)s, n.seller_id, 'statements.credit', n.id::text, null, facts.after),
        case when o.account_id is null then audit(%(stamp)s, coalesce(o.partner_id, (
                select k.distributor_id from contract k where k.id = o.contract_id)),
            'statements.receive-credit', n.id::text, null, facts.after) end
    from n, o, facts"""


async def insert_note(
    conn: Connection, note: CreditNote, number: str, reason: str | None, now: datetime, stamp: str
) -> StoredStatement:
    """Stores a credit note with its number, of which nothing changes from then on."""
    note_id, original = uuid4(), note.original.statement
    names = dict(zip((line.subject_id for line in original.lines), original.names, strict=True))
    names.setdefault(original.buyer.id, original.copied["buyerName"])
    await insert_lines(conn, [(note_id, note.lines, names)])
    await conn.execute(
        _INSERT_NOTE,
        {
            "id": note_id,
            "original": original.id,
            "net": note.net.amount,
            "gross": note.gross.amount,
            "document": json.dumps(note.document(), ensure_ascii=False),
            "input": note.written,
            "digest": note.digest,
            "number": number,
            "now": now,
            "reason": reason,
            "stamp": stamp,
        },
    )
    return (await stored_statements(conn, [note_id]))[note_id]


async def save_result(conn: Connection, document: str, stamp: str) -> None:
    """Stores the response to a request with an Idempotency-Key."""
    await conn.execute("select save_response(%s::jsonb, %s::json)", [stamp, document])


async def void(conn: Connection, statement: StoredStatement, reason: str, now: datetime, stamp: str) -> None:
    """Makes a statement void that is locked, and can be."""
    await conn.execute(
        """
        with s as (
            update statement set voided_at = %(now)s, void_reason = %(reason)s where id = %(id)s
            returning id, seller_id, number
        )
        select save_response(%(stamp)s, null), audit(%(stamp)s, s.seller_id, 'statements.void', s.id::text, null,
            jsonb_build_object('number', s.number, 'reason', %(reason)s::text)) from s
        """,
        {"id": statement.id, "now": now, "reason": reason, "stamp": stamp},
    )


async def creditable(
    conn: Connection, seller_id: UUID, first: date, numbered: Sequence[UUID]
) -> Sequence[tuple[UUID, Adjustment]]:
    """What charges less for earlier months than the one that begins on `first`, and did not fit into the statements
    `numbered` of that: the statements that it corrects, and what remains. Not of buyers whose statement of the month
    was frozen before, or is blocked: their next one may hold it."""
    cursor = await conn.execute(
        """
        select s.id, a.id, a.remaining, a.currency, a.month, a.tax_category, trim_scale(a.tax_rate), a.created_at::date
        from adjustment a join statement c on c.id = a.correction_id
        join statement s on s.id = c.corrects and s.currency = a.currency and s.number is not null
        where a.seller_id = %(seller)s and a.remaining < 0 and a.month < %(first)s and not exists (
            select from statement o where o.seller_id = a.seller_id and o.month = %(first)s and o.credits is null
                and o.corrects is null and o.voided_at is null and o.id <> all(%(numbered)s)
                and (o.contract_id = a.contract_id or o.partner_id = a.partner_id or o.account_id = a.account_id))
        order by a.seq
        """,
        {"seller": seller_id, "first": first, "numbered": list(numbered)},
    )
    return [
        (found, Adjustment(one, Money(left, currency), None, month, TaxKind(TaxCategory(kind), rate), made_on))
        for found, one, left, currency, month, kind, rate, made_on in await cursor.fetchall()
    ]


async def credited_ids(conn: Connection, newest: int | None = None) -> list[UUID]:
    """The statements with credit notes; `newest`: those of that many of the newest notes."""
    cursor = await conn.execute(
        """
        select distinct credits from (
            select credits from statement where credits is not null order by seq desc limit %s) n order by credits
        """,
        [newest],
    )
    return [row[0] for row in await cursor.fetchall()]


async def stored_digests(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The digests of credit notes, as they were when these got their numbers."""
    cursor = await conn.execute("select id, digest from statement where id = any(%s)", [list(ids)])
    return dict(await cursor.fetchall())


async def verify(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Computes the credit notes of these statements again, each after those before it. Returns the first difference of
    each statement of which one differs."""
    found: dict[UUID, str] = {}
    for statement_id in ids:
        whole = await original_of(conn, None, statement_id)
        if whole is None:
            raise LookupError(f"the statement {statement_id} has a credit note, and is not there")
        digests = await stored_digests(conn, [note.id for note in whole.notes])
        for place, note in enumerate(whole.notes):
            differs = difference(replace(whole, notes=whole.notes[:place]), note, digests[note.id])
            if differs is not None:
                found.setdefault(statement_id, differs)
        taken = -sum(note.gross for note in whole.notes)
        if taken != whole.statement.credited:
            stored = whole.statement
            found.setdefault(statement_id, f"{stored.number}: {stored.credited:f} is credited, {taken:f} is right")
    return found
