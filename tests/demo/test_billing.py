"""What the sample data has sold: a year of statements on three levels."""

from pathlib import Path
from typing import Any

import pytest

from tests.demo.starting import NOW, start
from tonnage.credit_notes.queries import credited_ids
from tonnage.credit_notes.queries import verify as verify_credit_notes
from tonnage.db import Connection, Database
from tonnage.demo import billing_scene, scene
from tonnage.demo.months import months_before
from tonnage.statements.frozen_queries import frozen_ids, verify

pytestmark = pytest.mark.anyio


async def test_a_year_of_statements(database: Database, tmp_path: Path) -> None:
    await start(database, tmp_path)

    async def rows(conn: Connection, query: str) -> list[Any]:
        return await (await conn.execute(query.encode())).fetchall()

    async def verified(conn: Connection) -> list[dict[Any, str]]:
        return [await verify(conn, ids) async for ids in frozen_ids(conn, None)]

    run = database.run
    assert await run(
        rows,
        "select num_nonnulls(contract_id), num_nonnulls(partner_id), currency::text, count(distinct month)"
        " from statement where number is not null group by 1, 2, 3 order by 1 desc, 2 desc",
    ) == [(1, 0, "EUR", billing_scene.MONTHS), (0, 1, "EUR", billing_scene.MONTHS), (0, 0, "USD", billing_scene.MONTHS)]
    assert not any(await run(verified))
    month = f"month = '{months_before(NOW, 2):%Y-%m-%d}' and number is not null"
    late = await run(rows, f"select partner_id from statement where {month} and paid_on is null")
    assert late == [(scene.TEST_PARTNER.id,)]
    blocked = await run(rows, "select distinct document ->> 'buyerName' from statement where blocked is not null")
    assert ("Another test partner",) in blocked
    assert await run(rows, "select remaining::text from adjustment where remaining <> 0") == [("-25.00",)]
    notes = await run(rows, "select net::text, partner_id, id from statement where credits is not null")
    assert [note[:2] for note in notes] == [("-4.40", scene.TEST_PARTNER.id)]
    assert await run(verify_credit_notes, await run(credited_ids)) == {}
    assert await run(rows, "select count(*) from price_version where published_at is null") == [(1,)]

    before = await run(rows, "select count(*), sum(seq) from statement")
    await start(database, tmp_path)
    assert await run(rows, "select count(*), sum(seq) from statement") == before
