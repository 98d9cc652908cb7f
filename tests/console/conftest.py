"""The console behind its doors: members in sessions, on the house of the API's tests."""

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from html import unescape
from uuid import UUID

import httpx
import pytest

from tests.api.conftest import House, business, house
from tests.cast import unique
from tonnage.access.actor import Actor, Role
from tonnage.authentication.session import digest, new_token
from tonnage.db import Connection
from tonnage.members.actions import create_team_member
from tonnage.members.member import NewMember
from tonnage.web import csrf

__all__ = ["business", "house"]
"""The fixtures of the API's tests."""

_WAS = re.compile(r'name="(was\.[^"]+)" value="([^"]*)"')
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Desk:
    """A member's browser, without scripts: `page = await desk.get("/team")`, `await desk.send("/team/new", {...})`."""

    http: httpx.AsyncClient
    token: str
    member_id: UUID
    email: str

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def send(self, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
        """A form of the page at `path`, as a browser sends it: with the page's own token, and what it was made from."""
        page = await self.http.get(path)
        found = _CSRF.search(page.text)
        assert found, f"there is no form at {path}: {page.status_code}"
        was = {name: unescape(text) for name, text in _WAS.findall(page.text)}
        return await self.http.post(path, data={"csrf": found[1], **was, **(fields or {})})

    async def post(self, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
        """The same without looking at the page: for those that would not be shown."""
        return await self.http.post(path, data={"csrf": csrf.token(self.token), **(fields or {})})


@dataclass
class Desks:
    """Desks for whoever is wanted: `await desks.of(distributor, Role.STAFF)`."""

    house: House
    stack: AsyncExitStack
    made: dict[tuple[UUID, Role, str | None], Desk] = field(default_factory=dict[tuple[UUID, Role, str | None], Desk])

    async def of(self, actor: Actor, role: Role = Role.ADMIN, name: str | None = None) -> Desk:
        """One for each organisation, role and name."""
        known = self.made.get((actor.organisation_id, role, name))
        if known:
            return known
        email = f"{unique('m').replace(' ', '')}@example.org"
        database, now = self.house.cast.database, self.house.clock.now
        new = NewMember(email, role, "no hash", name)
        await database.run(create_team_member, actor, new, now)
        token = new_token()

        async def sign_in(conn: Connection) -> UUID:
            row = await (
                await conn.execute(
                    """
                    insert into session (member_id, digest, stage, created_at, seen_at, address, agent)
                    select id, %s, 'open', %s, %s, '192.0.2.1', 'test' from member where email = %s returning member_id
                    """,
                    [digest(token), now, now, email],
                )
            ).fetchone()
            assert row is not None
            return row[0]

        member_id = await database.run(sign_in)
        http = await self.stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(self.house.app),
                base_url="http://tonnage",
                cookies={"tonnage-session": token},
                headers={"Accept": "text/html", "Accept-Language": "en-GB"},
            )
        )
        self.made[actor.organisation_id, role, name] = desk = Desk(http, token, member_id, email)
        return desk


@pytest.fixture
async def desks(house: House) -> AsyncGenerator[Desks]:
    async with AsyncExitStack() as stack:
        yield Desks(house, stack)
