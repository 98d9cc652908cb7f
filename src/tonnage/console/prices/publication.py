"""Publishing a draft, also for days that are past, and deleting one."""

from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.prices.books import PATH, path_of
from tonnage.console.prices.shown import buyers_counted, price_facts
from tonnage.console.prices.versions import hidden_revision, open_version, seen_revision
from tonnage.console.rendering import gettext, said
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.errors import Conflict, Invalid, PreconditionFailed
from tonnage.price_books.actions import delete_draft, publication_refusal, publish
from tonnage.price_books.assignment_lists import count_buyers
from tonnage.price_books.lists import VersionRow
from tonnage.price_books.queries import BookRow
from tonnage.price_books.version import NewVersion, version_number
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(prefix=f"{PATH}/{{bookID}}/versions/{{number}}", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("/publish")
@routes.post("/publish")
async def publish_version(page: AnyAdmin, bookID: UuidPath, number: str) -> Response:
    """Asks, then publishes what begins today or later."""
    return await _publish(page, bookID, number, correct=False)


@routes.get("/correct")
@routes.post("/correct")
async def publish_correction(page: AnyAdmin, bookID: UuidPath, number: str) -> Response:
    """Asks, then publishes what changes the cost of past days."""
    return await _publish(page, bookID, number, correct=True)


@routes.get("/delete")
@routes.post("/delete")
async def delete(page: AnyAdmin, bookID: UuidPath, number: str) -> Response:
    """Asks, then deletes the draft."""
    path = path_of(bookID)

    async def ask() -> Confirmation | None:
        book, found = await open_version(page, bookID, number)
        if found.published_at is not None:
            return None
        return Confirmation(
            title=gettext("Delete draft %(number)s") % {"number": found.number},
            crumbs=_crumbs(book),
            sentences=[gettext("Its prices are lost. Nobody is charged by them, since they were not published.")],
            button=gettext("Delete draft"),
            danger=True,
            cancel=f"{path}/versions/{found.number}",
            hidden=hidden_revision(found),
        )

    async def act() -> None:
        with _conflicts():
            await page.database.run(
                delete_draft, page.actor, bookID, version_number(bookID, number), revision=seen_revision(page)
            )

    return await confirm(page, ask, act, done=path, notice=gettext("Draft deleted"))


async def _publish(page: PageRequest, book_id: UUID, number: str, *, correct: bool) -> Response:
    async def ask() -> Confirmation | None:
        book, found = await open_version(page, book_id, number)
        return None if found.published_at else await _question(page, book, found, correct=correct)

    async def act() -> None:
        with _conflicts():
            await page.database.transaction(
                publish,
                page.actor,
                book_id,
                version_number(book_id, number),
                page.business_now,
                correct=correct,
                revision=seen_revision(page),
            )

    done = f"{path_of(book_id)}/versions/{number}"
    return await confirm(page, ask, act, done=done, notice=gettext("Prices published"))


@contextmanager
def _conflicts() -> Generator[None]:
    try:
        yield
    except PreconditionFailed:
        raise Conflict(
            "Somebody has changed the draft since you opened this page. Check its prices, then send it again.",
            ConflictCode.CHANGED_MEANWHILE,
        ) from None


async def _question(page: PageRequest, book: BookRow, found: VersionRow, *, correct: bool) -> Confirmation:
    refusal, buyers = await page.database.run(_read, page, book, found, correct=correct)
    path = f"{path_of(book.id)}/versions/{found.number}"
    is_past = refusal is not None and refusal.code in {RequestCode.BACKDATED, ConflictCode.MONTH_FROZEN}
    return Confirmation(
        title=gettext("Publish version %(number)s") % {"number": found.number},
        crumbs=_crumbs(book),
        sentences=_refused(page, found, refusal) if refusal else _consequences(page, found, buyers, correct=correct),
        items=[f"{label}: {text}" for label, text in price_facts(page, found.prices, book.currency)],
        button=None if refusal else gettext("Publish correction") if correct else gettext("Publish prices"),
        danger=correct,
        cancel=path,
        other=(gettext("Publish as a correction"), f"{path}/correct") if is_past else None,
        hidden=hidden_revision(found),
    )


async def _read(
    conn: Connection, page: PageRequest, book: BookRow, found: VersionRow, *, correct: bool
) -> tuple[Invalid | Conflict | None, int]:
    draft = NewVersion(found.valid_from, found.prices)
    refusal = await publication_refusal(conn, page.actor, book.id, draft, page.business_now, correct=correct)
    day = max(found.valid_from, page.today)
    return refusal, await count_buyers(conn, page.actor.organisation_id, book.id, day)


def _refused(page: PageRequest, found: VersionRow, refusal: Invalid | Conflict) -> list[str]:
    if isinstance(refusal, Conflict):
        return [
            gettext("The version begins on %(day)s, in a month that is frozen. Published like this it is refused.")
            % {"day": page.formats.day(found.valid_from)},
            gettext(
                "Change its first day, or publish it as a correction: what past days cost more or less is charged or "
                "credited by adjustments."
            ),
        ]
    if refusal.code is RequestCode.BACKDATED:
        return [
            gettext("The version begins on %(day)s, which is in the past. Published like this it is refused.")
            % {"day": page.formats.day(found.valid_from)},
            gettext("Change its first day, or publish it as a correction, which changes what past days cost."),
        ]
    return [
        gettext("It cannot be published: %(why)s.") % {"why": said(refusal.fields[0].message)},
        gettext("Change its first day."),
    ]


def _consequences(page: PageRequest, found: VersionRow, buyers: int, *, correct: bool) -> list[str]:
    day = page.formats.day(found.valid_from)
    concerned = buyers_counted(page, buyers)
    sentences = [gettext("From %(day)s on these prices apply to %(buyers)s.") % {"day": day, "buyers": concerned}]
    if correct:
        sentences.append(
            gettext("That day is in the past: what was shown for the days since then changes for all of these buyers.")
        )
    sentences.append(gettext("A published version never changes. To change prices later, publish another version."))
    return sentences


def _crumbs(book: BookRow) -> list[tuple[str, str]]:
    return [(gettext("Prices"), PATH), (book.name, path_of(book.id))]
