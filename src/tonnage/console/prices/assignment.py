"""Which book applies to a contract, a partner or a storage account, and the form that assigns another one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.console.page_request import PageRequest
from tonnage.console.prices.shown import ShownPrices, shown
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.errors import TonnageError
from tonnage.price_books.actions import assign, no_subject
from tonnage.price_books.assignment import Book, NewAssignment, Subject, SubjectKind, fitting
from tonnage.price_books.assignment_lists import AssignmentRow, SubjectAssignments, subject_assignments
from tonnage.price_books.price_sources import AppliedPrices, applied_from
from tonnage.price_books.queries import BookRow, every_book
from tonnage.price_books.version import Versions, in_force
from tonnage.price_books.version_queries import published_prices
from tonnage.utc import month_after
from tonnage.web.forms import BoundForm, Checkbox, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Day, UuidBody


@dataclass(frozen=True)
class AssignmentPage:
    """What books are assigned to, and where its page is."""

    page: PageRequest
    subject: Subject
    path: str
    render: Callable[..., Response]
    """Renders the template of the audience, which includes the form."""


AssignmentGuard: TypeAlias = Callable[..., Awaitable[AssignmentPage]]
"""A dependency: its first parameter is a page of the role that is needed, the others come from the path."""


class AssignmentForm(Form):
    """`book` is missing to end the assignment before."""

    book: UuidBody | None = None
    valid_from: Day
    correct: Checkbox = False


@dataclass(frozen=True)
class _Read:
    books: list[BookRow]
    found: SubjectAssignments
    versions: Mapping[UUID, Versions]

    @property
    def default(self) -> Book | None:
        """The seller's, where its currency is possible."""
        default = next((Book(one.id, one.currency) for one in self.books if one.is_default), None)
        return fitting(default, self.found.currency)

    def applied(self, today: date) -> list[AppliedPrices]:
        """What applies today, and what is decided for later."""
        return applied_from(self.found.nearest_first, self.default, self.versions, today)

    def needs_first(self, now: AppliedPrices) -> bool:
        """Whether a book that can be chosen may begin only on the first of a month."""
        others = {book.currency for book in self.books} - ({now.book.currency} if now.book else set())
        tiered = (prices.tiers for of_book in self.versions.values() for _, prices in of_book)
        return bool(now.book and others) or any(tiers is not None for tiers in tiered)


def assignment_routes(prefix: str, *, reading: AssignmentGuard, changing: AssignmentGuard) -> APIRouter:
    """The page at `prefix`."""
    routes = APIRouter(prefix=prefix, route_class=AuthFirstRoute, include_in_schema=False)

    async def show(about: Annotated[AssignmentPage, Depends(reading)]) -> Response:
        return await _page(about, unbound(AssignmentForm, valid_from=about.page.today.isoformat()))

    async def change(about: Annotated[AssignmentPage, Depends(changing)]) -> Response:
        page, form, is_past = about.page, bind(AssignmentForm, about.page.fields), False

        async def act(values: AssignmentForm) -> bytes:
            nonlocal is_past
            new = NewAssignment(values.book, values.valid_from)
            try:
                return await page.database.transaction(
                    assign, page.actor, about.subject, new, page.business_now, correct=values.correct
                )
            except TonnageError as error:
                is_past = error.code in {RequestCode.BACKDATED, ConflictCode.MONTH_FROZEN}
                raise

        if await form.submit(act, about="book", fields={"validFrom": "valid_from"}):
            return page.redirect(about.path, gettext("Price book assigned"))
        return await _page(about, form, is_past=is_past or "correct" in form.raw)

    routes.add_api_route("", show, methods=["GET"])
    routes.add_api_route("", change, methods=["POST"])
    return routes


async def _read(conn: Connection, about: AssignmentPage) -> _Read:
    seller = about.page.actor.organisation_id
    found = await subject_assignments(conn, seller, about.subject)
    if found is None:
        raise no_subject(about.subject)
    books = await every_book(conn, seller)
    return _Read(books, found, await published_prices(conn, [book.id for book in books]))


async def _page(about: AssignmentPage, form: BoundForm[AssignmentForm], *, is_past: bool = False) -> Response:
    page = about.page
    read = await page.database.run(_read, about)
    applied = read.applied(page.today)
    own = read.found.of(about.subject.kind)
    return about.render(
        status=form.status,
        assignment=about,
        form=form,
        is_past=is_past,
        applied=[_applied(page, read, one) for one in applied],
        source=_source(read, about, applied[0], page.today),
        history=sorted(own, key=_valid_from)[::-1],
        books=[("", gettext("None of its own")), *_choices(read)],
        first=month_after(page.today) if read.needs_first(applied[0]) else None,
        may_assign=page.actor.role is Role.ADMIN,
    )


def _applied(page: PageRequest, read: _Read, one: AppliedPrices) -> tuple[BookRow | None, ShownPrices]:
    book = next((book for book in read.books if one.book and book.id == one.book.id), None)
    return book, shown(page, one)


def _choices(read: _Read) -> list[tuple[str, str]]:
    return [
        (str(book.id), f"{book.name} ({book.currency})")
        for book in read.books
        if read.found.currency in {None, book.currency}
    ]


def _source(read: _Read, about: AssignmentPage, now: AppliedPrices, today: date) -> str:
    """Why that book applies."""
    if now.book is None:
        return gettext("No price book applies.")
    for kind in (SubjectKind.ACCOUNT, SubjectKind.PARTNER, SubjectKind.CONTRACT):
        own = in_force([(row.valid_from, row.book_id) for row in read.found.of(kind)], today)
        if own and own[1]:
            return _sources(kind, about.subject.kind)
    return gettext("It is your default price book.")


def _sources(kind: SubjectKind, subject: SubjectKind) -> str:
    if kind is subject:
        return gettext("It is assigned here.")
    if kind is SubjectKind.CONTRACT:
        return gettext("It is assigned to the contract.")
    return gettext("It is assigned to all storage accounts.")


def _valid_from(row: AssignmentRow) -> date:
    return row.valid_from
