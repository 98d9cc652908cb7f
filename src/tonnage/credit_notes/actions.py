"""Takes frozen statements back: by credit notes, or as void."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.errors import LockNotAvailable

from tonnage.access.actor import Actor, Role
from tonnage.billing.buyer import no_statement
from tonnage.billing_profiles.settings import CREDIT_NOTE, SellerSettings
from tonnage.billing_profiles.settings_queries import seller_settings
from tonnage.credit_notes import queries
from tonnage.credit_notes.credit_note import CreditNote, credit_note, credit_of, summary
from tonnage.credit_notes.new_credit_note import LineAmount, NewCreditNote
from tonnage.credit_notes.original import Original
from tonnage.db import Connection
from tonnage.epoch.epoch import on_hold
from tonnage.epoch.queries import hold_of
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, FieldError, Invalid
from tonnage.numbering.actions import NumberStores, conclude, open_stores, record, take_next, unique_numbers
from tonnage.numbering.queries import Taken, lock_seller_in_transaction
from tonnage.printable_text import printable_text
from tonnage.services import Services
from tonnage.statement_mails.queries import queue_mails
from tonnage.statements.actions import defer_settled
from tonnage.statements.adjustment_queries import release, use
from tonnage.statements.frozen import StoredStatement


class Issued(NamedTuple):
    """A credit note, and its number, which is not recorded yet."""

    note: StoredStatement
    taken: Taken


async def issue_credit_note(
    services: Services,
    actor: Actor,
    statement_id: UUID,
    lines: Sequence[LineAmount] | None,
    reason: str,
    now: datetime,
    *,
    waits: bool = False,
) -> StoredStatement:
    """See `create_credit_note`; `waits` as for `numbering.actions.conclude`."""
    stores = await open_stores(services)
    made = await services.database.transaction(create_credit_note, stores, actor, statement_id, lines, reason, now)
    await conclude(services, stores, waits=waits)
    return made


async def create_credit_note(
    conn: Connection,
    stores: NumberStores,
    actor: Actor,
    statement_id: UUID,
    lines: Sequence[LineAmount] | None,
    reason: str,
    now: datetime,
) -> StoredStatement:
    """Takes back amounts of the lines of a statement, or all that is left of it, in the caller's transaction.

    NotFound: the actor has sold no such statement. Invalid: see `NewCreditNote.read`. Conflict: less is left; it is
    void, or a credit note itself; statements of the actor are being frozen. OnHold: the database was restored from a
    backup.
    """
    original = await _locked(conn, actor, statement_id)
    new = NewCreditNote.read(lines, reason, original.statement)
    if (hold := await hold_of(conn)) is not None:
        raise on_hold(hold)
    settings = (await seller_settings(conn, actor.organisation_id)).settings
    stored, taken = await _issue(conn, actor, settings, credit_note(original, new.amounts), new.reason, now)
    await record(stores, taken.series, taken.last)
    await defer_settled(conn, actor, original.statement.buyer.id)
    await queries.save_result(conn, json.dumps(summary(stored), ensure_ascii=False), actor.stamp)
    return stored


async def void_statement(conn: Connection, actor: Actor, statement_id: UUID, reason: str, now: datetime) -> None:
    """A void statement keeps its number and counts nowhere: the next freeze of its month makes another one for the
    buyer. The adjustments that it had remain for that.

    NotFound: the actor has sold no such statement. Invalid: the reason. Conflict: it is paid, void, taken back in part
    by a credit note, or one itself; its month was corrected; statements of the actor are being frozen.
    """
    original = await _locked(conn, actor, statement_id)
    wrong: list[FieldError] = []
    text = printable_text("reason", reason, wrong)
    if wrong:
        raise Invalid.with_fields(wrong)
    original.require_voidable()
    await release(conn, statement_id)
    await queries.void(conn, original.statement, text, now, actor.stamp)
    await defer_settled(conn, actor, original.statement.buyer.id)


async def find_original(conn: Connection, actor: Actor, statement_id: UUID) -> Original:
    """A frozen statement that the actor has sold, with what was taken back of it. NotFound: it has sold no such one."""
    found = await queries.original_of(conn, actor.organisation_id, statement_id)
    if found is None:
        raise no_statement(str(statement_id))
    return found


async def _locked(conn: Connection, actor: Actor, statement_id: UUID) -> Original:
    """A statement that nobody else changes until the transaction ends, and that is valid."""
    actor.require(actor.kind, Role.ADMIN)
    try:
        await lock_seller_in_transaction(conn, actor.organisation_id)
    except LockNotAvailable as error:
        message = "Statements of yours are being issued. Try again in a moment."
        raise Conflict(message, ConflictCode.FREEZE_IN_PROGRESS) from error
    await queries.lock_statement(conn, actor.organisation_id, statement_id)
    found = await find_original(conn, actor, statement_id)
    found.require_creditable()
    return found


async def _issue(
    conn: Connection, actor: Actor, settings: SellerSettings, note: CreditNote, reason: str | None, now: datetime
) -> Issued:
    taken = await take_next(conn, actor.organisation_id, settings, 1, now)
    with unique_numbers():
        stored = await queries.insert_note(conn, note, taken.numbers[0], reason, now, actor.stamp)
    await use(conn, [stored.id])
    if settings.mail_documents:
        await queue_mails(conn, [stored.id], now)
    return Issued(stored, taken)


async def credit_negative_totals(
    conn: Connection, actor: Actor, settings: SellerSettings, first: date, numbered: Sequence[UUID], now: datetime
) -> Taken | None:
    """In the transaction that freezes the month that begins on `first`, after its statements got their numbers: what
    corrections of earlier months charge less, and those could not hold, becomes credit notes, if the seller has said
    so; else it waits for the next statement. Returns the last number that was taken."""
    if settings.negative_total != CREDIT_NOTE:
        return None
    taken: Taken | None = None
    for statement_id, adjustment in await queries.creditable(conn, actor.organisation_id, first, numbered):
        original = await find_original(conn, actor, statement_id)
        if (note := credit_of(original, adjustment)) is not None:
            taken = (await _issue(conn, replace(actor, request=None), settings, note, None, now)).taken
            await defer_settled(conn, actor, original.statement.buyer.id)
    return taken
