"""A freeze, and the mails after it, in processes that are killed and run again."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import Process
from typing import Any

import pytest

from tests.cast import Cast
from tests.data_dir import DATA_DIR
from tests.roles import url_of
from tests.smtp import mail_server
from tests.statement_mails.test_statement_mails import address, services
from tests.statements.killed import STEPS
from tests.statements.months import APRIL, MARCH, Sellers, sellers_with_prices
from tonnage.statement_mails.actions import send_due
from tonnage.statements.frozen_queries import verify

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


@pytest.fixture
async def data(cast: Cast) -> Sellers:
    found = await sellers_with_prices(cast)
    await found.number(found.distributor, mail_documents=True)
    await address(found, found.partner, "books@pia.example")
    for name in ("Quinn", "Rosa"):
        await address(found, await found.another(name), f"{name}@example.org")
    return found


async def start(where: str, environment: dict[str, str] | None = None) -> Process:
    """A process that is ready to freeze."""
    command = (sys.executable, "-m", "tests.statements.killed", where)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def end(process: Process, data: Sellers, **more: Any) -> int:
    """Lets it freeze. Its return code."""
    given = {
        "url": url_of(data.cast.database),
        "seller": str(data.distributor.organisation_id),
        "month": MARCH.isoformat(),
        "now": APRIL.isoformat(),
        "data_dir": str(DATA_DIR),
        **more,
    }
    await process.communicate(json.dumps(given).encode())
    assert process.returncode is not None
    return process.returncode


async def run(data: Sellers, where: str, environment: dict[str, str] | None = None, **more: Any) -> int:
    """The return code of the process."""
    return await end(await start(where, environment), data, **more)


async def unlocked(data: Sellers) -> None:
    """The server notices at once that the client of the seller's lock is gone, but after it has ended what it was
    doing."""
    locks = "select from pg_locks where locktype = 'advisory' and database = %s::oid"
    async with data.cast.database.streams.connection() as conn, asyncio.timeout(60):
        own = "select oid::text from pg_database where datname = current_database()"
        here = await (await conn.execute(own)).fetchone()
        while await (await conn.execute(locks, here)).fetchone():
            pass


@pytest.mark.parametrize("step", STEPS)
async def test_a_freeze_that_is_killed(data: Sellers, step: str) -> None:
    assert await run(data, step) == -signal.SIGKILL
    done = await data.rows("number", data.distributor)
    assert {row[0] is None for row in done} <= {step != "conclude"}
    await unlocked(data)

    again = await data.freeze(data.distributor)
    numbers = [f"INV-2026-0000{number}" for number in (1, 2, 3)]
    assert again.numbers == ([] if step == "conclude" else numbers)
    rows = await data.rows("id, number, document ->> 'buyerName', net", data.distributor)
    assert [row[1:3] for row in rows] == list(zip(numbers, ("Pia", "Quinn", "Rosa"), strict=True))
    assert await data.cast.database.run(verify, [row[0] for row in rows]) == {}
    async with mail_server() as mails:
        for _ in range(2):
            await send_due(services(data, mails))
        assert len(mails.mails) == 3


@pytest.mark.parametrize(("step", "most"), [("hold", 3), ("store_sent", 4)])
async def test_mails_of_a_process_that_is_killed(data: Sellers, step: str, most: int) -> None:
    """Before a mail is sent, or after it: then it is sent again, and mail servers know it by its id."""
    await data.freeze(data.distributor)
    async with mail_server() as mails:
        assert await run(data, step, mail=mails.port) == -signal.SIGKILL
        await send_due(services(data, mails))
        assert len(mails.mails) == most
        assert len({mail["Message-ID"] for mail in mails.mails}) == 3


async def test_ten_processes_at_once(data: Sellers) -> None:
    """They are loaded before, so that they freeze, and then mail, at the same time."""
    processes = await asyncio.gather(*(start("mailed") for _ in range(10)))
    async with mail_server() as mails:
        ended = await asyncio.gather(*(end(process, data, mail=mails.port) for process in processes))
    assert ended == [0] * 10
    rows = await data.rows("number, document ->> 'buyerName'", data.distributor)
    numbers = [f"INV-2026-0000{number}" for number in (1, 2, 3)]
    assert rows == list(zip(numbers, ("Pia", "Quinn", "Rosa"), strict=True))
    assert sorted(mail["To"] for mail in mails.mails) == ["Quinn@example.org", "Rosa@example.org", "books@pia.example"]
