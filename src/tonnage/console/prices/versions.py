"""Versions of a price book: the editor of a draft, and what is published."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.console.page_request import AnyAdmin, AnyMember, PageRequest
from tonnage.console.prices.books import PATH, path_of
from tonnage.console.prices.shown import pool_label, price_facts
from tonnage.console.prices.version_form import VersionForm, bind_version, rows_of, texts_of
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.errors import EditConflict, PreconditionFailed, Sentence
from tonnage.price_books.actions import add_version, replace_draft
from tonnage.price_books.lists import VersionRow, version_row
from tonnage.price_books.price_book import no_book
from tonnage.price_books.queries import BookRow, book_row
from tonnage.price_books.version import MinimumPool, NewVersion, Prices, no_version, version_number
from tonnage.utc import month_after
from tonnage.web.forms import BoundForm
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(prefix=f"{PATH}/{{bookID}}/versions", route_class=AuthFirstRoute, include_in_schema=False)

_REVISION = "revision"
"""The hidden field with the draft's revision that a form was made from."""


@routes.get("/new")
async def new_version(page: AnyAdmin, bookID: UuidPath) -> Response:
    """A form with the first of the next month."""
    book = await open_book(page, bookID)
    blank = NewVersion(month_after(page.today), Prices())
    return _editor(page, book, None, BoundForm(texts_of(blank, page.formats.number_format), None))


@routes.post("/new")
async def add(page: AnyAdmin, bookID: UuidPath) -> Response:
    """On to the new draft."""
    book = await open_book(page, bookID)
    form, version = bind_version(page.fields, page.formats.number_format)
    if version is None:
        return _editor(page, book, None, form)
    number, _ = await page.database.run(add_version, page.actor, bookID, version, page.business_now)
    return page.redirect(f"{path_of(bookID)}/versions/{number}", gettext("Draft saved"))


@routes.get("/{number}")
async def version(page: AnyMember, bookID: UuidPath, number: str) -> Response:
    """The editor of a draft, for admins; else its prices."""
    book, found = await open_version(page, bookID, number)
    form: BoundForm[VersionForm] = BoundForm(
        texts_of(NewVersion(found.valid_from, found.prices), page.formats.number_format), None
    )
    return _page(page, book, found, form, found.revision)


@routes.post("/{number}")
async def change(page: AnyAdmin, bookID: UuidPath, number: str) -> Response:
    """Replaces the draft, if it is still as the form shows it."""
    book, found = await open_version(page, bookID, number)
    form, version = bind_version(page.fields, page.formats.number_format)
    revision = seen_revision(page)

    async def act(_: VersionForm) -> bool:
        if version is not None:
            await page.database.run(replace_draft, page.actor, bookID, found.number, version, revision=revision)
        return True

    try:
        saved = version is not None and await form.submit(act)
    except PreconditionFailed:
        saved = False
        book, found = await open_version(page, bookID, number)
        _explain(page, form, found)
        revision = found.revision
    if saved:
        return page.redirect(f"{path_of(bookID)}/versions/{number}", gettext("Draft saved"))
    return _page(page, book, found, form, revision)


def _explain(page: PageRequest, form: BoundForm[VersionForm], present: VersionRow) -> None:
    """Another admin has changed the draft since the form was made: what it has now stands at the fields that differ."""
    form.errors[""] = EditConflict()
    now = texts_of(NewVersion(present.valid_from, present.prices), page.formats.number_format)
    names = {name for name in (*now, *form.raw) if name in now or name.startswith("band_")}
    for name in names:
        if now.get(name, "") != form.raw.get(name, "").strip():
            form.notes[name] = Sentence("Now {now}.", now=now.get(name) or "–")


def _page(page: PageRequest, book: BookRow, found: VersionRow, form: BoundForm[VersionForm], revision: int) -> Response:
    if found.published_at is None and page.actor.role is Role.ADMIN:
        return _editor(page, book, found, form, revision)
    return page.render(
        "prices/version.html",
        status=form.status,
        book=book,
        version=found,
        form=form,
        facts=price_facts(page, found.prices, book.currency),
    )


def _editor(
    page: PageRequest, book: BookRow, found: VersionRow | None, form: BoundForm[VersionForm], revision: int = 0
) -> Response:
    path = f"{path_of(book.id)}/versions/{found.number if found else 'new'}"
    tiers = found.prices.tiers if found else None
    context: dict[str, Any] = {
        "book": book,
        "draft": found,
        "form": form,
        "revision": revision,
        "rows": rows_of(form.raw),
        "pools": [(pool, pool_label(pool)) for pool in MinimumPool],
        "cheaper": tiers and tiers.cheaper_for_more(),
    }
    return page.render("prices/draft.html", status=form.status, path=path, **context)


def hidden_revision(found: VersionRow) -> dict[str, str]:
    """The hidden field of a form about the draft."""
    return {_REVISION: str(found.revision)}


def seen_revision(page: PageRequest) -> int:
    """What that field says; 0 is never a revision."""
    given = page.fields.get(_REVISION, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


async def open_book(page: PageRequest, book_id: UUID) -> BookRow:
    """NotFound: the reader's organisation has no such book."""
    found = await page.database.run(book_row, page.actor.organisation_id, book_id)
    if found is None:
        raise no_book(book_id)
    return found


async def open_version(page: PageRequest, book_id: UUID, text: str) -> tuple[BookRow, VersionRow]:
    """NotFound: the reader's organisation has no such book, or it has no such version."""
    number = version_number(book_id, text)

    async def read(conn: Connection) -> tuple[BookRow | None, VersionRow | None]:
        seller = page.actor.organisation_id
        return await book_row(conn, seller, book_id), await version_row(conn, seller, book_id, number)

    book, found = await page.database.run(read)
    if book is None:
        raise no_book(book_id)
    if found is None:
        raise no_version(book_id, number)
    return book, found
