"""Every POST of the console leaves an audit entry of its sender, or is listed with the reason why not."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.api.conftest import AccountData, AppClient, account_data
from tests.authentication.members import OTHER_WORD, WORD, Person, key_file
from tests.console.browsers import Browser
from tests.console.guests import ann, browser, send, sign_in
from tests.console.posts import POSTS, SHOWN_ELSEWHERE, WITHOUT_ENTRY, Post
from tests.console.test_authorization import block_of, book_of, session_of
from tests.console.test_profile_second_factor import enrol
from tests.statements.months import february
from tonnage.access.actor import Actor, Kind, Role
from tonnage.asgi import create_app
from tonnage.jobs import defer
from tonnage.members.actions import create_team_member
from tonnage.members.member import NewMember

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')

ENTRIES = "select count(*) from audit_entry where actor_kind = 'member' and actor_id = %s"


def test_every_post_is_here() -> None:
    """The routes are those of the application: a new page must declare the entry that it leaves."""
    routes = create_app("postgresql://not-asked").routes
    posts = {route.path for route in routes if isinstance(route, APIRoute) and "POST" in (route.methods or ())
             and route.endpoint.__module__.startswith("tonnage.console.")}  # fmt: skip
    named = [*(post.path for post in POSTS), *WITHOUT_ENTRY, *SHOWN_ELSEWHERE]
    assert len(posts) > 60
    assert sorted(named) == sorted(posts)


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.path)
async def test_it_leaves_an_entry(post: Post, client: AppClient, tmp_path: Path) -> None:
    state = client.app.state
    state.services = replace(state.services, key_file=key_file(tmp_path))
    data = await account_data(client)
    actors = {Kind.OPERATOR: client.cast.operator, Kind.DISTRIBUTOR: data.distributor}
    actor = actors.get(post.kind, data.partner)
    visitor = await client.sign_in(actor)
    values = await values_of(client, data, post, visitor)
    if post.after:
        await prepare(client, post.after, values)
    path = post.path.format(**values)
    page = await visitor.get(path)
    # A browser sends the hidden fields, too.
    hidden = (
        {name: html.unescape(value) for name, value in _HIDDEN.findall(page.text)} if page.status_code == 200 else {}
    )
    fields = {name: value.format(**values) for name, value in post.fields.items()}
    before = await client.cast.row(ENTRIES, visitor.member_id)
    sent = await visitor.post(path, {**hidden, **fields})
    assert sent.status_code in {200, 303}, sent.text
    assert await client.cast.row(ENTRIES, visitor.member_id) > before


async def prepare(client: AppClient, statement: Any, values: dict[str, object]) -> None:
    async def prepare(conn: Any) -> None:
        changed = await conn.execute(statement, values)
        assert changed.rowcount == 1

    await client.cast.database.run(prepare)


async def values_of(client: AppClient, data: AccountData, post: Post, visitor: Browser) -> dict[str, object]:
    """The values that are filled into paths and statements."""
    cast, partner = client.cast, data.partner.organisation_id
    if post.path.endswith("{partnerID}/delete"):
        # A partner without accounts.
        partner = (await cast.partner(data.distributor, data.contract)).organisation_id
    distributor = data.distributor
    if post.path.endswith("{distributorID}/close"):
        # One without partners.
        distributor = await cast.distributor()
    own = data.distributor if post.kind is Kind.DISTRIBUTOR else cast.operator
    member = data.member
    if post.path.startswith(("/team/{", "/team/sessions")):
        colleague = NewMember(f"{uuid4().hex}@example.org", Role.VIEWER, "no hash", None)
        await cast.database.run(create_team_member, own, colleague, cast.now)
        (member,) = await cast.row("select id from member where email = %s", colleague.email)
    if "{month}" in post.path:
        await february(cast, data.distributor, data.contract)
    return {
        "now": cast.now,
        "later": cast.now + timedelta(days=40),
        "own": own.organisation_id,
        "self": visitor.member_id,
        "partner": partner,
        "account": data.account,
        "member": member,
        "distributorID": distributor.organisation_id,
        "contractID": data.contract,
        "otherContractID": await cast.contract(data.distributor),
        "partnerID": partner,
        "organisationID": partner,
        "accountID": data.account,
        "memberID": member,
        "validFrom": "2026-01-01",
        "bookID": await book_of(client, {Kind.OPERATOR: cast.operator, Kind.PARTNER: data.partner}.get(post.kind, own)),
        "number": 1,
        "statementID": data.statement,
        "line": 1,
        "month": "2026-02",
        "keyID": await _key(client, data.partner if "partnerID" in post.path else data.distributor)
        if "keyID" in post.path
        else None,
        "region": await cast.region(),
        "webhookID": data.webhook.id,
        "secretID": data.webhook.secret,
        "deliveryID": data.webhook.delivery,
        "newRegion": f"r{uuid4().hex[:12]}",
        "email": f"{uuid4().hex}@example.org",
        "sessionID": await session_of(client, member),
        "blockID": await block_of(client, member),
        **(await _job(client) if "/jobs/" in post.path else {}),
    }


async def _key(client: AppClient, holder: Actor) -> UUID:
    await client.key(holder)
    query = "select id from api_key where organisation_id = %s limit 1"
    (key_id,) = await client.cast.row(query, holder.organisation_id)
    return key_id


async def _job(client: AppClient) -> dict[str, object]:
    subject = str(uuid4())
    await client.cast.database.run(defer, "provisioning.requota", subject)
    (job_id,) = await client.cast.row("select id from procrastinate_jobs where args->>'subject' = %s", subject)
    return {"jobID": job_id, "subject": subject}


async def test_members_own_credentials(
    browser: httpx.AsyncClient, ann: Person, client: AppClient, tmp_path: Path
) -> None:
    """Each step needs the result of the previous one."""
    client.app.state.services = replace(client.app.state.services, key_file=key_file(tmp_path))
    await sign_in(browser, ann)
    (signed_in,) = await client.cast.row(ENTRIES, ann.id)

    async def entries() -> int:
        return (await client.cast.row(ENTRIES, ann.id))[0] - signed_in

    factor = "/profile/second-factor"
    app, codes = await enrol(browser, client)
    assert await entries() == 1
    # The used recovery code has an entry of its own.
    assert (await send(browser, f"{factor}/recovery-codes", {"code": codes[0]})).status_code == 200
    assert await entries() == 3
    client.clock.now += timedelta(minutes=1)
    assert (await send(browser, f"{factor}/removal", {"code": app.at(client.clock.now)})).status_code == 303
    assert await entries() == 4
    assert (await send(browser, "/profile/password", {"current": WORD, "new": OTHER_WORD})).status_code == 303
    assert await entries() == 5
