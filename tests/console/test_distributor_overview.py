"""The start page of distributors: its sums are those of the lists behind them, and it is about nobody else."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tests.console.test_fees import marked
from tests.statements.inserted import insert_statement_of
from tests.statements.months import Sellers
from tests.usage.steps import record
from tonnage.access.actor import Actor, Role
from tonnage.db import Connection
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.utc import day_of

pytestmark = pytest.mark.anyio

SPACE = "\N{NARROW NO-BREAK SPACE}"


async def store(data: Sellers, seller: Actor, column: str, buyer: object, net: str, currency: str = "EUR") -> None:
    await data.cast.row(
        f"""
        insert into month_net (month, seller_id, {column}, currency, net, computed_at)
        values (%s, %s, %s, %s, %s, %s) returning month
        """,
        day_of(data.cast.now).replace(day=1),
        seller.organisation_id,
        buyer,
        currency,
        net,
        data.cast.now,
    )


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    """Two partners, one of them over its allocation, under a contract that is nearly allocated."""
    cast = client.cast
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, 10 * TB)
    partner = await cast.partner(distributor, contract, 9 * TB, overdraft=True, name="Fjord")
    await cast.partner(distributor, contract, TB, name="Still")
    found = Sellers(cast, distributor, contract, partner, await cast.account(partner, 9 * TB, overdraft=True))
    await record(cast, (found.account, cast.now, 12 * TB), now=cast.now + timedelta(hours=1))
    return found


@pytest.fixture
async def viewer(client: AppClient, data: Sellers) -> Browser:
    return await client.sign_in(data.distributor, Role.VIEWER)


async def test_its_figures_lead_to_the_lists_that_they_are_the_sums_of(
    client: AppClient, data: Sellers, viewer: Browser
) -> None:
    operator = client.cast.operator
    await store(data, operator, "contract_id", data.contract, "600.00")
    await store(data, data.distributor, "partner_id", data.partner.organisation_id, "1000.50")
    page = (await viewer.get("/distributor")).text
    for text in (f"10{SPACE}TB", f"12{SPACE}TB", marked("600"), marked("1000.50"), marked("400.50"), "40% of what"):
        assert text in page, text
    for path in ("contracts?sort=fee", "partners?sort=fee", "partners?sort=used", "contracts?sort=reserved"):
        assert f'href="/distributor/{path}"' in page
        assert (await viewer.get(f"/distributor/{path}")).status_code == 200
    assert marked("600") in (await viewer.get("/distributor/contracts?sort=fee")).text
    assert marked("1000.50") in (await viewer.get("/distributor/partners?sort=fee")).text
    later = (await viewer.get("/distributor/fees")).text
    assert marked("1000.50") in later
    assert marked("400.50") in later


async def test_there_is_no_margin_between_two_currencies(client: AppClient, data: Sellers, viewer: Browser) -> None:
    await store(data, client.cast.operator, "contract_id", data.contract, "600.00")
    await store(data, data.distributor, "partner_id", data.partner.organisation_id, "1000.00", "USD")
    page = (await viewer.get("/distributor")).text
    assert "Only where you sell and buy in one currency" in page
    assert "400.00" not in page


async def test_what_needs_attention(client: AppClient, data: Sellers) -> None:
    quiet = await client.sign_in(await client.cast.distributor(), Role.VIEWER)
    assert "Nothing needs you today." in (await quiet.get("/distributor")).text
    assert "No contracts yet" in (await quiet.get("/distributor")).text
    contract, partner = data.contract, Subject(SubjectKind.PARTNER, data.partner.organisation_id)
    database, month = client.cast.database, date(2026, 1, 1)
    await database.run(insert_statement_of, data.distributor, partner, contract, month)
    await database.run(
        insert_statement_of, client.cast.operator, Subject(SubjectKind.CONTRACT, contract), contract, month
    )
    client.clock.now = max(client.clock.now, datetime(2026, 4, 1, tzinfo=UTC))  # they were due in March
    viewer = await client.sign_in(data.distributor, Role.VIEWER)
    page = (await viewer.get("/distributor")).text
    path = "/distributor/contracts?show=full"
    assert f'<a class="link" href="{path}">1 contract is more than 90 % allocated.</a>' in page
    assert (await viewer.get(path)).status_code == 200
    for title in ("Over the allocation", "Unpaid by your customers", "To be paid by you"):
        assert title in page
    assert f'href="/distributor/partners/{partner.id}"' in page  # among the fullest
    assert "could not be frozen" not in page


async def test_blocked_statements_lead_to_their_month(client: AppClient, data: Sellers, viewer: Browser) -> None:
    async def insert(conn: Connection) -> None:
        await conn.execute("insert into statement_design (digest, design) values ('none', '{}') on conflict do nothing")
        for month in ("2025-12-01", "2026-01-01"):
            await conn.execute(
                """
                insert into statement (seller_id, partner_id, month, buyer_key, document, design, computed_at, blocked)
                values (%s, %s, %s, 'buyer', '{}', 'none', %s, 'no_address')
                """,
                [data.distributor.organisation_id, data.partner.organisation_id, month, client.cast.now],
            )

    await client.cast.database.run(insert)
    page = (await viewer.get("/distributor")).text
    last = 'href="/statements/months/2026-01">2 statements could not be frozen, the last ones of January 2026.'
    assert last in page


async def test_others_are_not_in_it(client: AppClient, data: Sellers, viewer: Browser) -> None:
    cast = client.cast
    stranger = await cast.distributor()
    contract = await cast.contract(stranger, 70 * TB)
    partner = await cast.partner(stranger, contract, TB, overdraft=True, name=f"Stranger {uuid.uuid4()}")
    account = await cast.account(partner, TB, overdraft=True)
    await record(cast, (account, cast.now, 2 * TB), now=cast.now + timedelta(hours=1))
    for path in ("/distributor", "/distributor/movers", "/distributor/fees"):
        page = (await viewer.get(path)).text
        assert "Stranger" not in page, path
        assert f"70{SPACE}TB" not in page, path
    assert "Fjord" in (await viewer.get("/distributor/movers")).text
    assert "Stranger" in (await (await client.sign_in(stranger)).get("/distributor/movers")).text
