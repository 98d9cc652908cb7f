"""Browsers of signed-in members, without scripts."""

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from uuid import UUID

import httpx
from fastapi import FastAPI

from tests.cast import Cast, unique
from tests.unchanged import RefusalCheck
from tonnage.access.actor import Actor, Role
from tonnage.db import Connection
from tonnage.members.actions import create_team_member
from tonnage.members.member import NewMember
from tonnage.tokens import digest, new_token
from tonnage.web import csrf

_WAS = re.compile(r'name="(was\.[^"]+)" value="([^"]*)"')
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Browser:
    """`page = await browser.get("/team")`, `await browser.send("/team/new", {...})`."""

    http: httpx.AsyncClient
    token: str
    member_id: UUID
    email: str
    refusal_check: RefusalCheck

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def send(self, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
        """Sends the form of the page at `path` with the page's token and the original values, as a browser does."""
        return await self.submit(path, {**await self.form(path), **(fields or {})})

    async def form(self, path: str) -> dict[str, str]:
        """The token and the original values of the form at `path`."""
        page = await self.http.get(path)
        found = _CSRF.search(page.text)
        assert found, f"there is no form at {path}: {page.status_code}"
        return {"csrf": found[1], **{name: unescape(text) for name, text in _WAS.findall(page.text)}}

    async def post(self, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
        """Sends the form without reading the page, which may be refused."""
        return await self.submit(path, {"csrf": csrf.token(self.token), **(fields or {})})

    async def submit(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Sends these fields and no others."""
        return await self.refusal_check.send(lambda: self.http.post(path, data=fields))


async def browser_of(
    app: FastAPI, cast: Cast, actor: Actor, role: Role, name: str | None, now: datetime, refusal_check: RefusalCheck
) -> Browser:
    """A new member of the actor's organisation, in a session of its own. The caller closes its `http`."""
    email = f"{unique('m').replace(' ', '')}@example.org"
    new = NewMember(email, role, "no hash", name)
    await cast.database.run(create_team_member, actor, new, now)
    token = new_token()

    async def sign_in(conn: Connection) -> UUID:
        row = await (
            await conn.execute(
                """
                insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
                select id, %s, 'open', %s, %s, '192.0.2.1', 'test' from member where email = %s returning member_id
                """,
                [digest(token), now, now, email],
            )
        ).fetchone()
        assert row is not None
        return row[0]

    member_id = await cast.database.run(sign_in)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://tonnage",
        cookies={"tonnage-session": token},
        headers={"Accept": "text/html", "Accept-Language": "en-GB"},
    )
    return Browser(http, token, member_id, email, refusal_check)
