"""Actions on price books. The actor is the seller: an operator, a distributor or a partner."""

from datetime import date, datetime
from uuid import UUID

from psycopg.errors import UniqueViolation

from tonnage.access.actor import Actor, Role
from tonnage.accounts.actions import no_account
from tonnage.contracts.contract import no_contract
from tonnage.contracts.queries import open_since
from tonnage.db import Connection, broken_constraint, savepoint_if_in_transaction
from tonnage.db.rendered import Rendered, Versioned
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.errors import Conflict, FieldError, Invalid, PreconditionFailed, Sentence, TonnageError
from tonnage.organisations.organisation import no_organisation, no_partner
from tonnage.price_books import assignment_queries, queries, version_queries
from tonnage.price_books.assignment import (
    ASSIGNABLE,
    Assignment,
    Book,
    NewAssignment,
    Subject,
    SubjectKind,
    fitting,
    refused_change,
)
from tonnage.price_books.assignment_lists import SubjectAssignments, subject_assignments
from tonnage.price_books.lists import version_row
from tonnage.price_books.price_book import NewPriceBook, no_book
from tonnage.price_books.version import NewVersion, no_version, refused_tiers
from tonnage.utc import day_of


async def create_book(conn: Connection, actor: Actor, book: NewPriceBook, now: datetime) -> Rendered[UUID]:
    """Returns the new book. Conflict: the seller has a default book already."""
    actor.require(actor.kind, Role.ADMIN)
    try:
        async with savepoint_if_in_transaction(conn):
            created = await queries.insert_book(conn, actor.organisation_id, book, now, actor.stamp)
    except UniqueViolation as error:
        if broken_constraint(error) != "price_book_one_default":
            raise
        raise Conflict(
            "There is a default price book already. Publish a version of that one, or create this one without being "
            "the default and assign it.",
            ConflictCode.DEFAULT_PRICE_BOOK,
        ) from error
    if created is None:
        raise no_organisation(actor.organisation_id)
    return created


async def add_version(
    conn: Connection, actor: Actor, book_id: UUID, version: NewVersion, now: datetime
) -> tuple[int, Versioned]:
    """Adds a draft; returns its number too. NotFound: the seller has no such book."""
    actor.require(actor.kind, Role.ADMIN)
    added = await version_queries.insert_version(conn, actor.organisation_id, book_id, version, now, actor.stamp)
    if added is None:
        raise no_book(book_id)
    return added


async def replace_draft(
    conn: Connection, actor: Actor, book_id: UUID, number: int, version: NewVersion, *, revision: int | None = None
) -> Versioned:
    """Conflict: it is published. PreconditionFailed: it is not in that revision."""
    actor.require(actor.kind, Role.ADMIN)
    replaced = await version_queries.replace_draft(
        conn, actor.organisation_id, book_id, number, version, revision, actor.stamp
    )
    if replaced is None:
        raise await _no_draft(conn, actor, book_id, number)
    return replaced


async def delete_draft(
    conn: Connection, actor: Actor, book_id: UUID, number: int, *, revision: int | None = None
) -> None:
    """The same errors as for `replace_draft`."""
    actor.require(actor.kind, Role.ADMIN)
    if not await version_queries.delete_draft(conn, actor.organisation_id, book_id, number, revision, actor.stamp):
        raise await _no_draft(conn, actor, book_id, number)


async def publish(
    conn: Connection,
    actor: Actor,
    book_id: UUID,
    number: int,
    now: datetime,
    *,
    correct: bool = False,
    revision: int | None = None,
) -> Versioned:
    """Publishes a draft, in the caller's transaction. From then on it never changes.

    `correct`: it may begin in the past. Invalid, naming `validFrom`: it begins in the past, or prices by quantity would
    begin or end within a month. Conflict: it begins in a month that is frozen. The other errors are those of
    `replace_draft`.
    """
    actor.require(actor.kind, Role.ADMIN)
    seller_id = actor.organisation_id
    await queries.lock_prices(conn, seller_id)
    draft = await version_queries.lock_draft(conn, seller_id, book_id, number, revision)
    if draft is None:
        raise await _no_draft(conn, actor, book_id, number)
    if refusal := await publication_refusal(conn, actor, book_id, draft, now, correct=correct):
        raise refusal
    return await version_queries.publish(conn, seller_id, book_id, number, now, actor.stamp)


async def publication_refusal(
    conn: Connection, actor: Actor, book_id: UUID, draft: NewVersion, now: datetime, *, correct: bool
) -> Invalid | Conflict | None:
    """Why `publish` would refuse a draft of the seller's book, as things are now."""
    if refusal := await _refused_start(conn, actor.organisation_id, draft.valid_from, now, correct=correct):
        return refusal
    published = await version_queries.published_prices(conn, [book_id])
    refused = refused_tiers(draft, published.get(book_id, []))
    if refused is None and draft.prices.tiers:
        start = await assignment_queries.start_within_month(conn, actor.organisation_id, book_id, draft.valid_from)
        refused = start and Sentence(
            "has prices by quantity, but the book's assignments change on {day}; that is possible on the first of a "
            "month",
            day=start.isoformat(),
        )
    return _wrong_start(refused, RequestCode.WITHIN_MONTH) if refused else None


