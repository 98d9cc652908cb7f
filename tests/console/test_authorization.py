"""Pages and forms, requested by each kind of visitor without the right to it. The pages come from the route table."""

import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.routing import APIRoute

from tests.api.conftest import AccountData, AppClient
from tests.console.browsers import Browser
from tonnage.access.actor import Actor, Kind, Role
from tonnage.price_books.actions import create_book
from tonnage.price_books.price_book import NewPriceBook
from tonnage.tokens import digest, new_token

pytestmark = pytest.mark.anyio

AUDIENCES = {"/operator": Kind.OPERATOR, "/distributor": Kind.DISTRIBUTOR, "/partner": Kind.PARTNER}

WITHOUT_SESSION = re.compile(r"/sign-in(/.*)?|/sign-out|/theme|/styleguide|/unsubscribe/.*")
"""Pages that need no session."""


class PageRoute:
    """One method of a page, with the ids of the test data filled in."""

    def __init__(self, route: APIRoute, ids: dict[str, str]) -> None:
        (self.method,) = route.methods or set[str]()
        self.template = route.path
        self.path = route.path.format(**ids)
        first = "/" + route.path.split("/")[1]
        self.audience = AUDIENCES.get(first)
        self.is_open = WITHOUT_SESSION.fullmatch(route.path) is not None
        # A day, a month or a section is nobody's: the page is about the reader's own rate of that day, its own month.
        self.is_about_something = "{" in re.sub(r"{(validFrom|month|section)}", "", route.path)

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"

    async def status_for(self, browser: Browser) -> int:
        answer = await (browser.get(self.path) if self.method == "GET" else browser.post(self.path))
        return answer.status_code


@pytest.fixture
async def ids(client: AppClient, data: AccountData) -> dict[str, str]:
    """Test data with at least one resource of each kind."""
    key = await client.key(data.partner)
    (key_id,) = await client.cast.row(
        "select id from api_key where organisation_id = %s limit 1", data.partner.organisation_id
    )
    assert key
    session_id, block_id = await session_of(client, data.member), await block_of(client, data.member)
    return {
        "distributorID": str(data.distributor.organisation_id),
        "organisationID": str(data.partner.organisation_id),
        "contractID": str(data.contract),
        "partnerID": str(data.partner.organisation_id),
        "memberID": str(data.member),
        "accountID": str(data.account),
        "keyID": str(key_id),
        "sessionID": str(session_id),
        "blockID": str(block_id),
        "accessKey": "TONNAGESTRANGE000000",
        "region": "nowhere",
        "jobID": "1",
        "validFrom": "2026-01-01",
        "bookID": str(await book_of(client, data.partner)),
        "number": "1",
        "statementID": str(data.statement),
        "adjustmentID": str(data.adjustment),
        "line": "1",
        "section": "deletions",
        "month": "2026-02",
        "token": "unknown",
        "webhookID": str(data.webhook.id),
        "secretID": str(data.webhook.secret),
        "deliveryID": str(data.webhook.delivery),
    }


async def session_of(client: AppClient, member: UUID) -> UUID:
    """A new open session of a member."""
    insert = """
        insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
        values (%s, %s, 'open', %s, %s, '192.0.2.1', 'test') returning id"""
    now = client.clock.now
    (session_id,) = await client.cast.row(insert, member, digest(new_token()), now, now)
    return session_id


async def block_of(client: AppClient, member: UUID) -> UUID:
    """A new block of a member's codes."""
    insert = """
        insert into sign_in_throttle (subject, failures, last_failed_at, blocked_until, kind, member_id)
        values (%s, 20, %s, %s, 'codes', %s) returning id"""
    now = client.clock.now
    (block_id,) = await client.cast.row(insert, uuid4().bytes, now, now + timedelta(days=1), member)
    return block_id


async def book_of(client: AppClient, seller: Actor) -> UUID:
    """A new price book of a seller, without versions."""
    book = NewPriceBook("Prices", "EUR")
    return (await client.cast.database.run(create_book, seller, book, client.clock.now)).id


@pytest.fixture
def pages(client: AppClient, ids: dict[str, str]) -> list[PageRoute]:
    routes = [
        PageRoute(route, ids)
        for route in client.app.routes
        if isinstance(route, APIRoute) and route.endpoint.__module__.startswith("tonnage.console.")
    ]
    assert len(routes) > 10
    return routes


