"""The feed of events: order, scope, and what is kept."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.cast import NOW, TB, Cast
from tests.roles import as_owner
from tests.statements.months import sellers_with_prices
from tonnage.access.actor import Actor, Kind
from tonnage.access.audit_sequence_actions import sequence_entries
from tonnage.accounts import change_actions
from tonnage.db import Connection, Database, connect, one_row
from tonnage.errors import Gone, Invalid
from tonnage.events import actions, queries
from tonnage.events.event_feed import KEPT, FeedEvent, FeedReader
from tonnage.events.registry import EVERY_EVENT, PRIVATE_TYPES, STATEMENT_TYPES, TYPE_OF_ACTION
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange
from tonnage.statements.actions import pay
from tonnage.statements.frozen import Payment
from tonnage.webhooks.delivery_queries import make_deliveries

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ANY_TIME = LONG_AGO + KEPT
"""From here on everything that the tests write is kept: entries have the time of the database."""

WRITE = """
    insert into audit_entry (actor_kind, organisation_id, parent_id, action, subject_id, after, at)
    select 'cli', %s, %s, %s, n::text, jsonb_build_object('revision', n), %s from generate_series(1, %s) n"""


@pytest.fixture
async def own(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[tuple[str, Cast]]:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            yield conninfo, await Cast.of(database)


async def published(database: Database) -> None:
    await sequence_entries(database)
    await actions.publish(database)


async def write(
    database: Database, reader: FeedReader, action: str = "partner.update", *, at: datetime = NOW, entries: int = 1
) -> None:
    async def insert(conn: Any) -> None:
        await conn.execute(WRITE, [reader.organisation_id, None, action, at, entries])

    await database.run(insert)


async def read(
    database: Database, reader: FeedReader, after: UUID | None = None, *, now: datetime = ANY_TIME, most: int = 1_000
) -> list[FeedEvent]:
    return (await database.run(actions.read_feed, reader, after, reader.types(), most, now)).events


def data_of(event: FeedEvent) -> dict[str, Any]:
    return json.loads(event.body)["data"]


async def test_a_change_is_an_event_with_its_revision_and_what_has_changed(own: tuple[str, Cast]) -> None:
    _, cast = own
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), 3 * TB, name="Old")
    await published(cast.database)
    reader = FeedReader.of(distributor)
    before = await read(cast.database, reader)
    assert [event.type for event in before] == ["contract.created", "partner.created"]
    change = PartnerChange("New", 4 * TB)
    distributor = replace(distributor, via="key", via_id=UUID(int=1))
    await cast.database.run(partners.update_partner, distributor, partner.organisation_id, change, NOW)
    await published(cast.database)
    [event] = await read(cast.database, reader, before[-1].id)
    assert json.loads(event.body) == {
        "id": str(event.id),
        "type": "partner.updated",
        "timestamp": f"{event.at:%Y-%m-%dT%H:%M:%S}.{event.at.microsecond // 1000:03}Z",
        "data": {
            "organisationId": str(partner.organisation_id),
            "subjectId": str(partner.organisation_id),
            "revision": 2,
            "actor": {"kind": "key", "organisationId": str(distributor.organisation_id)},
            "before": {"name": "Old", "allocatedCapacity": 3 * TB, "allowOverdraft": None},
            "after": {"name": "New", "allocatedCapacity": 4 * TB, "allowOverdraft": None},
        },
    }
    assert await read(cast.database, FeedReader.of(partner), before[-1].id) == [event]
    assert await read(cast.database, FeedReader.of(cast.operator), before[-1].id) == [event]


async def test_revisions_of_an_account_rise_with_each_event(own: tuple[str, Cast]) -> None:
    _, cast = own
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    await cast.region()
    account = await cast.account(partner)
    run, whose = cast.database.run, partner.organisation_id
    await run(change_actions.suspend_account, partner, whose, account, "Unpaid", NOW)
    await run(change_actions.resume_account, partner, whose, account)
    await published(cast.database)
    found = [event for event in await read(cast.database, FeedReader.of(partner)) if event.type.startswith("account.")]
    assert [(event.type, data_of(event)["revision"]) for event in found] == [
        ("account.created", 1),
        ("account.suspended", 2),
        ("account.resumed", 3),
    ]
    assert "after" not in data_of(found[-1])


async def test_strangers_see_nothing_and_what_is_private_stays_private(own: tuple[str, Cast]) -> None:
    _, cast = own
    distributor, stranger = await cast.distributor(), await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    other = await cast.partner(distributor, await cast.contract(distributor))
    [private] = {action for action, type_ in TYPE_OF_ACTION.items() if type_ == "statement.paid"}
    for whose, parent in ((distributor, None), (partner, distributor)):

        async def insert(conn: Any, whose: Actor = whose, parent: Actor | None = parent) -> None:
            await conn.execute(
                """
                insert into audit_entry (actor_kind, organisation_id, parent_id, action, subject_id)
                values ('cli', %s, %s, %s, gen_random_uuid()::text)""",
                [whose.organisation_id, parent and parent.organisation_id, private],
            )

        await cast.database.run(insert)
    await published(cast.database)

    async def paid(actor: Actor) -> list[str]:
        found = await read(cast.database, FeedReader.of(actor))
        return [data_of(event)["organisationId"] for event in found if event.type in PRIVATE_TYPES]

    assert await paid(distributor) == [str(distributor.organisation_id)]
    assert await paid(partner) == [str(partner.organisation_id)]
    assert await paid(cast.operator) == []
    strangers = {str(distributor.organisation_id), str(partner.organisation_id)}
    for actor in (stranger, other):
        assert not strangers & {
            data_of(event)["organisationId"] for event in await read(cast.database, FeedReader.of(actor))
        }
    [event] = [one for one in await read(cast.database, FeedReader.of(partner)) if one.type == "partner.created"]
    for actor in (stranger, other):
        with pytest.raises(Gone):
            await read(cast.database, FeedReader.of(actor), event.id)
        assert await cast.database.run(queries.find_event, FeedReader.of(actor), event.id) is None
    assert await cast.database.run(queries.find_event, FeedReader.of(distributor), event.id) == event


async def test_every_type_is_of_one_label_and_says_what_has_happened() -> None:
    by_type: dict[str, set[str]] = {}
    for event in EVERY_EVENT:
        if event.type is not None:
            by_type.setdefault(event.type, set()).add(event.label)
    assert len(by_type) > 30
    assert {type_: labels for type_, labels in by_type.items() if len(labels) > 1} == {}
    assert all(type_.count(".") == 1 and type_ == type_.lower() for type_ in by_type)


async def test_types_that_one_cannot_see_are_refused() -> None:
    for kind, type_ in ((Kind.PARTNER, "region.created"), (Kind.OPERATOR, "partner.exploded")):
        with pytest.raises(Invalid, match=type_):
            FeedReader(UUID(int=1), kind).types([type_])
    assert FeedReader(UUID(int=1), Kind.OPERATOR).types(["region.created"]) == ["region.created"]


async def test_a_slow_transaction_comes_later_and_is_not_missed(own: tuple[str, Cast]) -> None:
    conninfo, cast = own
    reader = FeedReader.of(await cast.distributor())
    seen: list[FeedEvent] = []
    async with await psycopg.AsyncConnection.connect(conninfo) as slow:
        await slow.execute(WRITE, [reader.organisation_id, None, "partner.move", NOW, 1])
        for _ in range(3):
            await write(cast.database, reader)
            await published(cast.database)
            seen += await read(cast.database, reader, seen[-1].id if seen else None)
        await slow.commit()
    await published(cast.database)
    assert [event.type for event in seen] == ["partner.updated"] * 3
    assert [event.type for event in await read(cast.database, reader, seen[-1].id)] == ["partner.moved"]


async def test_100_000_events_are_read_in_pages_while_they_are_written(own: tuple[str, Cast]) -> None:
    """Eight writers whose transactions end in another order than they begin."""
    _, cast = own
    database, total, writers = cast.database, 100_000, 8
    reader = FeedReader.of(await cast.distributor())

    async def some(number: int) -> None:
        async def insert(conn: Any) -> None:
            for entries in (500, 2_000):
                await conn.execute(WRITE, [reader.organisation_id, None, "partner.update", NOW, entries])
                await conn.execute("select pg_sleep(%s)", [(number * 7 % 5) / 500])

        for _ in range(total // writers // 2_500):
            await database.transaction(insert)

    async def sequence() -> None:
        while True:
            await published(database)
            await asyncio.sleep(0)

    writing = asyncio.gather(*(some(number) for number in range(writers)))
    sequencing = asyncio.create_task(sequence())
    seen: list[FeedEvent] = []
    after: UUID | None = None
    try:
        while len(seen) < total:
            page = await database.run(actions.read_feed, reader, after, reader.types(), 1_000, ANY_TIME)
            seen += page.events
            after = page.next
            if writing.done() and not page.events:
                await published(database)
        await writing
    finally:
        sequencing.cancel()
    assert len({event.id for event in seen}) == total
    assert [event.position for event in seen] == sorted(event.position for event in seen)
    assert not (await database.run(actions.read_feed, reader, after, reader.types(), 10, ANY_TIME)).events


async def test_the_next_page_leads_on_past_events_of_other_types(own: tuple[str, Cast]) -> None:
    _, cast = own
    reader = FeedReader.of(await cast.distributor())
    await write(cast.database, reader, entries=5)
    await published(cast.database)
    page = await cast.database.run(actions.read_feed, reader, None, ["member.created"], 10, ANY_TIME)
    assert page.events == []
    assert page.next == (await read(cast.database, reader))[-1].id
    await write(cast.database, reader, "member.create")
    await published(cast.database)
    page = await cast.database.run(actions.read_feed, reader, page.next, ["member.created"], 10, ANY_TIME)
    assert [event.type for event in page.events] == ["member.created"]


async def test_a_reader_that_has_missed_nothing_reads_on_however_long_it_was_away(own: tuple[str, Cast]) -> None:
    _, cast = own
    database, old = cast.database, FeedReader.of(await cast.distributor())
    await write(database, old, at=NOW - timedelta(days=200), entries=3)
    await published(database)
    seen = await read(database, old)
    await actions.delete_old(database, NOW)
    assert await read(database, old, now=NOW) == []
    # Its last event is older than events are kept, and nothing has happened since.
    page = await database.run(actions.read_feed, old, seen[-1].id, old.types(), 10, NOW)
    assert (page.events, page.next) == ([], seen[-1].id)
    await write(database, old)
    await published(database)
    await actions.delete_old(database, NOW)
    assert len(await read(database, old, seen[-1].id, now=NOW)) == 1
    assert len(await read(database, old, now=NOW)) == 1


async def test_a_reader_that_may_have_missed_events_learns_it(own: tuple[str, Cast]) -> None:
    _, cast = own
    database, reader = cast.database, FeedReader.of(await cast.distributor())
    for days in (40, 35, 31, 1):
        await write(database, reader, at=NOW - timedelta(days=days))
        await published(database)
    first, second, third, last = await read(database, reader)
    for is_deleted in (False, True):
        for missed in (first, second):
            with pytest.raises(Gone):
                await read(database, reader, missed.id, now=NOW)
        assert await read(database, reader, third.id, now=NOW) == [last], is_deleted
        await actions.delete_old(database, NOW)
    with pytest.raises(Gone):
        await read(database, reader, UUID(int=7), now=NOW)


async def test_where_nothing_is_new_nothing_is_locked_or_written(own: tuple[str, Cast]) -> None:
    _, cast = own
    await write(cast.database, FeedReader.of(await cast.distributor()))
    # No event is made of the newest entry, as of most.
    await write(cast.database, FeedReader.of(await cast.distributor()), "member.sign-in")
    await published(cast.database)

    async def is_written(conn: Connection, statement: Any, *params: Any) -> bool:
        await statement(conn, *params)
        # A row that is locked gives the transaction an id, as one that is written does.
        cursor = await conn.execute("select pg_current_xact_id_if_assigned() is not null")
        return (await one_row(cursor))[0]

    transaction, idle = cast.database.transaction, list[bool]()
    await transaction(is_written, make_deliveries, 10, NOW)
    for _ in range(2):
        idle.append(await transaction(is_written, queries.publish, TYPE_OF_ACTION, 10))
        idle.append(await transaction(is_written, make_deliveries, 10, NOW))
    assert idle == [False] * 4
    await write(cast.database, FeedReader.of(await cast.distributor()))
    await sequence_entries(cast.database)
    assert await transaction(is_written, queries.publish, TYPE_OF_ACTION, 10)
    assert await transaction(is_written, make_deliveries, 10, NOW)


async def test_a_distributor_misses_nothing_of_a_partner_behind_an_old_event_of_another(own: tuple[str, Cast]) -> None:
    _, cast = own
    database, distributor = cast.database, await cast.distributor()

    async def of(partner: int, days: int) -> None:
        async def insert(conn: Any) -> None:
            at = NOW - timedelta(days=days)
            await conn.execute(WRITE, [UUID(int=partner), distributor.organisation_id, "account.update", at, 1])

        await database.run(insert)
        await published(database)

    await of(1, 50)
    await of(2, 40)
    await of(2, 35)
    await of(2, 1)
    reader = FeedReader.of(distributor)
    [of_one, *_, new] = await read(database, reader)
    await actions.delete_old(database, NOW)
    with pytest.raises(Gone):
        await read(database, reader, of_one.id, now=NOW)
    assert await read(database, reader, now=NOW) == [new]


async def test_what_is_too_long_is_left_out(own: tuple[str, Cast]) -> None:
    _, cast = own
    reader = FeedReader.of(await cast.distributor())

    async def insert(conn: Any) -> None:
        for length in (15_000, 40_000):
            await conn.execute(
                """
                insert into audit_entry (actor_kind, organisation_id, action, subject_id, before)
                values ('cli', %s, 'partner.update', 'x', jsonb_build_object('name', repeat('ä', %s)))""",
                [reader.organisation_id, length // 2],
            )

    await cast.database.run(insert)
    await published(cast.database)
    whole, shortened = await read(cast.database, reader)
    assert "before" in data_of(whole)
    assert data_of(shortened)["isShortened"] is True
    assert "before" not in data_of(shortened)
    assert max(len(event.body) for event in (whole, shortened)) < 20_000


async def test_events_begin_with_the_upgrade(own: tuple[str, Cast]) -> None:
    conninfo, cast = own
    reader = FeedReader.of(await cast.distributor())
    await write(cast.database, reader, entries=3)
    await sequence_entries(cast.database)
    with psycopg.connect(as_owner(conninfo)) as conn:
        conn.execute("update event_progress set position = (select max(position) from audit_sequence)")
    await write(cast.database, reader, "partner.move")
    await published(cast.database)
    assert [event.type for event in await read(cast.database, reader)] == ["partner.moved"]


async def test_the_guide_lists_the_types() -> None:
    guide = (Path(__file__).parents[2] / "docs/events.md").read_text()
    listed = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \| (.*?) \|$", guide, re.MULTILINE)
    expected = {
        event.type: (
            event.label,
            "its own organisation alone"
            if event.is_private
            else {len(Kind): "all", 1: "operator"}.get(len(event.audiences), "operator, distributor"),
        )
        for event in EVERY_EVENT
        if event.type is not None
    }
    assert {type_: (label, who) for type_, label, who in listed} == expected
    assert [type_ for type_, _, _ in listed] == sorted(expected)


async def test_statements_are_events_with_their_sums_for_seller_and_buyer_alone(own: tuple[str, Cast]) -> None:
    _, cast = own
    await cast.region()
    found = await sellers_with_prices(cast)
    await found.freeze(found.distributor)
    await published(cast.database)
    ((statement_id, gross),) = await found.rows("id, gross", found.distributor)

    async def of(actor: Actor) -> dict[str, dict[str, Any]]:
        events = await read(cast.database, FeedReader.of(actor))
        return {event.type: data_of(event)["statement"] for event in events if event.type in STATEMENT_TYPES}

    sold = (await of(found.distributor))["statement.frozen"]
    assert (sold["id"], sold["number"], sold["gross"]) == (str(statement_id), "INV-2026-00001", str(gross))
    assert sold["path"] == f"/ext/v1/statements/{statement_id}"
    assert (sold["buyer"], sold["seller"]) == (
        str(found.partner.organisation_id),
        str(found.distributor.organisation_id),
    )
    assert await of(found.partner) == {"statement.received": sold}
    assert await of(cast.operator) == {}
    # What is paid later does not change what was said.
    await cast.database.run(pay, found.distributor, statement_id, Payment(date(2026, 4, 2), "Line 4"))
    await published(cast.database)
    assert await of(found.distributor) == {"statement.frozen": sold, "statement.paid": sold}
    assert await of(found.partner) == {"statement.received": sold}
