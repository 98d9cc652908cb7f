"""Audit entries of price books. They have no prices: a distributor reads the entries of its partners."""

from datetime import date
from uuid import UUID

from tests.audit.recorded import AuditData, Case, Recorded
from tests.cast import NOW
from tonnage.price_books import actions
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_books.price_book import NewPriceBook
from tonnage.price_books.version_body import VersionReqBody

_LATER = date(2099, 2, 1)
_VERSION = VersionReqBody.model_validate({"validFrom": "2099-02-01", "reserved": "0.69"}).new_version()
_FACTS = {"version": 1, "validFrom": "2099-02-01"}


async def _book(data: AuditData) -> UUID:
    made = await data.run(actions.create_book, data.distributor, NewPriceBook("Prices", "EUR"), NOW)
    return made.id


async def _draft(data: AuditData) -> UUID:
    book = await _book(data)
    await data.run(actions.add_version, data.distributor, book, _VERSION, NOW)
    return book


async def prices_create_book(data: AuditData) -> Recorded:
    async with data.watched():
        book = await _book(data)
    after = {"name": "Prices", "currency": "EUR", "isDefault": False}
    return data.entry("prices.create-book", data.distributor, data.distributor, book, after=after)


async def prices_add_draft(data: AuditData) -> Recorded:
    book = await _book(data)
    async with data.watched():
        await data.run(actions.add_version, data.distributor, book, _VERSION, NOW)
    return data.entry("prices.add-draft", data.distributor, data.distributor, book, after=_FACTS)


async def prices_change_draft(data: AuditData) -> Recorded:
    book = await _draft(data)
    async with data.watched():
        await data.run(actions.replace_draft, data.distributor, book, 1, _VERSION)
    return data.entry("prices.change-draft", data.distributor, data.distributor, book, after=_FACTS)


async def prices_delete_draft(data: AuditData) -> Recorded:
    book = await _draft(data)
    async with data.watched():
        await data.run(actions.delete_draft, data.distributor, book, 1)
    return data.entry("prices.delete-draft", data.distributor, data.distributor, book, before=_FACTS)


async def prices_publish(data: AuditData) -> Recorded:
    book = await _draft(data)
    async with data.watched():
        await data.cast.database.transaction(actions.publish, data.distributor, book, 1, NOW)
    return data.entry("prices.publish", data.distributor, data.distributor, book, after=_FACTS)


async def prices_assign_book(data: AuditData) -> Recorded:
    book = await _book(data)
    subject = Subject(SubjectKind.PARTNER, data.partner.organisation_id)
    async with data.watched():
        assignment = NewAssignment(book, _LATER)
        await data.cast.database.transaction(actions.assign, data.distributor, subject, assignment, NOW)
    after = {"kind": "partner", "priceBookId": str(book), "validFrom": "2099-02-01"}
    return data.entry("prices.assign-book", data.distributor, data.distributor, subject.id, after=after)


CASES: list[Case] = [
    prices_create_book,
    prices_add_draft,
    prices_change_draft,
    prices_delete_draft,
    prices_publish,
    prices_assign_book,
]
