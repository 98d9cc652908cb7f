"""The number of statements of a page: small, and independent of the length of its lists."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import pytest
from fastapi.routing import APIRoute

from tests.api.conftest import AccountData, AppClient
from tests.api.wire import Wire
from tests.cast import NOW
from tests.console.browsers import Browser
from tests.console.test_authorization import AUDIENCES, WITHOUT_SESSION, block_of, book_of, session_of
from tests.statements.inserted import insert_statement_of
from tests.webhooks.inserted import insert_webhook
from tonnage.access.actor import Actor, Kind
from tonnage.db import Connection
from tonnage.price_books.assignment import Subject, SubjectKind

pytestmark = pytest.mark.anyio

ALWAYS = 2
"""Statements of every page: what finds the session, and what counts the unread events of its member."""

MOST = 4
"""Further statements of a page."""

MORE = {
    "/operator": 25,
    "/operator/distributors/{distributorID}": 5,
    "/operator/partners/{partnerID}": 11,
    "/operator/accounts/{accountID}": 5,
    "/distributor": 19,
    "/distributor/contracts/{contractID}": 5,
    "/distributor/partners": 5,
    "/distributor/prices": 5,
    "/partner": 13,
    "/partner/accounts": 5,
    "/prices/{bookID}/versions/{number}/preview": 7,
    "/statements/months/{month}": 10,
    "/statements/months/{month}/freeze": 10,
    "/statements/{statementID}/lines/{line}/working.csv": 5,
    "/statements/{statementID}/statement.pdf": 6,
}
"""Pages that may execute more. The overviews ask every feature for its summary, and have a statement for each
of their sections; prices of another seller begin with who
it is; what the operator charges for one partner is computed; partners stand beside what they pay and what is paid for
them, accounts beside the use of a range and of the days before it; a month says what is charged beside its frozen
statements, which numbers are missing, how far its freeze has come, and what corrects it; a statement is read with its
lines, its inputs and their days, and its document is made once and kept; a contract and an account say when they are
full; a preview reads a book, a version and the
published ones in one moment."""

FEW, MANY = 3, 60


@dataclass
class Reader:
    """A browser, and the ids of the resources that it may read, by the beginnings of the pages' paths."""

    actor: Actor
    browser: Browser
    ids: Mapping[str, Mapping[str, object]]

    def _path(self, page: str) -> str:
        found: dict[str, object] = {}
        for prefix, ids in self.ids.items():
            found |= ids if page.startswith(prefix) else {}
        return page.format(**found)

    def pages(self, client: AppClient) -> dict[str, str]:
        """The paths of the member's pages, by their templates."""
        return {
            route.path: self._path(route.path)
            for route in client.app.routes
            if isinstance(route, APIRoute)
            and route.endpoint.__module__.startswith("tonnage.console.")
            and route.methods == {"GET"}
            and AUDIENCES.get("/" + route.path.split("/")[1]) in {None, self.actor.kind}
            and not WITHOUT_SESSION.fullmatch(route.path)
        }

    async def costs(self, client: AppClient) -> dict[str, int]:
        """Statements of each page, without the session's."""
        return {page: await self._cost(client, page, path) for page, path in self.pages(client).items()}

    async def _cost(self, client: AppClient, page: str, path: str) -> int:
        async with Wire.traced(client) as wire:
            answer = await self.browser.get(path)
        # A page that is not applicable at this moment redirects, or states the conflict.
        assert answer.status_code in {200, 303, 409}, (page, answer.status_code)
        return len(wire.statements) - ALWAYS


@pytest.fixture
async def readers(client: AppClient, data: AccountData) -> list[Reader]:
    partner = data.partner.organisation_id
    access_key = uuid.uuid4().hex.upper()
    await client.cast.row(
        """
        insert into access_key (access_key, account_id, state, created_at, changed_at)
        values (%s, %s, 'active', %s, %s) returning access_key
        """,
        *(access_key, data.account, NOW, NOW),
    )
    ids: dict[str, object] = {
        "distributorID": data.distributor.organisation_id,
        "organisationID": partner,
        "contractID": data.contract,
        "partnerID": partner,
        "accountID": data.account,
        "accessKey": access_key,
        "region": await client.cast.region(),
        "keyID": await key_of(client, data.partner),
        "memberID": data.member,
        "sessionID": await session_of(client, data.member),
        "blockID": await block_of(client, data.member),
        "validFrom": "2026-01-01",
        "number": 1,
        "line": 1,
        "month": "2026-02",
        "section": "deletions",
    }
    buyers = [
        Subject(SubjectKind.CONTRACT, data.contract),
        Subject(SubjectKind.PARTNER, data.partner.organisation_id),
        Subject(SubjectKind.ACCOUNT, data.account),
    ]
    distributors = {"keyID": await key_of(client, data.distributor)}
    readers: list[Reader] = []
    for actor, buyer in zip((client.cast.operator, data.distributor, data.partner), buyers, strict=True):
        browser = await client.sign_in(actor)
        own = {"memberID": browser.member_id, "sessionID": await session_of(client, browser.member_id)}
        key = {"keyID": await key_of(client, actor)}
        book = {"bookID": await priced_book_of(client, actor)}
        webhook = await insert_webhook(client.cast, actor)
        hooks = {"webhookID": webhook.id, "secretID": webhook.secret, "deliveryID": webhook.delivery}
        sold = {
            "statementID": await client.cast.database.run(sold_statement, actor, buyer, data.contract),
            "adjustmentID": await adjustment_of(client, actor, buyer),
        }
        of_pages = {
            "": ids,
            "/team": own,
            "/keys": key,
            "/operator/dist": distributors,
            "/prices": book,
            "/webhooks": hooks,
        }
        readers.append(Reader(actor, browser, {**of_pages, "/statements": sold}))
    return readers


