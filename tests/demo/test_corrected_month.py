"""An outsider computes the sample data's month in which everything changes, and its adjustment, with docs/recompute.py
and from what the buyer can download."""

import asyncio
import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import AppClient, application
from tests.demo.starting import NOW, kept, start
from tests.recompute import recompute_files
from tonnage.db import connect
from tonnage.db.deadlines import COMMAND_LOCK_WAIT
from tonnage.demo import scene
from tonnage.demo.billing_scene import CHANGE, CORRECTED_DAYS
from tonnage.demo.months import months_before
from tonnage.statements.checks import ALL

pytestmark = pytest.mark.anyio

PARTNER = scene.MOVED_PARTNER.id


@dataclass
class Reader:
    """A holder of the printed key."""

    client: AppClient
    key: str

    async def get(self, path: str) -> Any:
        found = await self.client.call("GET", path, self.key)
        assert found.status_code == 200, found.text
        return found

    async def statement(self, months: int) -> Any:
        """Of the moved partner, that many months before the running one."""
        month = f"{months_before(NOW, months):%Y-%m}"
        return (await self.get(f"/ext/v1/statements/draft-{PARTNER}-{month}")).json()

    async def files(self, statement: Any) -> dict[int, bytes]:
        """The working of each line."""
        path = f"/ext/v1/statements/{statement['id']}/lines"
        return {line["no"]: (await self.get(f"{path}/{line['no']}/working.csv")).content for line in statement["lines"]}


async def test_the_month_of_all_changes_and_its_adjustment_are_computed_again(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    with new_database() as conninfo:
        async with connect(conninfo, lock_wait=COMMAND_LOCK_WAIT) as database:
            await start(database, tmp_path)
        async with application(conninfo) as client:
            client.clock.now = NOW
            reader = Reader(client, kept(tmp_path).keys["distributor_admin"])
            statement, following = await reader.statement(CHANGE), await reader.statement(CHANGE - 1)
            assert len({(line["product"], line["contract"], line["unitPrice"]) for line in statement["lines"]}) == 5
            for one in (statement, following):
                assert one["number"]
                done = await asyncio.to_thread(recompute_files, (await reader.files(one)).values())
                assert (done.returncode, done.stdout, done.stderr) == (0, f"{one['net']}\n", "")
            await assert_adjusted(reader, statement, following)
            for check in ALL:
                assert not (await client.cast.database.run(check)).differences


async def assert_adjusted(reader: Reader, statement: Any, following: Any) -> None:
    """The adjustment is what the lines charge more with the use of the days as it is known now."""
    (adjusted,) = [line for line in following["lines"] if line["product"] == "adjustment"]
    shown = (await reader.get(f"/ext/v1/adjustments/{adjusted['adjustment']}")).json()
    assert shown["statement"] == statement["id"]
    assert shown["amount"] == adjusted["amount"]
    (changed,) = [one for one in shown["after"] if one not in shown["before"]]
    more = Decimal(changed["amount"]) - Decimal(statement["lines"][changed["no"] - 1]["amount"])
    assert Decimal(adjusted["amount"]) == more > 0

    first, last = months_before(NOW, CHANGE), months_before(NOW, CHANGE - 1) - timedelta(days=1)
    path = f"/v1/partner/{PARTNER}/usage?from={first:%Y-%m-%d}&to={last:%Y-%m-%d}"
    (account,) = (await reader.get(path)).json()
    used = {day["date"]: day["usage"] for day in account["daily_usage"]}
    again = with_use((await reader.files(statement))[changed["no"]], used)
    done = await asyncio.to_thread(recompute_files, [again])
    assert re.findall(r"([0-9.]+) follows from its days", done.stderr) == [changed["amount"]]


def with_use(file: bytes, used: dict[str, int]) -> bytes:
    """The working of a line with what was used on its days."""
    rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))
    differing: list[int] = []
    for row in rows[:-1]:
        if int(row["used"]) != used[row["from"]]:
            differing.append(int(row["from"][-2:]))
        row["used"] = str(used[row["from"]])
    assert differing[: len(CORRECTED_DAYS)] == list(CORRECTED_DAYS)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
