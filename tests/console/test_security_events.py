"""What is recorded of sign-ins, failures, exports and refusals: entries, and a line for each in the log."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import WORD, Person
from tests.console.guests import ann, browser, send, sign_in
from tonnage.access.actor import Role
from tonnage.security_events.actions import delete_addresses, write_counted
from tonnage.security_events.security_log import LOGGER

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)


ENTRIES = """
    select array_agg(a.action || coalesce(' ' || (a.after->>'times'), '') order by a.id), count(distinct c.address),
        count(c.request_id)
    from audit_entry a left join audit_entry_client c on c.entry_id = a.id
    where a.subject_id = %s and a.action not in ('member.create', 'key.create')"""


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says about security so far."""
    return [one.getMessage() for one in caplog.records if one.name == LOGGER]


def names(said: list[str]) -> list[str]:
    return [line.split(" ")[0] for line in said]


async def counted(client: AppClient) -> None:
    await write_counted(client.cast.database, client.clock.now + timedelta(hours=1, minutes=1))


async def test_sign_ins_and_the_ends_of_sessions(
    client: AppClient, browser: httpx.AsyncClient, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await sign_in(browser, ann, "wrong")).status_code == 422
    assert (await sign_in(browser, ann, "\n member.sign-in member=forged")).status_code == 422
    assert (await sign_in(browser, ann)).status_code == 303
    other = (await ann.sign_in(now=client.clock.now)).token
    visitor = await ann.visit(other, client.clock.now)
    assert visitor
    await send(browser, "/profile/sessions", {}, f"/profile/sessions/{visitor.session_id}/end")
    await ann.sign_in(now=client.clock.now)
    await send(browser, "/profile/sessions", {}, "/profile/sessions/others/end")
    await send(browser, "/profile", {}, "/sign-out")
    await counted(client)
    actions, addresses, requests = await client.cast.row(ENTRIES, str(ann.id))
    through_pages = ["member.sign-in", "member.end-sessions", "member.end-sessions", "member.sign-out"]
    assert [one for one in actions if not one.endswith("password 2")] == [
        *through_pages[:1],
        "member.sign-in",
        "member.end-sessions",
        "member.sign-in",
        *through_pages[2:],
    ]
    assert actions[-1] == "member.fail-password 2"
    # The two sign-ins of the test itself come from no request.
    assert (addresses, requests) == (1, len(actions) - 2)
    said = [line for line in lines(caplog) if f" member={ann.id} " in line]
    assert sorted(names(said)) == sorted(["member.fail-password"] * 2 + ["member.sign-in"] * 2 + through_pages)
    assert all("forged" not in line and line.isprintable() for line in lines(caplog))


async def test_an_unknown_address_has_a_line_and_no_entry(
    client: AppClient, browser: httpx.AsyncClient, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = replace(ann, email=f"{uuid4().hex}@example.org")
    await counted(client)
    before = await client.cast.row("select count(*) from audit_entry")
    for _ in range(2):
        assert (await sign_in(browser, stranger)).status_code == 422
    assert (await send(browser, "/sign-in/forgotten", {"email": stranger.email})).status_code == 303
    (rows,) = await client.cast.row("select count(*) from counted_event where organisation_id is null")
    assert rows == 2
    await counted(client)
    assert await client.cast.row("select count(*) from audit_entry") == before
    assert await client.cast.row("select count(*) from counted_event where organisation_id is null") == (0,)
    said = lines(caplog)
    assert names(said) == ["member.fail-password"] * 2 + ["member.request-password"]
    assert not any("organisation=" in text or "member=" in text or stranger.email in text for text in said)


async def test_a_flood_of_refusals_is_one_entry(client: AppClient, caplog: pytest.LogCaptureFixture) -> None:
    distributor = await client.cast.distributor()
    key = await client.key(distributor, Role.VIEWER)
    (key_id,) = await client.cast.row("select id from api_key where organisation_id = %s", distributor.organisation_id)
    body = {"distributorContractId": str(uuid4()), "name": "Hill", "allocatedCapacity": 0}
    answers = await asyncio.gather(
        *(client.call("POST", "/v1/partner", key, json=body) for _ in range(30)),
        *(client.call("GET", "/metrics", key) for _ in range(3)),
    )
    assert {answer.status_code for answer in answers} == {403}
    await counted(client)
    actions, _, requests = await client.cast.row(ENTRIES, str(key_id))
    assert sorted(actions) == ["key.refuse 3", "key.refuse 30"]
    assert requests == 2
    assert names(lines(caplog)) == ["key.refuse"] * 33
    assert all(f" key={key_id} " in line for line in lines(caplog))


async def test_a_refused_page_and_the_files_that_were_exported(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    viewer = await client.sign_in(distributor, Role.VIEWER)
    assert (await viewer.get("/team/new")).status_code == 403
    for path in ("/distributor/partners.csv", "/audit.csv"):
        assert (await viewer.get(path)).status_code == 200
    await counted(client)
    refused = await client.cast.row(
        """
        select action, after->>'code', organisation_id from audit_entry
        where subject_id = %s and action <> 'member.create'
        """,
        str(viewer.member_id),
    )
    assert refused == ("member.refuse", "role_too_low", distributor.organisation_id)
    exported = await client.cast.row(
        """
        select array_agg(after->>'file' order by id), count(distinct actor_id), min(actor_id::text)
        from audit_entry where subject_id = %s and action = 'organisation.export-file'
        """,
        str(distributor.organisation_id),
    )
    assert exported == (["partners.csv", "audit.csv"], 1, str(viewer.member_id))


async def test_addresses_are_deleted_after_their_time(
    client: AppClient, browser: httpx.AsyncClient, ann: Person
) -> None:
    await sign_in(browser, ann, WORD)
    kept = "select count(*) from audit_entry_client c join audit_entry a on a.id = c.entry_id where a.subject_id = %s"
    assert await client.cast.row(kept, str(ann.id)) == (1,)
    (at,) = await client.cast.row(
        "select at from audit_entry where subject_id = %s and action = 'member.sign-in'", str(ann.id)
    )
    age = timedelta(days=90)
    await delete_addresses(client.cast.database, age, at + age - timedelta(seconds=1))
    assert await client.cast.row(kept, str(ann.id)) == (1,)
    await delete_addresses(client.cast.database, age, at + age)
    assert await client.cast.row(kept, str(ann.id)) == (0,)
