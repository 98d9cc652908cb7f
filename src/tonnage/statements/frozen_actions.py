"""Frozen statements: shown with their working, verified, and marked as paid."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any
from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.billing.buyer import DraftId, no_statement
from tonnage.billing.month_record import read_buyer, read_subject
from tonnage.billing.working import WorkingDay, working_of
from tonnage.db import Connection, Database
from tonnage.documents.actions import render
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.statements import frozen_queries as queries
from tonnage.statements.actions import find_draft, working
from tonnage.statements.frozen import Payment, StoredStatement, require_valid
from tonnage.statements.statement import no_line, working_document
from tonnage.utc import day_of


async def find_frozen(conn: Connection, viewer: UUID | None, statement_id: UUID) -> StoredStatement:
    """NotFound: there is none, or others are its seller and buyer. None as viewer is the operator's command line."""
    found = await queries.find_statement(conn, viewer, statement_id)
    if found is None:
        raise no_statement(str(statement_id))
    return found


async def frozen_working(
    conn: Connection, viewer: UUID, statement_id: UUID, number: int
) -> tuple[StoredStatement, list[WorkingDay]]:
    """A frozen statement, and the days of its line of that number, from what is stored with it. NotFound, also for the
    lines of credit notes: those that they take back have a working."""
    found = await find_frozen(conn, viewer, statement_id)
    if found.original_id is not None:
        raise no_line(number)
    inputs = (await queries.inputs_of(conn, [statement_id])).get(statement_id)
    if number > len(found.lines) or inputs is None:
        raise no_line(number)
    buyer, line = read_buyer(inputs.buyer), found.lines[number - 1]
    is_whole = line.subject_id == buyer.id
    only = None if is_whole or not isinstance(line.subject_id, UUID) else line.subject_id
    subjects = [read_subject(written) async for _, written in queries.subjects_of(conn, [statement_id], only)]
    return found, working_of(line, buyer, subjects)


async def find_document(database: Database, viewer: UUID, statement: UUID | DraftId, now: datetime) -> dict[str, Any]:
    """A statement as JSON, frozen or a draft. NotFound and Conflict as for `find_frozen` and `find_draft`."""
    if isinstance(statement, DraftId):
        return (await database.transaction(find_draft, viewer, statement, now)).document()
    return (await database.run(find_frozen, viewer, statement)).document(day_of(now))


async def find_working(
    database: Database, viewer: UUID, statement: UUID | DraftId, number: int, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same, and the working of its line of that number. NotFound: it has no such line."""
    if isinstance(statement, DraftId):
        draft, days = await database.transaction(working, viewer, statement, number, now)
        return draft.document(), working_document(draft.line(number), draft.currency, draft.month.first, days)
    stored, days = await database.run(frozen_working, viewer, statement, number)
    return stored.document(day_of(now)), working_document(stored.line(number), stored.currency, stored.first, days)


async def pdf_of(database: Database, viewer: UUID | None, statement_id: UUID, now: datetime) -> bytes:
    """The document of a frozen statement: the first one that was made. NotFound."""
    if (stored := await database.run(queries.stored_pdf, viewer, statement_id)) is not None:
        return stored
    found = await database.run(find_frozen, viewer, statement_id)
    design = await database.run(queries.design_of, statement_id)
    await database.run(queries.keep_pdf, statement_id, await render(found.paper(design)), now)
    kept = await database.run(queries.stored_pdf, viewer, statement_id)
    if kept is None:
        raise LookupError("a document that was stored is not there")
    return kept


async def verify_all(conn: Connection, seller_id: UUID | None) -> AsyncGenerator[tuple[int, dict[UUID, str]]]:
    """Verifies every frozen statement of a seller, or of all, some at a time: how many, and what differs."""
    async for ids in queries.frozen_ids(conn, seller_id):
        yield len(ids), await queries.verify(conn, ids)


async def pay(conn: Connection, actor: Actor, statement_id: UUID, payment: Payment) -> None:
    """Marks a statement of the actor as paid. NotFound: it has sold no such one. Conflict: it is paid already, void, or
    taken back as a whole."""
    actor.require(actor.kind, Role.ADMIN)
    if await queries.pay(conn, actor.organisation_id, statement_id, payment, actor.stamp):
        return
    found = await queries.find_statement(conn, actor.organisation_id, statement_id)
    if found is None or found.seller_id != actor.organisation_id:
        raise no_statement(str(statement_id))
    require_valid(found)
    if found.paid_on is None:
        raise Conflict(
            "Statement {number} has nothing left to pay: credit notes have taken back all of it.",
            ConflictCode.STATEMENT_STATE,
            number=str(found.number),
        )
    raise Conflict(
        "Statement {number} is paid already, on {day} with the reference {reference}.",
        ConflictCode.STATEMENT_PAID,
        number=str(found.number),
        day=str(found.paid_on),
        reference=str(found.payment_reference),
    )
