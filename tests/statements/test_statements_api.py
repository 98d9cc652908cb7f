"""Frozen statements, months and payments, by the API."""

import csv
import io
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest

from tests.api.conftest import AppClient, application
from tests.roles import as_owner, url_of
from tests.statements.months import APRIL, Sellers, sellers
from tonnage.access.actor import Actor, Role
from tonnage.db import Connection
from tonnage.statements.checks import ALL

pytestmark = pytest.mark.anyio

MARCH = "2026-03"


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    return await prepared(client)


async def prepared(client: AppClient) -> Sellers:
    found = await sellers(client.cast)
    client.clock.now = APRIL
    for seller in (client.cast.operator, found.distributor, found.partner):
        await found.describe(seller)
    await found.price(found.distributor)
    return found


@pytest.fixture
async def alone(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[AppClient]:
    with new_database() as conninfo:
        async with application(conninfo) as client:
            yield client


async def call(client: AppClient, who: Actor, method: str, path: str, **more: Any) -> Any:
    return await client.call(method, f"/ext/v1/{path}", await client.key(who, Role.ADMIN), **more)


async def frozen(client: AppClient, data: Sellers) -> Any:
    """The statement of the partner, as the list of its distributor has it."""
    done = await call(client, data.distributor, "POST", f"months/{MARCH}/freeze")
    assert done.status_code == 200, done.text
    (listed,) = (await call(client, data.distributor, "GET", f"statements?role=seller&month={MARCH}")).json()
    return listed


async def test_a_month_is_frozen_listed_and_shown_to_seller_and_buyer(client: AppClient, data: Sellers) -> None:
    over = (await call(client, data.distributor, "GET", f"months/{MARCH}")).json()
    assert (over["state"], over["sold"], over["blocked"]) == ("over", [], [])
    listed = await frozen(client, data)
    assert {name: listed[name] for name in ("number", "buyer", "level", "month", "state", "net", "gross", "dueOn")} == {
        "number": "INV-2026-00001",
        "buyer": str(data.partner.organisation_id),
        "level": "partner",
        "month": MARCH,
        "state": "frozen",
        "net": "110.00",
        "gross": "130.90",
        "dueOn": "2026-04-17",
    }
    assert (await call(client, data.partner, "GET", "statements?role=buyer")).json() == [listed]
    assert (await call(client, data.partner, "GET", "statements?role=seller")).json() == []
    stranger = (await sellers(client.cast)).distributor
    for who, status in [(data.distributor, 200), (data.partner, 200), (client.cast.operator, 404), (stranger, 404)]:
        for path in (f"statements/{listed['id']}", f"statements/{listed['id']}/lines/1/working"):
            assert (await call(client, who, "GET", path)).status_code == status
    shown = (await call(client, data.partner, "GET", f"statements/{listed['id']}")).json()
    assert shown["taxes"] == [{"category": "S", "rate": "19", "base": "110.00", "amount": "20.90"}]
    assert "contactEmail" not in shown["parties"]["buyer"]
    working = (await call(client, data.partner, "GET", f"statements/{listed['id']}/lines/2/working")).json()
    assert working["line"] == shown["lines"][1]
    assert sum(day["quantity"] for day in working["days"]) == working["line"]["byteDays"]


async def test_late_use_does_not_change_what_is_frozen(client: AppClient, data: Sellers) -> None:
    listed = await frozen(client, data)
    path = f"statements/{listed['id']}/lines/2/working"
    before = (await call(client, data.distributor, "GET", path)).json()
    await data.store(99)
    assert (await call(client, data.distributor, "GET", path)).json() == before
    draft = await call(client, data.distributor, "GET", f"statements/draft-{data.partner.organisation_id}-{MARCH}")
    assert draft.json()["id"] == listed["id"]


async def test_a_statement_is_paid_once_by_its_seller(client: AppClient, data: Sellers) -> None:
    listed = await frozen(client, data)
    path, body = f"statements/{listed['id']}/payment", {"paidOn": "2026-04-02", "reference": " Line 4 "}
    assert (await call(client, data.partner, "POST", path, json=body)).status_code == 404
    wrong = await call(client, data.distributor, "POST", path, json={"paidOn": "2026-04-04", "reference": ""})
    assert {error["field"] for error in wrong.json()["errors"]} == {"paidOn", "reference"}
    assert (await call(client, data.distributor, "POST", path, json=body)).status_code == 204
    twice = await call(client, data.distributor, "POST", path, json=body)
    assert (twice.status_code, twice.json()["code"]) == (409, "statement_paid")
    shown = (await call(client, data.partner, "GET", f"statements/{listed['id']}")).json()
    assert (shown["state"], shown["paidOn"], shown["paymentReference"]) == ("paid", "2026-04-02", "Line 4")
    month = (await call(client, data.distributor, "GET", f"months/{MARCH}")).json()
    assert month["sold"] == [{"currency": "EUR", "statements": 1, "net": "110.00", "gross": "130.90", "paid": "130.90"}]


async def test_what_is_not_paid_in_time_is_overdue(client: AppClient, data: Sellers) -> None:
    listed = await frozen(client, data)
    client.clock.now = APRIL.replace(day=18)
    (found,) = (await call(client, data.distributor, "GET", "statements?state=overdue")).json()
    assert found == listed | {"state": "overdue"}
    assert (await call(client, data.partner, "GET", f"statements/{listed['id']}")).json()["state"] == "overdue"
    assert (await call(client, data.distributor, "GET", "statements?state=frozen")).json() == []


async def test_the_margin_of_a_distributor(client: AppClient, data: Sellers) -> None:
    await frozen(client, data)
    assert (await call(client, client.cast.operator, "POST", f"months/{MARCH}/freeze")).status_code == 200
    month = (await call(client, data.distributor, "GET", f"months/{MARCH}")).json()
    assert [one["net"] for one in month["bought"]] == ["1000.00"]
    assert month["margins"] == [{"currency": "EUR", "net": "-890.00"}]
    assert "soFar" not in month


@pytest.mark.parametrize("path", ["months/2026-13", "months/2026-3", "months/2026-05", "months/x"])
async def test_months_that_there_are_not(client: AppClient, data: Sellers, path: str) -> None:
    assert (await call(client, data.distributor, "GET", path)).status_code == 404


async def test_a_month_that_is_not_over(client: AppClient, data: Sellers) -> None:
    refused = await call(client, data.distributor, "POST", "months/2026-04/freeze")
    assert (refused.status_code, refused.json()["code"]) == (409, "month_not_over")


async def test_the_document_that_was_made_first_stays(client: AppClient, data: Sellers) -> None:
    listed = await frozen(client, data)
    path = f"statements/{listed['id']}"
    first = await call(client, data.partner, "GET", f"{path}.pdf")
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert first.content.startswith(b"%PDF-")
    body = {"paidOn": "2026-04-02", "reference": "Line 4"}
    assert (await call(client, data.distributor, "POST", f"{path}/payment", json=body)).status_code == 204
    await data.number(data.distributor, footer="Another footer")
    again = await call(client, data.distributor, "GET", f"{path}.pdf")
    assert again.content == first.content
    lines = await call(client, data.partner, "GET", f"{path}.csv")
    assert lines.headers["content-type"].startswith("text/csv")
    assert len(lines.text.strip().splitlines()) == 3
    working = await call(client, data.partner, "GET", f"{path}/lines/2/working.csv")
    days = list(csv.DictReader(io.StringIO(working.content.decode("utf-8-sig"))))
    (line,) = [one for one in csv.DictReader(io.StringIO(lines.content.decode("utf-8-sig"))) if one["no"] == "2"]
    assert {name: days[-1][name] for name in line} == line
    assert len(days) == 31 + 1
    assert sum(int(day["byteDays"]) for day in days[:-1]) == int(line["byteDays"])
    for kind in (".pdf", ".csv", "/lines/2/working.csv"):
        assert (await call(client, client.cast.operator, "GET", f"{path}{kind}")).status_code == 404


@pytest.mark.parametrize("tampering", ["update statement_pdf set pdf = 'x'", "update statement_line set amount = 7"])
async def test_the_doctor_names_what_was_changed(alone: AppClient, tampering: str) -> None:
    """In a database of its own: the doctor names a few only."""
    client, data = alone, await prepared(alone)
    listed = await frozen(client, data)
    assert (await call(client, data.partner, "GET", f"statements/{listed['id']}.pdf")).status_code == 200

    async def differing(conn: Connection) -> list[str]:
        return [one.subject for check in ALL for one in (await check(conn)).differences]

    assert listed["id"] not in await client.cast.database.run(differing)
    owner = await psycopg.AsyncConnection.connect(as_owner(url_of(client.cast.database)))
    await owner.execute("set local session_replication_role = replica")
    await owner.execute(f"{tampering} where statement_id = '{listed['id']}'".encode())
    assert listed["id"] in await differing(owner)
    await owner.rollback()
    await owner.close()