async def sold_statement(conn: Connection, seller: Actor, buyer: Subject, contract: UUID) -> UUID:
    """A frozen one of January, that is of no other month of the test data."""
    return await insert_statement_of(conn, seller, buyer, contract, date(2026, 1, 1))


async def adjustment_of(client: AppClient, seller: Actor, buyer: Subject) -> UUID:
    """A person's. The page of a correction is counted where it is tested."""
    ids = {kind: buyer.id if kind is buyer.kind else None for kind in SubjectKind}
    (found,) = await client.cast.row(
        """
        insert into adjustment (seller_id, contract_id, partner_id, account_id, buyer_name, currency, amount, remaining,
            reason, created_at)
        values (%s, %s, %s, %s, 'Buyer', 'EUR', 1, 1, 'Outage', %s) returning id
        """,
        *(seller.organisation_id, *ids.values(), NOW),
    )
    return found


async def priced_book_of(client: AppClient, seller: Actor) -> object:
    """A book with a draft, which is its first version."""
    book = await book_of(client, seller)
    await client.cast.row(
        "insert into price_version (book_id, number, valid_from, reserved, prorate_minimums, created_at)"
        " values (%s, 1, %s, 1, true, %s) returning number",
        *(book, NOW.date(), NOW),
    )
    return book


async def assigned(client: AppClient, seller: Actor, book: object, partner: object) -> None:
    """The book assigned to a partner."""
    await client.cast.row(
        "insert into price_assignment (seller_id, partner_id, book_id, valid_from, assigned_at)"
        " values (%s, %s, %s, %s, %s) returning id",
        *(seller.organisation_id, partner, book, NOW.date(), NOW),
    )


async def key_of(client: AppClient, actor: Actor) -> object:
    await client.key(actor)
    (key,) = await client.cast.row("select id from api_key where organisation_id = %s", actor.organisation_id)
    return key


async def test_a_page_takes_a_few_statements(readers: list[Reader], client: AppClient) -> None:
    found: dict[tuple[Kind, str], int] = {}
    for reader in readers:
        found |= {(reader.actor.kind, page): cost for page, cost in (await reader.costs(client)).items()}
    assert {page: cost for page, cost in found.items() if cost > MORE.get(page[1], MOST)} == {}
    assert len(found) > 100


async def test_longer_lists_take_no_more_statements(
    readers: list[Reader], client: AppClient, data: AccountData
) -> None:
    await grow(client, data, FEW - 1)
    before = [await reader.costs(client) for reader in readers]
    await grow(client, data, MANY - FEW)
    after = [await reader.costs(client) for reader in readers]
    grown = [
        (page, few[page], cost)
        for few, many in zip(before, after, strict=True)
        for page, cost in many.items()
        if cost > few[page]
    ]
    assert grown == []


async def grow(client: AppClient, data: AccountData, count: int) -> None:
    """That many more elements of every list."""
    cast = client.cast
    cast.now = cast.now + timedelta(minutes=1)
    for _ in range(count):
        await cast.partner(data.distributor, data.contract)
        await cast.account(data.partner)
        await cast.contract(data.distributor)
        await cast.distributor()
        await cast.key(data.distributor)
        await cast.key(data.partner)
        await cast.region()
        await session_of(client, data.member)
        await block_of(client, data.member)
        for seller in (data.distributor, data.partner):
            book = await priced_book_of(client, seller)
            await assigned(client, seller, book, data.partner.organisation_id)
        partner = Subject(SubjectKind.PARTNER, uuid.uuid4())
        await cast.database.run(sold_statement, data.distributor, partner, data.contract)
        await adjustment_of(client, data.distributor, partner)
