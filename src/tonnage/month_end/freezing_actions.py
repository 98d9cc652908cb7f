"""Freezes a month: computes it from one snapshot, checks itself, and gives the statements their numbers.

Each stage can be interrupted: what is computed is computed again, and numbers are taken in the transaction that
freezes.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import psycopg
from psycopg.errors import LockNotAvailable

from tonnage.access.actor import Actor, Kind, Role
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.clock import WallClock
from tonnage.credit_notes.actions import credit_negative_totals
from tonnage.db import Connection, Database
from tonnage.db.deadlines import JOB_WAIT, WaitLimit, limited
from tonnage.epoch.epoch import on_hold
from tonnage.epoch.queries import hold_of
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, Sentence, TonnageError, Unavailable
from tonnage.metering.sampling_queries import not_sampled_through
from tonnage.month_end import freezing_queries as queries
from tonnage.month_end.computed_actions import compute
from tonnage.month_end.correction_queries import changed_or_frozen, changed_sellers
from tonnage.month_end.freeze_progress import FreezeProgress, FreezeStage, Report
from tonnage.month_end.freeze_progress_actions import storing_progress
from tonnage.month_end.freezing import Blocked, FreezeResult, require_known, require_over
from tonnage.numbering.actions import NumberStores, conclude, open_stores, record, take_next, unique_numbers
from tonnage.numbering.queries import Taken, lock_seller, unlock_seller
from tonnage.services import Services
from tonnage.statement_mails.queries import queue_mails
from tonnage.statements.adjustment_queries import use
from tonnage.statements.frozen_queries import STATEMENTS_AT_ONCE, verify
from tonnage.usage.actions import record_accepted
from tonnage.utc import day_of, midnight, month_after, month_before

_log = logging.getLogger(__name__)

_IN_PROGRESS = Sentence("A month of yours is being frozen already. Try again when that is done.")
_ATTEMPTS = 5
"""What is written between the last of them and the numbers is corrected afterwards."""
_SELLERS_AT_ONCE = 50
"""After so many sellers it is waited for slow stores of their numbers, and the epoch is incremented."""
_WRITERS_POLL, _WRITERS_POLLS = 0.05, 600
"""Seconds after which it is looked again whether those who were writing have ended, and how often."""


async def freeze(
    services: Services,
    actor: Actor,
    first: date,
    now: datetime,
    *,
    incomplete: bool = False,
    report: Report | None = None,
) -> FreezeResult:
    """Freezes the actor's statements of the month that begins on `first`. What is frozen stays as it is: where it is
    charged otherwise now, the difference is added to the buyer's next statement. Earlier months come first, if
    something of them has changed.

    `incomplete`: although the usage of a cluster is not known through the end of the month. `report`: receives how far
    it has come.

    Conflict: it is not known; the month is not over, or one of the actor is being frozen, or another statement has a
    number. OnHold: the database was restored from a backup. Unavailable: others have been writing for too long.
    """
    actor.require(actor.kind, Role.ADMIN)
    require_over(first, day_of(now))
    with limited(WaitLimit(JOB_WAIT)):
        await record_accepted(services.database, now)
        stores = await open_stores(services)
        freezing = _Freezing(services.database, services.wall_clock, stores, actor, now, report)
        done = await services.database.run(freezing.freeze_locked, first, incomplete=incomplete)
        await conclude(services, stores)
        return done


@dataclass(frozen=True)
class _Freezing:
    """Freezes months of one seller, each on the connection that it is given."""

    database: Database
    """For what is stored beside, with the time of the clock."""
    clock: WallClock
    stores: NumberStores
    actor: Actor
    now: datetime
    report: Report | None = None

    @property
    def seller(self) -> UUID:
        return self.actor.organisation_id

    async def freeze_locked(self, conn: Connection, first: date, *, incomplete: bool) -> FreezeResult:
        """All stages on one connection, whose lock keeps other freezes of the seller away: with a second connection, as
        many freezes as there are connections would wait for each other."""
        try:
            await lock_seller(conn, self.seller)
        except LockNotAvailable as error:
            raise Conflict(_IN_PROGRESS, ConflictCode.FREEZE_IN_PROGRESS) from error
        try:
            if (hold := await hold_of(conn)) is not None:
                raise on_hold(hold)
            # Its result is not the response to the request.
            correcting = replace(self, actor=replace(self.actor, request=None))
            changed, is_frozen = await changed_or_frozen(conn, self.seller, first)
            for earlier in changed:
                await correcting._freeze(conn, earlier, is_frozen=True)
            if not (incomplete or is_frozen):
                end = midnight(month_after(first))
                require_known(await not_sampled_through(conn, self.seller, midnight(first), end))
            return await self._freeze(conn, first, is_frozen=is_frozen)
        finally:
            try:
                await unlock_seller(conn, self.seller)
            except psycopg.Error:
                await conn.close()

    async def _freeze(self, conn: Connection, first: date, *, is_frozen: bool) -> FreezeResult:
        await queries.begin_close(conn, self.seller, first)
        try:
            await _wait_for_writers(conn)
            async with storing_progress(self.database, self.clock, self.seller, first, self.report) as report:
                return await self._computed_and_numbered(conn, first, report, is_frozen=is_frozen)
        except Exception:
            with suppress(psycopg.Error):
                await queries.end_close(conn, self.seller, first)
            raise

    async def _computed_and_numbered(
        self, conn: Connection, first: date, report: Report, *, is_frozen: bool
    ) -> FreezeResult:
        for attempt in range(1, _ATTEMPTS + 1):
            async with conn.transaction():
                settings = await compute(conn, self.actor, first, self.now, report, is_frozen=is_frozen)
            ids, blocked = await _checked(conn, self.seller, first, report)
            async with conn.transaction():
                if attempt < _ATTEMPTS and await queries.has_changed(conn, self.seller, first):
                    continue
                numbers = await self._number(conn, first, settings, ids)
                done = FreezeResult(self.seller, first, numbers, blocked)
                await queries.end_frozen(conn, done, self.actor.stamp)
                return done
        raise AssertionError("the last attempt returns")

    async def _number(
        self, conn: Connection, first: date, settings: SellerSettings, ids: Sequence[UUID]
    ) -> Sequence[str]:
        """In one short transaction. What is taken last is recorded outside."""
        taken: Taken | None = None
        if ids:
            taken = await take_next(conn, self.seller, settings, len(ids), self.now)
            await use(conn, ids)
            numbered = dict(zip(ids, taken.numbers, strict=True))
            with unique_numbers():
                await queries.freeze(conn, self.seller, first, numbered, self.now, self.actor.stamp)
            if settings.mail_documents:
                await queue_mails(conn, ids, self.now)
        last = await credit_negative_totals(conn, self.actor, settings, first, ids, self.now) or taken
        if last is not None:
            await record(self.stores, last.series, last.last)
        return taken.numbers if taken else []


async def _wait_for_writers(conn: Connection) -> None:
    """Transactions that began to write before the close of the month was there have not noted what they changed: a
    snapshot is taken when they have ended."""
    transaction, ended = await queries.own_transaction(conn)
    for _ in range(_WRITERS_POLLS):
        if ended:
            return
        await asyncio.sleep(_WRITERS_POLL)
        ended = await queries.have_ended(conn, transaction)
    raise Unavailable(
        "Others have been writing to the database for {seconds} seconds. Freeze the month again later.",
        UnavailableCode.LOCKED,
        seconds=f"{_WRITERS_POLLS * _WRITERS_POLL:.0f}",
    )


async def _checked(
    conn: Connection, seller_id: UUID, first: date, report: Report
) -> tuple[Sequence[UUID], Sequence[Blocked]]:
    """Computes what is computed again, from what is stored with it. Returns what gets numbers, in their order; and the
    buyers that get none."""
    ids, blocked = await queries.computed_statements(conn, seller_id, first)
    for start in range(0, len(ids), STATEMENTS_AT_ONCE):
        report(FreezeProgress(FreezeStage.CHECK, start, len(ids)))
        if differing := await verify(conn, ids[start : start + STATEMENTS_AT_ONCE]):
            raise RuntimeError(f"what was just computed differs from what it was computed from: {differing}")
    return ids, blocked


async def freeze_due(services: Services, now: datetime) -> None:
    """Freezes the month before of every seller whose day for that has come, and corrects months that have changed. One
    that fails does not keep the others from it; raises the error of the last one that failed."""
    failed: Exception | None = None
    today = day_of(now)
    first = month_before(today)
    database = services.database
    changed = await database.run(changed_sellers)
    wanted: dict[UUID, tuple[Kind, date]] = {seller: (kind, month) for seller, kind, month in changed}
    wanted |= {seller: (kind, first) for seller, kind in await database.run(queries.due_sellers, today.day)}
    # Once for all sellers: they have few buyers each, and all of this would be most of the work.
    await record_accepted(database, now)
    stores = await open_stores(services)
    for count, (seller_id, (kind, month)) in enumerate(wanted.items(), 1):
        freezing = _Freezing(database, services.wall_clock, stores, Actor(seller_id, kind, Role.ADMIN, "job"), now)
        try:
            with limited(WaitLimit(JOB_WAIT)):
                await database.run(freezing.freeze_locked, month, incomplete=False)
                if count % _SELLERS_AT_ONCE == 0:
                    await conclude(services, stores)
        except (TonnageError, RuntimeError, LookupError) as error:
            _log.warning("the statements of %s of %s were not frozen: %s", seller_id, f"{month:%Y-%m}", error)
            failed = error
    await conclude(services, stores)
    if failed is not None:
        raise failed