@pytest.fixture
async def data_unchanged(client: AppClient, data: AccountData) -> AsyncGenerator[None]:
    """The refused requests leave the data unchanged."""
    query = """
        select jsonb_agg(to_jsonb(t)) from (
            select o.id, o.name, o.closed_at, p.allocated_capacity, p.contract_id, s.name as account,
                s.allocated_capacity as given, s.pending_deleted_at, s.suspended_at, s.password_hash,
                m.email, m.role, m.password_hash as hash, k.revoked_at,
                (select count(*) from session x where x.member_id = m.id) as sessions,
                (select count(*) from sign_in_throttle x where x.member_id = m.id) as blocks
            from organisation o
            left join partner p on p.id = o.id
            left join storage_account s on s.partner_id = o.id
            left join member m on m.organisation_id = o.id and m.id = %s
            left join api_key k on k.organisation_id = o.id
            where o.id = any(%s) order by o.id, s.id, m.id, k.id
        ) t"""
    own = [data.partner.organisation_id, data.distributor.organisation_id]
    before = await client.cast.row(query, data.member, own)
    yield
    assert await client.cast.row(query, data.member, own) == before


async def test_without_a_session_every_page_leads_to_the_sign_in(client: AppClient, pages: list[PageRoute]) -> None:
    http = client.http
    for page in pages:
        if page.is_open:
            continue
        answer = await http.request(page.method, page.path, headers={"Accept": "text/html"})
        assert (page, answer.status_code) == (page, 303)
        assert answer.headers["location"].startswith("/sign-in?next=")


async def test_another_audience_finds_no_such_page(
    client: AppClient, pages: list[PageRoute], data: AccountData, data_unchanged: None
) -> None:
    found: list[tuple[PageRoute, Kind, int]] = []
    for actor in (client.cast.operator, data.distributor, data.partner):
        browser = await client.sign_in(actor)
        others = [page for page in pages if page.audience not in {None, actor.kind}]
        found += [(page, actor.kind, await page.status_for(browser)) for page in others]
    assert [seen for seen in found if seen[2] != 404] == []
    assert len(found) > 20


async def test_other_organisations_resources_are_not_found(
    client: AppClient, pages: list[PageRoute], data_unchanged: None
) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    strangers: list[Actor] = [distributor, partner]
    found: list[tuple[Any, ...]] = []
    for actor in strangers:
        browser = await client.sign_in(actor)
        about = [page for page in pages if page.is_about_something and not page.is_open]
        found += [
            (page, actor.kind, await page.status_for(browser)) for page in about if page.audience in {None, actor.kind}
        ]
    assert [seen for seen in found if seen[2] != 404] == []


async def test_a_viewer_changes_nothing(
    client: AppClient, pages: list[PageRoute], data: AccountData, data_unchanged: None
) -> None:
    """Except for its own locale, password, second factor and inbox."""
    found: list[tuple[Any, ...]] = []
    for actor in (client.cast.operator, data.distributor, data.partner):
        browser = await client.sign_in(actor, Role.VIEWER)
        for page in pages:
            own = page.template.startswith(("/profile", "/inbox")) or page.is_open
            if page.method == "POST" and not own and page.audience in {None, actor.kind}:
                found.append((page, actor.kind, await page.status_for(browser)))
    assert [seen for seen in found if seen[2] != 403] == []


async def test_a_form_without_its_token_is_refused_everywhere(
    client: AppClient, pages: list[PageRoute], data: AccountData, data_unchanged: None
) -> None:
    found: list[tuple[Any, ...]] = []
    for actor in (client.cast.operator, data.distributor, data.partner):
        browser = await client.sign_in(actor)
        for page in pages:
            if page.method == "POST" and not page.is_open and page.audience in {None, actor.kind}:
                answer = await browser.http.post(page.path, data={"csrf": "guessed"})
                found.append((page, actor.kind, answer.status_code))
    assert [seen for seen in found if seen[2] != 403] == []


async def test_every_page_keeps_to_the_policy(client: AppClient, pages: list[PageRoute], data: AccountData) -> None:
    """No page has inline code that the content policy would block, and every page sends the policy."""
    for actor in (client.cast.operator, data.distributor, data.partner):
        browser = await client.sign_in(actor)
        for page in pages:
            if page.method != "GET" or page.audience not in {None, actor.kind}:
                continue
            answer = await browser.get(page.path)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            assert "default-src 'none'" in answer.headers["content-security-policy"], page
            assert answer.headers["cache-control"] == "no-store", page
            assert not re.search(r"<[^>]+\sstyle=|<style|<script(?![^>]*\ssrc=)|\son\w+=\"|javascript:", answer.text), (
                page
            )
