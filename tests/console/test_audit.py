"""The audit log, as a page and as a file."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tonnage.access.actor import Actor, Role
from tonnage.access.audit import AuditEntry
from tonnage.console.organisation import audit_search
from tonnage.console.organisation.audit_diff import accounts_in, changes, name_of
from tonnage.partners.actions import update_partner
from tonnage.partners.partner import PartnerChange

pytestmark = pytest.mark.anyio


@pytest.fixture
async def distributor(client: AppClient) -> Actor:
    return await client.cast.distributor()


@pytest.fixture
async def viewer(client: AppClient, distributor: Actor) -> Browser:
    return await client.sign_in(distributor, Role.VIEWER)


async def record(client: AppClient, actor: Actor, action: str, subject: str, before: Any, after: Any) -> int:
    """An entry as the product's statements write it."""
    (entry,) = await client.cast.row(
        "select audit(%s, %s, %s, %s, %s, %s)",
        actor.stamp,
        actor.organisation_id,
        action,
        subject,
        json.dumps(before) if before else None,
        json.dumps(after) if after else None,
    )
    return entry


async def lines(browser: Browser, query: str = "") -> list[dict[str, str]]:
    answer = await browser.get(f"/audit.csv{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def test_actor_action_and_previous_values(client: AppClient, distributor: Actor, viewer: Browser) -> None:
    contract = await client.cast.contract(distributor, 10 * TB)
    partner = await client.cast.partner(distributor, contract, 2 * TB, name="<b>Hill</b>")
    staff = await client.sign_in(distributor, Role.STAFF)
    actor = Actor(distributor.organisation_id, distributor.kind, Role.STAFF, "member", staff.member_id)
    change = PartnerChange(allocated_capacity=3 * TB)
    await client.cast.database.run(update_partner, actor, partner.organisation_id, change, client.clock.now)
    page = await viewer.get("/audit?action=partner.update")
    assert page.status_code == 200
    assert "Changed partner" in page.text.split("<tbody>")[1]
    assert staff.email in page.text
    assert "&lt;b&gt;Hill&lt;/b&gt;" in page.text
    before, after = page.text.index("2\N{NARROW NO-BREAK SPACE}TB"), page.text.index("3\N{NARROW NO-BREAK SPACE}TB")
    assert before < after
    assert "Created partner" not in page.text.split("<tbody>")[1]


async def test_a_partners_own_audit_log(client: AppClient, distributor: Actor) -> None:
    contract = await client.cast.contract(distributor, 10 * TB, details="Secret contract")
    partner = await client.cast.partner(distributor, contract, 2 * TB)
    staff = await client.sign_in(distributor, Role.STAFF)
    by_distributor = Actor(distributor.organisation_id, distributor.kind, Role.STAFF, "member", staff.member_id)
    change = PartnerChange(allocated_capacity=3 * TB)
    await client.cast.database.run(update_partner, by_distributor, partner.organisation_id, change, client.clock.now)
    page = await (await client.sign_in(partner, Role.STAFF)).get("/audit")
    assert "Changed partner" in page.text
    assert staff.email not in page.text
    assert "Secret contract" not in page.text
    assert "Secret contract" in (await (await client.sign_in(distributor, Role.VIEWER)).get("/audit")).text


async def test_it_is_found_by_name_of_the_thing_and_of_who_did_it(
    client: AppClient, distributor: Actor, viewer: Browser
) -> None:
    contract = await client.cast.contract(distributor, 10 * TB)
    hill = await client.cast.partner(distributor, contract, name="Hill 100%")
    await client.cast.partner(distributor, contract, name="Dale")
    await client.cast.region()
    account = await client.cast.account(hill, name="Bakery")
    assert {line["ID"] for line in await lines(viewer, "?q=hILL")} == {str(hill.organisation_id)}
    assert {line["ID"] for line in await lines(viewer, "?q=%25")} == {str(hill.organisation_id)}
    assert {line["ID"] for line in await lines(viewer, "?q=bakery")} == {str(account)}
    assert {line["ID"] for line in await lines(viewer, f"?q={account}")} == {str(account)}
    assert await lines(viewer, "?q=nobody+at+all") == []
    staff = await client.sign_in(distributor, Role.STAFF)
    actor = Actor(distributor.organisation_id, distributor.kind, Role.STAFF, "member", staff.member_id)
    await record(client, actor, "key.revoke", str(uuid4()), None, None)
    assert [line["Action"] for line in await lines(viewer, f"?q={staff.email}")] == ["key.revoke", "member.create"]
    assert [line["Action"] for line in await lines(viewer, f"?actor={staff.member_id}")] == ["key.revoke"]


async def test_pages_follow_each_other_without_gap_or_repetition(
    client: AppClient, distributor: Actor, viewer: Browser
) -> None:
    subjects = [str(number) for number in range(120)]
    for subject in subjects:
        await record(client, distributor, "test.page", subject, None, None)
    seen: list[str] = []
    path: str | None = "/audit?action=test"
    while path:
        page = (await viewer.get(path)).text
        seen += re.findall(r"subject=(\d+)\"", page)
        path = link(page, "next")
    assert seen == subjects[::-1]
    assert [line["ID"] for line in await lines(viewer, "?action=test&before=1")] == subjects[::-1]


async def test_pages_from_the_oldest_entries_to_the_newest(
    client: AppClient, distributor: Actor, viewer: Browser
) -> None:
    """While entries are added, which the first page has and no other one."""
    subjects = [str(number) for number in range(120)]
    for subject in subjects:
        await record(client, distributor, "test.page", subject, None, None)
    first = (await viewer.get("/audit?action=test")).text
    assert links(first) == {"next", "last"}
    path: str | None = link(first, "last")
    seen: list[str] = []
    pages = [{"first", "prev"}, {"first", "prev", "next", "last"}, {"next", "last"}]
    for number, shown in enumerate(pages):
        assert path is not None
        page = (await viewer.get(path)).text
        assert links(page) == shown
        seen = re.findall(r"subject=(\d+)\"", page) + seen
        path = link(page, "prev")
        await record(client, distributor, "test.page", str(120 + number), None, None)
    assert path is None
    assert seen == [str(number) for number in range(121, -1, -1)]


async def test_a_page_beyond_all_entries_is_the_newest_or_the_oldest_one(
    client: AppClient, distributor: Actor, viewer: Browser
) -> None:
    entries = [await record(client, distributor, "test.page", str(number), None, None) for number in range(60)]
    for query, oldest in ((f"after={entries[-1]}", 10), ("after=" + "9" * 18, 10), ("before=0", 0)):
        page = (await viewer.get(f"/audit?action=test&{query}")).text
        assert re.findall(r"subject=(\d+)\"", page) == [str(oldest + number) for number in range(49, -1, -1)]


def links(page: str) -> set[str]:
    return set(re.findall(r'rel="(first|prev|next|last)" href="/audit', page))


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


async def test_the_file_is_harmless_and_says_what_the_page_says(
    client: AppClient, distributor: Actor, viewer: Browser
) -> None:
    await record(client, distributor, "test.harm", "=cmd", None, {"name": '=HYPERLINK("x")'})
    (line,) = await lines(viewer, "?action=test.harm")
    assert line["ID"] == "'=cmd"
    assert line["Name"] == '\'=HYPERLINK("x")'
    assert line["Actor type"] == "cli"
    assert json.loads(line["After"]) == {"name": '=HYPERLINK("x")'}
    page = await viewer.get("/audit?action=test.harm")
    assert "test.harm" in page.text
    assert 'href="/audit.csv?action=test.harm"' in page.text


async def test_other_organisations_entries_are_not_shown(
    client: AppClient, distributor: Actor, viewer: Browser
) -> None:
    stranger = await client.cast.distributor()
    await record(client, stranger, "test.foreign", "foreign-thing", None, None)
    for query in ("", "?subject=foreign-thing", "?q=foreign-thing", "?action=test.foreign"):
        assert "test.foreign" not in (await viewer.get(f"/audit{query}")).text.split('id="list"')[1]
        assert all(line["ID"] != "foreign-thing" for line in await lines(viewer, query))


@pytest.mark.parametrize(
    "query",
    [
        "?before=x",
        "?before=-1",
        "?after=x",
        "?page=2",
        "?from=2026-02-30&to=9999-12-31",
        "?actor=1",
        "?q=%00&action=%00",
        "?subject=%0a",
    ],
)
async def test_unreadable_filters_are_ignored(viewer: Browser, query: str) -> None:
    answer = await viewer.get(f"/audit{query}")
    assert answer.status_code == 200
    assert "Added member" in answer.text


def test_days_are_those_of_the_reader() -> None:
    search = audit_search.read_search({"from": "2026-03-29", "to": "2026-03-29"})
    chosen = search.filter(ZoneInfo("Europe/Berlin"), None)
    assert chosen.since == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert chosen.until == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert audit_search.read_search(search.parameters) == search


def entry(action: str, subject: str, before: Any, after: Any) -> AuditEntry:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return AuditEntry(
        1, at, "cli", None, None, None, UUID(int=1), None, action, subject, None, before, after, None, None
    )


def test_only_changed_values_are_shown() -> None:
    changed = entry(
        "partner.update",
        "x",
        {"name": "Hill", "allocatedCapacity": 1, "extra": 1},
        {"name": "Hill", "allocatedCapacity": 0, "extra": 2},
    )
    assert [tuple(one) for one in changes(changed)] == [("Allocation", "allocation", 1, 0), ("extra", "text", 1, 2)]
    removed = entry("account.purge", "000012", {"name": "Hill", "allocatedCapacity": 5}, None)
    assert [tuple(one) for one in changes(removed)] == [("Allocation", "allocation", 5, None)]
    assert name_of(removed) == "Hill"
    assert accounts_in([removed, changed, entry("account.create", "odd", None, None)]) == {12}
    assert changes(entry("test.odd", "x", ["list"], "text")) == []


async def test_viewers_read_the_record_of_their_organisation(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    for actor in (distributor, await client.cast.partner(distributor, await client.cast.contract(distributor))):
        viewer = await client.sign_in(actor, Role.VIEWER)
        assert 'href="/audit"' in (await viewer.get("/audit")).text
        assert (await viewer.get("/audit.csv")).status_code == 200
