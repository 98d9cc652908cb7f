"""`tonnage price-book`: what sellers charge."""

import json
from datetime import date, datetime
from typing import BinaryIO, Literal
from uuid import UUID

import click
from pydantic import ValidationError

from tonnage.access.actor import Actor
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.json_file import read_object
from tonnage.cli.organisation import acting_for, acting_for_seller
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one
from tonnage.cli.param_types import CURRENCY, DAY, NAME, SELLER
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.cli.subject import on_subject
from tonnage.config import Settings
from tonnage.db import Connection
from tonnage.db.rendered import Versioned
from tonnage.price_books import actions, queries, version_queries
from tonnage.price_books.assignment import NewAssignment, Subject
from tonnage.price_books.price_book import NewPriceBook, no_book
from tonnage.price_books.version import NewVersion
from tonnage.price_books.version_body import VersionReqBody
from tonnage.price_previews.actions import preview_part
from tonnage.web.validation_messages import validation_error

_COLUMNS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("Name", "name"),
    PrintedColumn("Currency", "currency"),
    PrintedColumn("Default", "isDefault", lambda is_default: "yes" if is_default else "no"),
)
_VERSIONS = (
    PrintedColumn("Version", "number", align="right"),
    PrintedColumn("State", "state"),
    PrintedColumn("From", "validFrom"),
    PrintedColumn("Reserved", "reserved", align="right"),
    PrintedColumn("Excess", "excess", align="right"),
    PrintedColumn("Pay-per-use", "payPerUse", align="right"),
    PrintedColumn("Minimum charge", "minimumCharge", align="right"),
    PrintedColumn("Discount %", "discountPercent", align="right"),
)
_PREVIEWS = (
    PrintedColumn("Buyer", "buyerName"),
    PrintedColumn("ID", "buyer"),
    PrintedColumn("From", "from"),
    PrintedColumn("Now", "now", align="right"),
    PrintedColumn("Preview", "preview", align="right"),
    PrintedColumn("Difference", "difference", align="right"),
    PrintedColumn("Currency", "currency"),
    PrintedColumn("Problem", "problem"),
)
_AT_ONCE = 500
"""Buyers that are previewed in one transaction."""

_ASSIGNMENT = (PrintedColumn("Price book", "priceBook"), PrintedColumn("From", "validFrom"))

_book = click.option("--book", "book_id", required=True, type=UUID_TYPE, help="The price book's id.")
_seller = click.option("--seller", required=True, type=SELLER, help="The id of an organisation, or `operator`.")
_from = click.option("--from", "since", required=True, type=DAY, help="The first day, such as 2026-12-01, UTC.")
_correct = click.option("--correct", is_flag=True, help="It may begin in the past, and change what past days cost.")


@click.group()
def price_book() -> None:
    """Price books: prices in hundredths of the currency's major unit, and whom they apply to."""


@price_book.command()
@_seller
@click.option("--name", required=True, type=NAME, help="The book's name.")
@click.option("--currency", required=True, type=CURRENCY, help="ISO 4217 code, such as EUR.")
@click.option("--default", "is_default", is_flag=True, help="For all buyers of the seller that have no other.")
@as_json
@on_database
def create(
    settings: Settings, seller: UUID | Literal["operator"], name: str, currency: str, is_default: bool, as_json: bool
) -> None:
    """Create a price book. It has no prices yet."""
    book = NewPriceBook(name, currency, is_default)

    async def work(session: Session) -> bytes:
        actor = await acting_for_seller(session, seller)
        return (await session.database.run(actions.create_book, actor, book, session.now)).json

    show_one(run(settings, work), _COLUMNS, as_json=as_json)


@price_book.command("list")
@_seller
@as_json
@on_database
def list_(settings: Settings, seller: UUID | Literal["operator"], as_json: bool) -> None:
    """List the price books of a seller."""

    async def work(session: Session) -> list[bytes]:
        return await session.documents(queries.books_of((await acting_for_seller(session, seller)).organisation_id))

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@price_book.command()
@_book
@as_json
@on_database
def show(settings: Settings, book_id: UUID, as_json: bool) -> None:
    """List the versions of a price book, drafts included."""

    async def work(session: Session) -> list[bytes]:
        seller = await _seller_of(session, book_id)
        return await session.documents(version_queries.versions_of(seller.organisation_id, book_id))

    show_list(run(settings, work), _VERSIONS, as_json=as_json)


