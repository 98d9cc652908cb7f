"""Every page, opened and sent by everybody who has no business there. The pages come from the route table."""

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from tests.api.conftest import Business, House
from tests.console.conftest import Desk, Desks
from tonnage.access.actor import Actor, Kind, Role

pytestmark = pytest.mark.anyio

AUDIENCES = {"/operator": Kind.OPERATOR, "/distributor": Kind.DISTRIBUTOR, "/partner": Kind.PARTNER}

WITHOUT_SESSION = re.compile(r"/sign-in(/.*)?|/sign-out|/theme|/styleguide")
"""Pages for everybody."""


class PageRoute:
    """One method of a page, with the ids of a business filled in."""

    def __init__(self, route: APIRoute, ids: dict[str, str]) -> None:
        (self.method,) = route.methods or set[str]()
        self.template = route.path
        self.path = route.path.format(**ids)
        first = "/" + route.path.split("/")[1]
        self.audience = AUDIENCES.get(first)
        self.is_open = WITHOUT_SESSION.fullmatch(route.path) is not None
        self.is_about_something = "{" in route.path

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"

    async def by(self, desk: Desk) -> int:
        answer = await (desk.get(self.path) if self.method == "GET" else desk.post(self.path))
        return answer.status_code


@pytest.fixture
async def ids(house: House, business: Business) -> dict[str, str]:
    """What the business has, and of each kind of thing at least one."""
    key = await house.key(business.partner)
    (key_id,) = await house.cast.row(
        "select id from api_key where organisation_id = %s limit 1", business.partner.organisation_id
    )
    assert key
    (session_id,) = await house.cast.row("select gen_random_uuid()")
    return {
        "distributorID": str(business.distributor.organisation_id),
        "organisationID": str(business.partner.organisation_id),
        "contractID": str(business.contract),
        "partnerID": str(business.partner.organisation_id),
        "memberID": str(business.member),
        "accountID": str(business.account),
        "keyID": str(key_id),
        "sessionID": str(session_id),
        "accessKey": "TONNAGESTRANGE000000",
        "region": "nowhere",
        "jobID": "1",
        "token": "unknown",
    }


@pytest.fixture
def pages(house: House, ids: dict[str, str]) -> list[PageRoute]:
    routes = [
        PageRoute(route, ids)
        for route in house.app.routes
        if isinstance(route, APIRoute) and route.endpoint.__module__.startswith("tonnage.console.")
    ]
    assert len(routes) > 10
    return routes


@pytest.fixture
async def fingerprint(house: House, business: Business) -> AsyncGenerator[None]:
    """Whatever strangers try, nothing of the business changes."""
    query = """
        select jsonb_agg(to_jsonb(t)) from (
            select o.id, o.name, o.closed_at, p.allocated_capacity, p.contract_id, s.name as account,
                s.allocated_capacity as given, s.pending_deleted_at, s.suspended_at, s.password_hash,
                m.email, m.role, m.password_hash as hash, k.revoked_at
            from organisation o
            left join partner p on p.id = o.id
            left join storage_account s on s.partner_id = o.id
            left join member m on m.organisation_id = o.id and m.id = %s
            left join api_key k on k.organisation_id = o.id
            where o.id = any(%s) order by o.id, s.id, m.id, k.id
        ) t"""
    own = [business.partner.organisation_id, business.distributor.organisation_id]
    before = await house.cast.row(query, business.member, own)
    yield
    assert await house.cast.row(query, business.member, own) == before


async def test_without_a_session_every_page_leads_to_the_sign_in(desks: Desks, pages: list[PageRoute]) -> None:
    http = desks.house.http
    for page in pages:
        if page.is_open:
            continue
        answer = await http.request(page.method, page.path, headers={"Accept": "text/html"})
        assert (page, answer.status_code) == (page, 303)
        assert answer.headers["location"].startswith("/sign-in?next=")


async def test_another_audience_finds_no_such_page(
    desks: Desks, pages: list[PageRoute], business: Business, fingerprint: None
) -> None:
    found: list[tuple[PageRoute, Kind, int]] = []
    for actor in (desks.house.cast.operator, business.distributor, business.partner):
        desk = await desks.of(actor)
        others = [page for page in pages if page.audience not in {None, actor.kind}]
        found += [(page, actor.kind, await page.by(desk)) for page in others]
    assert [seen for seen in found if seen[2] != 404] == []
    assert len(found) > 20


async def test_what_is_somebody_elses_is_not_found(desks: Desks, pages: list[PageRoute], fingerprint: None) -> None:
    cast = desks.house.cast
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    strangers: list[Actor] = [distributor, partner]
    found: list[tuple[Any, ...]] = []
    for actor in strangers:
        desk = await desks.of(actor)
        about = [page for page in pages if page.is_about_something and not page.is_open]
        found += [(page, actor.kind, await page.by(desk)) for page in about if page.audience in {None, actor.kind}]
    assert [seen for seen in found if seen[2] != 404] == []


async def test_a_viewer_changes_nothing(
    desks: Desks, pages: list[PageRoute], business: Business, fingerprint: None
) -> None:
    """Its own language, password and second factor aside."""
    found: list[tuple[Any, ...]] = []
    for actor in (desks.house.cast.operator, business.distributor, business.partner):
        desk = await desks.of(actor, Role.VIEWER)
        for page in pages:
            own = page.template.startswith("/profile") or page.is_open
            if page.method == "POST" and not own and page.audience in {None, actor.kind}:
                found.append((page, actor.kind, await page.by(desk)))
    assert [seen for seen in found if seen[2] != 403] == []


async def test_a_form_without_its_token_is_refused_everywhere(
    desks: Desks, pages: list[PageRoute], business: Business, fingerprint: None
) -> None:
    found: list[tuple[Any, ...]] = []
    for actor in (desks.house.cast.operator, business.distributor, business.partner):
        desk = await desks.of(actor)
        for page in pages:
            if page.method == "POST" and not page.is_open and page.audience in {None, actor.kind}:
                answer = await desk.http.post(page.path, data={"csrf": "guessed"})
                found.append((page, actor.kind, answer.status_code))
    assert [seen for seen in found if seen[2] != 403] == []


async def test_every_page_keeps_to_the_policy(desks: Desks, pages: list[PageRoute], business: Business) -> None:
    """No page has anything inline that the policy would block, and every page sends it."""
    for actor in (desks.house.cast.operator, business.distributor, business.partner):
        desk = await desks.of(actor)
        for page in pages:
            if page.method != "GET" or page.audience not in {None, actor.kind}:
                continue
            answer = await desk.get(page.path)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            assert "default-src 'none'" in answer.headers["content-security-policy"], page
            assert answer.headers["cache-control"] == "no-store", page
            assert not re.search(r"<[^>]+\sstyle=|<style|<script(?![^>]*\ssrc=)|\son\w+=\"|javascript:", answer.text), (
                page
            )