async def assign(
    conn: Connection,
    actor: Actor,
    subject: Subject,
    assignment: NewAssignment,
    now: datetime,
    *,
    correct: bool = False,
) -> bytes:
    """Applies a book to a subject from a day on, in the caller's transaction; returns the assignment as JSON.

    NotFound: the seller has no such book, or sells nothing to that subject. Invalid, naming `validFrom`: it begins in
    the past and does not `correct`; or a currency, or prices by quantity, would begin or end within a month. Conflict:
    it begins in a month that is frozen; the book has another currency than the contract that the operator assigns it
    to.
    """
    actor.require(actor.kind, Role.ADMIN)
    seller_id = actor.organisation_id
    await queries.lock_prices(conn, seller_id)
    found = await subject_assignments(conn, seller_id, subject)
    if found is None or subject.kind not in ASSIGNABLE[actor.kind]:
        raise no_subject(subject)
    book = assignment.book_id and await queries.book_row(conn, seller_id, assignment.book_id)
    if assignment.book_id and not book:
        raise no_book(assignment.book_id)
    if book and found.currency not in {None, book.currency}:
        raise Conflict(
            "The price book is in {book_currency}, the contract in {contract_currency}. Use a book in the contract's "
            "currency.",
            ConflictCode.OTHER_CURRENCY,
            book_currency=book.currency,
            contract_currency=found.currency,
        )
    if refusal := await _refused_start(conn, seller_id, assignment.valid_from, now, correct=correct):
        raise refusal
    added = Assignment(assignment.valid_from, Book(book.id, book.currency) if book else None)
    await _check_change(conn, seller_id, subject, found, added)
    return await assignment_queries.insert_assignment(conn, seller_id, subject, assignment, now, actor.stamp)


async def _check_change(
    conn: Connection, seller_id: UUID, subject: Subject, found: SubjectAssignments, added: Assignment
) -> None:
    nearest_first = found.with_added(subject.kind, added)
    default = fitting(await assignment_queries.default_book(conn, seller_id), found.currency)
    books = {one.book for assignments in nearest_first for one in assignments} | {default}
    versions = await version_queries.published_prices(conn, [book.id for book in books if book])
    if refused := refused_change(nearest_first, default, added.valid_from, versions):
        raise _wrong_start(refused, RequestCode.WITHIN_MONTH)


async def _refused_start(
    conn: Connection, seller_id: UUID, valid_from: date, now: datetime, *, correct: bool
) -> Invalid | Conflict | None:
    today = day_of(now)
    if valid_from >= today or correct:
        return None
    first_open = await open_since(conn, seller_id)
    if first_open is not None and valid_from < first_open:
        return Conflict(
            "validFrom is in a month that is frozen, as all before {first} are. To charge or credit the difference by "
            "an adjustment, repeat it as a correction; else choose {today} or a later day.",
            ConflictCode.MONTH_FROZEN,
            first=first_open.isoformat(),
            today=today.isoformat(),
        )
    return _wrong_start(
        Sentence(
            "is in the past; today is {today}. To change what past days cost, repeat it as a correction",
            today=today.isoformat(),
        ),
        RequestCode.BACKDATED,
    )


def _wrong_start(rule: Sentence, code: RequestCode) -> Invalid:
    return Invalid(Sentence("validFrom {rule}.", rule=rule), (FieldError("validFrom", rule),), code)


async def _no_draft(conn: Connection, actor: Actor, book_id: UUID, number: int) -> TonnageError:
    found = await version_row(conn, actor.organisation_id, book_id, number)
    present = await version_queries.one_version(conn, actor.organisation_id, book_id, number)
    if found is None or present is None:
        known = await queries.book_row(conn, actor.organisation_id, book_id)
        return no_version(book_id, number) if known else no_book(book_id)
    if found.published_at is not None:
        return Conflict(
            "Version {number} is published and never changes. Add a new version for the day on which prices change.",
            ConflictCode.VERSION_PUBLISHED,
            number=str(number),
        )
    return PreconditionFailed(*present)


def no_subject(subject: Subject) -> TonnageError:
    """The same for what does not exist, and what the seller sells nothing to."""
    match subject:
        case Subject(SubjectKind.CONTRACT, UUID() as contract_id):
            return no_contract(contract_id)
        case Subject(SubjectKind.PARTNER, UUID() as partner_id):
            return no_partner(partner_id)
        case _:
            return no_account(int(str(subject.id)))