@price_book.command()
@_book
@click.argument("file", type=click.File("rb"))
@_correct
@as_json
@on_database
def publish(settings: Settings, book_id: UUID, file: BinaryIO, correct: bool, as_json: bool) -> None:
    """Publish the prices in a JSON file, whose fields are those of the API. Use - for standard input.

    A published version never changes: later prices are another one.
    """
    version = _version_of(file)

    async def work(session: Session) -> bytes:
        actor = await _seller_of(session, book_id)
        published = await session.database.transaction(_publish, actor, book_id, version, session.now, correct=correct)
        return published.json

    show_one(run(settings, work), _VERSIONS, as_json=as_json)


@price_book.command()
@_book
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--version", type=click.IntRange(1), help="The number of a version, in place of a file.")
@click.option("--whole-month", "whole", is_flag=True, help="Every day of the month has the prices.")
@as_json
@on_database
def preview(
    settings: Settings, book_id: UUID, file: BinaryIO | None, version: int | None, whole: bool, as_json: bool
) -> None:
    """Show what the running month would cost each buyer if prices were published now, beside what it costs.

    The prices are those in a JSON file, as `publish` takes it, or those of a version, such as a draft. Prices that
    begin after today are shown as if every day of the month had them. Nothing is stored.
    """
    if (file is None) == (version is None):
        raise click.UsageError("Give either a file or --version.")
    prices = _version_of(file) if file else version or 0

    async def work(session: Session) -> list[bytes]:
        actor, after = await _seller_of(session, book_id), None
        found: list[bytes] = []
        while True:
            part = await session.database.transaction(
                preview_part, actor, book_id, prices, session.now, after, _AT_ONCE, whole=whole, most_partners=None
            )
            found += [json.dumps(one, ensure_ascii=False).encode() for one in part.documents]
            if (after := part.next) is None:
                return found

    show_list(run(settings, work), _PREVIEWS, as_json=as_json)


async def _publish(
    conn: Connection, actor: Actor, book_id: UUID, version: NewVersion, now: datetime, *, correct: bool
) -> Versioned:
    number, _ = await actions.add_version(conn, actor, book_id, version, now)
    return await actions.publish(conn, actor, book_id, number, now, correct=correct)


@price_book.command()
@_book
@_from
@_correct
@as_json
@on_database
@on_subject
def assign(
    settings: Settings,
    book_id: UUID,
    subject: Subject,
    since: date,
    correct: bool,
    as_json: bool,
) -> None:
    """Apply a price book to a contract, a partner or a storage account from a day on.

    The nearest book counts: that of the account, the partner, the contract, then the seller's default.
    """

    async def work(session: Session) -> bytes:
        actor = await _seller_of(session, book_id)
        assignment = NewAssignment(book_id, since)
        return await session.database.transaction(
            actions.assign, actor, subject, assignment, session.now, correct=correct
        )

    show_one(run(settings, work), _ASSIGNMENT, as_json=as_json)


@price_book.command()
@_seller
@_from
@_correct
@as_json
@on_database
@on_subject
def unassign(
    settings: Settings,
    seller: UUID | Literal["operator"],
    subject: Subject,
    since: date,
    correct: bool,
    as_json: bool,
) -> None:
    """End an assignment: from a day on the book counts that is the next nearest."""

    async def work(session: Session) -> bytes:
        actor = await acting_for_seller(session, seller)
        assignment = NewAssignment(None, since)
        return await session.database.transaction(
            actions.assign, actor, subject, assignment, session.now, correct=correct
        )

    show_one(run(settings, work), _ASSIGNMENT, as_json=as_json)


async def _seller_of(session: Session, book_id: UUID) -> Actor:
    """The operator acting for the seller whose book it is. NotFound."""
    seller_id = await session.database.run(queries.seller_of, book_id)
    if seller_id is None:
        raise no_book(book_id)
    is_operators = seller_id == session.operator.organisation_id
    return session.operator if is_operators else await acting_for(session, seller_id)


def _version_of(file: BinaryIO) -> NewVersion:
    """Raises Invalid, as the API does, and click.ClickException for what is no JSON object."""
    try:
        return VersionReqBody.model_validate(read_object(file)).new_version()
    except ValidationError as error:
        raise validation_error([{**wrong, "loc": ("body", *wrong["loc"])} for wrong in error.errors()]) from None
