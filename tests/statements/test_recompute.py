"""An outsider computes a statement again, with docs/recompute.py, from files that its buyer can download."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.recompute import recompute
from tests.statements.months import APRIL, sellers
from tests.usage.steps import at, record
from tonnage.access.actor import Role
from tonnage.partners.actions import move_partner, update_partner
from tonnage.partners.partner import PartnerChange

pytestmark = pytest.mark.anyio


async def test_a_month_in_which_everything_has_changed(client: AppClient, tmp_path: Path) -> None:
    """Another price from the 9th on, another allocation from the 12th on, another contract from the 20th on, and late
    usage of the 5th to 24th."""
    cast, run = client.cast, client.cast.database.run
    data = await sellers(cast)
    partner, reader = data.partner.organisation_id, await client.key(data.partner, Role.VIEWER)
    cast.now = at("2026-03-01")
    other = await cast.contract(data.distributor)
    await run(update_partner, data.distributor, partner, PartnerChange(allocated_capacity=4 * TB), at("2026-03-12"))
    await run(move_partner, data.distributor, partner, other, at("2026-03-20"))
    cast.now = client.clock.now = APRIL
    for seller in (data.distributor, data.partner):
        await data.describe(seller)
    await data.price(data.distributor)
    await data.reprice(data.distributor, "0.777", "2.345", date(2026, 3, 9))
    late = [(data.account, at("2026-03-05"), 5 * TB + 1), (data.account, at("2026-03-24", "17:45:12"), 9 * TB + 7)]
    await record(cast, *late, now=APRIL)
    await data.freeze(data.distributor)

    async def get(path: str) -> Any:
        return await client.call("GET", f"/ext/v1/statements{path}", reader)

    (listed,) = (await get("?role=buyer")).json()
    shown = (await get(f"/{listed['id']}")).json()
    files: list[Path] = []
    for line in shown["lines"]:
        files.append(tmp_path / f"{line['no']}.csv")
        files[-1].write_bytes((await get(f"/{listed['id']}/lines/{line['no']}/working.csv")).content)
    assert {line["product"] for line in shown["lines"]} == {"reserved", "excess"}
    assert len({(line["unitPrice"], line["contract"]) for line in shown["lines"]}) == 6
    done = await asyncio.to_thread(recompute, files)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{shown['net']}\n", "")

    text = files[0].read_text()
    files[0].write_text(text.replace("10000000000000", "10100000000000"))
    assert files[0].read_text() != text
    assert "follows from its days" in (await asyncio.to_thread(recompute, files)).stderr
