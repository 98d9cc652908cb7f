"""The price books of the reader's organisation."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind, Role
from tonnage.console.page_request import AnyAdmin, AnyMember, PageRequest
from tonnage.console.price_fields import Currency
from tonnage.console.prices.shown import in_short
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.price_books.actions import create_book
from tonnage.price_books.assignment import SubjectKind
from tonnage.price_books.assignment_lists import MOST_ASSIGNED, Assigned, assigned_to
from tonnage.price_books.lists import VersionRow, every_version
from tonnage.price_books.price_book import NewPriceBook, no_book
from tonnage.price_books.queries import BookRow, book_row, every_book
from tonnage.price_books.version import Versions, in_force
from tonnage.price_books.version_queries import published_prices
from tonnage.web.forms import BoundForm, Checkbox, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name, UuidPath

PATH = "/prices"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


class NewBookForm(Form):
    """All that a book begins with."""

    name: Name
    currency: Currency
    default: Checkbox = False


def path_of(book_id: UUID) -> str:
    """Of the page of a book."""
    return f"{PATH}/{book_id}"


@routes.get("")
async def books(page: AnyMember) -> Response:
    """With what each costs today."""

    async def read(conn: Connection) -> tuple[list[BookRow], Mapping[UUID, Versions]]:
        found = await every_book(conn, page.actor.organisation_id)
        return found, await published_prices(conn, [book.id for book in found])

    found, versions = await page.database.run(read)
    rows = [(book, in_force(versions.get(book.id, ()), page.today)) for book in found]
    return page.render(
        "prices/books.html",
        books=[
            (book, version and version[0], in_short(page, version[1], book.currency) if version else "")
            for book, version in rows
        ],
        may_change=page.actor.role is Role.ADMIN,
    )


@routes.get("/new")
async def new_book(page: AnyAdmin) -> Response:
    """The empty form."""
    return page.render("prices/new_book.html", form=unbound(NewBookForm, currency="EUR"))


@routes.post("/new")
async def create(page: AnyAdmin) -> Response:
    """On to the new book."""
    form: BoundForm[NewBookForm] = bind(NewBookForm, page.fields)

    async def act(values: NewBookForm) -> UUID:
        book = NewPriceBook(values.name, values.currency, values.default)
        return (await page.database.run(create_book, page.actor, book, page.business_now)).id

    made = await form.submit(act, about="default")
    if made is None:
        return page.render("prices/new_book.html", status=form.status, form=form)
    return page.redirect(path_of(made), gettext("Price book created"))


@routes.get("/{bookID}")
async def book(page: AnyMember, bookID: UuidPath) -> Response:
    """Its versions, and what it is assigned to."""
    seller = page.actor.organisation_id

    async def read(conn: Connection) -> tuple[BookRow, list[VersionRow], list[Assigned]]:
        found = await book_row(conn, seller, bookID)
        if found is None:
            raise no_book(bookID)
        versions = await every_version(conn, seller, bookID)
        return found, versions, await assigned_to(conn, seller, bookID, page.today)

    found, versions, assigned = await page.database.run(read)
    return page.render(
        "prices/book.html",
        book=found,
        versions=[(version, in_short(page, version.prices, found.currency)) for version in versions],
        current=_current(versions, page.today),
        assigned=[(one, _path_of(page, one), _kind_label(page, one)) for one in assigned[:MOST_ASSIGNED]],
        more_assigned=len(assigned) > MOST_ASSIGNED,
        may_change=page.actor.role is Role.ADMIN,
    )


def _current(versions: list[VersionRow], today: date) -> int | None:
    """The number of the version that applies today."""
    published = sorted((one.publication, one) for one in versions if one.publication is not None)
    found = in_force([(one.valid_from, one.number) for _, one in published], today)
    return found and found[1]


_PATHS: Mapping[tuple[Kind, SubjectKind], str] = {
    (Kind.OPERATOR, SubjectKind.CONTRACT): "/operator/contracts/{contract}/prices",
    (Kind.DISTRIBUTOR, SubjectKind.CONTRACT): "/distributor/contracts/{contract}/prices",
    (Kind.DISTRIBUTOR, SubjectKind.PARTNER): "/distributor/partners/{partner}/prices",
    (Kind.PARTNER, SubjectKind.PARTNER): "/partner/prices/accounts",
    (Kind.PARTNER, SubjectKind.ACCOUNT): "/partner/accounts/{account}/prices",
}


def _path_of(page: PageRequest, one: Assigned) -> str:
    path = _PATHS[page.actor.kind, one.kind]
    return path.format(contract=one.contract_id, partner=one.partner_id, account=one.account_id)


def _kind_label(page: PageRequest, one: Assigned) -> str:
    match one.kind, page.actor.kind:
        case SubjectKind.CONTRACT, _:
            return gettext("Contract")
        case SubjectKind.PARTNER, Kind.DISTRIBUTOR:
            return gettext("Partner")
        case SubjectKind.PARTNER, _:
            return gettext("All storage accounts")
        case _:
            return gettext("Storage account")
